//! Ingest on demand: an archive whose pack was evicted is read again, ahead of the queue, one flight per unit.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use super::task::Task;
use crate::archive::Owner;
use crate::directory::FileKind;
use crate::index::{FileChange, FileOutcome, Presence, UnitChange, UnitKey, Urgency};
use crate::problem::{Problem, ProblemCode};
use crate::telemetry::IngestReason;

/// The common result of all who wait for one unit: what kept single files of it from coming back, or all.
pub(super) type Flight = Shared<BoxFuture<'static, Result<Arc<Missing>, RestoreError>>>;

/// Files that did not come back, and why.
type Missing = Vec<(FileKind, RestoreError)>;

/// How long a client is told to wait when the store cannot be reached.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why an evicted archive could not be brought back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
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
    /// With `wanted` only that one's archive has to come back: another one of the unit that cannot be read hides nothing of it.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub async fn restore(&self, unit: &UnitKey, wanted: Option<Owner>) -> Result<(), RestoreError> {
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
        let missing = flight.await?;
        let wanted = wanted.map(|owner| match owner {
            Owner::Application(_) => FileKind::Summary,
            Owner::Job(job) => FileKind::Job(job),
        });
        match missing.iter().find(|(file, _)| wanted.is_none_or(|wanted| *file == wanted)) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    async fn fetch_again(&self, unit: &UnitKey) -> Result<Arc<Missing>, RestoreError> {
        let Some(directory) = self.directory(unit.directory()) else {
            return Err(RestoreError::Gone);
        };
        let files = self.shared.reader.unit_files(unit).await.map_err(|error| unavailable(error.to_string()))?;
        let Some(newest) = files.iter().map(|file| file.version.modified).max() else {
            return Err(RestoreError::Gone);
        };
        let kinds: Vec<FileKind> = files.iter().map(|file| file.kind).collect();
        let has_summary = matches!(unit, UnitKey::LegacyJob(..)) || kinds.contains(&FileKind::Summary);
        let task = Task { key: unit.clone(), files, failures: Vec::new(), has_summary, newest };
        let ingested = self.ingest(directory, task, IngestReason::Demand).await;
        if let Some(error) = ingested.index_error {
            return Err(unavailable(error.to_string()));
        }
        let mut change = ingested.change;
        let gone: Vec<FileKind> = kinds.into_iter().filter(|kind| change.files.iter().all(|file| file.kind != *kind)).collect();
        let mut missing = refused(&mut change);
        if !gone.is_empty() && self.has_vanished(unit).await? {
            return Err(unavailable(format!(
                "the archive directory {} held archives and now holds none at all; is its volume mounted?",
                unit.directory()
            )));
        }
        missing.extend(gone.iter().map(|file| (*file, RestoreError::Gone)));
        if missing.len() == gone.len() && change.files.is_empty() {
            self.note(vec![Presence::UnitGone(unit.clone())]).await?;
            return Err(RestoreError::Gone);
        }
        missing.extend(unreadable(&change));
        if !gone.is_empty() {
            self.note(gone.into_iter().map(|file| Presence::FileGone(unit.clone(), file)).collect()).await?;
        }
        if !change.files.is_empty() {
            let changes = self.shared.writer.apply(change, Urgency::Now).await.map_err(|error| unavailable(error.to_string()))?;
            changes.log();
        }
        Ok(Arc::new(missing))
    }

    /// Whether the directory of a unit may not be mounted: then what is not there is not gone.
    async fn has_vanished(&self, unit: &UnitKey) -> Result<bool, RestoreError> {
        self.shared.reader.has_vanished(unit.directory()).await.map_err(|error| unavailable(error.to_string()))
    }

    async fn note(&self, presence: Vec<Presence>) -> Result<(), RestoreError> {
        let noted = self.shared.writer.note_presence(presence, self.shared.clock.now()).await;
        noted.map(drop).map_err(|error| unavailable(error.to_string()))
    }
}

/// Takes out of a change what a store could not be asked for: that says nothing of the archives, and the index keeps what it knows.
fn refused(change: &mut UnitChange) -> Missing {
    let refused = |problem: &mut Problem| matches!(problem.code, ProblemCode::FetchFailed | ProblemCode::PermissionDenied);
    let refused: Vec<Problem> = change.problems.extract_if(.., refused).collect();
    let reason = |file: &FileChange| refused.iter().find(|problem| problem.subject.file.as_ref() == Some(&file.path));
    let missing = change.files.iter().filter_map(|file| Some((file.kind, unavailable(&reason(file)?.reason)))).collect();
    change.files.retain(|file| reason(file).is_none());
    missing
}

/// What is there and could not be read.
fn unreadable(change: &UnitChange) -> Missing {
    let files = change.files.iter().filter(|file| matches!(file.outcome, FileOutcome::Unreadable { .. }));
    let reason = |file: &FileChange| {
        let problem = change.problems.iter().find(|problem| problem.subject.file.as_ref() == Some(&file.path));
        problem.map_or_else(String::new, |problem| problem.reason.clone())
    };
    files.map(|file| (file.kind, RestoreError::Unreadable(reason(file)))).collect()
}

fn unavailable(reason: impl Into<String>) -> RestoreError {
    RestoreError::Unavailable { message: reason.into(), retry_after: RETRY_AFTER }
}
