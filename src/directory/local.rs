//! An archive directory in the local file system, with a walk of its own.
//!
//! Folders that cannot contain archives are not entered. A folder that cannot be read hides only the files below it.
//! Folders may be symbolic links, also to folders outside the root. A file may be a symbolic link only to a file below the root.
//! Only regular files are opened.

mod files;
mod held;
mod listing;
mod probe;
mod read;
mod remove;
mod search;
mod test_object;
mod walk;

use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::error::{DirectoryError, DirectoryErrorKind};
use super::found::{Extent, FileVersion, Found, FoundFile, Listed};
use super::pieces::Piece;
use super::{Contents, Deleted, layout};
use crate::clock::Clock;
use crate::ids::JobId;
use crate::names::{ClusterName, FilePath};
use crate::tasks::spawn_blocking;

/// The root of a local archive directory. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Local {
    root: Arc<Path>,
    clock: Clock,
}

impl Local {
    /// The directory at an absolute path, which need not exist.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root: root.into(), clock: Clock::System }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) async fn list(&self, extent: &Extent, known: &Arc<[ClusterName]>, found: Sender<Found>) -> Result<Listed, DirectoryError> {
        let (extent, known) = (extent.clone(), known.clone());
        self.blocking(move |local| {
            listing::list(local, &extent, &known, &mut |piece| found.blocking_send(piece).map_err(|_| DirectoryError::receiver_closed()))
        })
        .await
    }

    pub(super) async fn write_and_delete(&self, name: &str) -> Result<(), DirectoryError> {
        let name = name.to_owned();
        self.blocking(move |local| test_object::write_and_delete(&local.root, &name)).await
    }

    pub(super) async fn may_delete(&self) -> Result<(), DirectoryError> {
        self.blocking(|local| test_object::may_delete(&local.root)).await
    }

    pub(super) async fn application_files(&self, folder: &FilePath) -> Result<Option<Vec<FoundFile>>, DirectoryError> {
        let folder = folder.clone();
        self.blocking(move |local| local.files_of(&folder)).await
    }

    pub(super) async fn legacy_job_file(&self, name: FilePath, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        self.blocking(move |local| local.legacy_job(name, job)).await
    }

    pub(super) async fn read_part(&self, file: &FilePath, part: Range<u64>) -> Result<Bytes, DirectoryError> {
        let file = file.clone();
        self.blocking(move |local| local.read_file_part(&file, &part)).await
    }

    pub(super) async fn read(&self, file: &FilePath, whole_up_to: u64) -> Result<Contents, DirectoryError> {
        read::read(self, file, whole_up_to).await
    }

    pub(super) async fn read_piece(&self, file: &FilePath, position: u64, max_bytes: usize) -> Result<Piece, DirectoryError> {
        read::read_piece(self, file, position, max_bytes).await
    }

    pub(super) async fn delete_file(&self, file: &FilePath, expected: &FileVersion) -> Result<Deleted, DirectoryError> {
        let (file, expected) = (file.clone(), expected.clone());
        self.blocking(move |local| local.remove_file(&file, &expected)).await
    }

    pub(super) async fn undo_deletion(&self, unit: &FilePath) -> Result<(), DirectoryError> {
        let unit = unit.clone();
        self.blocking(move |local| local.restore_names(&unit)).await
    }

    pub(super) async fn remove_folder_if_empty(&self, folder: &FilePath) -> Result<bool, DirectoryError> {
        let folder = folder.clone();
        self.blocking(move |local| local.remove_empty_folder(&folder)).await
    }

    pub(super) async fn application_link(&self, folder: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        let folder = folder.clone();
        self.blocking(move |local| local.first_link_in(&folder)).await
    }

    pub(super) async fn remove_link(&self, link: &FilePath) -> Result<Deleted, DirectoryError> {
        let link = link.clone();
        self.blocking(move |local| local.remove_symbolic_link(&link)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<T, DirectoryError> {
        let local = self.clone();
        spawn_blocking(move || work(&local)).await
    }

    /// The path of a file or folder below the root.
    fn path(&self, below: &FilePath) -> Result<PathBuf, DirectoryError> {
        Ok(self.root.join(layout::check(below)?))
    }

    /// Fails when the root is missing. Then a missing file was not deleted: the file system may be unmounted.
    fn check_root(&self) -> Result<(), DirectoryError> {
        match std::fs::metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(DirectoryError::unavailable(format!("{} is no longer a folder", self.root.display()))),
            Err(error) => Err(DirectoryError::unavailable(format!("the archive directory {} is missing: {error}", self.root.display()))),
        }
    }
}

/// Device and inode of a folder. A folder that is moved keeps them, and a folder that is made again at the same path has others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FolderIdentity {
    device: u64,
    inode: u64,
}

impl FolderIdentity {
    /// The identity of the folder at a path; `None` if there is none. Blocking.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_dir)?;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// Whether the error means that the file is missing.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether the error means that symbolic links form a loop.
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// The error of an operation on a file or folder below the root. The caller has checked the root.
fn failed(doing: &str, path: &Path, error: &io::Error) -> DirectoryError {
    if is_loop(error) {
        return DirectoryError::new(
            DirectoryErrorKind::Refused,
            format!("cannot {doing} {}: symbolic links in its path form a loop", path.display()),
        );
    }
    DirectoryError::io(doing, &path.display(), error)
}
