//! Contents of the archives of a unit, and problems, in pages.

use crate::archive::Owner;
use crate::directory::FoundFile;
use crate::ids::ApplicationId;
use crate::index::model::answer::Unread;
use crate::index::model::keys::{CopySelector, UnitKey};
use crate::index::model::removal::Page;
use crate::problem::{Problem, ProblemCode};

/// A document in a list of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDocument {
    /// The owner of the archive that it is in.
    pub owner: Owner,
    /// Its path.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

/// A request for a page of documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPage {
    /// The owner. The documents of an application include those of its jobs.
    pub owner: Owner,
    /// The copy.
    pub copy: CopySelector,
    /// Only documents of the owner's own archive, not of the jobs of an application.
    pub own: bool,
    /// `next` of the page before; `None` for the first page.
    pub cursor: Option<String>,
    /// Maximum number of rows.
    pub limit: usize,
}

/// A page of documents, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentList {
    /// The copy, and its documents in the order of the archives, those of the summary first; of equal paths the last.
    Page(UnitKey, Page<ListedDocument>),
    /// The owner is unknown.
    Unknown,
    /// The owner is known, but no archive of it was ever read.
    NotArchived,
    /// Its archive, or one of its archives, is present and could not be read.
    Unreadable(Unread),
    /// Archives were not read yet, or their packs were evicted, and they are still in their directory: ingest the unit, then read again.
    Evicted(UnitKey),
    /// The packs were evicted, and the archives are missing from their directory.
    Lost,
}

/// An archive file of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFile {
    /// Its unit, which is a legacy job for a flat job of an application.
    pub unit: UnitKey,
    /// Its path, and the version last seen.
    pub file: FoundFile,
    /// Whether it is missing from its directory.
    pub gone: bool,
    /// Whether its documents are stored.
    pub kept: bool,
    /// Whether it was ever read, or is still to be read for the first time.
    pub read: bool,
}

/// The archive files of one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitArchives {
    /// Summary first, then jobs by id.
    pub files: Vec<ArchivedFile>,
}

/// What a client may see of an application or job besides its lists and details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownParts {
    /// Its configuration.
    pub configuration: bool,
    /// Its archive files, and its documents with sensitive values.
    pub download: bool,
}

/// A filter of problems; an empty field admits all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemFilter {
    /// One of these codes.
    pub codes: Vec<ProblemCode>,
    /// One of these directories.
    pub directories: Vec<String>,
    /// One of these clusters.
    pub clusters: Vec<String>,
    /// This application.
    pub application: Option<ApplicationId>,
}

impl ProblemFilter {
    /// Whether a problem passes the filter.
    #[must_use]
    pub fn takes(&self, problem: &Problem) -> bool {
        let subject = &problem.subject;
        (self.codes.is_empty() || self.codes.contains(&problem.code))
            && (self.directories.is_empty() || self.directories.iter().any(|url| *url == subject.directory.to_string()))
            && (self.clusters.is_empty() || subject.cluster.as_ref().is_some_and(|cluster| self.clusters.contains(&cluster.to_string())))
            && self.application.is_none_or(|id| subject.application == Some(id))
    }
}
