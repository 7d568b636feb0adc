//! Parses one archive: bytes in, documents and an overview out. It opens no file and never panics.
//!
//! An archive is `{"archive":[{"path":"/jobs/…","json":"<JSON text as a string>"}, …]}`, UTF-8, as Flink's `FsJsonArchivist` writes it.

mod application;
mod configuration;
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
mod listing;
mod members;
mod reader;
pub mod restore_points;
mod scan;
mod text;

use std::io::{self, BufReader};

pub use self::configuration::{MASK, SensitiveKeys, is_configuration};
pub use self::derivation::{Derivation, Derived};
pub use self::job_overview::{OverviewForm, has_newer_members};
pub use self::listing::{SummaryListing, read_job_listing, read_summary_listing};

use self::facts::{Facts, JobApplication};
use crate::clock::Timestamp;
use crate::ids::{ApplicationId, JobId};
use crate::problem::ProblemCode;

/// Limits for the content of an archive (`historyserver.limits.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes of one document (`historyserver.limits.document-size`).
    pub document_size: u64,
    /// Entries of one archive (`historyserver.limits.entries`).
    pub entries: u64,
    /// Nesting of a document and of the envelope (`historyserver.limits.depth`).
    pub depth: usize,
    /// Bytes of an entry path (`historyserver.limits.path-length`). Values above 64 KiB act as 64 KiB.
    pub path_length: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { document_size: 256 << 20, entries: 1_000_000, depth: 64, path_length: 4 << 10 }
    }
}

/// The owner of an archive file, by its path in the archive directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The summary of this application.
    Application(ApplicationId),
    /// The archive of this job.
    Job(JobId),
}

/// A problem of one entry, or of the overview, of an archive that is otherwise served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence that names the entry by its number. It never contains text of the archive.
    pub reason: String,
}

/// An archive that cannot be read. The documents of its last readable version stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// Stable code.
    pub code: ProblemCode,
    /// A sentence. It never contains text of the archive.
    pub reason: String,
}

/// The fields of an application in its summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationRecord {
    /// Name as archived.
    pub name: String,
    /// State as archived: `FINISHED`, `FAILED`, `CANCELED` or a state of a later version of Flink.
    pub status: String,
    /// Start; `None` where the archive has none.
    pub start: Option<Timestamp>,
    /// End; `None` where the archive has none. Flink writes 0 for a job that never got its resources and -1 for one that runs.
    pub end: Option<Timestamp>,
    /// Milliseconds; `None` where the archive has no duration.
    pub duration: Option<i64>,
    /// Number of jobs by job state, as archived.
    pub job_counts: Vec<(String, u64)>,
    /// The jobs in the summary.
    pub jobs: Vec<NamedJob>,
    /// The object of `/applications/overview` as archived.
    pub overview: String,
}

/// A job in a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedJob {
    /// Id.
    pub id: JobId,
    /// Start; `None` where the summary has none.
    pub start: Option<Timestamp>,
}

/// The fields of a job in its archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRecord {
    /// Name as archived.
    pub name: String,
    /// State as archived.
    pub status: String,
    /// Start; `None` where the archive has none.
    pub start: Option<Timestamp>,
    /// End; `None` where the archive has none. Flink writes 0 for a job that never got its resources and -1 for one that runs.
    pub end: Option<Timestamp>,
    /// Milliseconds; `None` where the archive has no duration.
    pub duration: Option<i64>,
    /// `BATCH` or `STREAMING`; `None` where the archive has no type.
    pub job_type: Option<String>,
    /// The application of the job, by its details.
    pub application: JobApplication,
    /// Number of tasks by execution state in lower case, and `total`, as archived.
    pub tasks: Vec<(String, u64)>,
    /// The object of `/jobs/overview` as archived, with missing members added that Flink's clients require.
    pub overview: String,
}

/// The overview of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// From the summary of an application.
    Application(ApplicationRecord),
    /// From the archive of a job.
    Job(JobRecord),
}

/// The result of reading a whole archive. Its documents were passed to the sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedArchive {
    /// The overview; `None` when no entry has one: the documents are served, but the owner is not listed.
    pub record: Option<Record>,
    /// Facts in the documents beyond the overview.
    pub facts: Facts,
    /// The entries that were left out, and the reasons. After 100 flaws of one code, only their number is reported.
    pub flaws: Vec<Flaw>,
    /// Number of documents passed to the sink.
    pub documents: u64,
    /// Bytes of these documents.
    pub document_bytes: u64,
}

/// Receives the documents of an archive in archive order.
pub trait DocumentSink {
    /// Receives one document. The path belongs to the owner and begins with `/`. When a path repeats, the last document counts.
    ///
    /// # Errors
    /// The sink failed. Reading stops and returns this error.
    fn document(&mut self, path: &str, json: &str) -> Result<(), SinkError>;
}

/// A sink that drops all documents, to check whether an archive can be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSink;

impl DocumentSink for NoSink {
    fn document(&mut self, _path: &str, _json: &str) -> Result<(), SinkError> {
        Ok(())
    }
}

/// An error of a sink.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// An error that ended the reading of an archive.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The archive is invalid.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The source failed while it was read.
    #[error("reading failed: {0}")]
    Source(#[from] io::Error),
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// Size of the buffer that a stream is read into.
const STREAM_BUFFER_BYTES: usize = 256 << 10;
/// Upper limit of an entry path, whatever is configured: paths are looked up, listed and stored whole.
const MAX_PATH_BYTES: usize = 64 << 10;
/// Bytes of an overview object. It is stored beside the documents, in the tables that lists are read from.
const MAX_OVERVIEW_BYTES: usize = 1 << 20;
/// Bytes of the name of a state.
const MAX_STATE_BYTES: usize = 64;
/// Number of different states that are counted.
const MAX_STATES: usize = 64;

/// Reads an archive that is in memory.
///
/// ```
/// use historyserver::archive::{ArchiveLimits, DocumentSink, Owner, Record, SinkError, read_slice};
///
/// /// Collects the paths of the documents.
/// #[derive(Default)]
/// struct Paths(Vec<String>);
///
/// impl DocumentSink for Paths {
///     fn document(&mut self, path: &str, _json: &str) -> Result<(), SinkError> {
///         self.0.push(path.to_owned());
///         Ok(())
///     }
/// }
///
/// let id = "0d6f4f6e8da5b7e7a3551550ff16c873";
/// let overview = format!(r#"{{"jobs":[{{"jid":"{id}","name":"orders","state":"FINISHED"}}]}}"#);
/// let archive = serde_json::json!({"archive": [{"path": "/jobs/overview", "json": overview}]}).to_string();
///
/// let mut paths = Paths::default();
/// let read = read_slice(archive.as_bytes(), Owner::Job(id.parse()?), &ArchiveLimits::default(), &mut paths)?;
/// assert_eq!(paths.0, ["/jobs/overview"]);
/// assert!(matches!(read.record, Some(Record::Job(job)) if job.name == "orders"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ReadError::Unreadable`] or [`ReadError::Sink`].
pub fn read_slice(bytes: &[u8], owner: Owner, limits: &ArchiveLimits, sink: &mut dyn DocumentSink) -> Result<ParsedArchive, ReadError> {
    reader::read(bytes, owner, limits, sink)
}

/// Checks the first and the last bytes of an archive: `true` if they are those of a complete archive of this owner. After `false` the
/// archive may still be valid: then it must be read whole.
#[must_use]
pub fn has_whole_ends(head: &[u8], tail: &[u8], owner: Owner, limits: &ArchiveLimits) -> bool {
    ends::begins_well(head, owner, limits) && ends::ends_well(tail)
}

/// Reads an archive of any size with one document in memory at a time. The result equals that of [`read_slice`].
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

/// A source that repeats interrupted reads.
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

/// The duration of an overview whose documents have none, from the times as archived; -1 while there is no end.
fn duration(start: i64, end: i64) -> i64 {
    if end < 0 { -1 } else { end.saturating_sub(start).max(0) }
}

/// Milliseconds from start to end, where both are known.
fn between(start: Option<Timestamp>, end: Option<Timestamp>) -> Option<i64> {
    Some(end?.as_millis().saturating_sub(start?.as_millis()).max(0))
}

/// Whether a text is valid as the name of a state or a type.
fn is_state(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_STATE_BYTES && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests;
