//! What is sent and what is made of the answers, against an API server that answers what a test says.

mod calls;
mod changes;
mod evictions;
mod lists;
mod others;
mod writers;
