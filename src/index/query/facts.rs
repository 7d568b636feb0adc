//! What archives tell of jobs beyond their overviews. `None`: the archive does not tell, which is never zero.

use std::collections::BTreeMap;

use crate::archive::facts::{CheckpointFacts, Facts, IoFacts, VertexFacts};
use crate::clock::Millis;

/// Where the newest failure of a job is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureSource {
    /// In its exceptions.
    Exceptions,
    /// In the record of a rescale.
    Rescale,
    /// In the exceptions of its application.
    Application,
}

impl FailureSource {
    /// Where what was derived from the archive of a job is told.
    pub(in crate::index) fn of(facts: &Facts) -> Self {
        if facts.from_rescale { Self::Rescale } else { Self::Exceptions }
    }

    /// As stored.
    pub(in crate::index) fn number(self) -> i64 {
        match self {
            Self::Exceptions => 1,
            Self::Rescale => 2,
            Self::Application => 3,
        }
    }

    /// The inverse of [`FailureSource::number`]; of what an older server stored nothing is known but that it is from the exceptions.
    pub(in crate::index) fn of_number(number: Option<i64>) -> Self {
        match number {
            Some(2) => Self::Rescale,
            Some(3) => Self::Application,
            _ => Self::Exceptions,
        }
    }
}

/// The newest failure of an application or a job; of a failed one that which ended it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootException {
    /// Class.
    pub class: Option<String>,
    /// Message.
    pub message: Option<String>,
    /// When it happened.
    pub at: Option<Millis>,
    /// Class of the innermost cause, where there is one.
    pub cause_class: Option<String>,
    /// Message of the innermost cause.
    pub cause_message: Option<String>,
    /// What failure enrichers said about it.
    pub labels: BTreeMap<String, String>,
    /// Where it is told.
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
    /// At least so often.
    pub least_restarts: i64,
    /// How often the adaptive scheduler changed its parallelism without a failure.
    pub rescales: Option<i64>,
    /// Whether it has a plan.
    pub has_plan: Option<bool>,
    /// What its vertices read and wrote together.
    pub io: IoFacts,
    /// Checkpoints; `None`: checkpointing was off, or is not told of.
    pub checkpoints: Option<CheckpointFacts>,
    /// The newest failure.
    pub root_exception: Option<RootException>,
    /// Vertices in the order of the archive.
    pub vertices: Vec<VertexFacts>,
}

/// Figures of one run of an application or a job, for comparing runs; of an application of its jobs together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunFigures {
    /// Default parallelism of a job.
    pub parallelism: Option<i64>,
    /// How often it was restarted after failures; of an application the sum over its jobs, `None` where that of one cannot be known.
    pub restarts: Option<i64>,
    /// What was read and written.
    pub io: IoFacts,
    /// Completed checkpoints.
    pub checkpoints_completed: Option<i64>,
    /// Failed checkpoints.
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

/// A class of exceptions and how many failed with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureClass {
    /// Class of the innermost cause.
    pub class: String,
    /// Jobs, or applications, that failed with it.
    pub count: u64,
}
