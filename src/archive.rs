//! Reading one archive: bytes in, documents and an overview out. Opens nothing, never panics.
//!
//! An archive is `{"archive":[{"path":"/jobs/…","json":"<JSON text as a string>"}, …]}`, UTF-8, as Flink's `FsJsonArchivist` writes it.

mod application;
mod depth;
mod derivation;
mod ends;
mod entry_path;
mod envelope;
pub mod facts;
mod flaws;
pub mod fuzz;
mod job;
mod job_overview;
mod legacy_overview;
mod members;
mod reader;
mod scan;
mod text;

use std::io::{self, BufReader};

pub use self::derivation::{Derivation, Derived};
pub use self::job_overview::{OverviewForm, has_newer_members};

use self::facts::{Facts, JobApplication};
use crate::clock::Millis;
use crate::ids::{ApplicationId, JobId};
use crate::problem::ProblemCode;

/// Limits on what an archive may hold (`historyserver.limits.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes of one document (`historyserver.limits.document-size`).
    pub document_size: u64,
    /// Entries of one archive (`historyserver.limits.entries`).
    pub entries: u64,
    /// Nesting of a document and of the envelope (`historyserver.limits.depth`).
    pub depth: usize,
    /// Bytes of an entry path (`historyserver.limits.path-length`); above 64 KiB as if it were 64 KiB.
    pub path_length: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { document_size: 256 << 20, entries: 1_000_000, depth: 64, path_length: 4 << 10 }
    }
}

/// Whose archive a file is, by its place in the archive directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The summary of this application.
    Application(ApplicationId),
    /// The archive of this job.
    Job(JobId),
}

/// Something wrong with one entry, or with the overview, of an archive that is otherwise served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence that names the entry by its number, never by its content.
    pub reason: String,
}

/// An archive that cannot be read as a whole. Its last good documents stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence; free of content.
    pub reason: String,
}

/// What is known of an application from its summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// Name as archived.
    pub name: String,
    /// State as archived: `FINISHED`, `FAILED`, `CANCELED` or what a later Flink writes.
    pub status: String,
    /// Start, where the archive tells it.
    pub start: Option<Millis>,
    /// End, where the archive tells it: of a job that never got its resources Flink writes 0, of one that runs -1.
    pub end: Option<Millis>,
    /// Milliseconds, where the archive tells it.
    pub duration: Option<i64>,
    /// Number of jobs by job state, as archived.
    pub job_counts: Vec<(String, u64)>,
    /// Jobs that the summary names.
    pub jobs: Vec<NamedJob>,
    /// The object of `/applications/overview`, text as archived.
    pub overview: String,
}

/// A job that a summary names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedJob {
    /// Id.
    pub id: JobId,
    /// Start, where the summary tells it.
    pub start: Option<Millis>,
}

/// What is known of a job from its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Name as archived.
    pub name: String,
    /// State as archived.
    pub status: String,
    /// Start, where the archive tells it.
    pub start: Option<Millis>,
    /// End, where the archive tells it: of a job that never got its resources Flink writes 0, of one that runs -1.
    pub end: Option<Millis>,
    /// Milliseconds, where the archive tells it.
    pub duration: Option<i64>,
    /// `BATCH` or `STREAMING`, where the archive tells.
    pub job_type: Option<String>,
    /// The application that it belongs to, as its details tell.
    pub application: JobApplication,
    /// Number of tasks by lower-case execution state, and `total`, as archived.
    pub tasks: Vec<(String, u64)>,
    /// The object of `/jobs/overview`: text as archived, with the members that Flink's clients require added where missing.
    pub overview: String,
}

/// What the overview of an archive tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Of an application's summary.
    Application(ApplicationRecord),
    /// Of a job's archive.
    Job(JobRecord),
}

/// An archive that was read to its end. Its documents went to the sink on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedArchive {
    /// The overview; `None` when no entry tells one (its documents are served, it is not listed).
    pub record: Option<Record>,
    /// What the documents tell beyond it.
    pub facts: Facts,
    /// What was left out, and why. Bounded: after 100 flaws of one code only their number is told.
    pub flaws: Vec<Flaw>,
    /// Documents given to the sink.
    pub documents: u64,
    /// Bytes of these documents.
    pub document_bytes: u64,
}

/// Takes the documents of an archive in the order they stand in it.
pub trait DocumentSink {
    /// Takes one document. The path belongs to the owner and begins with `/`; of equal paths the last counts.
    ///
    /// # Errors
    /// The sink cannot take it; reading stops and gives this error back.
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError>;
}

/// Lets documents go: for whoever only asks whether an archive can be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl DocumentSink for NoSink {
    fn document(&mut self, _path: &str, _json: &str) -> Result<(), SinkError> {
        Ok(())
    }
}

/// A sink that could not go on, for a reason of its own.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// Why reading an archive ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The archive's fault.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The source failed while it was read.
    #[error("reading failed: {0}")]
    Source(#[from] io::Error),
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Bytes that a stream is read in.
const STREAM_BUFFER_BYTES: usize = 256 << 10;
/// Entry paths are never longer, whatever is configured: they are looked up, listed and stored whole.
const LONGEST_PATH: usize = 64 << 10;
/// Bytes of an overview object: it is kept beside the documents, in the tables that lists are read from.
const OVERVIEW_BYTES: usize = 1 << 20;
/// Bytes of a state's name.
const STATE_BYTES: usize = 64;
/// Different states that are counted.
const STATES: usize = 64;

/// Reads an archive that is in memory.
///
/// # Errors
/// [`ReadError::Unreadable`] or [`ReadError::Sink`].
pub fn read_slice(bytes: &[u8], owner: Owner, limits: &ArchiveLimits, sink: &mut dyn DocumentSink) -> Result<ParsedArchive, ReadError> {
    reader::read(bytes, owner, limits, sink)
}

/// Whether an archive begins and ends as a whole archive of this owner does, by its first and its last bytes. `false` says nothing:
/// only reading all of it tells whether it can be read.
#[must_use]
pub fn has_whole_ends(head: &[u8], tail: &[u8], owner: Owner, limits: &ArchiveLimits) -> bool {
    ends::begins_well(head, owner, limits) && ends::ends_well(tail)
}

/// Reads an archive of any size with one document in memory at a time. Equal to [`read_slice`] on the same bytes.
///
/// # Errors
/// [`ReadError`].
pub fn read_stream(
    source: impl io::Read,
    owner: Owner,
    limits: &ArchiveLimits,
    sink: &mut dyn DocumentSink,
) -> Result<ParsedArchive, ReadError> {
    read_buffered(source, STREAM_BUFFER_BYTES, owner, limits, sink)
}

fn read_buffered(
    source: impl io::Read,
    buffer_bytes: usize,
    owner: Owner,
    limits: &ArchiveLimits,
    sink: &mut dyn DocumentSink,
) -> Result<ParsedArchive, ReadError> {
    reader::read(BufReader::with_capacity(buffer_bytes, Retrying(source)), owner, limits, sink)
}

/// A source whose interrupted reads are repeated.
struct Retrying<S>(S);

impl<S: io::Read> io::Read for Retrying<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// The duration for an overview that is made from documents that do not tell it; -1 while there is no end.
fn duration(start: Millis, end: Millis) -> i64 {
    if end < 0 { -1 } else { end.saturating_sub(start).max(0) }
}

/// Time between two, where both are known.
fn between(start: Option<Millis>, end: Option<Millis>) -> Option<i64> {
    Some(end?.saturating_sub(start?).max(0))
}

/// Whether a text can be a state or a type.
fn is_state(text: &str) -> bool {
    !text.is_empty() && text.len() <= STATE_BYTES && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
