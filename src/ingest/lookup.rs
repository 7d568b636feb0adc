//! Looks an unlisted id up in the archive directories, before a request for it is answered with 404.

use std::collections::HashMap;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};

use super::Ingest;
use super::task::{OPEN_WINDOW, Task};
use crate::archive::Owner;
use crate::clock::Timestamp;
use crate::directory::{Directory, FileKind, FoundFile};
use crate::index::{ApplicationKey, UnitKey, Urgency};
use crate::names::FilePath;
use crate::telemetry::IngestReason;

/// The time in which an id that was not found is not looked up again.
const NOT_FOUND_FOR: Duration = Duration::from_secs(30);

/// Limit of lookups at once.
const MAX_AT_ONCE: usize = 4;

/// Limit of lookups in a minute.
const MAX_PER_MINUTE: usize = 60;

const MINUTE: Duration = Duration::from_mins(1);

/// Limit of the time of a lookup; the next refresh finds the archive in any case.
const TIMEOUT: Duration = Duration::from_secs(10);

type Flight = Shared<BoxFuture<'static, bool>>;

/// Lookups in flight, and ids that were not found recently.
#[derive(Default)]
pub(super) struct Lookups {
    flights: HashMap<Owner, Flight>,
    not_found: HashMap<Owner, Timestamp>,
    started: Vec<Timestamp>,
}

/// Whether unlisted ids are looked up (`historyserver.archive.lookup-unlisted`), and which archives are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupUnlisted {
    /// No lookup.
    Off,
    /// All archives.
    Any,
    /// Only recently modified archives: with a retention limit, older ones may be unlisted because they are expired.
    Recent,
}

impl Ingest {
    /// Looks for an unlisted application or legacy job. Returns true when it was found and ingested: read the index again then.
    ///
    /// One lookup per id at a time; lookups are limited at once and per minute, and an id that was not found rests for half a minute.
    pub async fn lookup(&self, owner: Owner) -> bool {
        if self.inner.lookup_unlisted == LookupUnlisted::Off {
            return false;
        }
        let now = self.inner.clock.now();
        let flight = {
            let mut lookups = self.inner.lookups.lock().await;
            lookups.not_found.retain(|_, at| now.since(*at) < NOT_FOUND_FOR);
            lookups.started.retain(|at| now.since(*at) < MINUTE);
            if let Some(flight) = lookups.flights.get(&owner) {
                flight.clone()
            } else {
                let busy = lookups.flights.len() >= MAX_AT_ONCE || lookups.started.len() >= MAX_PER_MINUTE;
                if busy || lookups.not_found.contains_key(&owner) {
                    return false;
                }
                lookups.started.push(now);
                let ingest = self.clone();
                let lookup = crate::tasks::spawn(async move {
                    let found = tokio::time::timeout(TIMEOUT, ingest.find(owner)).await.unwrap_or(false);
                    let mut lookups = ingest.inner.lookups.lock().await;
                    lookups.flights.remove(&owner);
                    if !found {
                        lookups.not_found.insert(owner, now);
                    }
                    found
                });
                let flight = lookup.map(|ended| ended.unwrap_or(false)).boxed().shared();
                lookups.flights.insert(owner, flight.clone());
                flight
            }
        };
        flight.await
    }

    /// Looks in every directory, and ingests the archives found. An error counts as not found: the refresh reports it.
    async fn find(&self, owner: Owner) -> bool {
        // A client may not see it. It costs the same listings as an id that does not exist, and no archive is read.
        let hidden = self.inner.reader.is_indexed(owner).await.unwrap_or(true);
        let mut found = false;
        for directory in self.inner.directories.values() {
            let tasks = match owner {
                Owner::Application(id) => self.find_application(directory, id).await,
                Owner::Job(job) => self.find_legacy_job(directory, job).await,
            };
            for task in tasks.into_iter().filter(|_| !hidden) {
                found |= self.ingest_found(directory, task).await;
            }
        }
        found
    }

    async fn find_application(&self, directory: &Directory, id: crate::ids::ApplicationId) -> Vec<Task> {
        let clusters = self.inner.reader.clusters(directory.url()).await.unwrap_or_default();
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
        let old = self.inner.clock.now().since(newest) >= OPEN_WINDOW;
        let excluded = old && self.inner.lookup_unlisted == LookupUnlisted::Recent;
        (!excluded).then_some(Task { key, files, failures: Vec::new(), has_summary, newest })
    }

    async fn ingest_found(&self, directory: &Directory, task: Task) -> bool {
        // It is unlisted because it is expired.
        if self.inner.reader.is_expired(&task.key).await.unwrap_or(true) {
            return false;
        }
        let ingested = self.ingest(directory, task, IngestReason::Lookup).await;
        if ingested.index_error.is_some() || ingested.change.files.is_empty() {
            return false;
        }
        match self.inner.writer.apply(ingested.change, Urgency::Now).await {
            Ok(changes) => {
                changes.log();
                true
            }
            Err(_reported_by_the_refresh) => false,
        }
    }
}
