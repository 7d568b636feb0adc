//! Opening the index: what may be chosen, what was found.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::sqlite;
use super::walks::Walks;
use crate::clock::Clock;
use crate::data_directory::DataDirectory;
use crate::index::error::IndexError;
use crate::index::reader::IndexReader;
use crate::index::sqlite::store::health::Health;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::pool::Pool;
use crate::index::sqlite::store::writer_thread::Thread;
use crate::index::writer::IndexWriter;
use crate::names::DirectoryUrl;

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
    /// How long a read that looks at many rows may take (`historyserver.web.query-timeout`).
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
            brought_back_grace: Duration::from_secs(30),
            query_timeout: Duration::from_secs(30),
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

/// Up to this size every page of the index is read at the start.
const THOROUGH_BYTES: u64 = 64 << 20;

/// Opens the index in the data directory, takes its lock and brings its schema up to date.
///
/// A damaged index is moved aside and a new one begun. In a data directory that cannot be written an index of this version is
/// served as it is, and writing is tried again with every act.
///
/// # Errors
/// [`IndexError::Owned`], [`IndexError::NewerSchema`], [`IndexError::Unwritable`]; [`IndexError::Failed`] for a file that is no index.
pub fn open(options: &IndexOptions) -> Result<(IndexWriter, IndexReader, Opened), IndexError> {
    let data_directory = DataDirectory::open(&options.data_directory)?;
    let file = data_directory.index_file();
    let mut opened = if file.exists() { examined(&data_directory, options)? } else { Opened::Created };
    let walks = Walks::start(walkers(), options.query_timeout);
    let shared = Arc::new(IndexState::new(options.data_directory.clone(), Pool::new(file.clone()), walks));
    let is_locked = data_directory.is_locked();
    let has_wal = data_directory.has_wal();
    let mut thread = Thread::new(options.clone(), data_directory, shared.clone());
    if let Err(failure) = thread.open() {
        if failure.is_damage() && is_locked && !matches!(opened, Opened::Rebuilt { .. }) {
            // Deeper damage than a first look shows.
            opened = thread.rebuild()?;
        } else {
            let error = failure.told(&options.data_directory);
            if !matches!(error, IndexError::Unwritable(_)) || opened != Opened::Ready {
                return Err(error);
            }
            serve_only(&shared, &file, is_locked, has_wal, &error)?;
        }
    }
    let (sender, commands) = std::sync::mpsc::channel();
    std::thread::Builder::new()
        .name("index-writer".to_owned())
        .spawn(move || thread.run(&commands))
        .map_err(|error| IndexError::Failed(format!("the thread that writes the index could not be started: {error}")))?;
    Ok((IndexWriter::new(sender), IndexReader::new(shared), opened))
}

/// Threads that walk: half of the processors, so that the others are there for whoever asks for little.
fn walkers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 4))
}

/// Looks at an index before anything of it is changed.
fn examined(data_directory: &DataDirectory, options: &IndexOptions) -> Result<Opened, IndexError> {
    let file = data_directory.index_file();
    let suspect = data_directory.is_suspect();
    let thorough = suspect || data_directory.index_bytes() <= THOROUGH_BYTES;
    let look = |immutable| sqlite::examine(&file, thorough, immutable);
    let health = match look(false) {
        // SQLite cannot create what it needs beside the file: it can be read alone if it is complete.
        Err(_) if !data_directory.has_wal() => look(true),
        other => other,
    };
    match health.map_err(|failure| failure.told(&options.data_directory))? {
        Health::Good(0) => Ok(Opened::Created),
        Health::Good(version) => {
            if !data_directory.is_locked() && version != sqlite::SCHEMA_VERSION {
                return Err(IndexError::Unwritable(format!(
                    "the index {} has schema {version} and must be brought to {}, but the data directory (historyserver.data.dir) cannot \
                     be written: make it writable for this process",
                    file.display(),
                    sqlite::SCHEMA_VERSION
                )));
            }
            if suspect {
                data_directory.clear_suspicion();
            }
            Ok(Opened::Ready)
        }
        Health::Newer(version) => Err(IndexError::NewerSchema(format!(
            "the index {} has schema {version}, this server knows up to {}: run the newer server, or give this one a data directory of its \
             own (historyserver.data.dir); nothing was changed",
            file.display(),
            sqlite::SCHEMA_VERSION
        ))),
        Health::Foreign => Err(IndexError::Failed(format!(
            "the file {} is a database, but no index of this server: move it away, or choose another data directory \
             (historyserver.data.dir); nothing was changed",
            file.display()
        ))),
        Health::Damaged(why) => rebuilt(data_directory, options, &why),
    }
}

/// Moves a damaged index aside.
fn rebuilt(data_directory: &DataDirectory, options: &IndexOptions, why: &str) -> Result<Opened, IndexError> {
    if !data_directory.is_locked() {
        return Err(IndexError::Damaged(format!(
            "the index {} is damaged ({why}), and the data directory (historyserver.data.dir) cannot be written, so that it cannot be \
             built anew: make it writable for this process",
            data_directory.index_file().display()
        )));
    }
    let lost = sqlite::lost_units(&data_directory.index_file());
    let moved_to = data_directory.set_aside(options.clock.now())?;
    data_directory.clear_suspicion();
    let gone = match lost {
        Some(lost) => format!("{lost} applications and legacy jobs whose archives are gone are lost"),
        None => "applications and legacy jobs whose archives are gone are lost".to_owned(),
    };
    tracing::warn!("the index was damaged ({why}), lies now at {} and is built anew from the archives; {gone}", moved_to.display());
    Ok(Opened::Rebuilt { moved_to, lost })
}

/// Serves an index that cannot be written.
fn serve_only(shared: &IndexState, file: &Path, is_locked: bool, has_wal: bool, error: &IndexError) -> Result<(), IndexError> {
    // With a directory that cannot be written SQLite cannot create the files it needs beside the index. It can do without them
    // as long as nobody writes, which the lock tells, and the index is complete.
    shared.pool.reset(!has_wal);
    shared.pool.read(|connection| sqlite::open_counters(connection, shared)).map_err(|failure| failure.told(&shared.data_directory))?;
    tracing::warn!(
        index.file = %file.display(), index.locked = is_locked,
        "the index is served as it is, nothing new is read until it can be written: {error}"
    );
    Ok(())
}

impl Thread {
    /// Moves aside an index whose damage showed when it was opened for writing, and begins a new one.
    fn rebuild(&mut self) -> Result<Opened, IndexError> {
        let (data_directory, options) = self.place();
        let opened = rebuilt(data_directory, options, "found when it was opened for writing")?;
        let path = options.data_directory.clone();
        self.open().map_err(|failure| failure.told(&path))?;
        Ok(opened)
    }
}
