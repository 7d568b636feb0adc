//! Facts of an application or a job in its archive, beyond its overview: figures, vertices, exceptions, configuration.
//!
//! The documents are those of Flink 1.13 to 2.3 (`JobDetailsInfo`, `JobExceptionsInfoWithHistory`, `CheckpointingStatistics`,
//! `ConfigurationInfo` and so on). A missing value is `None` here, never zero: Flink writes `"NaN"` for a figure that was not measured,
//! -1 for an event that did not happen, and 0 for a time that was not reached. All sizes are limited, because archives are untrusted.

mod attempts;
mod checkpoints;
mod configuration;
mod exceptions;
mod job;
mod regions;
mod rescales;
mod restarts;

use serde::Serialize;
use utoipa::ToSchema;

use self::job::VertexDocument;
use self::rescales::RescaleFailure;
use self::restarts::{Evidence, Setting};
use super::Owner;
use super::members::Members;
use crate::clock::Timestamp;
use crate::ids::{ApplicationId, JobId};

/// Version of the facts. Raise it with every change of their derivation: facts of older versions are then derived again.
pub const DERIVATION_VERSION: u32 = 3;

/// Bytes of a document that facts are derived from. Larger documents are only served: parsed, they would take many times that memory.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 20;
/// Vertices of a job that are kept, in the order of the archive.
pub const MAX_VERTICES: usize = 1_000;
/// Exceptions of an archive that are kept, the newest first.
pub const MAX_EXCEPTIONS: usize = 64;
/// Labels of a failure that are kept.
pub const MAX_LABELS: usize = 64;
/// Entries of a configuration that are kept.
pub const MAX_CONFIGURATION_ENTRIES: usize = 4_000;
/// Bytes of a name, a key or a class.
pub const NAME_BYTES: usize = 1 << 10;
/// Bytes of a message or of a value of the configuration.
pub const MESSAGE_BYTES: usize = 4 << 10;
/// Bytes of a stack trace.
pub const TRACE_BYTES: usize = 32 << 10;

/// The facts of one archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Default parallelism of the job, where it is set (`job-parallelism` of `/jobs/<id>/config`).
    pub parallelism: Option<i64>,
    /// Maximum parallelism of the job, where it is set (`maxParallelism` of `/jobs/<id>`).
    pub max_parallelism: Option<i64>,
    /// `BATCH` or `STREAMING` (`job-type` of `/jobs/<id>`, before Flink 1.20 the `type` of its plan).
    pub job_type: Option<String>,
    /// `Default`, `Adaptive` or `AdaptiveBatch` (Flink 2.3 and later).
    pub scheduler: Option<String>,
    /// Version of Flink, by the name of its `flink-dist` file in the class path.
    pub flink_version: Option<String>,
    /// Whether the job has a plan (`plan` of `/jobs/<id>`). A job that never got its resources has vertices, but no plan.
    pub has_plan: Option<bool>,
    /// Times of the job's details.
    pub times: Times,
    /// The application in the job's details.
    pub application: JobApplication,
    /// How often the job was restarted.
    pub restarts: RestartFacts,
    /// Bytes and records that the vertices read and wrote, in total.
    pub io: IoFacts,
    /// Checkpoints; `None` where checkpointing was off.
    pub checkpoints: Option<CheckpointFacts>,
    /// Vertices in archive order, up to [`MAX_VERTICES`].
    pub vertices: Vec<VertexFacts>,
    /// Exceptions, newest first, up to [`MAX_EXCEPTIONS`].
    pub exceptions: Vec<ExceptionFacts>,
    /// Whether the newest exception comes from the record of a rescale.
    pub from_rescale: bool,
    /// Configuration of the job, then of the JobManager, up to [`MAX_CONFIGURATION_ENTRIES`].
    pub configuration: Vec<ConfigurationEntry>,
    /// Number of these entries that are of the job itself.
    pub own_configuration: usize,
}

/// Start and end of a job, by `/jobs/<id>`. `None`: the time was not reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Start.
    pub start: Option<Timestamp>,
    /// End.
    pub end: Option<Timestamp>,
    /// Milliseconds.
    pub duration: Option<i64>,
}

/// The application in a job's details (`application-id`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum JobApplication {
    /// The details have no such member: Flink 2.2 and earlier.
    #[default]
    NotArchived,
    /// The member is null: the job failed before it was run.
    Null,
    /// The member names this application.
    Named(ApplicationId),
}

/// The number of restarts of a job, or of a part of it, after failures (failovers).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RestartFacts {
    /// Number of restarts, where it can be known.
    pub count: Option<u64>,
    /// Lower bound of the number of restarts.
    pub min: u64,
    /// How often the adaptive scheduler changed the parallelism without a failure, where this can be known.
    pub rescales: Option<u64>,
}

/// Bytes and records read and written. Flink counts between vertices: sources read nothing, and sinks write nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IoFigures)]
pub struct IoFacts {
    /// Bytes read.
    pub read_bytes: Option<i64>,
    /// Bytes written.
    pub write_bytes: Option<i64>,
    /// Records read.
    pub read_records: Option<i64>,
    /// Records written.
    pub write_records: Option<i64>,
}

impl IoFacts {
    /// The sums of both. A sum counts the known values only.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            read_bytes: sum_of_known(self.read_bytes, other.read_bytes),
            write_bytes: sum_of_known(self.write_bytes, other.write_bytes),
            read_records: sum_of_known(self.read_records, other.read_records),
            write_records: sum_of_known(self.write_records, other.write_records),
        }
    }
}

/// The sum of the known values; `None`: neither is known.
#[must_use]
pub fn sum_of_known(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.saturating_add(right)),
        (left, right) => left.or(right),
    }
}

/// A vertex of a job. Times and durations are milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = VertexFigures)]
pub struct VertexFacts {
    /// Id, as archived.
    pub id: String,
    /// Name; cut at [`NAME_BYTES`].
    pub name: String,
    /// State, as archived.
    pub status: Option<String>,
    /// Number of subtasks.
    pub parallelism: Option<i64>,
    /// Maximum parallelism.
    pub max_parallelism: Option<i64>,
    /// Start of its first subtask.
    pub start: Option<Timestamp>,
    /// End of its last subtask.
    pub end: Option<Timestamp>,
    /// Milliseconds.
    pub duration: Option<i64>,
    /// Bytes and records that it read and wrote.
    #[serde(flatten)]
    pub io: IoFacts,
    /// Busy time of all subtasks together.
    pub busy: Option<i64>,
    /// Time that all subtasks together waited for input.
    pub idle: Option<i64>,
    /// Time that all subtasks together waited for the subtasks that they send to.
    pub backpressured: Option<i64>,
}

/// Checkpoints of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CheckpointFigures)]
pub struct CheckpointFacts {
    /// Number of triggered checkpoints.
    pub total: Option<i64>,
    /// Number of completed checkpoints.
    pub completed: Option<i64>,
    /// Number of failed checkpoints.
    pub failed: Option<i64>,
    /// Number of checkpoints that were in progress when the job ended.
    pub in_progress: Option<i64>,
    /// How often the job was restored from a checkpoint.
    pub restored: Option<i64>,
    /// The last completed checkpoint or savepoint.
    pub last: Option<CompletedCheckpoint>,
    /// Milliseconds of the longest completed checkpoint.
    pub longest_duration: Option<i64>,
    /// Bytes of the largest state.
    pub largest_state_size: Option<i64>,
    /// Bytes of the largest write of one checkpoint.
    pub largest_written: Option<i64>,
}

/// A completed checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CheckpointFigure)]
pub struct CompletedCheckpoint {
    /// Number.
    pub id: Option<i64>,
    /// Whether it is a savepoint.
    pub savepoint: bool,
    /// Time of the trigger.
    pub triggered: Option<Timestamp>,
    /// Milliseconds from the trigger to the last acknowledgement.
    pub duration: Option<i64>,
    /// Bytes of the state.
    pub state_size: Option<i64>,
    /// Bytes written for it.
    pub written: Option<i64>,
}

/// The kind of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionKind {
    /// The newest failure: of a failed job the one that ended it.
    Root,
    /// A failure before that.
    Earlier,
    /// A failure at the same time as another one.
    Concurrent,
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionFacts {
    /// Kind.
    pub kind: ExceptionKind,
    /// Class.
    pub class: String,
    /// Message; cut at [`MESSAGE_BYTES`].
    pub message: Option<String>,
    /// Class of the innermost cause, where there is one.
    pub cause_class: Option<String>,
    /// Message of the innermost cause; cut at [`MESSAGE_BYTES`].
    pub cause_message: Option<String>,
    /// Stack trace as archived; cut at [`TRACE_BYTES`].
    pub stack_trace: String,
    /// Time of the failure.
    pub at: Option<Timestamp>,
    /// The task that failed.
    pub task: Option<String>,
    /// Labels of failure enrichers, up to [`MAX_LABELS`].
    pub labels: Vec<(String, String)>,
    /// The job that failed, in exceptions of an application.
    pub job: Option<JobId>,
}

/// One key of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigurationEntry {
    /// Key; cut at [`NAME_BYTES`].
    pub key: String,
    /// Value, with secrets hidden by Flink; cut at [`MESSAGE_BYTES`].
    pub value: String,
}

/// Derives facts from the documents of one archive, in archive order. When a path repeats, the last document counts.
#[derive(Debug)]
pub struct Deriver {
    /// Bytes of `/jobs/<id>`, or of `/applications/<id>`.
    prefix: usize,
    is_job: bool,
    facts: Facts,
    exceptions: Vec<ExceptionFacts>,
    cluster_configuration: Vec<ConfigurationEntry>,
    job_configuration: Vec<ConfigurationEntry>,
    evidence: Evidence,
    rescale_failure: RescaleFailure,
}

impl Deriver {
    /// A deriver for the archive of this owner.
    #[must_use]
    pub fn new(owner: Owner) -> Self {
        let (prefix, is_job) = match owner {
            Owner::Application(_) => ("/applications/".len() + 32, false),
            Owner::Job(_) => ("/jobs/".len() + 32, true),
        };
        Self {
            prefix,
            is_job,
            facts: Facts::default(),
            exceptions: Vec::new(),
            cluster_configuration: Vec::new(),
            job_configuration: Vec::new(),
            evidence: Evidence::default(),
            rescale_failure: RescaleFailure::default(),
        }
    }

    /// The description of a document that facts are derived from, if it is larger than [`MAX_DOCUMENT_BYTES`].
    #[must_use]
    pub fn too_large(&self, path: &str, json: &str) -> Option<&'static str> {
        if json.len() <= MAX_DOCUMENT_BYTES {
            return None;
        }
        match (self.is_job, path.get(self.prefix..)?) {
            (true, "") => Some("details of the job"),
            (true, "/config") => Some("configuration of the job"),
            (true, "/checkpoints") => Some("checkpoints"),
            (true, "/jobmanager/environment") => Some("environment of the JobManager"),
            (_, "/jobmanager/config") => Some("configuration of the JobManager"),
            (_, "/exceptions") => Some("exceptions"),
            (true, below) if below.starts_with("/vertices/") => Some("vertices"),
            (true, below) if below.starts_with("/rescales/") => Some("rescales"),
            _ => None,
        }
    }

    /// Takes a document by the path that it is served at. Invalid content neither fails nor panics.
    pub fn document(&mut self, path: &str, json: &str) {
        let Some(below) = path.get(self.prefix..) else { return };
        let json = if json.len() > MAX_DOCUMENT_BYTES { "" } else { json };
        match (self.is_job, below) {
            (true, "") => {
                let parsed = Members::parse(json);
                self.evidence.details(parsed.as_ref());
                job::details(parsed, &mut self.facts);
            }
            (true, "/config") => {
                let parsed = Members::parse(json);
                self.facts.parallelism = parsed.as_ref().and_then(configuration::parallelism);
                self.job_configuration = parsed.as_ref().map(configuration::of_job).unwrap_or_default();
            }
            (true, "/checkpoints") => self.facts.checkpoints = checkpoints::read(json),
            (true, "/jobmanager/environment") => self.facts.flink_version = job::flink_version(json),
            (_, "/jobmanager/config") => self.cluster_configuration = configuration::of_cluster(json),
            (_, "/exceptions") => {
                self.exceptions = exceptions::read(json);
                self.evidence.exceptions(json);
            }
            (true, "/rescales/history") => self.evidence.rescales(json),
            (true, "/rescales/overview") => self.evidence.rescales_overview(json),
            (true, below) => self.below(below, json),
            (false, _) => {}
        }
    }

    /// Takes one of the many documents of a vertex or a rescale.
    fn below(&mut self, below: &str, json: &str) {
        if let Some(below) = below.strip_prefix("/vertices/") {
            match job::vertex_document(below) {
                Some(VertexDocument::Details(vertex)) => self.evidence.vertex(vertex, json),
                Some(VertexDocument::Attempt(number)) => self.evidence.attempt(number),
                None => {}
            }
        } else if below.starts_with("/rescales/details/") {
            self.rescale_failure.details(json);
        }
    }

    /// Returns the facts.
    #[must_use]
    pub fn finish(self) -> Facts {
        let mut configuration = self.job_configuration;
        let own_configuration = configuration.len();
        configuration.extend(self.cluster_configuration);
        configuration.truncate(MAX_CONFIGURATION_ENTRIES);
        let mut facts = Facts { exceptions: self.exceptions, configuration, own_configuration, ..self.facts };
        if self.evidence.ended_without_exception()
            && let Some(failure) = self.rescale_failure.finish()
        {
            for exception in facts.exceptions.iter_mut().filter(|exception| exception.kind == ExceptionKind::Root) {
                exception.kind = ExceptionKind::Earlier;
            }
            facts.exceptions.truncate(MAX_EXCEPTIONS - 1);
            facts.exceptions.insert(0, failure);
            facts.from_rescale = true;
        }
        let (scheduler, job_type) = (facts.scheduler.as_deref(), facts.job_type.as_deref());
        facts.restarts = self.evidence.finish(&Setting { scheduler, job_type, configuration: &facts.configuration });
        facts
    }
}

/// The newest failure, from its stack trace alone.
#[must_use]
pub fn failure_from_stack_trace(trace: String, at: Option<Timestamp>) -> ExceptionFacts {
    exceptions::from_stack_trace(trace, at)
}

/// Truncates a text to this number of bytes, between characters.
fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
    }
    text
}

/// A time. `None`: it was not reached; Flink then writes 0 or -1.
pub(super) fn time(members: &Members<'_>, name: &str) -> Option<Timestamp> {
    members.integer(name).filter(|time| *time > 0).map(Timestamp::from_millis)
}

/// A figure. `None`: it was not measured; Flink then writes -1, `"NaN"` or 2^63-1.
pub(super) fn figure(members: &Members<'_>, name: &str) -> Option<i64> {
    members.integer(name).filter(|figure| (0..i64::MAX).contains(figure))
}

/// A whole number above zero.
fn positive(members: &Members<'_>, name: &str) -> Option<i64> {
    figure(members, name).filter(|number| *number > 0)
}

#[cfg(test)]
mod tests;
