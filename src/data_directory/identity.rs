//! Detects that a file or folder in use was deleted or replaced.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Device and inode of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// A file or folder that is no longer at its path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// The path.
    pub(super) path: PathBuf,
    /// `deleted` or `replaced`.
    pub(super) how: &'static str,
}

impl Identity {
    /// The identity of the file or folder at a path. Links are followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(Self::from)
    }

    /// The identity of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self::from)
    }

    /// Reports that another file, or none, is at the path. `None` also if that cannot be found out.
    pub(super) fn missing_at(self, path: &Path) -> Option<Missing> {
        let how = match Self::at(path) {
            Ok(found) if found == self => return None,
            Ok(_) => "replaced",
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => "deleted",
            Err(error) => {
                tracing::debug!("whether {} was replaced cannot be checked: {error}", path.display());
                return None;
            }
        };
        Some(Missing { path: path.to_owned(), how })
    }
}

impl From<Metadata> for Identity {
    fn from(state: Metadata) -> Self {
        Self { device: state.dev(), inode: state.ino() }
    }
}

/// Paths with the identity of the file at each.
#[derive(Debug, Default)]
pub(super) struct Identities(Vec<(PathBuf, Identity)>);

impl Identities {
    /// The identities of those paths that exist.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let found = |path: PathBuf| Identity::at(&path).ok().map(|identity| (path, identity));
        Self(paths.into_iter().filter_map(found).collect())
    }

    /// The first that is no longer at its path.
    pub(super) fn missing(&self) -> Option<Missing> {
        self.0.iter().find_map(|(path, identity)| identity.missing_at(path))
    }
}
