//! Facts of a job, with notes for the reader.

use serde::Serialize;
use utoipa::ToSchema;

use super::notes::{self, Note};
use crate::archive::facts::{CheckpointFacts, IoFacts, VertexFacts};
use crate::index::query::{self, Item, RootException};

/// The content of the archive of a job beyond its overview. Times and durations are milliseconds; null: the archive has no value.
#[derive(Serialize, ToSchema)]
pub(super) struct JobFacts {
    /// Default parallelism, if one was set.
    parallelism: Option<i64>,
    /// Maximum parallelism of the job, if one was set.
    max_parallelism: Option<i64>,
    /// `Default`, `Adaptive` or `AdaptiveBatch` (Flink 2.3 and later).
    scheduler: Option<String>,
    /// Version of Flink that ran the job.
    flink_version: Option<String>,
    /// Number of restarts of the job, or of a region of it, after failures. Speculative attempts and rescales do not count. Null: the
    /// archive does not contain the number, see `notes`.
    restarts: Option<i64>,
    /// Lower bound of the number of restarts.
    restarts_at_least: i64,
    /// Number of changes of the parallelism by the adaptive scheduler without a failure. Null: another scheduler ran the job, or the
    /// archive does not contain the number.
    rescales: Option<i64>,
    /// The newest failure. Of a failed job, this is the failure that ended it.
    root_exception: Option<RootException>,
    /// Remarks on these facts: values that the archive does not contain, and values that come from another document.
    notes: Vec<Note>,
    /// Null: checkpointing was off.
    checkpoints: Option<CheckpointFacts>,
    io: IoFacts,
    /// In the order of the archive, at most 1,000.
    pub(super) vertices: Vec<VertexFacts>,
}

impl JobFacts {
    /// The facts of this copy of a job.
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
            root_exception: facts.root_exception,
            checkpoints: facts.checkpoints,
            io: facts.io,
            vertices: facts.vertices,
        }
    }
}
