//! Answers to reads.

use bytes::Bytes;

use crate::directory::{FileKind, Fingerprint};
use crate::index::leases::Lease;
use crate::index::model::change::Fault;
use crate::index::model::keys::UnitKey;
use crate::index::stamps::Stamp;
use crate::names::FilePath;
use crate::pack::DocumentLocation;

/// State of the lists: the number grows with every commit that changes a list, and never repeats in one index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Generation {
    /// Random number of the index file.
    pub index: u64,
    /// The counter.
    pub number: u64,
}

/// Which merged overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverviewList {
    /// `/applications/overview`.
    Applications,
    /// `/jobs/overview`.
    Jobs,
}

/// The archive that answers a request for a document, and whether it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentAnswer {
    /// It is in a pack.
    Found(Document),
    /// The owner is known and its archive is stored, but it holds no such document.
    NotInArchive,
    /// The job is named by an application, but has no archive (`jobmanager.archive.only-failed-jobs`, a failed write).
    NotArchived,
    /// The archive is present and could not be read.
    Unreadable(Unread),
    /// The owner is unknown.
    Unknown,
    /// The archive was not read yet, or its pack was evicted, and it is still in its directory: ingest the unit, then read again.
    Evicted(UnitKey),
    /// The pack was evicted, and the archive is missing from its directory.
    Lost,
}

/// An archive file that is present and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Unit it belongs to.
    pub unit: UnitKey,
    /// Which file of it.
    pub file: FileKind,
    /// Its path.
    pub path: FilePath,
    /// The version that was tried.
    pub tried: Fingerprint,
    /// The cause.
    pub fault: Fault,
    /// Number of failed attempts in a row.
    pub failures: u32,
    /// The cause as a sentence: that of its problem.
    pub reason: String,
}

/// A document in a pack. Read with [`ScopedReader::document_piece`](crate::index::reader::ScopedReader::document_piece); it is not evicted until
/// this, and all clones of it, are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Bytes, uncompressed.
    pub length: u64,
    /// Digest of the archive version that it is in. It also differs if a file was written twice within one tick of its clock. Together
    /// with the path it is the entity tag of the document.
    pub fingerprint: Fingerprint,
    /// The pack that it is in.
    pub(in crate::index) pack: i64,
    /// The part and the location where it begins.
    pub(in crate::index) part: u32,
    pub(in crate::index) place: DocumentLocation,
    pub(in crate::index) lease: Lease,
}

/// The location of a document with its first bytes, all from one snapshot.
#[derive(Debug)]
pub struct DocumentBeginning {
    /// The location.
    pub answer: DocumentAnswer,
    /// Which of the requested paths was found; 0 where none was.
    pub path: usize,
    /// The first bytes; empty where none were requested or none was found.
    pub text: Bytes,
    /// For a check later on whether this is still the answer of the index; `None` for answers that are not to be kept.
    pub validity: Option<Validity>,
}

/// Shows, with [`ScopedReader::is_valid`](crate::index::reader::ScopedReader::is_valid), whether a document that was read is still the
/// answer of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    pub(in crate::index) stamp: Stamp,
    pub(in crate::index) pack: i64,
}

/// Number of listed applications and jobs, each id once. Counted after commits, and less often while much is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// Applications.
    pub applications: u64,
    /// Jobs.
    pub jobs: u64,
}

/// Figures for the status and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Figures {
    /// Applications listed (each id once).
    pub applications: u64,
    /// Jobs listed (each id once).
    pub jobs: u64,
    /// Bytes of all packs.
    pub pack_bytes: u64,
    /// Bytes of packs whose archives are missing.
    pub gone_pack_bytes: u64,
    /// Bytes of the index file, packs included.
    pub file_bytes: u64,
    /// Problems.
    pub problems: u64,
    /// Packs evicted since start.
    pub evictions: u64,
    /// Applications and legacy job archives in the index.
    pub units: u64,
    /// Those of them that are listed from their summaries, and whose archives are still to be read.
    pub queued: u64,
}
