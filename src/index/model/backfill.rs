//! Bringing an index up to date that an older server wrote: what it did not derive from archives is derived from their packs.

use crate::archive;

/// Archives whose facts an older server derived, or nobody.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Underived {
    /// Their packs are here: they can be derived.
    pub kept: u64,
    /// Their packs were evicted: they are derived when they are ingested again.
    pub evicted: u64,
}

/// Where a page of archives to derive from ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivingPosition {
    pub(in crate::index) unit: i64,
    pub(in crate::index) file: Vec<u8>,
}

/// What was derived from one pack.
#[derive(Debug)]
pub struct Derived {
    pub(in crate::index) pack: i64,
    pub(in crate::index) derived: Box<archive::Derived>,
}

/// What was derived from a page of archives.
#[derive(Debug)]
pub struct DerivedPage {
    /// To be written.
    pub derived: Vec<Derived>,
    /// Why nothing could be derived from the others.
    pub failed: Vec<String>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<DerivingPosition>,
}
