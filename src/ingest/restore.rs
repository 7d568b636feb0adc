//! Reads a unit on demand, ahead of the queue: its packs were evicted, or it is listed and was not read yet.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::task::Task;
use super::{Ingest, demanded};
use crate::archive::Owner;
use crate::directory::FileKind;
use crate::index::{FileChange, FileOutcome, Presence, UnitChange, UnitKey, Urgency};
use crate::problem::{Problem, ProblemCode};
use crate::telemetry::IngestReason;

/// The common result of all requests that wait for one unit.
pub(super) type Flight = Shared<BoxFuture<'static, Result<Arc<Failed>, RestoreError>>>;

/// Files that could not be restored, and why.
type Failed = Vec<(FileKind, RestoreError)>;

/// The `Retry-After` of an answer when the store cannot be reached.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why an evicted archive could not be restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The store cannot be reached, or the data directory cannot be written: a retry may succeed.
    #[error("{message}")]
    Unavailable {
        /// A sentence for the client.
        message: String,
        /// After this time.
        retry_after: Duration,
    },
    /// The archive is missing from its archive directory.
    #[error("the archive is no longer in its archive directory")]
    Missing,
    /// The archive is present, but cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

impl Ingest {
    /// Ingests one evicted unit again, ahead of the queue. Any number of callers for one unit cause one fetch.
    ///
    /// With `wanted` only the archive of that owner must be restored: other archives of the unit may fail.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub async fn restore(&self, unit: &UnitKey, wanted: Option<Owner>) -> Result<(), RestoreError> {
        let flight = {
            let mut restores = self.inner.restores.lock().await;
            if let Some(flight) = restores.get(unit) {
                flight.clone()
            } else {
                let (ingest, key) = (self.clone(), unit.clone());
                // A task of its own: the restore ends even when the first client has hung up.
                let restore = crate::tasks::spawn(async move {
                    let result = ingest.fetch_again(&key).await;
                    ingest.inner.restores.lock().await.remove(&key);
                    result
                });
                let flight = restore
                    .map(|ended| {
                        ended.unwrap_or_else(|_| {
                            Err(unavailable("the archive could not be read again: the read was interrupted. Retry the request"))
                        })
                    })
                    .boxed()
                    .shared();
                restores.insert(unit.clone(), flight.clone());
                flight
            }
        };
        let failed = flight.await?;
        let wanted = wanted.map(|owner| match owner {
            Owner::Application(_) => FileKind::Summary,
            Owner::Job(job) => FileKind::Job(job),
        });
        match failed.iter().find(|(file, _)| wanted.is_none_or(|wanted| *file == wanted)) {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    async fn fetch_again(&self, unit: &UnitKey) -> Result<Arc<Failed>, RestoreError> {
        let Some(directory) = self.directory(unit.directory()) else {
            return Err(RestoreError::Missing);
        };
        let files = self.inner.reader.unit_files(unit).await.map_err(|error| unavailable(error.to_string()))?;
        let Some(newest) = files.iter().map(|file| file.version.modified).max() else {
            return Err(RestoreError::Missing);
        };
        let kinds: Vec<FileKind> = files.iter().map(|file| file.kind).collect();
        let has_summary = matches!(unit, UnitKey::LegacyJob(..)) || kinds.contains(&FileKind::Summary);
        let task = Task { key: unit.clone(), files, failures: Vec::new(), has_summary, newest };
        let ingested = self.ingest(directory, task, IngestReason::Demand).await;
        if let Some(error) = ingested.index_error {
            return Err(unavailable(error.to_string()));
        }
        let mut change = ingested.change;
        let missing: Vec<FileKind> = kinds.into_iter().filter(|kind| change.files.iter().all(|file| file.kind != *kind)).collect();
        let mut failed = not_returned(&mut change);
        if !missing.is_empty() && self.has_vanished(unit).await? {
            return Err(unavailable(format!(
                "the archive directory {} held archives and now holds none at all; is its volume mounted?",
                unit.directory()
            )));
        }
        failed.extend(missing.iter().map(|file| (*file, RestoreError::Missing)));
        if failed.len() == missing.len() && change.files.is_empty() {
            self.note(vec![Presence::UnitGone(unit.clone())]).await?;
            return Err(RestoreError::Missing);
        }
        failed.extend(unreadable(&change));
        if !missing.is_empty() {
            self.note(missing.into_iter().map(|file| Presence::FileGone(unit.clone(), file)).collect()).await?;
        }
        if !change.files.is_empty() {
            let versions = demanded::versions(&change);
            let changes = self.inner.writer.apply(change, Urgency::Now).await.map_err(|error| unavailable(error.to_string()))?;
            changes.log();
            self.inner.demanded.note(unit.clone(), versions);
        }
        Ok(Arc::new(failed))
    }

    /// Whether the directory of a unit may not be mounted: then no archive of it is taken for missing.
    async fn has_vanished(&self, unit: &UnitKey) -> Result<bool, RestoreError> {
        self.inner.reader.has_vanished(unit.directory()).await.map_err(|error| unavailable(error.to_string()))
    }

    async fn note(&self, presence: Vec<Presence>) -> Result<(), RestoreError> {
        let noted = self.inner.writer.note_presence(presence, self.inner.clock.now()).await;
        noted.map(drop).map_err(|error| unavailable(error.to_string()))
    }
}

/// Takes the files out of a change that the store did not return, so that the index keeps their content.
fn not_returned(change: &mut UnitChange) -> Failed {
    let is_failure = |problem: &mut Problem| matches!(problem.code, ProblemCode::FetchFailed | ProblemCode::PermissionDenied);
    let failures: Vec<Problem> = change.problems.extract_if(.., is_failure).collect();
    let reason = |file: &FileChange| failures.iter().find(|problem| problem.subject.file.as_ref() == Some(&file.path));
    let failed = change.files.iter().filter_map(|file| Some((file.kind, unavailable(&reason(file)?.reason)))).collect();
    change.files.retain(|file| reason(file).is_none());
    failed
}

/// The files that are present and could not be read.
fn unreadable(change: &UnitChange) -> Failed {
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
