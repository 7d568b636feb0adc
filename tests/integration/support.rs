//! What several tests need.

pub mod raw_http;
