//! The whole way of a call, from the trait to the bytes and back, with answers written by hand.

mod failures;
mod lists;
pub(crate) mod support;
mod tokens;
mod words;
