//! Changes of the index.

use crate::archive::facts::Facts;
use crate::archive::{ApplicationRecord, JobRecord};
use crate::clock::Millis;
use crate::directory::{FileKind, FileVersion};
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

/// Parts written before their archive was read to its end. Dropped, they are taken out again unless a change has taken them;
/// what a crash leaves goes at the next start.
pub struct StagedPack {
    pub(in crate::index) id: i64,
    pub(in crate::index) parts: u32,
    /// Takes the parts with this id out again, unless an archive has taken them.
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

/// What became of one file in one ingest.
#[derive(Debug)]
pub enum FileOutcome {
    /// Read and parsed: replaces what was known of the file.
    Parsed {
        /// What the overview tells, if it tells anything.
        record: Option<Box<ParsedRecord>>,
        /// What the documents tell beyond it.
        facts: Box<Facts>,
        /// The documents.
        pack: Pack,
        /// Number of documents.
        documents: u64,
        /// Bytes of the documents, uncompressed.
        document_bytes: u64,
    },
    /// Could not be read. What is known of an earlier version stays.
    Unreadable {
        /// Why not.
        fault: Fault,
        /// When it is due again without a change.
        next_attempt: Option<Millis>,
    },
}

/// Why a file could not be read. It decides when the file is tried again although nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The store or the file system did not hand it out: no permission, not reachable, cut short. Tried again soon.
    Store,
    /// What it holds. Only another version of the file mends that, so it is tried again seldom.
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
    /// What became of it.
    pub outcome: FileOutcome,
}

/// All that one ingest found out about a unit. Applied in one transaction: it is listed whole or not at all.
#[derive(Debug)]
pub struct UnitChange {
    /// Which unit.
    pub key: UnitKey,
    /// Files that were tried. Files not named stay as they are.
    pub files: Vec<FileChange>,
    /// Problems of the unit as it now is: they replace all those known of the files tried and of the unit itself.
    pub problems: Vec<Problem>,
    /// When this was found.
    pub at: Millis,
}

/// How soon a change must be visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// With the next batch, at most 250 ms later.
    Batched,
    /// As soon as possible: somebody waits.
    Now,
}

/// A file or a unit that was found gone from, or back in, its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// The whole unit is gone.
    UnitGone(UnitKey),
    /// The unit was gone and is there again, its files unchanged.
    UnitBack(UnitKey),
    /// One file of a unit that is still there is gone.
    FileGone(UnitKey, FileKind),
    /// A file that was gone is there again, unchanged.
    FileBack(UnitKey, FileKind),
}
