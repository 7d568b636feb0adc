//! Ingest on demand: an archive whose pack was evicted is read again, ahead of the queue, one flight per unit.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use crate::directory::FileKind;
use crate::index::{FileOutcome, Presence, UnitKey, Urgency};
use crate::problem::ProblemCode;
use crate::refresh::plan::Task;
use crate::telemetry::metrics::IngestReason;

/// The common result of all who wait for one unit.
pub(super) type Flight = Shared<BoxFuture<'static, Result<(), BringBackError>>>;

/// How long a client is told to wait when the store cannot be reached.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why an evicted archive could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BringBackError {
    /// The store that holds it cannot be reached, or the data directory takes nothing: worth another try.
    #[error("{message}")]
    Unavailable {
        /// A sentence for the client.
        message: String,
        /// After this time.
        retry_after: Duration,
    },
    /// It is gone from its archive directory.
    #[error("the archive is gone from its archive directory")]
    Gone,
    /// It is there, but can no longer be read.
    #[error("{0}")]
    Unreadable(String),
}

impl Ingest {
    /// Ingests one evicted unit again, ahead of the queue. Any number of callers for one unit cause one fetch.
    ///
    /// # Errors
    /// [`BringBackError`].
    pub async fn bring_back(&self, unit: &UnitKey) -> Result<(), BringBackError> {
        let flight = {
            let mut returning = self.shared.returning.lock().await;
            if let Some(flight) = returning.get(unit) {
                flight.clone()
            } else {
                let (ingest, key) = (self.clone(), unit.clone());
                // Its own task: the flight lands even when the first client has hung up.
                let landing = crate::tasks::spawn(async move {
                    let result = ingest.fetch_again(&key).await;
                    ingest.shared.returning.lock().await.remove(&key);
                    result
                });
                let flight = landing
                    .map(|ended| ended.unwrap_or_else(|_| Err(unavailable("reading the archive again was cut short"))))
                    .boxed()
                    .shared();
                returning.insert(unit.clone(), flight.clone());
                flight
            }
        };
        flight.await
    }

    async fn fetch_again(&self, unit: &UnitKey) -> Result<(), BringBackError> {
        let url = match unit {
            UnitKey::Application(key) => &key.directory,
            UnitKey::LegacyJob(directory, _) => directory,
        };
        let Some(directory) = self.directory(url) else {
            return Err(BringBackError::Gone);
        };
        let files = self.shared.reader.unit_files(unit).await.map_err(|error| unavailable(error.to_string()))?;
        let Some(newest) = files.iter().map(|file| file.version.modified).max() else {
            return Err(BringBackError::Gone);
        };
        let has_summary = matches!(unit, UnitKey::LegacyJob(..)) || files.iter().any(|file| file.kind == FileKind::Summary);
        let ingested = self.ingest(directory, Task { key: unit.clone(), files, has_summary, newest }, IngestReason::Demand).await;
        if let Some(error) = ingested.index_error {
            return Err(unavailable(error.to_string()));
        }
        let change = ingested.change;
        if change.files.is_empty() {
            let gone = vec![Presence::UnitGone(unit.clone())];
            self.shared.writer.note_presence(gone, self.shared.clock.now()).await.map_err(|error| unavailable(error.to_string()))?;
            return Err(BringBackError::Gone);
        }
        // A store that cannot be reached says nothing of the archives: the index keeps what it knows of them.
        let refused = |code| matches!(code, ProblemCode::FetchFailed | ProblemCode::PermissionDenied);
        if let Some(problem) = change.problems.iter().find(|problem| refused(problem.code)) {
            return Err(unavailable(&problem.reason));
        }
        let unreadable = change.files.iter().all(|file| matches!(file.outcome, FileOutcome::Unreadable { .. }));
        let reason = change.problems.first().map(|problem| problem.reason.clone());
        self.shared.writer.apply(change, Urgency::Now).await.map_err(|error| unavailable(error.to_string()))?;
        match reason {
            Some(reason) if unreadable => Err(BringBackError::Unreadable(reason)),
            _ => Ok(()),
        }
    }
}

fn unavailable(reason: impl Into<String>) -> BringBackError {
    BringBackError::Unavailable { message: reason.into(), retry_after: RETRY_AFTER }
}
