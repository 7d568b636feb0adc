//! What the index knows of an archive directory, for the plan of a refresh.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::clock::Millis;
use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::change::Fault;
use crate::index::model::expiry::{FollowedLimits, Marks};
use crate::index::model::keys::UnitKey;
use crate::names::ClusterName;

/// A file as the index knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// Which archive.
    pub kind: FileKind,
    /// Digest of the version that was last tried, as listed before the fetch.
    pub tried: Fingerprint,
    /// Bytes of that version.
    pub size: u64,
    /// Modification time of that version.
    pub modified: Millis,
    /// Whether that version was read and parsed. If not, documents of an earlier version may still be served.
    pub parsed: bool,
    /// Whether the file was so young when it was listed that a second write could have left size and time as they were.
    pub racy: bool,
    /// Whether the file is no longer in the directory.
    pub gone: bool,
    /// Failed attempts in a row at this version.
    pub attempts: u32,
    /// Why that version could not be read; `None`: it was, or an earlier build did not note it.
    pub fault: Option<Fault>,
    /// When that version was tried last; 0 when it was read.
    pub tried_at: Millis,
    /// When the next attempt is due although nothing has changed.
    pub next_attempt: Option<Millis>,
}

/// A unit as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUnit {
    /// Its files, gone ones included.
    pub files: Vec<KnownFile>,
    /// Whether a summary was read and parsed once (legacy job archives: the file).
    pub complete: bool,
    /// Since when all of it is gone from the directory; `None` while present.
    pub gone_since: Option<Millis>,
    /// Since when it is marked as expired and to be deleted; it is no longer listed.
    pub expired_at: Option<Millis>,
}

/// All that the index knows of one archive directory, for the plan of a refresh.
#[derive(Debug, Clone, Default)]
pub struct KnownDirectory {
    /// Applications.
    pub applications: HashMap<(ClusterName, ApplicationId), KnownUnit>,
    /// Clusters that have applications which are not gone, or were judged, each once.
    pub clusters: Arc<[ClusterName]>,
    /// Legacy job archives.
    pub legacy_jobs: HashMap<JobId, KnownUnit>,
    /// Applications that job archives beside the clusters belong to.
    pub owners: HashMap<JobId, (ClusterName, ApplicationId)>,
    /// Jobs beside the clusters that may belong to an application, and none names them.
    pub unclaimed: HashSet<JobId>,
    /// What was judged before, and is to be removed.
    pub marks: Marks,
    /// Whether a complete listing has ever found an archive here.
    pub held_archives: bool,
    /// Since when the directory is found to hold no archive at all although it held some.
    pub vanished_since: Option<Millis>,
    /// The limits that its last cleanup went by that was not held back.
    pub followed: Option<FollowedLimits>,
}

impl KnownDirectory {
    /// What is known of a unit of this directory.
    #[must_use]
    pub fn unit(&self, key: &UnitKey) -> Option<&KnownUnit> {
        match key {
            UnitKey::Application(key) => self.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.get(job),
        }
    }
}
