//! What is in the archives of a unit, and what is wrong with them, in pages.

use crate::archive::Owner;
use crate::directory::FoundFile;
use crate::ids::ApplicationId;
use crate::index::model::answer::Unread;
use crate::index::model::expiry::Page;
use crate::index::model::keys::{CopySelector, UnitKey};
use crate::problem::{Problem, ProblemCode};

/// A document as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedDocument {
    /// Whose archive it is in.
    pub owner: Owner,
    /// Its path.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
}

/// Which documents are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPage {
    /// Whose; of an application with those of its jobs.
    pub owner: Owner,
    /// In which copy.
    pub copy: CopySelector,
    /// Only those of the owner's own archive, not those of the jobs of an application.
    pub own: bool,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Rows of the page, at most.
    pub limit: usize,
}

/// A page of documents, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentList {
    /// In the order of the archives, those of an application's summary first; of equal paths the last. With the copy they are of.
    Page(UnitKey, Page<ListedDocument>),
    /// Nobody has heard of the owner.
    Unknown,
    /// The owner is known, but no archive of it was ever read.
    NotArchived,
    /// Its archive, or one of them, is there and could not be read.
    Unreadable(Unread),
    /// Packs were evicted; the archives are still in their directory: ingest the unit, then ask again.
    Evicted(UnitKey),
    /// The packs were evicted, and the archives are gone from their directory since.
    Lost,
}

/// An archive file of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedFile {
    /// What it is kept under: a job of an application may lie beside the clusters.
    pub unit: UnitKey,
    /// Where it lies or lay, and the version last seen.
    pub file: FoundFile,
    /// It is gone from its directory.
    pub gone: bool,
    /// Its documents are here.
    pub kept: bool,
    /// It was read once.
    pub read: bool,
}

/// The archive files of one copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitArchives {
    /// Summary first, then jobs by id.
    pub files: Vec<ArchivedFile>,
}

/// Which problems are asked for; what is empty does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemFilter {
    /// With one of these codes.
    pub codes: Vec<ProblemCode>,
    /// Of one of these directories.
    pub directories: Vec<String>,
    /// Of one of these clusters.
    pub clusters: Vec<String>,
    /// Of this application.
    pub application: Option<ApplicationId>,
}

impl ProblemFilter {
    /// Whether a problem is one that is asked for.
    #[must_use]
    pub fn takes(&self, problem: &Problem) -> bool {
        let subject = &problem.subject;
        (self.codes.is_empty() || self.codes.contains(&problem.code))
            && (self.directories.is_empty() || self.directories.iter().any(|url| *url == subject.directory.to_string()))
            && (self.clusters.is_empty() || subject.cluster.as_ref().is_some_and(|cluster| self.clusters.contains(&cluster.to_string())))
            && self.application.is_none_or(|id| subject.application == Some(id))
    }
}
