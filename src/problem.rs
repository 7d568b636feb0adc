//! Something wrong with one directory, cluster, application, file or entry, kept until it is mended.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::ids::ApplicationId;
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// Stable code of a problem: scripts and alerts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemCode {
    /// The archive directory could not be listed at all.
    DirectoryUnreachable,
    /// The archive directory held archives and now holds none at all.
    DirectoryVanished,
    /// The archive directory does not exist. One that held archives has vanished first.
    DirectoryMissing,
    /// The archive directory lies likely above or below the one that is meant.
    DirectoryMisplaced,
    /// Archives lie below a name that begins with `.` or `_`, and are left alone.
    HiddenFolder,
    /// Folders lie too deep, or are too many, to be searched for clusters.
    SearchLimited,
    /// The data directory cannot take what was read (full or read-only).
    IndexUnwritable,
    /// A folder or file could not be read for want of permission.
    PermissionDenied,
    /// A symbolic link that leads nowhere, in a circle or out of the archive directory.
    LinkRefused,
    /// A name that is not UTF-8 where an archive could be.
    NameUndecodable,
    /// Two folders or files whose names are the same id in different case.
    NameAmbiguous,
    /// A folder below the archive directory could not be listed.
    ListingFailed,
    /// An archive file could not be fetched.
    FetchFailed,
    /// An archive file is not (yet) a whole archive.
    ArchiveUnreadable,
    /// An archive without a single document.
    ArchiveEmpty,
    /// An archive whose overview is missing or does not tell a name and a state.
    OverviewUnusable,
    /// An archive that tells the id of another application or job than its file name.
    IdMismatch,
    /// An application without a readable summary (yet).
    SummaryMissing,
    /// An entry of an archive is not an object with a path and a document.
    EntryMalformed,
    /// An entry whose path does not belong to its application or job.
    EntryPathRefused,
    /// A document above `historyserver.limits.document-size`.
    DocumentTooLarge,
    /// A document nested deeper than `historyserver.limits.depth`.
    DocumentTooDeep,
    /// A document that is served, but too large to be searched and to tell facts.
    DocumentNotSearched,
    /// An archive of more entries than `historyserver.limits.entries`.
    TooManyEntries,
    /// An entry path longer than `historyserver.limits.path-length`.
    PathTooLong,
    /// A deletion of an expired archive failed.
    DeletionFailed,
    /// A cleanup was held back by a guard.
    CleanupHeldBack,
    /// The clock or the times of files make a verdict by age unsafe.
    ClockImplausible,
    /// Archives are dated before Flink existed: limits that go by their times wait for a confirmation.
    TimesImplausible,
    /// A limit that would take nearly everything.
    LimitImplausible,
}

impl ProblemCode {
    /// Every code, for parsing and documentation.
    pub const ALL: &'static [Self] = &[
        Self::DirectoryUnreachable,
        Self::DirectoryVanished,
        Self::DirectoryMissing,
        Self::DirectoryMisplaced,
        Self::HiddenFolder,
        Self::SearchLimited,
        Self::IndexUnwritable,
        Self::PermissionDenied,
        Self::LinkRefused,
        Self::NameUndecodable,
        Self::NameAmbiguous,
        Self::ListingFailed,
        Self::FetchFailed,
        Self::ArchiveUnreadable,
        Self::ArchiveEmpty,
        Self::OverviewUnusable,
        Self::IdMismatch,
        Self::SummaryMissing,
        Self::EntryMalformed,
        Self::EntryPathRefused,
        Self::DocumentTooLarge,
        Self::DocumentTooDeep,
        Self::DocumentNotSearched,
        Self::TooManyEntries,
        Self::PathTooLong,
        Self::DeletionFailed,
        Self::CleanupHeldBack,
        Self::ClockImplausible,
        Self::TimesImplausible,
        Self::LimitImplausible,
    ];

    /// The code as it is shown and stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DirectoryUnreachable => "directory-unreachable",
            Self::DirectoryVanished => "directory-vanished",
            Self::DirectoryMissing => "directory-missing",
            Self::DirectoryMisplaced => "directory-misplaced",
            Self::HiddenFolder => "hidden-folder",
            Self::SearchLimited => "search-limited",
            Self::IndexUnwritable => "index-unwritable",
            Self::PermissionDenied => "permission-denied",
            Self::LinkRefused => "link-refused",
            Self::NameUndecodable => "name-undecodable",
            Self::NameAmbiguous => "name-ambiguous",
            Self::ListingFailed => "listing-failed",
            Self::FetchFailed => "fetch-failed",
            Self::ArchiveUnreadable => "archive-unreadable",
            Self::ArchiveEmpty => "archive-empty",
            Self::OverviewUnusable => "overview-unusable",
            Self::IdMismatch => "id-mismatch",
            Self::SummaryMissing => "summary-missing",
            Self::EntryMalformed => "entry-malformed",
            Self::EntryPathRefused => "entry-path-refused",
            Self::DocumentTooLarge => "document-too-large",
            Self::DocumentTooDeep => "document-too-deep",
            Self::DocumentNotSearched => "document-not-searched",
            Self::TooManyEntries => "too-many-entries",
            Self::PathTooLong => "path-too-long",
            Self::DeletionFailed => "deletion-failed",
            Self::CleanupHeldBack => "cleanup-held-back",
            Self::ClockImplausible => "clock-implausible",
            Self::TimesImplausible => "times-implausible",
            Self::LimitImplausible => "limit-implausible",
        }
    }

    /// The code with this text, if there is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a problem is about: the narrowest thing that can be named.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
pub struct Subject {
    /// The archive directory.
    pub directory: DirectoryUrl,
    /// The cluster, unless the whole directory or a legacy job archive is meant.
    pub cluster: Option<ClusterName>,
    /// The application, unless the whole cluster or a legacy job archive is meant.
    pub application: Option<ApplicationId>,
    /// The file below the archive directory, if one file is meant.
    pub file: Option<FilePath>,
}

/// One problem. At most one per subject and code is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What is wrong, for programs.
    pub code: ProblemCode,
    /// What it is wrong with.
    pub subject: Subject,
    /// What is wrong and what to do, for people; never quotes content of an archive.
    pub reason: String,
    /// Since when, by this server's clock.
    pub since: Millis,
    /// When it is tried again without a change in the archive directory; `None`: only when something changes.
    pub next_attempt: Option<Millis>,
}

/// Problems that appeared and went with one act.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemChanges {
    /// Not on record before.
    pub appeared: Vec<Problem>,
    /// On record before, mended now.
    pub gone: Vec<Problem>,
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
        for problem in &self.gone {
            let file = problem.subject.file.as_ref().map_or("", FilePath::as_str);
            tracing::info!(
                directory.url = %problem.subject.directory, archive.path = file, problem.code = %problem.code,
                "problem mended"
            );
        }
    }
}
