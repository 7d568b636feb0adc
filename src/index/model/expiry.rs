//! What is to be deleted and forgotten, and the record of what was.

use std::collections::HashMap;

use crate::clock::Millis;
use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::keys::UnitKey;
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// What is to be done with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Delete its archive from the directory, and forget it.
    Delete,
    /// Forget it; the archive stays (`historyserver.archive.retain-remote-beyond-local-limit`).
    Forget,
    /// Forget it, because its archive is gone (`historyserver.archive.clean-expired-…`).
    ForgetGone,
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkState {
    /// Held back by the guard: still listed.
    Held,
    /// To be done by the next cleanup; hidden already.
    Marked,
    /// Begun: its files may be half gone, so it is finished whatever happens.
    Begun,
    /// Forgotten; the archive stays in its directory, beyond the limit.
    Forgotten,
}

/// A file that was judged, in the version that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JudgedFile {
    /// Which archive.
    pub kind: FileKind,
    /// Version.
    pub fingerprint: Fingerprint,
}

/// A unit that is beyond a limit, or gone and to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// Which unit; it need not be known otherwise.
    pub key: UnitKey,
    /// What is to be done.
    pub removal: Removal,
    /// Which limit, for programs: `count`, `age`, `size` or `gone`.
    pub reason: String,
    /// Why, for people.
    pub detail: String,
    /// Time that was judged.
    pub time: Millis,
    /// Bytes of its files, as listed.
    pub bytes: u64,
    /// Folder of the application, or file of the legacy job archive, as spelled in the directory.
    pub folder: FilePath,
    /// Its files.
    pub files: Vec<JudgedFile>,
    /// All its files were read before it was judged, or need not be.
    pub verified: bool,
    /// The application that a job archive beside the clusters belongs to, with which it is expired.
    pub owner: Option<(ClusterName, ApplicationId)>,
}

/// What a plan must know of a unit that was judged before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// How far it is.
    pub state: MarkState,
    /// What is to be done.
    pub removal: Removal,
    /// Somebody confirmed it, so the guard lets it pass.
    pub confirmed: bool,
    /// Time that was judged.
    pub time: Millis,
    /// Bytes that were judged.
    pub bytes: u64,
    /// See [`Expiry::verified`].
    pub verified: bool,
}

/// A removal that failed and is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRemoval {
    /// Which unit.
    pub key: UnitKey,
    /// Its folder or file.
    pub folder: FilePath,
    /// A sentence.
    pub failure: String,
    /// When it is tried again.
    pub next_attempt: Option<Millis>,
}

/// An attempt to delete a unit that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// Which unit.
    pub key: UnitKey,
    /// A sentence.
    pub failure: String,
    /// When it is tried again.
    pub next_attempt: Millis,
    /// Some of its files may be gone: it is finished whatever happens. Else it may still be retained.
    pub half_gone: bool,
}

/// What is on record of one directory's expired units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Applications.
    pub applications: HashMap<(ClusterName, ApplicationId), Mark>,
    /// Legacy job archives.
    pub legacy_jobs: HashMap<JobId, Mark>,
    /// Removals that failed, at most 100.
    pub failed: Vec<FailedRemoval>,
    /// The cleanup that the guard holds back.
    pub held: Option<HeldCleanup>,
}

impl Marks {
    /// Whether nothing is on record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.applications.is_empty() && self.legacy_jobs.is_empty()
    }

    /// The mark of a unit of this directory.
    #[must_use]
    pub fn of(&self, key: &UnitKey) -> Option<&Mark> {
        match key {
            UnitKey::Application(key) if !self.applications.is_empty() => self.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::Application(_) => None,
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.get(job),
        }
    }

    /// Every mark with the unit it is of.
    pub fn iter(&self, directory: &DirectoryUrl) -> impl Iterator<Item = (UnitKey, &Mark)> {
        let application = |((cluster, id), mark)| {
            let (cluster, id): (&ClusterName, &ApplicationId) = (cluster, id);
            (UnitKey::application(directory, cluster, *id), mark)
        };
        let legacy_job = |(job, mark): (&JobId, _)| (UnitKey::LegacyJob(directory.clone(), *job), mark);
        let applications = self.applications.iter().map(|((cluster, id), mark)| ((cluster, id), mark)).map(application);
        applications.chain(self.legacy_jobs.iter().map(legacy_job))
    }
}

/// Why a cleanup waits for a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HeldReason {
    /// It would take more than `historyserver.archive.retention.max-delete-fraction` of the directory.
    TooMuch,
    /// It is the first with a limit on this directory, and would delete more than half of it.
    FirstLimit,
    /// A limit became stricter, and it would delete more than half of the directory.
    StricterLimit,
    /// The directory held archives and is now missing or empty.
    Vanished,
    /// The clock of this machine may be wrong: what is beyond the age limit waits, the rest does not.
    Clock,
    /// Archives have times that cannot be right: these wait, the rest does not.
    Times,
}

impl HeldReason {
    /// Every one, for parsing.
    pub const ALL: [Self; 6] = [Self::TooMuch, Self::FirstLimit, Self::StricterLimit, Self::Vanished, Self::Clock, Self::Times];

    /// As it is stored and shown.
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

/// The limits that the last cleanup of a directory went by that was not held back. `None`: no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FollowedLimits {
    /// Applications kept.
    pub applications: Option<u64>,
    /// Legacy job archives kept.
    pub legacy_jobs: Option<u64>,
    /// Kept are those younger than this, in milliseconds.
    pub ttl: Option<Millis>,
    /// Bytes kept.
    pub bytes: Option<u64>,
    /// Whether what cannot be read was judged too.
    pub delete_unreadable: bool,
    /// Whether archives stay and are only forgotten.
    pub keep_archives: bool,
}

/// A cleanup that waits for a confirmation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct HeldCleanup {
    /// The archive directory.
    pub directory: DirectoryUrl,
    /// Digest of what it would remove: it is confirmed by this.
    pub plan: String,
    /// How many applications and legacy jobs it would delete or forget.
    pub units: u64,
    /// Of how many in the directory.
    pub of: u64,
    /// Since when, by this server's clock.
    pub since: Millis,
    /// Why.
    pub reason: HeldReason,
}

/// An expired unit with all that is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingRemoval {
    /// What was judged.
    pub expiry: Expiry,
    /// How far it is.
    pub state: MarkState,
    /// The guard holds the cleanup of its directory back, and nobody confirmed this.
    pub held: bool,
    /// When it was judged.
    pub at: Millis,
    /// Name that its archive told, if it was read.
    pub name: Option<String>,
    /// Failed attempts.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt: Option<Millis>,
    /// Why the last attempt failed.
    pub failure: Option<String>,
}

/// Which removals are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pending {
    /// All that is to be done or held back, for people.
    All,
    /// What a cleanup has to do at this time.
    Due(Millis),
    /// Of these only what was begun, and what failed before.
    Failed(Millis),
    /// Of these only what was begun.
    Begun(Millis),
}

/// A page and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Cursor of the next page; `None`: this is the last.
    pub next: Option<String>,
}

/// What was done with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Done {
    /// Its files were deleted.
    Deleted,
    /// It was a symbolic link, or lay below one: the link was removed, its target stays.
    LinkRemoved,
    /// Its files were gone already.
    AlreadyGone,
    /// It was forgotten; its files stay, or were gone before.
    Forgotten,
}

impl Done {
    /// Every one, for parsing.
    pub const ALL: [Self; 4] = [Self::Deleted, Self::LinkRemoved, Self::AlreadyGone, Self::Forgotten];

    /// As it is stored and shown.
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

/// One entry of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deletion {
    /// When it was done.
    pub at: Millis,
    /// The unit.
    pub key: UnitKey,
    /// Name that its archive told, if it was ever read.
    pub name: Option<String>,
    /// Status that its archive told.
    pub status: Option<String>,
    /// What was done.
    pub done: Done,
    /// Which limit, for programs.
    pub reason: String,
    /// Why, and what else is to be said, for people.
    pub detail: String,
    /// Time that was judged.
    pub time: Millis,
    /// Bytes of its files.
    pub bytes: u64,
}
