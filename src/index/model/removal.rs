//! Removals of units: planned, held, running, finished.

use std::collections::HashMap;
use std::time::Duration;

use super::UnitKey;
use crate::clock::Timestamp;
use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// The action of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalAction {
    /// Delete the archive from its directory, and forget the unit.
    Delete,
    /// Forget the unit; its archive stays (`historyserver.archive.retain-remote-beyond-local-limit`).
    Forget,
    /// Forget the unit, because its archive is missing (`historyserver.archive.clean-expired-…`).
    ForgetMissing,
}

/// The state of a recorded removal. A removal that is finished or withdrawn has no record, except with [`RemovalState::Forgotten`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalState {
    /// Held until it is confirmed: the unit is still listed.
    Held,
    /// To be done by the next cleanup: the unit is not listed any more.
    Due,
    /// Started: files may be deleted already, so it is finished even after a crash.
    Running,
    /// Finished: the unit is forgotten, and its archive, which is beyond the limit, stays in its directory.
    Forgotten,
}

/// A file that was judged, in the version that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedFile {
    /// The archive.
    pub kind: FileKind,
    /// Its version.
    pub fingerprint: Fingerprint,
}

/// The removal of a unit that is beyond a limit, or missing and to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The unit; it may never have been read.
    pub key: UnitKey,
    /// The action.
    pub action: RemovalAction,
    /// The limit, for programs: `count`, `age`, `size` or `gone`; `application` for a flat job.
    pub reason: String,
    /// The reason, for people.
    pub detail: String,
    /// Time that was judged.
    pub time: Timestamp,
    /// Bytes of its files, as listed.
    pub bytes: u64,
    /// Folder of the application, or file of the legacy job archive, as spelled in the directory.
    pub folder: FilePath,
    /// Its files.
    pub files: Vec<JudgedFile>,
    /// Whether all its files were read before it was judged.
    pub verified: bool,
    /// The application of a flat job, with which it is expired.
    pub owner: Option<(ClusterName, ApplicationId)>,
}

/// A recorded removal, as the plan of a refresh needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRemoval {
    /// Its state.
    pub state: RemovalState,
    /// The action.
    pub action: RemovalAction,
    /// Whether it was confirmed, so that the guard lets it pass.
    pub confirmed: bool,
    /// Time that was judged.
    pub time: Timestamp,
    /// Bytes that were judged.
    pub bytes: u64,
    /// See [`Removal::verified`].
    pub verified: bool,
}

/// A removal that failed and is retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRemoval {
    /// The unit.
    pub key: UnitKey,
    /// Its folder or file.
    pub folder: FilePath,
    /// Why it failed, as a sentence.
    pub failure: String,
    /// When it is retried.
    pub next_attempt: Option<Timestamp>,
}

/// A failed attempt to delete a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The unit.
    pub key: UnitKey,
    /// Why it failed, as a sentence.
    pub failure: String,
    /// When it is retried.
    pub next_attempt: Timestamp,
    /// Whether some of its files may be deleted already. Then the removal must be finished; if not, the unit may still be retained.
    pub partly_deleted: bool,
}

/// The recorded removals of one directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownRemovals {
    /// Applications.
    pub applications: HashMap<(ClusterName, ApplicationId), KnownRemoval>,
    /// Legacy job archives.
    pub legacy_jobs: HashMap<JobId, KnownRemoval>,
    /// Failed removals, limited to 100.
    pub failed: Vec<FailedRemoval>,
    /// The held cleanup.
    pub held: Option<HeldCleanup>,
}

impl KnownRemovals {
    /// Whether no removal is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.applications.is_empty() && self.legacy_jobs.is_empty()
    }

    /// The removal of a unit of this directory.
    #[must_use]
    pub fn of(&self, key: &UnitKey) -> Option<&KnownRemoval> {
        match key {
            UnitKey::Application(key) if !self.applications.is_empty() => self.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::Application(_) => None,
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.get(job),
        }
    }

    /// Every removal with its unit.
    pub fn iter(&self, directory: &DirectoryUrl) -> impl Iterator<Item = (UnitKey, &KnownRemoval)> {
        let application = |((cluster, id), mark)| {
            let (cluster, id): (&ClusterName, &ApplicationId) = (cluster, id);
            (UnitKey::application(directory, cluster, *id), mark)
        };
        let legacy_job = |(job, mark): (&JobId, _)| (UnitKey::LegacyJob(directory.clone(), *job), mark);
        let applications = self.applications.iter().map(|((cluster, id), mark)| ((cluster, id), mark)).map(application);
        applications.chain(self.legacy_jobs.iter().map(legacy_job))
    }
}

/// Why a cleanup is held until it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// It would remove more than `historyserver.archive.retention.max-delete-fraction` of the directory.
    TooMuch,
    /// It is the first with a limit on this directory, and would delete more than half of it.
    FirstLimit,
    /// A limit became stricter, and it would delete more than half of the directory.
    StricterLimit,
    /// The directory held archives and is now missing or empty.
    Vanished,
    /// The clock of this machine may be wrong: removals by the age limit are held, all others are not.
    Clock,
    /// Archives are dated before Flink existed: their removals are held, all others are not.
    Times,
}

impl HeldReason {
    /// All variants, for parsing.
    pub const ALL: [Self; 6] = [Self::TooMuch, Self::FirstLimit, Self::StricterLimit, Self::Vanished, Self::Clock, Self::Times];

    /// The text that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooMuch => "too-much",
            Self::FirstLimit => "first-limit",
            Self::StricterLimit => "stricter-limit",
            Self::Vanished => "vanished",
            Self::Clock => "clock",
            Self::Times => "times",
        }
    }

    /// The reason with this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// The limits of the last cleanup of a directory that was not held. `None`: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FollowedLimits {
    /// Applications kept.
    pub applications: Option<u64>,
    /// Legacy job archives kept.
    pub legacy_jobs: Option<u64>,
    /// Limit of the age.
    pub ttl: Option<Duration>,
    /// Bytes kept.
    pub bytes: Option<u64>,
    /// Whether unreadable archives were judged too.
    pub delete_unreadable: bool,
    /// Whether archives stay and are only forgotten.
    pub keep_archives: bool,
}

/// A cleanup that is held until it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct HeldCleanup {
    /// The archive directory.
    pub directory: DirectoryUrl,
    /// Digest of the units that it would remove: it is confirmed by this id.
    pub plan: String,
    /// The number of applications and legacy jobs that it would delete or forget.
    pub units: u64,
    /// The number of applications and legacy jobs in the directory.
    pub of: u64,
    /// Since when, by this server's clock.
    pub since: Timestamp,
    /// Why.
    pub reason: HeldReason,
}

/// A recorded removal with its state and its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRemoval {
    /// The removal.
    pub removal: Removal,
    /// Its state.
    pub state: RemovalState,
    /// Whether it waits for a confirmation, alone or with the whole cleanup of its directory.
    pub held: bool,
    /// When it was recorded.
    pub at: Timestamp,
    /// Name of the application or job, if its archive was read.
    pub name: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it is retried.
    pub next_attempt: Option<Timestamp>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
}

/// A filter of recorded removals. Times are the present time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalFilter {
    /// All removals that are not finished, also held ones.
    All,
    /// The removals that a cleanup does at this time.
    Due(Timestamp),
    /// Of these only the running ones, and the ones that failed before.
    Failed(Timestamp),
    /// Of these only the running ones: an earlier process was interrupted.
    Interrupted(Timestamp),
}

/// A page of rows, and the cursor of the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Cursor of the next page; `None`: this is the last.
    pub next: Option<String>,
}

/// The outcome of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemovalOutcome {
    /// Its files were deleted.
    Deleted,
    /// It was a symbolic link, or lay below one: the link was removed, its target stays.
    LinkRemoved,
    /// Its files were missing already.
    AlreadyGone,
    /// It was forgotten; its files stay, or were missing before.
    Forgotten,
}

impl RemovalOutcome {
    /// All variants, for parsing.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::LinkRemoved, Self::AlreadyGone, Self::Forgotten];

    /// The text that is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::LinkRemoved => "link-removed",
            Self::AlreadyGone => "already-gone",
            Self::Forgotten => "forgotten",
        }
    }
}

/// The record of a finished removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// When it was done.
    pub at: Timestamp,
    /// The unit.
    pub key: UnitKey,
    /// Name of the application or job, if its archive was read.
    pub name: Option<String>,
    /// Status of the application or job, if its archive was read.
    pub status: Option<String>,
    /// The outcome.
    pub done: RemovalOutcome,
    /// The limit, for programs.
    pub reason: String,
    /// The reason, with notes about the deletion, for people.
    pub detail: String,
    /// Time that was judged.
    pub time: Timestamp,
    /// Bytes of its files.
    pub bytes: u64,
}
