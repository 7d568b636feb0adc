//! The objects of a unit in an object store, for deletions of many units by few requests.

use super::error::DirectoryError;
use super::found::FoundFile;
use crate::names::FilePath;

/// The objects of one unit, as a listing shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitObjects {
    /// Its archives. Of names with the same id only the one that is used.
    pub archives: Vec<FoundFile>,
    /// Empty objects that stand for its folders.
    pub markers: Vec<FolderMarker>,
    /// Whether its folder has objects that are neither.
    pub has_others: bool,
}

impl UnitObjects {
    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.archives.is_empty() && self.markers.is_empty() && !self.has_others
    }
}

/// An empty object that stands for a folder: stores have none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderMarker {
    /// The folder, below the root.
    pub(super) folder: FilePath,
    pub(super) form: MarkerForm,
}

impl FolderMarker {
    /// Whether it must be deleted after the archives and markers below it: in accounts of Azure with real folders, such an object is the
    /// folder itself.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.form == MarkerForm::Plain && !self.folder.as_str().ends_with("/jobs")
    }
}

/// How the key of a marker is made from the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkerForm {
    /// `folder/`, of consoles, of `s3a` and of most tools.
    Slash,
    /// `folder_$folder$`, of `s3n` and of EMR.
    Suffix,
    /// `folder`, of Azure.
    Plain,
}

/// An object to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredObject {
    /// An archive, by its path below the root.
    Archive(FilePath),
    /// A marker.
    Marker(FolderMarker),
}

/// The result of the deletion of one object, as the store answered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectDeletion {
    /// The store has deleted it. Some stores also answer this for an object that did not exist.
    Done,
    /// It did not exist.
    AlreadyMissing,
    /// It was not deleted: the store refused it.
    Refused(DirectoryError),
    /// The request failed with all objects in it, and the store has deleted none of them.
    NotSent(DirectoryError),
    /// The request failed with all objects in it, and the store may have deleted some of them.
    Unclear(DirectoryError),
}
