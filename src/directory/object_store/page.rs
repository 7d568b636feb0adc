//! One page of a listing.

use ::object_store::ObjectMeta;
use ::object_store::path::Path;

use super::listing_body::Aside;

/// Maximum number of requests of one listing in flight.
pub(super) const CONCURRENCY: usize = 16;

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Number of its lane, which is one of the parallel listings. The objects of a lane arrive in order.
    pub(super) lane: usize,
    /// Whether it is the last page of its lane.
    pub(super) last: bool,
    /// Folders, in a listing of one level.
    pub(super) folders: Vec<Path>,
    /// Objects.
    pub(super) objects: Vec<ObjectMeta>,
    /// Keys that are no readable objects.
    pub(super) aside: Aside,
}
