//! Folders that are held open, so that operations act on the same folder even if its path changes.
//!
//! A path that is checked and then used is resolved twice, and may lead to another folder the second time. A held folder is resolved
//! once.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Local, failed, is_absent};
use crate::clock::Timestamp;
use crate::directory::error::DirectoryError;
use crate::directory::found::FileVersion;

/// Flags for holding a folder. On Linux this needs no permission to read its names.
#[cfg(target_os = "linux")]
const HOLD: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const HOLD: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder that is held open.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// The end of a path below the root when no symbolic link is followed.
#[derive(Debug)]
pub(super) enum Way {
    /// The folder.
    Folder(Folder),
    /// This symbolic link, as a path below the root.
    Link(PathBuf),
    /// A missing name, or a name that is not a folder.
    Absent,
}

impl Local {
    /// Holds the folder at a path below the root, or the root itself for an empty path. Only the path of the root may contain links.
    pub(super) fn hold(&self, below: &Path) -> Result<Way, DirectoryError> {
        let mut folder = match rustix::fs::open(self.root(), HOLD, Mode::empty()) {
            Ok(root) => Folder(root),
            Err(error) if is_absent(&error.into()) => return self.check_root().map(|()| Way::Absent),
            Err(error) => return Err(failed("open the archive directory", self.root(), &error.into())),
        };
        let mut passed = PathBuf::new();
        for part in below.components() {
            let Component::Normal(name) = part else {
                return Err(DirectoryError::refused(format!("{} is not a path below an archive directory", below.display())));
            };
            passed.push(name);
            folder = match folder.enter(name) {
                Ok(next) => next,
                Err(_) if folder.state(name).is_ok_and(|state| is_link(&state)) => return Ok(Way::Link(passed)),
                Err(error) if is_absent(&error) => return self.check_root().map(|()| Way::Absent),
                Err(error) => return Err(failed("open", &self.root().join(&passed), &error)),
            };
        }
        Ok(Way::Folder(folder))
    }
}

impl Folder {
    /// Holds a folder in this one. Links are not followed.
    pub(super) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(&self.0, name, HOLD | OFlags::NOFOLLOW, Mode::empty())?))
    }

    /// The state of an entry. Links are not followed.
    pub(super) fn state(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The state of an entry, or of its target if it is a link.
    pub(super) fn target_state(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.0, name, AtFlags::empty())?)
    }

    /// Opens an entry for reading. Links are not followed, and a pipe without a writer does not block.
    pub(super) fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// The names of its entries that are UTF-8.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let entries = rustix::fs::Dir::new(rustix::fs::openat(&self.0, ".", flags, Mode::empty())?)?;
        let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| Ok(entry?.file_name().to_str().ok().map(str::to_owned));
        entries.map(name).filter_map(Result::transpose).collect()
    }

    /// Removes a file or link.
    pub(super) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder in this one.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Renames an entry within this folder to an unused name.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        match rustix::fs::renameat_with(&self.0, from, &self.0, to, rustix::fs::RenameFlags::NOREPLACE) {
            // The file system does not support this flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
        if self.state(to).is_ok() {
            return Err(Errno::EXIST.into());
        }
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Whether a file keeps its time when it is renamed. In a FUSE file system, such as one in front of an object store, it may be a copy.
    #[cfg(target_os = "linux")]
    pub(super) fn renaming_keeps_files(&self) -> bool {
        const FUSE: i64 = 0x6573_5546;
        rustix::fs::fstatfs(&self.0).is_ok_and(|file_system| i128::from(file_system.f_type) != i128::from(FUSE))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn renaming_keeps_files(&self) -> bool {
        true
    }
}

pub(super) fn is_link(state: &Stat) -> bool {
    FileType::from_raw_mode(state.st_mode) == FileType::Symlink
}

pub(super) fn is_folder(state: &Stat) -> bool {
    FileType::from_raw_mode(state.st_mode) == FileType::Directory
}

/// Time of the last change of an entry's state, such as a rename, if the file system records it.
#[allow(clippy::useless_conversion, reason = "other systems have another type of seconds")]
pub(super) fn renamed(state: &Stat) -> Timestamp {
    Timestamp::from_millis(i64::from(state.st_ctime).saturating_mul(1_000))
}

/// Size and time, as in a listing.
#[allow(clippy::useless_conversion, reason = "other systems have another type of seconds")]
pub(super) fn version(state: &Stat) -> FileVersion {
    let (seconds, nanoseconds) = (i64::from(state.st_mtime), i64::try_from(state.st_mtime_nsec).unwrap_or(0));
    let modified = Timestamp::from_millis(seconds.saturating_mul(1_000).saturating_add(nanoseconds / 1_000_000));
    FileVersion { size: u64::try_from(state.st_size).unwrap_or(0), modified, etag: None }
}
