//! Kinds and numbers of requests to a store.

use serde::Serialize;
use utoipa::ToSchema;

/// List prices of one listing request in US dollars, for the standard storage class in a large region of each cloud, as of 2025.
///
/// S3 Standard, us-east-1: 0.005 per 1,000 (<https://aws.amazon.com/s3/pricing/>).
pub(super) const S3_LISTING: f64 = 0.005 / 1_000.0;
/// Cloud Storage Standard, us-east1, operations of class A: 0.005 per 1,000 (<https://cloud.google.com/storage/pricing>).
pub(super) const GOOGLE_LISTING: f64 = 0.005 / 1_000.0;
/// Blob Storage, East US, hot tier with local redundancy: 0.055 per 10,000
/// (<https://azure.microsoft.com/pricing/details/storage/blobs/>).
pub(super) const AZURE_LISTING: f64 = 0.055 / 10_000.0;

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
