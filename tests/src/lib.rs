//! End-to-end tests over the built binaries.
