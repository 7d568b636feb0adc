//! Changes of the index.

use crate::archive::facts::Facts;
use crate::archive::{ApplicationRecord, JobRecord};
use crate::clock::Timestamp;
use crate::directory::{FileKind, FileVersion, FoundFile};
use crate::ids::JobId;
use crate::index::model::keys::UnitKey;
use crate::names::FilePath;
use crate::pack::Part;
use crate::problem::Problem;

/// Compressed documents of an archive that was just read.
#[derive(Debug)]
pub enum Pack {
    /// All parts, in order.
    Whole(Vec<Part>),
    /// Parts already written with [`IndexWriter::stage`](crate::index::IndexWriter::stage); they become the archive's with this change.
    Staged(StagedPack),
}

/// Parts written before their archive was read to its end. If this is dropped, they are deleted unless a change has
/// taken them; parts that a crash leaves are deleted at the next start.
pub struct StagedPack {
    pub(in crate::index) id: i64,
    pub(in crate::index) parts: u32,
    /// Deletes the parts with this id, unless an archive has taken them.
    pub(in crate::index) discard: Box<dyn Fn(i64) + Send + Sync>,
}

impl std::fmt::Debug for StagedPack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("StagedPack").field("id", &self.id).field("parts", &self.parts).finish_non_exhaustive()
    }
}

impl Drop for StagedPack {
    fn drop(&mut self) {
        (self.discard)(self.id);
    }
}

/// The result of one file in one ingest.
#[derive(Debug)]
pub enum FileOutcome {
    /// Read and parsed: replaces the earlier version of the file.
    Parsed {
        /// The record from the overview, if there is one.
        record: Option<Box<ParsedRecord>>,
        /// Further facts from the documents.
        facts: Box<Facts>,
        /// The documents.
        pack: Pack,
        /// Number of documents.
        documents: u64,
        /// Bytes of the documents, uncompressed.
        document_bytes: u64,
    },
    /// Could not be read. An earlier version stays.
    Unreadable {
        /// The cause.
        fault: Fault,
        /// When the file is tried again although it has not changed.
        next_attempt: Option<Timestamp>,
    },
}

/// The cause for which a file could not be read. It decides when the file is tried again although it has not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The store or the file system did not return it: no permission, not reachable, cut short. It is tried again soon.
    Store,
    /// Its content. Only another version of the file can resolve that, so it is tried again seldom.
    Content,
}

/// The record of a parsed file.
#[derive(Debug, Clone)]
pub enum ParsedRecord {
    /// Of a summary.
    Application(ApplicationRecord),
    /// Of a job archive.
    Job(JobRecord),
}

/// One file of a change.
#[derive(Debug)]
pub struct FileChange {
    /// Path below the root, as spelled there.
    pub path: FilePath,
    /// Which archive it is.
    pub kind: FileKind,
    /// The version as listed before the fetch.
    pub version: FileVersion,
    /// See [`KnownFile::racy`](super::KnownFile::racy).
    pub racy: bool,
    /// The result.
    pub outcome: FileOutcome,
}

/// The result of one ingest of a unit. Applied in one transaction, so the unit is never listed in part.
#[derive(Debug)]
pub struct UnitChange {
    /// Which unit.
    pub key: UnitKey,
    /// Files that were tried. Other files stay as they are.
    pub files: Vec<FileChange>,
    /// Problems of the unit now. They replace all problems of the tried files and of the unit itself.
    pub problems: Vec<Problem>,
    /// The time of the ingest.
    pub at: Timestamp,
}

/// A new unit as its summary describes it (a legacy job archive: its head), before its archives are read.
#[derive(Debug, Clone)]
pub struct UnitListing {
    /// Which unit.
    pub key: UnitKey,
    /// All its files, which are still to be read.
    pub files: Vec<FoundFile>,
    /// The application, by its summary; `None` for a legacy job archive.
    pub application: Option<ApplicationRecord>,
    /// Jobs of which a file is listed, as far as the summary describes them.
    pub jobs: Vec<(JobId, JobRecord)>,
}

/// How soon a change must be visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// With the next batch, at most 250 ms later.
    Batched,
    /// As soon as possible, because a client waits.
    Now,
}

/// A file or a unit that was found missing from its directory, or present again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// The whole unit is missing.
    UnitGone(UnitKey),
    /// The unit is present again, its files unchanged.
    UnitBack(UnitKey),
    /// One file of a present unit is missing.
    FileGone(UnitKey, FileKind),
    /// A file is present again, unchanged.
    FileBack(UnitKey, FileKind),
}
