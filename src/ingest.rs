//! From archive files to the index: `fetch_archive_by_application_id`, parse, pack, apply. Bounded in bytes and in flight.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::directory::{Directory, DirectoryUrl};
use crate::index::UnitKey;

/// Why an evicted archive could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BringBackError {
    /// The store that holds it cannot be reached, or the data directory takes nothing: worth another try.
    #[error("{message}")]
    Unavailable {
        /// A sentence for the client.
        message: String,
        /// After this time.
        retry_after: Duration,
    },
    /// It is gone from its archive directory.
    #[error("the archive is gone from its archive directory")]
    Gone,
    /// It is there, but can no longer be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Fetches, parses and writes archives. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    #[expect(dead_code, reason = "skeleton")]
    directories: BTreeMap<DirectoryUrl, Directory>,
}

impl Ingest {
    /// Ingests one evicted unit again, ahead of the queue. Any number of callers for one unit cause one fetch.
    ///
    /// # Errors
    /// [`BringBackError`].
    pub async fn bring_back(&self, _unit: &UnitKey) -> Result<(), BringBackError> {
        unimplemented!("skeleton")
    }
}
