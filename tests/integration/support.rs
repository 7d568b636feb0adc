//! Helpers for several areas of tests.

pub(crate) mod archives;
pub(crate) mod facts;
pub(crate) mod flink;
pub(crate) mod process;
pub(crate) mod raw_http;
pub(crate) mod served;
pub(crate) mod stored;
pub(crate) mod world;
