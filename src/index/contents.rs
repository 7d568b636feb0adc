//! What is in the archives of a unit, and what is wrong with them, in pages.

use super::sqlite::Lane;
use super::{Copy, IndexError, IndexReader, Page, Total, UnitKey, Unread, sqlite};
use crate::archive::Owner;
use crate::directory::FoundFile;
use crate::ids::ApplicationId;
use crate::names::DirectoryUrl;
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
    pub copy: Copy,
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

impl IndexReader {
    /// Lists documents of an owner.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn document_page(&self, page: DocumentPage) -> Result<DocumentList, IndexError> {
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::document_page(connection, &page))).await
    }

    /// The archive files of the copy that answers for an owner; of a job only its own. `None`: nobody has heard of it.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_archives(&self, owner: Owner, copy: &Copy) -> Result<Option<UnitArchives>, IndexError> {
        let copy = copy.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_archives(connection, owner, &copy))).await
    }

    /// Why nothing is known of an owner, if that is because its archive could not be read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unread(&self, owner: Owner, copy: &Copy) -> Result<Option<Unread>, IndexError> {
        let copy = copy.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unread(connection, owner, &copy))).await
    }

    /// Problems on record, oldest first, from a cursor on, with their number, which is counted up to ten thousand.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn problem_page(
        &self,
        filter: ProblemFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<(Page<Problem>, Total), IndexError> {
        self.read_in(Lane::Lists, move |shared| {
            shared.pool.read(|connection| sqlite::problem_page(connection, &filter, cursor.as_deref(), limit))
        })
        .await
    }

    /// Numbers of problems on record by directory and code.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problem_counts(&self) -> Result<Vec<(DirectoryUrl, ProblemCode, u64)>, IndexError> {
        self.read_in(Lane::Figures, |shared| shared.pool.read(sqlite::problem_counts)).await
    }
}
