//! Bringing an index up to date that an older server wrote: what it did not derive from archives is derived from their packs.

use super::{IndexError, IndexReader, IndexWriter, Urgency, sqlite};
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
    pub(super) unit: i64,
    pub(super) file: Vec<u8>,
}

/// What was derived from one pack.
#[derive(Debug)]
pub struct Derived {
    pub(super) pack: i64,
    pub(super) derived: Box<archive::Derived>,
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

impl IndexReader {
    /// How many archives there are to derive from.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn underived(&self) -> Result<Underived, IndexError> {
        self.read(|shared| shared.pool.read(sqlite::underived)).await
    }

    /// Derives from at most `limit` archives whose packs are here. Changes nothing, and reads nothing but the index.
    ///
    /// # Errors
    /// [`IndexError`]; a pack that cannot be read is none, but in the answer.
    pub async fn derive(&self, after: Option<DerivingPosition>, limit: usize) -> Result<DerivedPage, IndexError> {
        self.read(move |shared| shared.pool.read(|connection| sqlite::derive(connection, after.as_ref(), limit))).await
    }
}

impl IndexWriter {
    /// Writes what was derived, but not of archives that were replaced, evicted or forgotten since. Gives back of how many.
    ///
    /// # Errors
    /// [`IndexError`]; nothing of it is then visible.
    pub async fn write_derived(&self, derived: Vec<Derived>) -> Result<u64, IndexError> {
        self.act(Urgency::Batched, move |session| sqlite::write_derived(session, &derived)).await
    }
}
