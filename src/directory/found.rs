//! The findings of a listing of an archive directory.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath};
use crate::problem::ProblemCode;

/// The kind of an archive file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// `application-summary`.
    Summary,
    /// `jobs/<job-id>` of an application, or `<job-id>` directly in the root.
    Job(JobId),
}

/// The state of a file in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// Bytes.
    pub size: u64,
    /// Modification time.
    pub modified: Timestamp,
    /// Entity tag, if the store has one that depends only on the content.
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
        let modified = self.modified.as_millis().to_le_bytes();
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
    /// Path below the root.
    pub path: FilePath,
    /// Kind of archive.
    pub kind: FileKind,
    /// Size, time and tag as listed.
    pub version: FileVersion,
}

/// An application's folder as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundApplication {
    /// Cluster of the application.
    pub cluster: ClusterName,
    /// Its id.
    pub id: ApplicationId,
    /// Folder below the root, as spelled there: `<cluster>/applications/<id in any case>`.
    pub folder: FilePath,
    /// Archive files; `None` when a quick scan has read only the name.
    pub files: Option<Vec<FoundFile>>,
}

/// A part of a listing, sent while the listing runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Applications, newest first if the times of folders are known. Each is sent once, after the obstacles that hide parts of it.
    Applications(Vec<FoundApplication>),
    /// Legacy job archives ([`FileKind::Job`]).
    LegacyJobs(Vec<FoundFile>),
    /// Something that could not be read. Known files that it hides do not count as missing.
    Obstacle(Obstacle),
}

/// A failure of a listing that concerns only a part of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The hidden part.
    pub hides: Hidden,
    /// The file or folder, for display. Bytes that are not UTF-8 are replaced.
    pub path: FilePath,
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence: what failed, where, and what to do.
    pub reason: String,
}

/// The part of an archive directory that an [`Obstacle`] hides.
///
/// A part may be hidden and found at the same time, such as a cluster whose listing was interrupted: its findings are true, and files
/// that were not found do not count as missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing that could contain a known archive.
    Nothing,
    /// All applications of a cluster, and of the clusters whose names begin with its name and a slash.
    Cluster(ClusterName),
    /// One application, with all its files.
    Application(ClusterName, ApplicationId),
    /// One job archive of an application.
    Job(ClusterName, ApplicationId, JobId),
    /// One legacy job archive.
    LegacyJob(JobId),
    /// An entry of the root that may be a cluster or a legacy job archive.
    ClusterOrLegacyJob(ClusterName, JobId),
}

/// The end of a listing that has seen everything except the parts that obstacles hide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Whether the root exists; in an object store, whether any object has its prefix.
    pub exists: bool,
    /// A sentence, when the option probably names a wrong directory: the root does not exist, or lies above or below an archive directory.
    pub doubt: Option<String>,
    /// Number of requests to the store, or of folders read.
    pub requests: u64,
}

/// Whether a quick scan lists the files of an application: a new, incomplete or recently modified one.
pub type WantsFiles = dyn Fn(&ClusterName, &ApplicationId) -> bool + Send + Sync;

/// The extent of a listing.
#[derive(Clone)]
pub enum Extent {
    /// The names of all applications; files only of the applications for which the function returns true.
    Quick(Arc<WantsFiles>),
    /// Every file with size, time and tag.
    Full,
}
