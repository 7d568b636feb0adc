//! A small file that is read again when it changes.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// A file, and its state when it was last read.
#[derive(Debug)]
pub(super) struct WatchedFile {
    path: PathBuf,
    read: Mutex<Option<Stamp>>,
}

/// Size, time and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl WatchedFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The text of the file if it has changed since the last call; `None`: it has not.
    ///
    /// # Errors
    /// It cannot be read. The next call returns the error again only if the file has changed.
    pub(super) fn changed(&self) -> io::Result<Option<String>> {
        let stamp = stamp(&self.path);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let current = stamp.as_ref().ok().copied();
        if read.is_some() && *read == current {
            return Ok(None);
        }
        *read = current;
        stamp?;
        let mut text = String::new();
        fs::File::open(&self.path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 4 MiB"));
        }
        Ok(Some(text))
    }
}

fn stamp(path: &Path) -> io::Result<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let state = fs::metadata(path)?;
    Ok(Stamp { bytes: state.len(), modified: state.modified().ok(), inode: state.ino() })
}
