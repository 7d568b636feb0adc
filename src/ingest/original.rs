//! The archive files themselves, as they lie in their directory.

use super::Ingest;
use crate::directory::{FilePath, Pieces};
use crate::index::UnitKey;

impl Ingest {
    /// An archive file of a unit, to be read piece by piece; `None`: its directory is not configured. Does no IO yet.
    #[must_use]
    pub fn original(&self, unit: &UnitKey, file: &FilePath) -> Option<Pieces> {
        Some(self.directory(unit.directory())?.pieces(file))
    }
}
