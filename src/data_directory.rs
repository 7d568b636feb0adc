//! The data directory: created if absent, owned by one process at a time, its files readable by their owner alone.

mod identity;
mod private;
mod socket;
mod unfinished;

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::data_directory::identity::{Identities, Identity};

use crate::clock::Timestamp;

pub use self::socket::{CommandSocket, command_socket, connect_to_server, listen_for_commands};
pub(crate) use self::unfinished::Unfinished;

const INDEX: &str = "historyserver.sqlite";
const LOCK: &str = "historyserver.lock";
/// A file beside the index that says that damage was found: the next start checks the whole index.
const SUSPECT: &str = "historyserver.sqlite.suspect";
/// Suffixes of the files that SQLite keeps beside its database.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
/// Attempts to take the lock while another process replaces its file.
const ATTEMPTS: usize = 10;

/// The data directory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataDirectoryError {
    /// Another process owns it.
    #[error("{0}")]
    Owned(String),
    /// It, or a file in it, cannot be created, read, written or locked.
    #[error("{0}")]
    Unwritable(String),
}

/// The file of the index in a data directory.
pub(crate) fn index_file(data_directory: &Path) -> PathBuf {
    data_directory.join(INDEX)
}

/// Whether a data directory has an index.
pub(crate) fn has_index(data_directory: &Path) -> bool {
    index_file(data_directory).exists()
}

/// An open data directory. The lock is released when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// `None`: the directory cannot be written, so no process can own it.
    lock: Option<File>,
    /// The directory as it was opened.
    identity: Option<Identity>,
    /// The files of the index as they were opened for writing.
    files: Identities,
}

impl Drop for DataDirectory {
    /// Releases the lock at once: a child process that was forked and has not yet begun its program has a copy of the file, and the
    /// lock would last until that is closed too.
    fn drop(&mut self) {
        if let Some(Err(error)) = self.lock.as_ref().map(File::unlock) {
            tracing::warn!("the lock of the data directory {} could not be released: {error}", self.path.display());
        }
    }
}

enum Locked {
    Ours(File),
    NotWritable(std::io::Error),
}

impl DataDirectory {
    /// Opens the directory, creates it if need be, and takes its lock. One that cannot be written is opened if it holds an index.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        if let Err(error) = DirBuilder::new().recursive(true).mode(0o700).create(path) {
            return Err(unwritable(path, "cannot be created", &error));
        }
        let lock = match lock(path)? {
            Locked::Ours(file) => Some(file),
            Locked::NotWritable(error) if !path.join(INDEX).exists() => return Err(unwritable(path, "cannot be written", &error)),
            Locked::NotWritable(_) => None,
        };
        if lock.is_some() {
            private::make_all_private(path, is_of_the_index);
        }
        Ok(Self { path: path.to_owned(), lock, identity: Identity::at(path).ok(), files: Identities::default() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn index_file(&self) -> PathBuf {
        self.path.join(INDEX)
    }

    /// Whether this process owns the directory.
    pub(crate) fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Takes the lock if the directory could not be written before.
    pub(crate) fn writable(&mut self) -> Result<(), DataDirectoryError> {
        if self.lock.is_none() {
            match lock(&self.path)? {
                Locked::Ours(file) => {
                    self.lock = Some(file);
                    private::make_all_private(&self.path, is_of_the_index);
                }
                Locked::NotWritable(error) => return Err(unwritable(&self.path, "cannot be written", &error)),
            }
        }
        Ok(())
    }

    /// Creates the index file if it is missing. SQLite gives its mode to the files beside it.
    pub(crate) fn prepare_index(&mut self) -> Result<(), DataDirectoryError> {
        self.files = Identities::default();
        private::open(&self.index_file()).map(drop).map_err(|error| unwritable(&self.path, "cannot be written", &error))
    }

    /// Remembers the files of the index as they are now, for [`DataDirectory::check`].
    pub(crate) fn note_files(&mut self) {
        let names = COMPANIONS.into_iter().chain([""]).map(|companion| self.path.join(format!("{INDEX}{companion}")));
        self.files = Identities::of(names);
    }

    /// Checks that the directory, the lock and the files of the index are still at their paths. Files that cannot be read are not
    /// reported.
    pub(crate) fn check(&self) -> Result<(), DataDirectoryError> {
        let directory = self.identity.and_then(|identity| identity.missing_at(&self.path));
        let lock = || Identity::of(self.lock.as_ref()?).ok()?.missing_at(&self.path.join(LOCK));
        let Some(missing) = directory.or_else(lock).or_else(|| self.files.missing()) else { return Ok(()) };
        let place = self.path.display();
        let what = if missing.path == self.path {
            format!("the data directory {place} (historyserver.data.dir) was {}", missing.how)
        } else {
            format!("{} in the data directory (historyserver.data.dir) was {}", missing.path.display(), missing.how)
        };
        Err(DataDirectoryError::Unwritable(format!(
            "{what} while the server ran: the server can no longer store its index there and stops. Start it again: it opens \
             the index in that place, or builds a new one from the archives"
        )))
    }

    /// Whether the index was found damaged while it was used.
    pub(crate) fn is_suspect(&self) -> bool {
        self.path.join(SUSPECT).exists()
    }

    /// Records that the index was found damaged. If that fails, the damage is found again later.
    pub(crate) fn suspect_damage(&self) {
        suspect_damage(&self.path);
    }

    pub(crate) fn clear_suspicion(&self) {
        if let Err(error) = fs::remove_file(self.path.join(SUSPECT))
            && error.kind() != ErrorKind::NotFound
        {
            tracing::debug!(
                "the file {SUSPECT} in the data directory could not be removed, so the next start checks the whole index: {error}"
            );
        }
    }

    /// Bytes of the index file.
    pub(crate) fn index_bytes(&self) -> u64 {
        fs::metadata(self.index_file()).map_or(0, |metadata| metadata.len())
    }

    /// Whether the WAL holds pages that are not in the index file yet.
    pub(crate) fn has_wal(&self) -> bool {
        fs::metadata(self.path.join(format!("{INDEX}-wal"))).is_ok_and(|metadata| metadata.len() > 0)
    }

    /// Renames a damaged index and the files beside it. It can still be opened under its new name, which is returned.
    pub(crate) fn set_aside(&self, now: Timestamp) -> Result<PathBuf, DataDirectoryError> {
        let time = chrono::DateTime::from_timestamp_millis(now.as_millis()).unwrap_or_default().format("%Y%m%dT%H%M%SZ");
        let name = format!("{INDEX}.damaged-{time}");
        let taken = |name: &str| fs::symlink_metadata(self.path.join(name)).is_ok();
        let numbered = (2..1_000).map(|n| format!("{name}-{n}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name);
        for companion in COMPANIONS.into_iter().chain([""]) {
            let from = self.path.join(format!("{INDEX}{companion}"));
            match fs::rename(&from, self.path.join(format!("{name}{companion}"))) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(unwritable(
                        &self.path,
                        &format!("holds a damaged index, and {} cannot be renamed", from.display()),
                        &error,
                    ));
                }
                _ => {}
            }
        }
        Ok(self.path.join(name))
    }
}

/// When a process last wrote to a data directory: the newest modification time of the index files and the lock. Call it before the
/// directory is opened, because opening writes the lock.
#[must_use]
pub fn last_written(path: &Path) -> Option<Timestamp> {
    let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(INDEX) || entry.file_name() == LOCK);
    let times = ours.filter_map(|entry| entry.metadata().and_then(|metadata| metadata.modified()).ok());
    times.filter_map(|time| Some(Timestamp::EPOCH + time.duration_since(std::time::UNIX_EPOCH).ok()?)).max()
}

/// Records in the data directory that the index was found damaged.
pub(crate) fn suspect_damage(path: &Path) {
    if let Err(error) = private::open(&path.join(SUSPECT)) {
        tracing::debug!("the damage of the index could not be recorded in the data directory: {error}");
    }
}

/// Whether a file with this name is the index, lies beside it, or is an index that was set aside.
fn is_of_the_index(name: &str) -> bool {
    name.starts_with(INDEX)
}

/// Takes the lock. If the lock file was replaced before it was locked, the new file is tried: the old one protects nothing.
fn lock(path: &Path) -> Result<Locked, DataDirectoryError> {
    for _ in 0..ATTEMPTS {
        let locked = try_lock(path)?;
        match &locked {
            Locked::Ours(file) if Identity::of(file).is_ok_and(|lock| lock.missing_at(&path.join(LOCK)).is_some()) => {}
            _ => return Ok(locked),
        }
    }
    Err(unwritable(path, "does not keep its lock file: another process replaces it again and again", &ErrorKind::ResourceBusy.into()))
}

fn try_lock(path: &Path) -> Result<Locked, DataDirectoryError> {
    let name = path.join(LOCK);
    let mut file = match private::open(&name) {
        Ok(file) => file,
        Err(error) => {
            // Another process may own a directory that this one can only read.
            return match File::open(&name).map(|file| file.try_lock().map_err(|error| (error, file))) {
                Ok(Err((TryLockError::WouldBlock, file))) => Err(owned(path, file)),
                _ => Ok(Locked::NotWritable(error)),
            };
        }
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(owned(path, file)),
        Err(TryLockError::Error(error)) => {
            return Err(unwritable(path, "does not support locks: choose one on another file system", &error));
        }
    }
    let owner = format!("process {} on host {}\n", std::process::id(), host());
    match file.set_len(0).and_then(|()| file.write_all(owner.as_bytes())) {
        Ok(()) => {}
        // The lock is taken nevertheless.
        Err(error) => tracing::debug!("the process id could not be written to the lock of the data directory: {error}"),
    }
    Ok(Locked::Ours(file))
}

fn owned(path: &Path, mut file: File) -> DataDirectoryError {
    let mut owner = String::new();
    let owner = match file.read_to_string(&mut owner) {
        Ok(_) if !owner.trim().is_empty() => owner.trim(),
        _ => "another process",
    };
    DataDirectoryError::Owned(format!(
        "the data directory {} (historyserver.data.dir) is in use by {owner}: stop that server, or give this one a data directory of its own",
        path.display()
    ))
}

fn unwritable(path: &Path, what: &str, error: &std::io::Error) -> DataDirectoryError {
    DataDirectoryError::Unwritable(format!(
        "the data directory {} (historyserver.data.dir) {what}: make it a folder that this process can write ({error})",
        path.display()
    ))
}

fn host() -> String {
    let name = ["/proc/sys/kernel/hostname", "/etc/hostname"].into_iter().find_map(|file| fs::read_to_string(file).ok());
    name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_file_of_a_data_directory_says_when_it_was_last_written() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(last_written(&folder.path().join("none")), None);
        assert_eq!(last_written(folder.path()), None);
        for (name, seconds) in [(LOCK, 1_700_000_000), ("historyserver.sqlite-wal", 1_700_000_007), ("notes.txt", 1_800_000_000)] {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        }
        assert_eq!(last_written(folder.path()), Some(Timestamp::from_millis(1_700_000_007_000)));
    }

    #[test]
    fn the_lock_is_released_although_a_forked_process_has_a_copy_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDirectory::open(folder.path()).unwrap();
        let _copy = first.lock.as_ref().unwrap().try_clone().unwrap();
        drop(first);
        assert!(DataDirectory::open(folder.path()).unwrap().is_locked());
    }

    #[test]
    fn a_data_directory_is_private_and_has_one_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = DataDirectory::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let Err(DataDirectoryError::Owned(sentence)) = DataDirectory::open(&path) else { panic!("two owners") };
        assert!(sentence.contains(&format!("process {} on host {}", std::process::id(), host())), "{sentence}");
        drop(first);
        DataDirectory::open(&path).unwrap();
    }

    #[test]
    fn indexes_set_aside_at_the_same_time_keep_their_names_apart() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::open(folder.path()).unwrap();
        let mut names = Vec::new();
        for content in ["one", "two"] {
            fs::write(directory.index_file(), content).unwrap();
            fs::write(folder.path().join("historyserver.sqlite-wal"), content).unwrap();
            names.push(directory.set_aside(Timestamp::EPOCH).unwrap());
        }
        assert_eq!(names[0].file_name().unwrap(), "historyserver.sqlite.damaged-19700101T000000Z");
        assert_eq!(names[1].file_name().unwrap(), "historyserver.sqlite.damaged-19700101T000000Z-2");
        assert_eq!(fs::read_to_string(&names[1]).unwrap(), "two");
        assert_eq!(fs::read_to_string(format!("{}-wal", names[0].display())).unwrap(), "one");
        assert!(!directory.index_file().exists());
    }

    /// An open data directory with an index and the files that SQLite keeps beside it.
    fn in_use(folder: &Path) -> DataDirectory {
        let mut directory = DataDirectory::open(&folder.join("data")).unwrap();
        directory.prepare_index().unwrap();
        for companion in COMPANIONS {
            fs::write(directory.path().join(format!("{INDEX}{companion}")), "x").unwrap();
        }
        directory.note_files();
        assert_eq!(directory.check(), Ok(()));
        directory
    }

    #[test]
    fn deleted_and_replaced_directories_and_files_are_reported() {
        type Disturb = fn(&Path);
        let data: [(&str, Disturb); 4] = [
            ("deleted", |data| fs::remove_dir_all(data).unwrap()),
            ("deleted", |data| fs::rename(data, data.with_extension("away")).unwrap()),
            ("replaced", |data| {
                fs::rename(data, data.with_extension("away")).unwrap();
                fs::create_dir(data).unwrap();
            }),
            ("replaced", |data| {
                fs::rename(data, data.with_extension("away")).unwrap();
                fs::write(data, "no folder").unwrap();
            }),
        ];
        for (how, disturb) in data {
            let folder = tempfile::tempdir().unwrap();
            let directory = in_use(folder.path());
            disturb(directory.path());
            let Err(DataDirectoryError::Unwritable(sentence)) = directory.check() else { panic!("{how} and not reported") };
            assert!(sentence.starts_with(&format!("the data directory {} (historyserver.data.dir) was {how}", directory.path().display())));
        }
        for name in [LOCK, INDEX, "historyserver.sqlite-wal", "historyserver.sqlite-shm"] {
            for replaced in [false, true] {
                let folder = tempfile::tempdir().unwrap();
                let directory = in_use(folder.path());
                let file = directory.path().join(name);
                fs::rename(&file, file.with_extension("away")).unwrap();
                if replaced {
                    fs::write(&file, "").unwrap();
                }
                let Err(DataDirectoryError::Unwritable(sentence)) = directory.check() else { panic!("{name} was not reported") };
                let how = if replaced { "replaced" } else { "deleted" };
                assert!(sentence.starts_with(&format!("{} in the data directory (historyserver.data.dir) was {how} ", file.display())));
            }
        }
    }

    #[test]
    fn an_index_that_was_set_aside_is_not_reported() {
        let folder = tempfile::tempdir().unwrap();
        let mut directory = in_use(folder.path());
        directory.set_aside(Timestamp::EPOCH).unwrap();
        directory.prepare_index().unwrap();
        assert_eq!(directory.check(), Ok(()));
    }
}
