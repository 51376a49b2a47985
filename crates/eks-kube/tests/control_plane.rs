//! What only a real API server can show.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
