//! What a round reads, one unit at a time.

use super::retries::Retry;
use crate::directory::Directory;
use crate::index::IndexError;
use crate::ingest::task::Task;
use crate::ingest::{Ingest, Ingested, ProbedUnit};
use crate::telemetry::IngestReason;

/// What is read next.
pub(super) enum Work {
    /// What a listing has found.
    Task(Task),
    /// What could not be read before.
    Retry(Retry),
    /// What is beyond a limit and was never read: whether it can be.
    Probe(Task),
}

/// What came of it.
pub(super) enum Worked {
    /// It was read for the index; with the retry, if it was one.
    Ingested(Option<Retry>, Result<Option<Ingested>, IndexError>),
    /// It was looked at.
    Probed(ProbedUnit),
}

impl Work {
    /// Does it.
    pub(super) async fn done(self, ingest: &Ingest, directory: &Directory) -> Worked {
        match self {
            Self::Task(task) => Worked::Ingested(None, Ok(Some(ingest.ingest(directory, task, IngestReason::Refresh).await))),
            Self::Retry(retry) => {
                let ingested = ingest.try_again(directory, retry.key.clone(), retry.files.clone()).await;
                Worked::Ingested(Some(retry), ingested)
            }
            Self::Probe(task) => Worked::Probed(ingest.probe(directory, task).await),
        }
    }
}
