//! Taking files, emptied folders and links away. No link is followed on the way.

use std::fs;
use std::io;

use super::{Local, failed, is_absent};
use crate::directory::error::DirectoryError;
use crate::directory::found::FilePath;
use crate::directory::{Deleted, layout};

impl Local {
    pub(super) fn remove_file(&self, below: &FilePath) -> Result<Deleted, DirectoryError> {
        layout::check_deletable(below)?;
        let path = self.path(below)?;
        if let Some(link) = self.first_link(&parent(below))? {
            return Err(DirectoryError::refused(format!("{} is not deleted: {link} on the way to it is a symbolic link", path.display())));
        }
        match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(DirectoryError::refused(format!("{} is not deleted: it is a folder", path.display())));
            }
            Ok(_) => {}
            Err(error) if is_absent(&error) => return self.check_root().map(|()| Deleted::AlreadyGone),
            Err(error) => return Err(failed("delete", &path, &error)),
        }
        self.deleted(fs::remove_file(&path), below)
    }

    pub(super) fn remove_empty_folder(&self, below: &FilePath) -> Result<bool, DirectoryError> {
        let path = self.path(below)?;
        let folder = below.as_str().strip_suffix(layout::JOBS).and_then(|folder| folder.strip_suffix('/'));
        if layout::application_of(&folder.map_or_else(|| below.clone(), FilePath::new)).is_none() {
            return Err(DirectoryError::refused(format!("{} is not removed: it is not of an application", path.display())));
        }
        if let Some(link) = self.first_link(below)? {
            return Err(DirectoryError::refused(format!("{} is not removed: {link} is a symbolic link", path.display())));
        }
        match fs::remove_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
            result => self.deleted(result, below).map(|_| true),
        }
    }

    pub(super) fn link_on_the_way_to(&self, folder: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        layout::check(folder)?;
        self.first_link(folder)
    }

    pub(super) fn remove_symbolic_link(&self, below: &FilePath) -> Result<Deleted, DirectoryError> {
        layout::check_deletable(below)?;
        let path = self.path(below)?;
        match self.first_link(below)? {
            Some(link) if link == *below => self.deleted(fs::remove_file(&path), below),
            Some(link) => {
                Err(DirectoryError::refused(format!("{} is not removed: it lies below the symbolic link {link}", path.display())))
            }
            None if fs::symlink_metadata(&path).is_err_and(|error| is_absent(&error)) => self.check_root().map(|()| Deleted::AlreadyGone),
            None => Err(DirectoryError::refused(format!("{} is not removed: it is not a symbolic link", path.display()))),
        }
    }

    fn deleted(&self, result: io::Result<()>, below: &FilePath) -> Result<Deleted, DirectoryError> {
        match result {
            Ok(()) => Ok(Deleted::Done),
            Err(error) if is_absent(&error) => self.check_root().map(|()| Deleted::AlreadyGone),
            Err(error) => Err(failed("delete", &self.path(below)?, &error)),
        }
    }

    /// The first symbolic link on the way from the root to a file or folder, itself included.
    fn first_link(&self, below: &FilePath) -> Result<Option<FilePath>, DirectoryError> {
        let text = below.as_str();
        let ends = text.match_indices('/').map(|(end, _)| end).chain([text.len()]);
        for end in ends.filter(|end| *end > 0) {
            let part = FilePath::new(&text[..end]);
            let path = self.path(&part)?;
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_symlink() => return Ok(Some(part)),
                Ok(_) => {}
                Err(error) if is_absent(&error) => return self.check_root().map(|()| None),
                Err(error) => return Err(failed("look at", &path, &error)),
            }
        }
        Ok(None)
    }
}

/// The folder of a file; empty for a file in the root.
fn parent(below: &FilePath) -> FilePath {
    FilePath::new(below.as_str().rsplit_once('/').map_or("", |(folder, _)| folder))
}
