//! The outcome table of the eviction subresource, row by row.
