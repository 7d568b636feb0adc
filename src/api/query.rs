//! The query API under `/api/v1`: lists, facets, history and statistics of all copies, as JSON.

pub(in crate::api) mod parameters;
