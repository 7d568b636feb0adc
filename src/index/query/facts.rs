//! Facts of jobs beyond their overviews. `None`: the archive does not contain the value; this is never zero.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::facts::{CheckpointFacts, Facts, IoFacts, VertexFacts};
use crate::clock::Timestamp;

/// The document that a failure was found in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FailureSource {
    /// The exceptions of the job.
    Exceptions,
    /// The record of a rescale of the job (`rescales/details/<id>`).
    Rescale,
    /// The exceptions of its application.
    Application,
}

impl FailureSource {
    /// The source of the failure that was derived from the archive of a job.
    pub(in crate::index) fn of(facts: &Facts) -> Self {
        if facts.from_rescale { Self::Rescale } else { Self::Exceptions }
    }

    /// The stored number.
    pub(in crate::index) fn number(self) -> i64 {
        match self {
            Self::Exceptions => 1,
            Self::Rescale => 2,
            Self::Application => 3,
        }
    }

    /// The inverse of [`FailureSource::number`]. Older servers stored no number: they read exceptions only.
    pub(in crate::index) fn of_number(number: Option<i64>) -> Self {
        match number {
            Some(2) => Self::Rescale,
            Some(3) => Self::Application,
            _ => Self::Exceptions,
        }
    }
}

/// The newest failure of an application or a job. Of a failed one, this is the failure that ended it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RootException {
    /// Class.
    pub class: Option<String>,
    /// Message.
    pub message: Option<String>,
    /// Time of the failure.
    pub at: Option<Timestamp>,
    /// Class of the innermost cause, where there is one.
    pub cause_class: Option<String>,
    /// Message of the innermost cause.
    pub cause_message: Option<String>,
    /// Labels of Flink's failure enrichers.
    pub labels: BTreeMap<String, String>,
    /// The document that it was found in.
    pub source: FailureSource,
}

/// Facts of one copy of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFacts {
    /// Default parallelism.
    pub parallelism: Option<i64>,
    /// Highest parallelism that it may have.
    pub max_parallelism: Option<i64>,
    /// `Default`, `Adaptive` or `AdaptiveBatch`.
    pub scheduler: Option<String>,
    /// Version of Flink that ran it.
    pub flink_version: Option<String>,
    /// How often it, or a region of it, was restarted after a failure.
    pub restarts: Option<i64>,
    /// Lower bound of the number of restarts.
    pub min_restarts: i64,
    /// How often the adaptive scheduler changed its parallelism without a failure.
    pub rescales: Option<i64>,
    /// Whether it has a plan.
    pub has_plan: Option<bool>,
    /// Bytes and records that its vertices read and wrote, in total.
    pub io: IoFacts,
    /// Checkpoints; `None`: checkpointing was off, or the archive has no checkpoint statistics.
    pub checkpoints: Option<CheckpointFacts>,
    /// The newest failure.
    pub root_exception: Option<RootException>,
    /// Vertices in the order of the archive.
    pub vertices: Vec<VertexFacts>,
}

/// Figures of a run, for comparing runs. The figures of an application are those of its jobs together. Null: the archive has no value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunFigures {
    /// Default parallelism of a job.
    pub parallelism: Option<i64>,
    /// How often it was restarted after failures; of an application the sum over its jobs. Null: the number cannot be known.
    pub restarts: Option<i64>,
    /// Bytes and records read and written.
    #[serde(flatten)]
    pub io: IoFacts,
    /// Number of completed checkpoints.
    pub checkpoints_completed: Option<i64>,
    /// Number of failed checkpoints.
    pub checkpoints_failed: Option<i64>,
    /// Bytes of the state in the last completed checkpoint; of an application the largest of its jobs.
    pub last_checkpoint_size: Option<i64>,
    /// Milliseconds of the longest completed checkpoint.
    pub longest_checkpoint_duration: Option<i64>,
    /// Class of the newest failure.
    pub root_exception_class: Option<String>,
    /// Class of its innermost cause, or else its own.
    pub root_cause_class: Option<String>,
}

/// A class of exceptions and the number of failures with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FailureClass {
    /// Class of the innermost cause: Flink wraps most failures in a few classes of its own.
    pub class: String,
    /// Number of failed jobs; in statistics of applications, of failed applications.
    #[serde(rename = "jobs")]
    pub count: u64,
}
