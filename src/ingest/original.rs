//! The archive files themselves, as they are in their directory.

use super::Ingest;
use crate::directory::Pieces;
use crate::index::UnitKey;
use crate::names::FilePath;

impl Ingest {
    /// An archive file of a unit, to be read piece by piece; `None` when its directory is not configured. Does no IO yet.
    #[must_use]
    pub fn original(&self, unit: &UnitKey, file: &FilePath) -> Option<Pieces> {
        Some(self.directory(unit.directory())?.pieces(file))
    }
}
