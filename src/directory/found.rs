//! What a listing of an archive directory finds.

use std::sync::Arc;

use crate::clock::Millis;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath};
use crate::problem::ProblemCode;

/// Which archive a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `application-summary`.
    Summary,
    /// `jobs/<job-id>` of an application, or `<job-id>` directly in the root.
    Job(JobId),
}

/// A file's state as a listing tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub modified: Millis,
    /// Entity tag, where the store has one that depends on content only.
    pub etag: Option<String>,
}

/// Digest of a [`FileVersion`]: equal versions have equal fingerprints, in every run of every build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub u64);

impl FileVersion {
    /// FNV-1a over size, time and tag: stable, so that it may be stored.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        let size = self.size.to_le_bytes();
        let modified = self.modified.to_le_bytes();
        let etag = self.etag.as_deref().unwrap_or_default().as_bytes();
        for byte in size.iter().chain(&modified).chain(etag) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Fingerprint(hash)
    }
}

/// An archive file as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    /// Where it lies below the root.
    pub path: FilePath,
    /// Which archive it is.
    pub kind: FileKind,
    /// Size, time and tag as listed.
    pub version: FileVersion,
}

/// An application's folder as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundApplication {
    /// Cluster it belongs to.
    pub cluster: ClusterName,
    /// Its id.
    pub id: ApplicationId,
    /// Its folder below the root, as spelled there: `<cluster>/applications/<id in any case>`.
    pub folder: FilePath,
    /// Its archive files; `None` when a quick scan has only read the name.
    pub files: Option<Vec<FoundFile>>,
}

/// One piece of a listing, sent while the listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Applications, newest first where folder times are to be had. Each is sent once, after the obstacles that hide parts of it.
    Applications(Vec<FoundApplication>),
    /// Legacy job archives ([`FileKind::Job`]).
    LegacyJobs(Vec<FoundFile>),
    /// Something that could not be read. What is known below it must not be taken for gone.
    Obstacle(Obstacle),
}

/// Something in the way of a listing that concerns only a part of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What is hidden by it.
    pub hides: Hidden,
    /// The file or folder, for people; lossy where it is not UTF-8.
    pub path: FilePath,
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence: what, where, what to do.
    pub reason: String,
}

/// The part of an archive directory that an [`Obstacle`] hides.
///
/// Something may be hidden and found at the same time, a cluster whose listing broke off for one:
/// what was found of it is true, what was not found must not be taken for gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing that could have held an archive known before.
    Nothing,
    /// All applications of a cluster, and of those whose names begin with its name and a slash.
    Cluster(ClusterName),
    /// One application, with all its files.
    Application(ClusterName, ApplicationId),
    /// One job archive of an application.
    Job(ClusterName, ApplicationId, JobId),
    /// One legacy job archive.
    LegacyJob(JobId),
    /// An entry of the root of which it cannot be told whether it is a cluster or a legacy job archive.
    ClusterOrLegacyJob(ClusterName, JobId),
}

/// How a listing ended. A listing that returns this has seen everything except what obstacles hide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Whether the root exists; in an object store, whether anything lies below its prefix.
    pub exists: bool,
    /// A sentence, when another directory is likely meant: the root does not exist, or lies above or below an archive directory.
    pub doubt: Option<String>,
    /// Requests to the store, or folders read.
    pub requests: u64,
}

/// Whether a quick scan reads the files of this application: new, incomplete, or recently written.
pub type WantsFiles = dyn Fn(&ClusterName, &ApplicationId) -> bool + Send + Sync;

/// How much a listing reads.
#[derive(Clone)]
pub enum Extent {
    /// Names of everything; files only of applications for which the function says true.
    Quick(Arc<WantsFiles>),
    /// Every file with size, time and tag.
    Full,
}
