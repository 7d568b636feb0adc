//! Problems of directories, clusters, applications, files and entries, which are kept until they are resolved.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::ApplicationId;
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// Stable code of a problem, on which scripts and alerts rely.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ProblemCode {
    /// The archive directory could not be listed at all.
    DirectoryUnreachable,
    /// The archive directory contained archives and is empty now.
    DirectoryVanished,
    /// The archive directory does not exist. A directory that contained archives gets the code `directory-vanished` first.
    DirectoryMissing,
    /// The archive directory is probably above or below the right one.
    DirectoryMisplaced,
    /// Archives lie below a hidden name (`.…` or `_…`) and are ignored.
    HiddenFolder,
    /// Folders are too deep or too many to be searched for clusters.
    SearchLimited,
    /// The data directory is full or read-only.
    IndexUnwritable,
    /// The permission to read a folder or file is missing.
    PermissionDenied,
    /// A symbolic link that is broken, part of a loop, or leads out of the archive directory.
    LinkRefused,
    /// A name that is not UTF-8 and could belong to an archive.
    NameUndecodable,
    /// Two folders or files whose names are the same id in different cases.
    NameAmbiguous,
    /// A folder below the archive directory could not be listed.
    ListingFailed,
    /// An archive file could not be fetched.
    FetchFailed,
    /// An archive file is not a complete archive, or not yet.
    ArchiveUnreadable,
    /// An archive without a single document.
    ArchiveEmpty,
    /// An archive whose overview is missing or contains no name and state.
    OverviewUnusable,
    /// An archive that contains another id than its file name.
    IdMismatch,
    /// An application without a readable summary, or not yet with one.
    SummaryMissing,
    /// An entry of an archive is not an object with a path and a document.
    EntryMalformed,
    /// An entry whose path does not belong to its application or job.
    EntryPathRefused,
    /// A document larger than `historyserver.limits.document-size`.
    DocumentTooLarge,
    /// A document nested deeper than `historyserver.limits.depth`.
    DocumentTooDeep,
    /// A document that is served, but too large for search and facts.
    DocumentNotSearched,
    /// An archive with more entries than `historyserver.limits.entries`.
    TooManyEntries,
    /// An entry path longer than `historyserver.limits.path-length`.
    PathTooLong,
    /// A deletion of an expired archive failed.
    DeletionFailed,
    /// A guard holds a cleanup.
    CleanupHeldBack,
    /// The clock or the times of files are implausible, so that verdicts by age are unsafe.
    ClockImplausible,
    /// Archives have times before Flink existed. Limits that depend on times wait for a confirmation.
    TimesImplausible,
    /// A limit that would delete nearly all archives.
    LimitImplausible,
}

impl ProblemCode {
    /// All codes.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The code as it is shown and stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The code with this text; `None` for an unknown code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The subject of a problem: the directory, cluster, application or file with the problem.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Subject {
    /// The archive directory.
    pub directory: DirectoryUrl,
    /// The cluster; `None` for a problem of the directory or of a legacy job archive.
    pub cluster: Option<ClusterName>,
    /// The application; `None` for a problem of the cluster or of a legacy job archive.
    pub application: Option<ApplicationId>,
    /// The file below the archive directory; `None` for a problem of more than one file.
    pub file: Option<FilePath>,
}

/// One problem. A subject has only one problem per code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The code, for programs.
    pub code: ProblemCode,
    /// The subject.
    pub subject: Subject,
    /// A sentence: what is wrong, where, and what to do. It never quotes content of an archive.
    pub reason: String,
    /// Time of its first appearance, by the clock of this server.
    pub since: Timestamp,
    /// Time of the next retry; `None`: it is retried only after a change in the archive directory.
    pub next_attempt: Option<Timestamp>,
}

/// Problems that appeared and problems that were resolved in one act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemChanges {
    /// New problems.
    pub appeared: Vec<Problem>,
    /// Resolved problems.
    pub resolved: Vec<Problem>,
}

impl ProblemChanges {
    /// Writes one log line for each change of state.
    pub fn log(&self) {
        for problem in &self.appeared {
            let file = problem.subject.file.as_ref().map_or("", FilePath::as_str);
            tracing::warn!(
                directory.url = %problem.subject.directory, archive.path = file, problem.code = %problem.code,
                "problem: {}", problem.reason
            );
        }
        for problem in &self.resolved {
            let file = problem.subject.file.as_ref().map_or("", FilePath::as_str);
            tracing::info!(
                directory.url = %problem.subject.directory, archive.path = file, problem.code = %problem.code,
                "problem resolved"
            );
        }
    }
}
