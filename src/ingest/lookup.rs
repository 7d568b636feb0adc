//! An id that is not listed yet: looked for once in the archive directories, before a client is told that nobody knows it.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use super::task::{OPEN_WINDOW, Task};
use crate::archive::Owner;
use crate::clock::Millis;
use crate::directory::{Directory, FileKind, FoundFile};
use crate::index::{ApplicationKey, UnitKey, Urgency};
use crate::names::FilePath;
use crate::telemetry::IngestReason;

/// How long an id that was not found is not looked for again.
const NOT_FOUND_FOR: Millis = 30_000;

/// Lookups at a time.
const AT_ONCE: usize = 4;

/// Lookups in a minute.
const A_MINUTE: usize = 60;

/// How long a lookup may take; the next refresh finds the archive all the same.
const PATIENCE: Duration = Duration::from_secs(10);

type Flight = Shared<BoxFuture<'static, bool>>;

/// What is being looked for, and what was not found lately.
#[derive(Default)]
pub(super) struct Lookups {
    flights: HashMap<Owner, Flight>,
    not_found: HashMap<Owner, Millis>,
    started: Vec<Millis>,
}

/// Whether ids that are not listed are looked for (`historyserver.archive.lookup-unlisted`), and which of them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupUnlisted {
    /// Not at all.
    Off,
    /// Whatever is there.
    Any,
    /// Only what was written in the last minutes: a retention limit is set, and may have put older ones out of the list.
    Recent,
}

impl Ingest {
    /// Looks for an application or a legacy job that is not listed; true when something of it was found. Ask the index again then.
    ///
    /// One flight per id, few at a time and a minute, and an id that was not found is not looked for again for half a minute.
    pub async fn lookup(&self, owner: Owner) -> bool {
        if self.shared.lookup_unlisted == LookupUnlisted::Off {
            return false;
        }
        let now = self.shared.clock.now();
        let flight = {
            let mut lookups = self.shared.lookups.lock().await;
            lookups.not_found.retain(|_, at| now - *at < NOT_FOUND_FOR);
            lookups.started.retain(|at| now - *at < 60_000);
            if let Some(flight) = lookups.flights.get(&owner) {
                flight.clone()
            } else {
                let busy = lookups.flights.len() >= AT_ONCE || lookups.started.len() >= A_MINUTE;
                if busy || lookups.not_found.contains_key(&owner) {
                    return false;
                }
                lookups.started.push(now);
                let ingest = self.clone();
                let looking = crate::tasks::spawn(async move {
                    let found = tokio::time::timeout(PATIENCE, ingest.find(owner)).await.unwrap_or(false);
                    let mut lookups = ingest.shared.lookups.lock().await;
                    lookups.flights.remove(&owner);
                    if !found {
                        lookups.not_found.insert(owner, now);
                    }
                    found
                });
                let flight = looking.map(|ended| ended.unwrap_or(false)).boxed().shared();
                lookups.flights.insert(owner, flight.clone());
                flight
            }
        };
        flight.await
    }

    /// Asks every directory; what is there is ingested. An error counts as not found: the refresh reports it.
    async fn find(&self, owner: Owner) -> bool {
        let mut found = false;
        for directory in self.shared.directories.values() {
            let tasks = match owner {
                Owner::Application(id) => self.find_application(directory, id).await,
                Owner::Job(job) => self.find_legacy_job(directory, job).await,
            };
            for task in tasks {
                found |= self.take_in(directory, task).await;
            }
        }
        found
    }

    async fn find_application(&self, directory: &Directory, id: crate::ids::ApplicationId) -> Vec<Task> {
        let clusters = self.shared.reader.clusters(directory.url()).await.unwrap_or_default();
        let mut tasks = Vec::new();
        for cluster in clusters {
            let folder = FilePath::new(format!("{cluster}/applications/{id}"));
            let Ok(Some(files)) = directory.application_files(&folder).await else { continue };
            let has_summary = files.iter().any(|file| file.kind == FileKind::Summary);
            let key = UnitKey::Application(ApplicationKey { directory: directory.url().clone(), cluster, id });
            tasks.extend(self.task(key, files, has_summary));
        }
        tasks
    }

    async fn find_legacy_job(&self, directory: &Directory, job: crate::ids::JobId) -> Vec<Task> {
        let Ok(Some(file)) = directory.legacy_job_file(job).await else { return Vec::new() };
        self.task(UnitKey::LegacyJob(directory.url().clone(), job), vec![file], true).into_iter().collect()
    }

    fn task(&self, key: UnitKey, files: Vec<FoundFile>, has_summary: bool) -> Option<Task> {
        let newest = files.iter().map(|file| file.version.modified).max()?;
        let old = self.shared.clock.now() - newest >= OPEN_WINDOW;
        let refused = old && self.shared.lookup_unlisted == LookupUnlisted::Recent;
        (!refused).then_some(Task { key, files, failures: Vec::new(), has_summary, newest })
    }

    async fn take_in(&self, directory: &Directory, task: Task) -> bool {
        // Not listed because it is beyond a limit: it is to be deleted, not to be shown.
        if self.shared.reader.is_expired(&task.key).await.unwrap_or(true) {
            return false;
        }
        let ingested = self.ingest(directory, task, IngestReason::Lookup).await;
        if ingested.index_error.is_some() || ingested.change.files.is_empty() {
            return false;
        }
        match self.shared.writer.apply(ingested.change, Urgency::Now).await {
            Ok(changes) => {
                changes.log();
                true
            }
            Err(_reported_by_the_refresh) => false,
        }
    }
}
