//! Kinds and numbers of requests to a store.

use serde::Serialize;
use utoipa::ToSchema;

/// The kind of an HTTP request to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub(super) enum RequestKind {
    /// One page of a listing.
    List,
    /// An object, or a part of one.
    Get,
    /// The state of an object.
    Head,
    /// The deletion of one or several objects.
    Delete,
    /// Credentials, and writes.
    Other,
}

impl RequestKind {
    /// Every kind, in the order of their numbers.
    pub(super) const ALL: [Self; 5] = [Self::List, Self::Get, Self::Head, Self::Delete, Self::Other];
}

/// HTTP requests that were sent to a store since the start, retries included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RequestCounts {
    /// Pages of listings.
    pub list: u64,
    /// Objects and parts of objects that were read.
    pub get: u64,
    /// States of single objects.
    pub head: u64,
    /// Deletions; one request deletes up to 1,000 objects where the store supports it.
    pub delete: u64,
    /// Credentials, and writes.
    pub other: u64,
}

impl RequestCounts {
    /// The numbers by kind.
    pub(super) fn new(count: impl Fn(RequestKind) -> u64) -> Self {
        Self {
            list: count(RequestKind::List),
            get: count(RequestKind::Get),
            head: count(RequestKind::Head),
            delete: count(RequestKind::Delete),
            other: count(RequestKind::Other),
        }
    }
}
