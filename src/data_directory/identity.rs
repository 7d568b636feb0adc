//! What lies at a path, and whether it still does: somebody may delete or replace it while it is in use.

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

/// Something that does not lie at its path any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Missing {
    /// Where it lay.
    pub(super) path: PathBuf,
    /// `deleted` or `replaced`.
    pub(super) how: &'static str,
}

impl Identity {
    /// Of what lies at a path; links are followed.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(Self::from)
    }

    /// Of an open file.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(Self::from)
    }

    /// Tells when something else lies at the path, or nothing. `None` also when that cannot be found out.
    pub(super) fn missing_at(self, path: &Path) -> Option<Missing> {
        let how = match Self::at(path) {
            Ok(found) if found == self => return None,
            Ok(_) => "replaced",
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => "deleted",
            Err(error) => {
                tracing::debug!("{} cannot be looked at: {error}", path.display());
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

/// Several paths, with what lies there.
#[derive(Debug, Default)]
pub(super) struct Identities(Vec<(PathBuf, Identity)>);

impl Identities {
    /// Of those of the paths where something lies.
    pub(super) fn of(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let found = |path: PathBuf| Identity::at(&path).ok().map(|identity| (path, identity));
        Self(paths.into_iter().filter_map(found).collect())
    }

    /// The first that does not lie at its path any more.
    pub(super) fn missing(&self) -> Option<Missing> {
        self.0.iter().find_map(|(path, identity)| identity.missing_at(path))
    }
}
