//! Retries an archive that could not be read when a client requests it, before the answer says why it cannot be read.
//!
//! A file that the store did not return is read again. A file with bad content is listed, and read only if it is another version now.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use super::task::Task;
use crate::clock::Timestamp;
use crate::directory::{Directory, DirectoryError, FileKind, FoundFile};
use crate::index::{Fault, Presence, UnitChange, UnitKey, Unread, Urgency};
use crate::names::FilePath;
use crate::telemetry::IngestReason;

/// The time after a retry in which the archive is not retried again.
const fn rest(fault: Fault) -> Duration {
    match fault {
        Fault::Store => Duration::from_secs(2),
        Fault::Content => Duration::from_secs(30),
    }
}

/// Limit of retries at once.
const MAX_AT_ONCE: usize = 4;

/// Limit of retries in a minute.
const MAX_PER_MINUTE: usize = 60;

const MINUTE: Duration = Duration::from_mins(1);

type Flight = Shared<BoxFuture<'static, ()>>;

/// Retries in flight, and recent ones.
#[derive(Default)]
pub(super) struct Retried {
    flights: HashMap<(UnitKey, FileKind), Flight>,
    /// The end of the rest of each archive.
    resting: HashMap<(UnitKey, FileKind), Timestamp>,
    started: Vec<Timestamp>,
}

impl Ingest {
    /// Retries an archive that could not be read. One retry per archive at a time; retries are limited at once and per minute.
    ///
    /// Read the index again after this, also if the retry failed.
    pub async fn retry_unread(&self, unread: &Unread) {
        let now = self.inner.clock.now();
        let id = (unread.unit.clone(), unread.file);
        let flight = {
            let mut retried = self.inner.retried.lock().await;
            retried.resting.retain(|_, until| (now..=now + rest(Fault::Content)).contains(until));
            retried.started.retain(|at| *at <= now && now.since(*at) < MINUTE);
            if let Some(flight) = retried.flights.get(&id) {
                flight.clone()
            } else {
                if retried.resting.contains_key(&id) || retried.flights.len() >= MAX_AT_ONCE || retried.started.len() >= MAX_PER_MINUTE {
                    return;
                }
                retried.started.push(now);
                let (ingest, unread, landed) = (self.clone(), unread.clone(), id.clone());
                // A task of its own: the retry ends even when the first client has hung up.
                let retry = crate::tasks::spawn(async move {
                    ingest.retry_if_useful(&unread).await;
                    let until = ingest.inner.clock.now() + rest(unread.fault);
                    let mut retried = ingest.inner.retried.lock().await;
                    retried.flights.remove(&landed);
                    retried.resting.insert(landed, until);
                });
                let flight = retry.map(drop).boxed().shared();
                retried.flights.insert(id, flight.clone());
                flight
            }
        };
        flight.await;
    }

    async fn retry_if_useful(&self, unread: &Unread) {
        let Some(directory) = self.directory(unread.unit.directory()) else { return };
        let change = match unread.fault {
            Fault::Store => match self.retry(directory, unread.unit.clone(), vec![(unread.file, unread.failures)]).await {
                Ok(Some(ingested)) if ingested.index_error.is_none() => ingested.change,
                // The next refresh reports the problem.
                _ => return,
            },
            Fault::Content => match self.other_version(directory, unread).await {
                Some(change) => change,
                None => return,
            },
        };
        match self.inner.writer.apply(change, Urgency::Now).await {
            Ok(changes) => changes.log(),
            Err(error) => tracing::debug!("an archive that was read again could not be indexed: {error}"),
        }
    }

    /// The result of reading another version than the one that could not be read; `None` when there is none.
    async fn other_version(&self, directory: &Directory, unread: &Unread) -> Option<UnitChange> {
        let files = match files(directory, unread).await {
            Ok(files) => files,
            Err(error) => {
                tracing::debug!("the files of an archive that could not be read could not be listed: {error}");
                return None;
            }
        };
        let has_summary = matches!(unread.unit, UnitKey::LegacyJob(..)) || files.iter().any(|file| file.kind == FileKind::Summary);
        let Some(file) = files.into_iter().find(|file| file.kind == unread.file) else {
            self.note_missing(unread).await;
            return None;
        };
        if file.version.fingerprint() == unread.tried {
            return None;
        }
        let newest = file.version.modified;
        let task = Task { key: unread.unit.clone(), files: vec![file], failures: Vec::new(), has_summary, newest };
        let ingested = self.ingest(directory, task, IngestReason::Demand).await;
        (ingested.index_error.is_none() && !ingested.change.files.is_empty()).then_some(ingested.change)
    }

    async fn note_missing(&self, unread: &Unread) {
        let missing = match unread.unit {
            UnitKey::Application(_) => Presence::FileGone(unread.unit.clone(), unread.file),
            UnitKey::LegacyJob(..) => Presence::UnitGone(unread.unit.clone()),
        };
        if let Err(error) = self.inner.writer.note_presence(vec![missing], self.inner.clock.now()).await {
            tracing::debug!("a missing archive could not be recorded: {error}");
        }
    }
}

/// The present files of the unit.
async fn files(directory: &Directory, unread: &Unread) -> Result<Vec<FoundFile>, DirectoryError> {
    match &unread.unit {
        UnitKey::LegacyJob(_, job) => Ok(directory.legacy_job_file(*job).await?.into_iter().collect()),
        UnitKey::Application(_) => {
            // `<folder>/application-summary` or `<folder>/jobs/<id>`.
            let below = if unread.file == FileKind::Summary { 1 } else { 2 };
            let folder = unread.path.as_str().rsplitn(below + 1, '/').nth(below).unwrap_or_default();
            Ok(directory.application_files(&FilePath::new(folder)).await?.unwrap_or_default())
        }
    }
}
