//! Opening the index: what may be chosen, what was found.

use std::path::PathBuf;
use std::time::Duration;

use super::{IndexError, IndexReader, IndexWriter};
use crate::clock::Clock;
use crate::directory::DirectoryUrl;

/// How to open the index.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// Data directory (`historyserver.data.dir`), created if absent.
    pub data_directory: PathBuf,
    /// Byte budget over all packs (`historyserver.cache.max-size`).
    pub max_pack_bytes: u64,
    /// Configured archive directories, in order of precedence: later wins.
    pub directories: Vec<DirectoryUrl>,
    /// For the times the index notes by itself.
    pub clock: Clock,
    /// How long an archive directory that is no longer configured is remembered, hidden.
    pub remember_unconfigured: Duration,
    /// How long packs that were brought back for somebody who waits are safe from eviction.
    pub brought_back_grace: Duration,
    /// Upper bound of the index file in pages of 4 KiB, for tests of a full disk; `None`: the file system's.
    pub max_file_pages: Option<u32>,
}

impl IndexOptions {
    /// Options with the defaults of everything that is not configured.
    #[must_use]
    pub fn new(data_directory: impl Into<PathBuf>, max_pack_bytes: u64, directories: Vec<DirectoryUrl>) -> Self {
        Self {
            data_directory: data_directory.into(),
            max_pack_bytes,
            directories,
            clock: Clock::System,
            remember_unconfigured: Duration::from_hours(7 * 24),
            brought_back_grace: Duration::from_secs(30),
            max_file_pages: None,
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// No index was there.
    Created,
    /// The index is there, ready to be served.
    Ready,
    /// The index was damaged and moved aside; a new one was created.
    Rebuilt {
        /// Where the damaged file now lies.
        moved_to: PathBuf,
        /// Applications and legacy jobs whose archives were gone, so that they are lost; `None` when that could not be read.
        lost: Option<u64>,
    },
}

/// Opens the index in the data directory, takes its lock and brings its schema up to date.
///
/// # Errors
/// [`IndexError::Owned`], [`IndexError::NewerSchema`], [`IndexError::Unwritable`].
pub fn open(_options: &IndexOptions) -> Result<(IndexWriter, IndexReader, Opened), IndexError> {
    unimplemented!("skeleton")
}
