//! Backfill of an index that an older server wrote: facts that it did not derive from archives are derived from their packs.

use crate::archive;

/// Number of archives whose facts are missing, or were derived by an older server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Underived {
    /// Archives whose packs are stored, so the facts can be derived.
    pub kept: u64,
    /// Archives whose packs were evicted. Their facts are derived when they are ingested again.
    pub evicted: u64,
}

/// The last archive of a page of the backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivingPosition {
    pub(in crate::index) unit: i64,
    pub(in crate::index) file: Vec<u8>,
}

/// Facts that were derived from one pack.
#[derive(Debug)]
pub struct Derived {
    pub(in crate::index) pack: i64,
    pub(in crate::index) derived: Box<archive::Derived>,
}

/// Facts that were derived from a page of archives.
#[derive(Debug)]
pub struct DerivedPage {
    /// Facts to write.
    pub derived: Vec<Derived>,
    /// A sentence for each pack that could not be read.
    pub failed: Vec<String>,
    /// Where the next page begins; `None` after the last page.
    pub next: Option<DerivingPosition>,
}
