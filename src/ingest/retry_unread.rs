//! Somebody asks for an archive that could not be read: whether that has changed since, before the answer says why.
//!
//! What the store did not hand out is read again. What has bad content is looked at, and read only if it is another version by now.

use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use super::task::Task;
use crate::clock::Millis;
use crate::directory::{Directory, DirectoryError, FileKind, FoundFile};
use crate::index::{Fault, Presence, UnitChange, UnitKey, Unread, Urgency};
use crate::names::FilePath;
use crate::telemetry::IngestReason;

/// How long an archive is left alone after somebody has asked for it.
const fn rest(fault: Fault) -> Millis {
    match fault {
        Fault::Store => 2_000,
        Fault::Content => 30_000,
    }
}

/// Archives that are asked for again at once.
const AT_ONCE: usize = 4;

/// The same in a minute.
const A_MINUTE: usize = 60;

type Flight = Shared<BoxFuture<'static, ()>>;

/// What is being asked for again, and what was lately.
#[derive(Default)]
pub(super) struct Retried {
    flights: HashMap<(UnitKey, FileKind), Flight>,
    /// Until when each is left alone.
    resting: HashMap<(UnitKey, FileKind), Millis>,
    started: Vec<Millis>,
}

impl Ingest {
    /// Has another try at an archive that could not be read. One flight per archive, few at a time and a minute.
    ///
    /// Ask the index again after this, whatever came of it.
    pub async fn retry_unread(&self, unread: &Unread) {
        let now = self.shared.clock.now();
        let id = (unread.unit.clone(), unread.file);
        let flight = {
            let mut asked = self.shared.asked.lock().await;
            asked.resting.retain(|_, until| (now..=now + rest(Fault::Content)).contains(until));
            asked.started.retain(|at| (0..60_000).contains(&(now - *at)));
            if let Some(flight) = asked.flights.get(&id) {
                flight.clone()
            } else {
                if asked.resting.contains_key(&id) || asked.flights.len() >= AT_ONCE || asked.started.len() >= A_MINUTE {
                    return;
                }
                asked.started.push(now);
                let (ingest, unread, landed) = (self.clone(), unread.clone(), id.clone());
                // Its own task: the flight lands even when the first client has hung up.
                let asking = crate::tasks::spawn(async move {
                    ingest.look_again(&unread).await;
                    let until = ingest.shared.clock.now() + rest(unread.fault);
                    let mut asked = ingest.shared.asked.lock().await;
                    asked.flights.remove(&landed);
                    asked.resting.insert(landed, until);
                });
                let flight = asking.map(drop).boxed().shared();
                asked.flights.insert(id, flight.clone());
                flight
            }
        };
        flight.await;
    }

    async fn look_again(&self, unread: &Unread) {
        let Some(directory) = self.directory(unread.unit.directory()) else { return };
        let change = match unread.fault {
            Fault::Store => match self.retry(directory, unread.unit.clone(), vec![(unread.file, unread.failures)]).await {
                Ok(Some(ingested)) if ingested.index_error.is_none() => ingested.change,
                // The next refresh tells what is wrong.
                _ => return,
            },
            Fault::Content => match self.other_version(directory, unread).await {
                Some(change) => change,
                None => return,
            },
        };
        match self.shared.writer.apply(change, Urgency::Now).await {
            Ok(changes) => changes.log(),
            Err(error) => tracing::debug!("an archive that was read again could not be indexed: {error}"),
        }
    }

    /// What came of reading another version than the one that could not be read; `None` when there is none.
    async fn other_version(&self, directory: &Directory, unread: &Unread) -> Option<UnitChange> {
        let files = match files(directory, unread).await {
            Ok(files) => files,
            Err(error) => {
                tracing::debug!("an archive could not be looked at again: {error}");
                return None;
            }
        };
        let has_summary = matches!(unread.unit, UnitKey::LegacyJob(..)) || files.iter().any(|file| file.kind == FileKind::Summary);
        let Some(file) = files.into_iter().find(|file| file.kind == unread.file) else {
            self.note_gone(unread).await;
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

    async fn note_gone(&self, unread: &Unread) {
        let gone = match unread.unit {
            UnitKey::Application(_) => Presence::FileGone(unread.unit.clone(), unread.file),
            UnitKey::LegacyJob(..) => Presence::UnitGone(unread.unit.clone()),
        };
        if let Err(error) = self.shared.writer.note_presence(vec![gone], self.shared.clock.now()).await {
            tracing::debug!("that an archive is gone could not be noted: {error}");
        }
    }
}

/// The files of the unit that are there now.
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
