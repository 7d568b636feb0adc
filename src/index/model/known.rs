//! The state of an archive directory in the index, for the plan of a refresh.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::change::Fault;
use crate::index::model::keys::UnitKey;
use crate::index::model::removal::{FollowedLimits, KnownRemovals};
use crate::names::ClusterName;

/// A file in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// The kind of archive.
    pub kind: FileKind,
    /// Digest of the version that was last tried, as listed before the fetch.
    pub tried: Fingerprint,
    /// Bytes of that version.
    pub size: u64,
    /// Modification time of that version.
    pub modified: Timestamp,
    /// Whether that version was read and parsed. If not, documents of an earlier version may still be served, or it is still to be read.
    pub parsed: bool,
    /// Whether the file was modified so shortly before it was listed that a second write could have left its size and time unchanged.
    pub racy: bool,
    /// Whether the file is missing from the directory.
    pub gone: bool,
    /// Failed attempts in a row at this version.
    pub attempts: u32,
    /// The cause for which that version could not be read; `None` if it was read, or if an earlier version did not store the cause.
    pub fault: Option<Fault>,
    /// When that version was last tried; 0 if it was read.
    pub tried_at: Timestamp,
    /// When the next attempt is due although the file has not changed.
    pub next_attempt: Option<Timestamp>,
}

impl KnownFile {
    /// Whether the file is listed and still to be read for the first time: its unit is listed from its summary.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        !self.parsed && self.attempts == 0 && self.fault.is_none() && self.next_attempt.is_none()
    }
}

/// A unit in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUnit {
    /// Its files, including missing ones.
    pub files: Vec<KnownFile>,
    /// Whether a summary was read and parsed once (legacy job archives: the file).
    pub complete: bool,
    /// Since when the whole unit is missing from the directory; `None` while it is present.
    pub gone_since: Option<Timestamp>,
    /// Since when it is marked as expired and to be deleted; it is no longer listed.
    pub expired_at: Option<Timestamp>,
}

/// The state of one archive directory, for the plan of a refresh.
#[derive(Debug, Clone, Default)]
pub struct KnownDirectory {
    /// Applications.
    pub applications: HashMap<(ClusterName, ApplicationId), KnownUnit>,
    /// Clusters with applications that are present or expired, each once.
    pub clusters: Arc<[ClusterName]>,
    /// Legacy job archives.
    pub legacy_jobs: HashMap<JobId, KnownUnit>,
    /// Applications of flat jobs.
    pub owners: HashMap<JobId, (ClusterName, ApplicationId)>,
    /// Legacy jobs that may belong to an application, but that no application names.
    pub unclaimed: HashSet<JobId>,
    /// The recorded removals.
    pub removals: KnownRemovals,
    /// Whether a complete listing has ever found an archive here.
    pub held_archives: bool,
    /// Since when the directory holds no archive at all although it held some.
    pub vanished_since: Option<Timestamp>,
    /// The limits of its last cleanup that was not held.
    pub followed: Option<FollowedLimits>,
}

impl KnownUnit {
    /// Whether a present file of the unit is still to be read for the first time.
    #[must_use]
    pub fn is_queued(&self) -> bool {
        self.files.iter().any(|file| file.is_queued() && !file.gone)
    }
}

impl KnownDirectory {
    /// The state of a unit of this directory.
    #[must_use]
    pub fn unit(&self, key: &UnitKey) -> Option<&KnownUnit> {
        match key {
            UnitKey::Application(key) => self.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.get(job),
        }
    }
}
