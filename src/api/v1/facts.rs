//! Facts of jobs as they are answered. Null: the archive does not tell, which is never 0.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::v1::notes::{self, Note};
use crate::archive::facts as archived;
use crate::clock::Millis;
use crate::index::query::{self, Item};

/// What the archive of a job tells beyond its overview. Times and durations are milliseconds; null: it does not tell.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobFacts {
    /// Default parallelism, where it was set.
    parallelism: Option<i64>,
    /// Highest parallelism that the job may have, where it was set.
    max_parallelism: Option<i64>,
    /// `Default`, `Adaptive` or `AdaptiveBatch` (Flink 2.3 and later).
    scheduler: Option<String>,
    /// Version of Flink that ran it.
    flink_version: Option<String>,
    /// How often the job, or a region of it, was restarted after a failure. Neither speculative attempts nor rescales count. Null: it cannot
    /// be known from the archive, see `notes`.
    restarts: Option<i64>,
    /// It was restarted at least so often.
    restarts_at_least: i64,
    /// How often the adaptive scheduler changed the parallelism without a failure. Null: another scheduler ran the job, or it cannot be known.
    rescales: Option<i64>,
    /// The newest failure; of a failed job the one that ended it.
    root_exception: Option<RootException>,
    /// What a reader should know of these facts: what the archive does not tell, and what was taken from elsewhere.
    notes: Vec<Note>,
    /// Null: checkpointing was off.
    checkpoints: Option<CheckpointFigures>,
    io: IoFigures,
    /// In the order of the archive, at most 1,000.
    pub(super) vertices: Vec<VertexFigures>,
}

/// A failure.
#[derive(Serialize, ToSchema)]
struct RootException {
    class: Option<String>,
    message: Option<String>,
    at: Option<Millis>,
    /// Class of the innermost cause, where there is one.
    cause_class: Option<String>,
    /// Message of the innermost cause.
    cause_message: Option<String>,
    /// Labels that failure enrichers gave to it.
    labels: BTreeMap<String, String>,
    /// Where it is told.
    source: FailureSource,
}

/// Where a failure is told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum FailureSource {
    /// In the exceptions of the job.
    Exceptions,
    /// In the record of a rescale of the job (`rescales/details/<id>`).
    Rescale,
    /// In the exceptions of its application.
    Application,
}

impl From<query::FailureSource> for FailureSource {
    fn from(source: query::FailureSource) -> Self {
        match source {
            query::FailureSource::Exceptions => Self::Exceptions,
            query::FailureSource::Rescale => Self::Rescale,
            query::FailureSource::Application => Self::Application,
        }
    }
}

/// Checkpoints of a job.
#[derive(Serialize, ToSchema)]
struct CheckpointFigures {
    /// Triggered.
    total: Option<i64>,
    completed: Option<i64>,
    failed: Option<i64>,
    /// Under way when the job ended.
    in_progress: Option<i64>,
    /// Times that the job was restored from one.
    restored: Option<i64>,
    /// The last that was completed, a savepoint or not.
    last: Option<CheckpointFigure>,
    /// Duration of the longest that was completed.
    longest_duration: Option<i64>,
    /// Bytes of the largest state.
    largest_state_size: Option<i64>,
    /// Bytes of the most that one wrote.
    largest_written: Option<i64>,
}

/// A completed checkpoint.
#[derive(Serialize, ToSchema)]
struct CheckpointFigure {
    id: Option<i64>,
    savepoint: bool,
    /// When it was triggered.
    triggered: Option<Millis>,
    /// From the trigger to the last acknowledgement.
    duration: Option<i64>,
    /// Bytes of the state.
    state_size: Option<i64>,
    /// Bytes written for it.
    written: Option<i64>,
}

/// What was read and written, as Flink counts it: between vertices, so that sources read nothing and sinks write nothing.
#[derive(Serialize, ToSchema)]
pub(super) struct IoFigures {
    read_bytes: Option<i64>,
    write_bytes: Option<i64>,
    read_records: Option<i64>,
    write_records: Option<i64>,
}

/// A vertex of a job. Times and durations are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct VertexFigures {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: Option<String>,
    pub(super) parallelism: Option<i64>,
    pub(super) max_parallelism: Option<i64>,
    start: Option<Millis>,
    end: Option<Millis>,
    duration: Option<i64>,
    read_bytes: Option<i64>,
    write_bytes: Option<i64>,
    read_records: Option<i64>,
    write_records: Option<i64>,
    /// How long its subtasks were busy, together.
    busy: Option<i64>,
    /// How long they waited for input.
    idle: Option<i64>,
    /// How long they waited for those behind them.
    backpressured: Option<i64>,
}

impl JobFacts {
    /// Facts of this copy of a job.
    pub(super) fn of(facts: query::JobFacts, job: &Item) -> Self {
        Self {
            notes: notes::of(&facts, job),
            parallelism: facts.parallelism,
            max_parallelism: facts.max_parallelism,
            scheduler: facts.scheduler,
            flink_version: facts.flink_version,
            restarts: facts.restarts,
            restarts_at_least: facts.min_restarts,
            rescales: facts.rescales,
            root_exception: facts.root_exception.map(Into::into),
            checkpoints: facts.checkpoints.map(Into::into),
            io: facts.io.into(),
            vertices: facts.vertices.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<query::RootException> for RootException {
    fn from(exception: query::RootException) -> Self {
        Self {
            class: exception.class,
            message: exception.message,
            at: exception.at,
            cause_class: exception.cause_class,
            cause_message: exception.cause_message,
            labels: exception.labels,
            source: exception.source.into(),
        }
    }
}

impl From<archived::CheckpointFacts> for CheckpointFigures {
    fn from(facts: archived::CheckpointFacts) -> Self {
        Self {
            total: facts.total,
            completed: facts.completed,
            failed: facts.failed,
            in_progress: facts.in_progress,
            restored: facts.restored,
            last: facts.last.map(|last| CheckpointFigure {
                id: last.id,
                savepoint: last.savepoint,
                triggered: last.triggered,
                duration: last.duration,
                state_size: last.state_size,
                written: last.written,
            }),
            longest_duration: facts.longest_duration,
            largest_state_size: facts.largest_state_size,
            largest_written: facts.largest_written,
        }
    }
}

impl From<archived::IoFacts> for IoFigures {
    fn from(facts: archived::IoFacts) -> Self {
        Self {
            read_bytes: facts.read_bytes,
            write_bytes: facts.write_bytes,
            read_records: facts.read_records,
            write_records: facts.write_records,
        }
    }
}

impl From<archived::VertexFacts> for VertexFigures {
    fn from(vertex: archived::VertexFacts) -> Self {
        Self {
            id: vertex.id,
            name: vertex.name,
            status: vertex.status,
            parallelism: vertex.parallelism,
            max_parallelism: vertex.max_parallelism,
            start: vertex.start,
            end: vertex.end,
            duration: vertex.duration,
            read_bytes: vertex.io.read_bytes,
            write_bytes: vertex.io.write_bytes,
            read_records: vertex.io.read_records,
            write_records: vertex.io.write_records,
            busy: vertex.busy,
            idle: vertex.idle,
            backpressured: vertex.backpressured,
        }
    }
}

/// Figures of a run, for comparing runs; of an application of its jobs together. Null: not told.
#[derive(Serialize, ToSchema)]
pub(super) struct RunFigures {
    /// Default parallelism of a job.
    parallelism: Option<i64>,
    /// How often it was restarted after failures; of an application the sum over its jobs. Null: it cannot be known.
    restarts: Option<i64>,
    #[serde(flatten)]
    io: IoFigures,
    checkpoints_completed: Option<i64>,
    checkpoints_failed: Option<i64>,
    /// Bytes of the state in the last completed checkpoint; of an application the largest of its jobs.
    last_checkpoint_size: Option<i64>,
    /// Milliseconds of the longest completed checkpoint.
    longest_checkpoint_duration: Option<i64>,
    /// Class of the newest failure.
    root_exception_class: Option<String>,
    /// Class of its innermost cause, or else its own.
    root_cause_class: Option<String>,
}

impl From<query::RunFigures> for RunFigures {
    fn from(figures: query::RunFigures) -> Self {
        Self {
            parallelism: figures.parallelism,
            restarts: figures.restarts,
            io: figures.io.into(),
            checkpoints_completed: figures.checkpoints_completed,
            checkpoints_failed: figures.checkpoints_failed,
            last_checkpoint_size: figures.last_checkpoint_size,
            longest_checkpoint_duration: figures.longest_checkpoint_duration,
            root_exception_class: figures.root_exception_class,
            root_cause_class: figures.root_cause_class,
        }
    }
}
