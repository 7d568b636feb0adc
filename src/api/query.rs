//! The query API under `/api/v1`: lists, search, facets, history and statistics of all copies, as JSON.

pub(in crate::api) mod compare;
pub(in crate::api) mod counts;
pub(in crate::api) mod export;
mod facts;
pub(in crate::api) mod filters;
pub(in crate::api) mod items;
pub(in crate::api) mod lists;
mod notes;
pub(in crate::api) mod one;
pub(in crate::api) mod parameters;
mod runs;
pub(in crate::api) mod search;
mod table;
mod words;

use crate::api::Shared;
use crate::index::query::{Scope, ScopedReader};

/// The reading handle for whoever asks: everybody may see everything that is listed.
pub(in crate::api) fn reader(shared: &Shared) -> ScopedReader {
    shared.reader.scoped(Scope::everything())
}
