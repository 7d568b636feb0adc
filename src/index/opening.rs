//! Opening the index: its options, and the result.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sqlite;
use super::walks::Walks;
use crate::data_directory::DataDirectory;
use crate::index::error::IndexError;
use crate::index::options::IndexOptions;
use crate::index::reader::IndexReader;
use crate::index::sqlite::store::health::Health;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::pool::Pool;
use crate::index::sqlite::store::writer_thread::Thread;
use crate::index::writer::IndexWriter;

/// The state of the index when it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There was no index; a new one was created.
    Created,
    /// There was an index, and it is ready.
    Ready,
    /// The index was damaged. It was moved aside, and a new one was created.
    Rebuilt {
        /// The new path of the damaged file.
        moved_to: PathBuf,
        /// Applications and legacy jobs that are lost, because their archives were missing; `None` if they could not be counted.
        lost: Option<u64>,
    },
}

/// Indexes of up to this many bytes are checked completely at the start.
const THOROUGH_BYTES: u64 = 64 << 20;

/// Opens the index in the data directory, takes its lock and brings its schema up to date.
///
/// A damaged index is moved aside, and a new one is created. If the data directory cannot be written, an index of this version is
/// served as it is, and writing is tried again with every act.
///
/// # Errors
/// [`IndexError::Owned`], [`IndexError::NewerSchema`], [`IndexError::Unwritable`]; [`IndexError::Failed`] for a file that is not an index.
pub fn open(options: &IndexOptions) -> Result<(IndexWriter, IndexReader, Opened), IndexError> {
    let data_directory = DataDirectory::open(&options.data_directory)?;
    let file = data_directory.index_file();
    let mut opened = if file.exists() { check(&data_directory, options)? } else { Opened::Created };
    let walks = Walks::start(walkers(), options.query_timeout);
    let shared = Arc::new(IndexState::new(options.data_directory.clone(), Pool::new(file.clone()), walks));
    let is_locked = data_directory.is_locked();
    let has_wal = data_directory.has_wal();
    let mut thread = Thread::new(options.clone(), data_directory, shared.clone());
    if let Err(failure) = thread.open() {
        if failure.is_damage() && is_locked && !matches!(opened, Opened::Rebuilt { .. }) {
            // Damage that the first check did not find.
            opened = thread.rebuild()?;
        } else {
            let error = failure.into_index_error(&options.data_directory);
            if !matches!(error, IndexError::Unwritable(_)) || opened != Opened::Ready {
                return Err(error);
            }
            serve_only(&shared, &file, is_locked, has_wal, &error)?;
        }
    }
    let (sender, commands) = std::sync::mpsc::channel();
    let ahead = thread.ahead();
    std::thread::Builder::new()
        .name("index-writer".to_owned())
        .spawn(move || thread.run(&commands))
        .map_err(|error| IndexError::Failed(format!("the thread that writes the index could not be started: {error}")))?;
    Ok((IndexWriter::new(sender, ahead), IndexReader::new(shared), opened))
}

/// Number of threads for walks: half of the processors, so that short requests keep the others.
fn walkers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 4))
}

/// Checks an index before anything in it is changed.
fn check(data_directory: &DataDirectory, options: &IndexOptions) -> Result<Opened, IndexError> {
    let file = data_directory.index_file();
    let suspect = data_directory.is_suspect();
    let thorough = suspect || data_directory.index_bytes() <= THOROUGH_BYTES;
    let examine = |immutable| sqlite::examine(&file, thorough, immutable);
    let health = match examine(false) {
        // SQLite cannot create the files that it needs beside the index. If the index is complete, it can be read without them.
        Err(_) if !data_directory.has_wal() => examine(true),
        other => other,
    };
    match health.map_err(|failure| failure.into_index_error(&options.data_directory))? {
        Health::Good(0) => Ok(Opened::Created),
        Health::Good(version) => {
            if !data_directory.is_locked() && version != sqlite::SCHEMA_VERSION {
                return Err(IndexError::Unwritable(format!(
                    "the index {} has schema {version} and must be migrated to schema {}, but the data directory (historyserver.data.dir) \
                     cannot be written: make it writable for this process",
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
            "the index {} has schema {version}, but this version of the server supports schemas up to {}: run the newer version, or give \
             this one its own data directory (historyserver.data.dir); nothing was changed",
            file.display(),
            sqlite::SCHEMA_VERSION
        ))),
        Health::Foreign => Err(IndexError::Failed(format!(
            "the file {} is a database, but not an index of this server: move the file away, or set historyserver.data.dir to another \
             directory; nothing was changed",
            file.display()
        ))),
        Health::Damaged(why) => rebuilt(data_directory, options, &why),
    }
}

/// Moves a damaged index aside.
fn rebuilt(data_directory: &DataDirectory, options: &IndexOptions, why: &str) -> Result<Opened, IndexError> {
    if !data_directory.is_locked() {
        return Err(IndexError::Damaged(format!(
            "the index {} is damaged ({why}), and a new one cannot be built because the data directory (historyserver.data.dir) cannot be \
             written: make it writable for this process",
            data_directory.index_file().display()
        )));
    }
    let lost = sqlite::lost_units(&data_directory.index_file());
    let moved_to = data_directory.set_aside(options.clock.now())?;
    data_directory.clear_suspicion();
    let count = lost.map_or_else(String::new, |lost| format!("{lost} "));
    tracing::warn!(
        "the index was damaged ({why}): it was moved to {}, and a new one is built from the archives; {count}applications and legacy \
         jobs whose archives are missing are lost",
        moved_to.display()
    );
    Ok(Opened::Rebuilt { moved_to, lost })
}

/// Serves an index that cannot be written.
fn serve_only(shared: &IndexState, file: &Path, is_locked: bool, has_wal: bool, error: &IndexError) -> Result<(), IndexError> {
    // SQLite cannot create the files that it needs beside the index. It does not need them if no process writes, which the lock
    // shows, and if the index is complete.
    shared.pool.reset(!has_wal);
    shared
        .pool
        .read(|connection| sqlite::open_counters(connection, shared))
        .map_err(|failure| failure.into_index_error(&shared.data_directory))?;
    tracing::warn!(
        index.file = %file.display(), index.locked = is_locked,
        "the index is served as it is, and no new archives are read until it can be written: {error}"
    );
    Ok(())
}

impl Thread {
    /// Moves an index aside whose damage was found when it was opened for writing, and creates a new one.
    fn rebuild(&mut self) -> Result<Opened, IndexError> {
        let (data_directory, options) = self.place();
        let opened = rebuilt(data_directory, options, "found when it was opened for writing")?;
        let path = options.data_directory.clone();
        self.open().map_err(|failure| failure.into_index_error(&path))?;
        Ok(opened)
    }
}
