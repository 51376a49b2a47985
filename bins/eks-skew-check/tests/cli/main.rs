//! The built binary, from outside: arguments and files in, output and exit code out.
//!
//! Numbers of rows are those of docs/peer-rows.md.
#![expect(clippy::unwrap_used, reason = "tests")]

mod harness;
mod living;
mod reading;
mod surface;
