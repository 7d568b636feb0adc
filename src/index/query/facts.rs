//! What archives tell of jobs beyond their overviews. `None`: the archive does not tell, which is never zero.

use crate::archive::facts::{CheckpointFacts, IoFacts, VertexFacts};
use crate::clock::Millis;

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
}

/// Facts of one copy of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFacts {
    /// Default parallelism.
    pub parallelism: Option<i64>,
    /// Highest parallelism that it may have.
    pub max_parallelism: Option<i64>,
    /// `Default`, `Adaptive` or `AdaptiveBatch`.
    pub scheduler: Option<String>,
    /// Version of Flink that ran it.
    pub flink_version: Option<String>,
    /// How often a subtask was started again, at most.
    pub restarts: Option<i64>,
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
    /// How often a subtask was started again, at most; of an application the sum over its jobs.
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
