//! The state of single files and of the files of one application. Links out of the root are not followed.

use std::fs::{self, DirEntry, FileType, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::remove::name_of_aside;
use super::{Local, failed, is_absent, is_loop};
use crate::clock::Timestamp;
use crate::directory::error::DirectoryError;
use crate::directory::found::{FileKind, FileVersion, FoundFile, Hidden, Obstacle};
use crate::directory::layout;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath};
use crate::problem::ProblemCode;

/// Modification time in milliseconds, rounded down.
pub(super) fn modified(metadata: &Metadata) -> Timestamp {
    let Ok(time) = metadata.modified() else { return Timestamp::EPOCH };
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => Timestamp::EPOCH + after,
        // A part of a millisecond before 1970 belongs to the millisecond before.
        Err(before) => Timestamp::EPOCH - (before.duration() + Duration::from_nanos(999_999)),
    }
}

/// Size and time. An entity tag made of the inode would change when a backup is restored.
pub(super) fn version(metadata: &Metadata) -> FileVersion {
    FileVersion { size: metadata.len(), modified: modified(metadata), etag: None }
}

/// The target of a symbolic link.
pub(super) enum Link {
    /// A regular file, with its path below the root without links.
    File(PathBuf, Metadata),
    /// Neither a regular file nor a folder.
    Other,
    /// A folder.
    Folder,
    /// Nothing, a loop, or a file outside the root.
    Refused(String),
    /// Unknown, because of an error.
    Failed(io::Error),
}

impl Local {
    /// Follows a symbolic link to a file. A folder may lie anywhere, a file only below the root.
    pub(super) fn follow(&self, path: &Path) -> Link {
        let target = match fs::metadata(path) {
            Ok(target) => target,
            Err(error) if is_absent(&error) => {
                return Link::Refused(format!(
                    "the target of the symbolic link {} does not exist; correct or remove the link",
                    path.display()
                ));
            }
            Err(error) if is_loop(&error) => {
                return Link::Refused(format!("the symbolic link {} is part of a loop; correct or remove the link", path.display()));
            }
            Err(error) => return Link::Failed(error),
        };
        if target.is_dir() {
            return Link::Folder;
        }
        if !target.is_file() {
            return Link::Other;
        }
        match (path.canonicalize(), self.root.canonicalize()) {
            (Ok(real), Ok(root)) => match real.strip_prefix(&root) {
                Ok(below) => Link::File(below.to_owned(), target),
                Err(_) => Link::Refused(link_out_of_root(path)),
            },
            (Err(error), _) | (_, Err(error)) => Link::Failed(error),
        }
    }

    /// The archive files of one application. `None` when its folder is missing.
    pub(super) fn files_of(&self, folder: &FilePath) -> Result<Option<Vec<FoundFile>>, DirectoryError> {
        let (cluster, id) = layout::application_of(folder)
            .ok_or_else(|| DirectoryError::refused(format!("{folder} is not the folder of an application")))?;
        let path = self.path(folder)?;
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Ok(None),
            Err(error) if is_absent(&error) => return self.check_root().map(|()| None),
            Err(error) => return Err(failed("list", &path, &error)),
        }
        let mut found = ApplicationFiles::new(self, &cluster, id, folder);
        found.collect(&path);
        if let Some(error) = found.failure {
            return Err(error);
        }
        Ok(Some(found.files))
    }

    /// The legacy job archive with this name.
    pub(super) fn legacy_job(&self, name: FilePath, job: JobId) -> Result<Option<FoundFile>, DirectoryError> {
        let path = self.path(&name)?;
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_symlink() => match self.follow(&path) {
                Link::File(_, metadata) => metadata,
                Link::Other | Link::Folder => return Ok(None),
                Link::Refused(reason) => return Err(DirectoryError::refused(reason)),
                Link::Failed(error) => return Err(failed("read the state of", &path, &error)),
            },
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return Ok(None),
            Err(error) if is_absent(&error) => return self.check_root().map(|()| None),
            Err(error) => return Err(failed("read the state of", &path, &error)),
        };
        Ok(Some(FoundFile { path: name, kind: FileKind::Job(job), version: version(&metadata) }))
    }
}

/// Collects the files of one application.
pub(super) struct ApplicationFiles<'a> {
    local: &'a Local,
    cluster: &'a ClusterName,
    id: ApplicationId,
    folder: &'a FilePath,
    /// The files.
    pub(super) files: Vec<FoundFile>,
    /// The obstacles.
    pub(super) obstacles: Vec<Obstacle>,
    /// The first failure that may hide any file of the application.
    failure: Option<DirectoryError>,
}

impl<'a> ApplicationFiles<'a> {
    pub(super) fn new(local: &'a Local, cluster: &'a ClusterName, id: ApplicationId, folder: &'a FilePath) -> Self {
        Self { local, cluster, id, folder, files: Vec::new(), obstacles: Vec::new(), failure: None }
    }

    /// Reads the folder of the application at `path`.
    pub(super) fn collect(&mut self, path: &Path) {
        if self.summary(path) {
            self.jobs(&path.join(layout::JOBS));
        }
        self.obstacles.append(&mut layout::resolve_twins(&mut self.files));
    }

    /// Reads the state of the summary. Returns `false` if the folder cannot be entered, which is one obstacle for all its files.
    fn summary(&mut self, folder: &Path) -> bool {
        let path = folder.join(layout::SUMMARY);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => self.take(|| path, layout::SUMMARY, FileKind::Summary, metadata.file_type(), || Ok(metadata)),
            Err(error) if is_absent(&error) => self.local.restore_interrupted(Path::new(self.folder.as_str()), layout::SUMMARY.as_ref()),
            Err(error) => {
                self.unreadable(self.folder.as_str(), &failed("enter", folder, &error), &error);
                return false;
            }
        }
        true
    }

    fn jobs(&mut self, jobs: &Path) {
        let broken = |error: &io::Error| failed("list", jobs, error);
        let below = format!("{}/{}", self.folder, layout::JOBS);
        let entries = match fs::read_dir(jobs) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => {
                self.local.restore_interrupted(Path::new(self.folder.as_str()), layout::JOBS.as_ref());
                // An application without jobs has no such folder, but a broken link is an obstacle.
                if fs::symlink_metadata(jobs).is_ok_and(|metadata| metadata.is_symlink()) && fs::metadata(jobs).is_err() {
                    self.refused(
                        Hidden::Application(self.cluster.clone(), self.id),
                        below,
                        format!("the target of the symbolic link {} does not exist; correct or remove the link", jobs.display()),
                    );
                }
                return;
            }
            Err(error) => return self.unreadable(&below, &broken(&error), &error),
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.job(&entry),
                Err(error) => return self.unreadable(&below, &broken(&error), &error),
            }
        }
    }

    fn job(&mut self, entry: &DirEntry) {
        let name = entry.file_name();
        let (Ok(job), Some(text)) = (JobId::from_name(name.as_bytes()), name.to_str()) else {
            if let Some(job) = name_of_aside(&name).filter(|name| JobId::from_name(name.as_bytes()).is_ok()) {
                self.local.restore_interrupted(&Path::new(self.folder.as_str()).join(layout::JOBS), job.as_ref());
            }
            return;
        };
        let below = format!("{}/{text}", layout::JOBS);
        match entry.file_type() {
            Ok(file_type) => self.take(|| entry.path(), &below, FileKind::Job(job), file_type, || entry.metadata()),
            Err(error) if is_absent(&error) => {}
            Err(error) => self.unreadable(&format!("{}/{below}", self.folder), &failed("read the state of", &entry.path(), &error), &error),
        }
    }

    /// Adds a file. The state is read only for files and links.
    fn take(
        &mut self,
        path: impl FnOnce() -> PathBuf,
        below: &str,
        kind: FileKind,
        file_type: FileType,
        state: impl FnOnce() -> io::Result<Metadata>,
    ) {
        let place = format!("{}/{below}", self.folder);
        let state = if file_type.is_file() {
            state()
        } else if file_type.is_symlink() {
            match self.local.follow(&path()) {
                Link::File(_, metadata) => Ok(metadata),
                Link::Other | Link::Folder => return,
                Link::Failed(error) => Err(error),
                Link::Refused(reason) => {
                    let hides = match kind {
                        FileKind::Summary => Hidden::Application(self.cluster.clone(), self.id),
                        FileKind::Job(job) => Hidden::Job(self.cluster.clone(), self.id, job),
                    };
                    return self.refused(hides, place, reason);
                }
            }
        } else {
            return;
        };
        match state {
            Ok(metadata) => self.files.push(FoundFile { path: FilePath::new(place), kind, version: version(&metadata) }),
            Err(error) if is_absent(&error) => {}
            Err(error) => self.unreadable(&place, &failed("read the state of", &self.local.root.join(&place), &error), &error),
        }
    }

    fn refused(&mut self, hides: Hidden, below: String, reason: String) {
        self.obstacles.push(Obstacle { hides, path: FilePath::new(below), code: ProblemCode::LinkRefused, reason });
    }

    fn unreadable(&mut self, below: &str, failure: &DirectoryError, error: &io::Error) {
        self.obstacles.push(Obstacle {
            hides: Hidden::Application(self.cluster.clone(), self.id),
            path: FilePath::new(below),
            code: code_of(error),
            reason: failure.message.clone(),
        });
        self.failure.get_or_insert_with(|| failure.clone());
    }
}

/// The refusal of a symbolic link to a file outside of the root.
pub(super) fn link_out_of_root(path: &Path) -> String {
    format!("the symbolic link {} leads out of the archive directory; replace it by a copy of the file", path.display())
}

/// The code of a problem with a file or folder that gives this error.
pub(super) fn code_of(error: &io::Error) -> ProblemCode {
    if is_loop(error) {
        ProblemCode::LinkRefused
    } else if error.kind() == io::ErrorKind::PermissionDenied {
        ProblemCode::PermissionDenied
    } else {
        ProblemCode::ListingFailed
    }
}
