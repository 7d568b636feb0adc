//! The options of the index.

use std::path::PathBuf;
use std::time::Duration;

use crate::clock::Clock;
use crate::names::DirectoryUrl;

/// The options of an index.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// Data directory (`historyserver.data.dir`), created if absent.
    pub data_directory: PathBuf,
    /// Byte budget over all packs (`historyserver.cache.max-size`).
    pub max_pack_bytes: u64,
    /// Configured archive directories, in order of precedence: later wins.
    pub directories: Vec<DirectoryUrl>,
    /// Clock for the times that the index records itself.
    pub clock: Clock,
    /// How long an archive directory that is no longer configured is remembered, hidden.
    pub remember_unconfigured: Duration,
    /// How long packs that were restored for a waiting client are safe from eviction.
    pub restored_grace: Duration,
    /// How long a read of many rows may take (`historyserver.web.query-timeout`).
    pub query_timeout: Duration,
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
            restored_grace: Duration::from_secs(30),
            query_timeout: Duration::from_secs(30),
            max_file_pages: None,
        }
    }
}
