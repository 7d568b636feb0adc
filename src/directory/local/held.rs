//! Folders that are held open: what is done below one is done in that very folder, whatever becomes of its path meanwhile.
//!
//! A path that is checked and then used is resolved twice, and may lead elsewhere the second time. A held folder is resolved once.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{Local, failed, is_absent};
use crate::clock::Millis;
use crate::directory::error::DirectoryError;
use crate::directory::found::FileVersion;

/// How a folder is held. On Linux that needs no permission to read its names.
#[cfg(target_os = "linux")]
const HOLD: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const HOLD: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder that is held open.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

/// Where the way from the root to a folder ends, when no symbolic link is followed.
#[derive(Debug)]
pub(super) enum Way {
    /// At the folder.
    Folder(Folder),
    /// At this symbolic link, as a path below the root.
    Link(PathBuf),
    /// At a name that is not there, or is no folder.
    Absent,
}

impl Local {
    /// Holds the folder at a path below the root; the root itself for an empty path. Only the path of the root may have links in it.
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
                Err(_) if folder.look(name).is_ok_and(|state| is_link(&state)) => return Ok(Way::Link(passed)),
                Err(error) if is_absent(&error) => return self.check_root().map(|()| Way::Absent),
                Err(error) => return Err(failed("open", &self.root().join(&passed), &error)),
            };
        }
        Ok(Way::Folder(folder))
    }
}

impl Folder {
    /// Holds a folder in this one that is no link.
    pub(super) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(&self.0, name, HOLD | OFlags::NOFOLLOW, Mode::empty())?))
    }

    /// The state of an entry, a link being one itself.
    pub(super) fn look(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// The state of an entry, or of what it leads to if it is a link.
    pub(super) fn look_through(&self, name: &OsStr) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.0, name, AtFlags::empty())?)
    }

    /// Opens an entry for reading that is no link; a pipe without a writer does not block.
    pub(super) fn open(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// The names in it that are UTF-8.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let entries = rustix::fs::Dir::new(rustix::fs::openat(&self.0, ".", flags, Mode::empty())?)?;
        let name = |entry: rustix::io::Result<rustix::fs::DirEntry>| Ok(entry?.file_name().to_str().ok().map(str::to_owned));
        entries.map(name).filter_map(Result::transpose).collect()
    }

    /// Takes the name of a file or link away.
    pub(super) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes an empty folder in this one.
    pub(super) fn remove_folder(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::REMOVEDIR)?)
    }

    /// Renames an entry within this folder, to a name that is not taken.
    pub(super) fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        match rustix::fs::renameat_with(&self.0, from, &self.0, to, rustix::fs::RenameFlags::NOREPLACE) {
            // The file system cannot say whether the name is taken.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return Ok(renamed?),
        }
        if self.look(to).is_ok() {
            return Err(Errno::EXIST.into());
        }
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Whether a renamed file is still the same file with the same time. In user space (FUSE), in front of an object store for one,
    /// it may be a copy.
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

/// When an entry was last renamed or its state changed otherwise, as far as the file system records it.
#[allow(clippy::useless_conversion, reason = "the type of the seconds is another one on other systems")]
pub(super) fn renamed(state: &Stat) -> Millis {
    Millis::from(state.st_ctime).saturating_mul(1_000)
}

/// Size and time, as a listing tells them.
#[allow(clippy::useless_conversion, reason = "the type of the seconds is another one on other systems")]
pub(super) fn version(state: &Stat) -> FileVersion {
    let (seconds, nanoseconds) = (Millis::from(state.st_mtime), Millis::try_from(state.st_mtime_nsec).unwrap_or(0));
    let modified = seconds.saturating_mul(1_000).saturating_add(nanoseconds / 1_000_000);
    FileVersion { size: u64::try_from(state.st_size).unwrap_or(0), modified, etag: None }
}
