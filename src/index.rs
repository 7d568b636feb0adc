//! What is known of all archives: whole acts to change it, queries to read it. SQLite lies behind it (`index/sqlite/*`).
//!
//! One concrete type with two handles: [`IndexWriter`] changes, [`IndexReader`] only reads. Keys are natural, times in
//! milliseconds, no row id, no SQL and no type of rusqlite leaves `index/sqlite`.

use std::collections::HashMap;

use crate::archive::{ApplicationRecord, JobRecord};
use crate::clock::Millis;
use crate::directory::{ClusterName, DirectoryUrl, FileKind, FilePath, FileVersion, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::pack::Part;
use crate::problem::{Problem, ProblemChanges};

/// One copy of an application: ids repeat across directories and clusters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationKey {
    /// Archive directory.
    pub directory: DirectoryUrl,
    /// Cluster within it.
    pub cluster: ClusterName,
    /// Id.
    pub id: ApplicationId,
}

/// What archives are kept under: an application with all its files, or one legacy job archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKey {
    /// An application: summary and job archives.
    Application(ApplicationKey),
    /// A legacy job archive.
    LegacyJob(DirectoryUrl, JobId),
}

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
    /// Legacy job archives.
    pub legacy_jobs: HashMap<JobId, KnownUnit>,
    /// Whether a complete listing has ever found an archive here.
    pub held_archives: bool,
    /// Since when the directory is found missing or wholly empty although it held archives.
    pub vanished_since: Option<Millis>,
}

/// Compressed documents of an archive that was just read.
#[derive(Debug)]
pub enum Pack {
    /// All parts, in order.
    Whole(Vec<Part>),
    /// Parts already written with [`IndexWriter::stage`]; they become the archive's with this change.
    Staged(StagedPack),
}

/// Parts written before their archive was read to its end. Dropped unless a change takes it; leftovers go at the next start.
#[derive(Debug, PartialEq, Eq)]
pub struct StagedPack {
    pub(crate) id: i64,
    pub(crate) parts: u32,
}

/// What became of one file in one ingest.
#[derive(Debug)]
pub enum FileOutcome {
    /// Read and parsed: replaces what was known of the file.
    Parsed {
        /// What the overview tells, if it tells anything.
        record: Option<ParsedRecord>,
        /// The documents.
        pack: Pack,
        /// Number of documents.
        documents: u64,
        /// Bytes of the documents, uncompressed.
        document_bytes: u64,
    },
    /// Could not be read. What is known of an earlier version stays.
    Unreadable {
        /// When it is due again without a change.
        next_attempt: Option<Millis>,
    },
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
    /// See [`KnownFile::racy`].
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

/// Which copy of a document is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    /// Only copies in this archive directory.
    pub directory: Option<String>,
    /// Only copies in this cluster.
    pub cluster: Option<String>,
}

/// Counter that grows with every commit that changes a list, never repeats for the life of the index file, and differs between index files.
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
    /// The owner is known and its archive is here, but holds no such document.
    NotInArchive,
    /// The job is named by an application, but has no archive (`jobmanager.archive.only-failed-jobs`, a failed write).
    NotArchived,
    /// Nobody has heard of the owner.
    Unknown,
    /// The pack was evicted; the archive is still in its directory: ingest the unit, then ask again.
    Evicted(UnitKey),
    /// The pack was evicted, and the archive is gone from its directory since.
    Lost,
}

/// A document in a pack. Read with [`IndexReader::document_chunk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Bytes, uncompressed.
    pub length: u64,
    /// Digest of the archive version it stands in: with the path, the document's entity tag.
    pub fingerprint: Fingerprint,
    pub(crate) archive: i64,
    pub(crate) part: u32,
    pub(crate) frame: u32,
    pub(crate) offset: u32,
}

/// Failure of the index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The data directory cannot take more: full, read-only, gone. What is indexed is still served.
    #[error("{0}")]
    Unwritable(String),
    /// The file belongs to a newer version of this server.
    #[error("{0}")]
    NewerSchema(String),
    /// Another process owns the data directory.
    #[error("{0}")]
    Owned(String),
    /// A stored pack or the file is damaged.
    #[error("{0}")]
    Damaged(String),
    /// The writer has been shut down.
    #[error("the index is closed")]
    Closed,
    /// Anything else; the text is for the log.
    #[error("{0}")]
    Failed(String),
}

/// How to open the index.
#[derive(Debug, Clone)]
pub struct IndexOptions {
    /// Data directory (`historyserver.data.dir`), created if absent.
    pub data_directory: std::path::PathBuf,
    /// Byte budget over all packs (`historyserver.cache.max-size`).
    pub max_pack_bytes: u64,
    /// Configured archive directories, in order of precedence: later wins.
    pub directories: Vec<DirectoryUrl>,
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// No index was there.
    Created,
    /// The index is there, ready to be served.
    Ready,
    /// The index was damaged and moved aside; a new one was created.
    Rebuilt {
        /// Where the damaged file now lies.
        moved_to: std::path::PathBuf,
        /// Applications and legacy jobs whose archives were gone, so that they are lost; `None` when that could not be read.
        lost: Option<u64>,
    },
}

/// Figures for the status and metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Applications listed (each id once).
    pub applications: u64,
    /// Jobs listed (each id once).
    pub jobs: u64,
    /// Bytes of all packs.
    pub pack_bytes: u64,
    /// Bytes of packs whose archives are gone.
    pub gone_pack_bytes: u64,
    /// Bytes of the index file, packs included.
    pub file_bytes: u64,
    /// Problems on record.
    pub problems: u64,
    /// Packs evicted since start.
    pub evictions: u64,
}

/// Changes the index. One per data directory; all acts go through one thread.
#[derive(Clone)]
pub struct IndexWriter {}

/// Reads the index. Cheap to clone; never waits for the writer.
#[derive(Clone)]
pub struct IndexReader {}

/// Opens the index in the data directory, takes its lock and brings its schema up to date.
///
/// # Errors
/// [`IndexError::Owned`], [`IndexError::NewerSchema`], [`IndexError::Unwritable`].
pub fn open(_options: &IndexOptions) -> Result<(IndexWriter, IndexReader, Opened), IndexError> {
    unimplemented!("skeleton")
}

impl IndexWriter {
    /// Applies what an ingest found, in one transaction. Gives back the problems that appeared and went.
    ///
    /// # Errors
    /// [`IndexError`]; nothing of the change is then visible.
    pub async fn apply(&self, _change: UnitChange, _urgency: Urgency) -> Result<ProblemChanges, IndexError> {
        unimplemented!("skeleton")
    }

    /// Writes parts of an archive that is still being read. Blocking: for the thread that parses.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn stage(&self, _staged: Option<StagedPack>, _parts: Vec<Part>) -> Result<StagedPack, IndexError> {
        unimplemented!("skeleton")
    }

    /// Notes what is gone from, or back in, its directory.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_presence(&self, _changes: Vec<Presence>, _at: Millis) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Takes units out of the index, with all below them. In groups of at most 500 a transaction.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget(&self, _units: Vec<UnitKey>) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Notes how a listing of a directory ended: a complete one that held archives, or one that found it missing or wholly empty.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_listing(
        &self,
        _directory: &DirectoryUrl,
        _held_archives: bool,
        _vanished: bool,
        _at: Millis,
    ) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Replaces the problems of a directory that are not of units (obstacles of listings, the directory itself).
    /// Gives back those that appeared and those that went.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn set_listing_problems(&self, _directory: &DirectoryUrl, _problems: Vec<Problem>) -> Result<ProblemChanges, IndexError> {
        unimplemented!("skeleton")
    }

    /// Finishes what is queued, checkpoints and closes.
    pub async fn close(&self) {
        unimplemented!("skeleton")
    }
}

impl IndexReader {
    /// All that is known of a directory.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn known(&self, _directory: &DirectoryUrl) -> Result<KnownDirectory, IndexError> {
        unimplemented!("skeleton")
    }

    /// Counter that changes whenever [`IndexReader::known`] of any directory would answer differently. Not stored.
    #[must_use]
    pub fn known_version(&self) -> u64 {
        unimplemented!("skeleton")
    }

    /// See [`Generation`]. Reads no rows.
    #[must_use]
    pub fn generation(&self) -> Generation {
        unimplemented!("skeleton")
    }

    /// Gives every object of a merged overview to `row`, newest first, from one snapshot; answers that snapshot's generation.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview(&self, _list: OverviewList, _row: impl FnMut(&str) + Send + 'static) -> Result<Generation, IndexError> {
        unimplemented!("skeleton")
    }

    /// The archived overview object of one copy, by precedence, if it is listed.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview_of(&self, _owner: crate::archive::Owner, _copy: &Copy) -> Result<Option<String>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Listed jobs by state: for `/overview`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_states(&self) -> Result<Vec<(String, u64)>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Ids and states of listed jobs, newest first: for `/jobs`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_ids(&self) -> Result<Vec<(JobId, String)>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Finds the document with this path of this owner, in the copy that precedence or `copy` names.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn document(&self, _owner: crate::archive::Owner, _path: &str, _copy: &Copy) -> Result<DocumentAnswer, IndexError> {
        unimplemented!("skeleton")
    }

    /// Reads the next chunk of a document, from `position` on: at most 256 KiB. Holds nothing between calls.
    ///
    /// # Errors
    /// [`IndexError::Damaged`]; [`IndexError::Failed`] when the archive was replaced meanwhile.
    pub async fn document_chunk(&self, _document: &Document, _position: u64) -> Result<bytes::Bytes, IndexError> {
        unimplemented!("skeleton")
    }

    /// Problems on record, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problems(&self, _limit: usize) -> Result<Vec<Problem>, IndexError> {
        unimplemented!("skeleton")
    }

    /// Figures, from memory or cheap queries.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn figures(&self) -> Result<Figures, IndexError> {
        unimplemented!("skeleton")
    }

    /// Where the archive files of a unit lie, for bringing it back: path, kind, and version as last tried; gone ones left out.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_files(&self, _unit: &UnitKey) -> Result<Vec<crate::directory::FoundFile>, IndexError> {
        unimplemented!("skeleton")
    }
}
