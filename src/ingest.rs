//! Archive files become rows of the index: fetch (`fetch_archive_by_application_id`), parse, pack, apply. Memory is bounded.

mod backfill;
mod demanded;
mod fetch;
mod kept_summaries;
mod listing;
mod lookup;
mod original;
mod outcome;
mod probe;
mod read;
mod restore;
mod retry;
mod retry_pause;
mod retry_unread;
pub mod task;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

pub use backfill::{Backfill, BackfillStatus};
pub use fetch::{ApplicationArchives, FetchedFile};
pub use lookup::LookupUnlisted;
pub use probe::ProbedUnit;
pub use restore::RestoreError;

use crate::archive::ArchiveLimits;
use crate::clock::Clock;
use crate::directory::{Directory, FileKind};
use crate::index::{IndexReader, IndexWriter, UnitChange, UnitKey};
use crate::names::DirectoryUrl;
use crate::telemetry::{self, IngestReason};
use outcome::Unit;
use task::Task;

/// Archives up to this size are read whole and split by slice; larger ones are streamed with one document in memory at a time.
pub const WHOLE_UP_TO: u64 = 8 << 20;

/// Limit of the permits of the semaphore of bytes in flight.
const MAX_KIB: u32 = u32::MAX >> 3;

/// Fetches, parses and writes archives. Cheap to clone.
#[derive(Clone)]
pub struct Ingest {
    inner: Arc<Inner>,
}

struct Inner {
    directories: BTreeMap<DirectoryUrl, Directory>,
    writer: IndexWriter,
    reader: IndexReader,
    limits: ArchiveLimits,
    clock: Clock,
    /// Milliseconds between two refreshes.
    refresh_interval: Duration,
    /// One permit a KiB of archive in memory.
    kib_in_flight: Arc<Semaphore>,
    /// The number of permits of the semaphore.
    kib: u32,
    restores: tokio::sync::Mutex<HashMap<UnitKey, restore::Flight>>,
    lookup_unlisted: LookupUnlisted,
    lookups: tokio::sync::Mutex<lookup::Lookups>,
    retried: tokio::sync::Mutex<retry_unread::Retried>,
    /// Units that were read for a client while they waited in the queue.
    demanded: demanded::Demanded,
    kept_summaries: kept_summaries::KeptSummaries,
}

/// The options of an ingest, from the configuration.
#[derive(Debug, Clone, Copy)]
pub struct IngestOptions {
    /// Limits of the parser (`historyserver.limits.*`).
    pub limits: ArchiveLimits,
    /// Bytes of archives in memory at once (`historyserver.limits.bytes-in-flight`); one document may exceed that, alone.
    pub bytes_in_flight: u64,
    /// Time between two refreshes (`historyserver.archive.fs.refresh-interval`): files that a store did not return are retried after a few of them.
    pub refresh_interval: Duration,
    /// Whether unlisted ids are looked up (`historyserver.archive.lookup-unlisted`).
    pub lookup_unlisted: LookupUnlisted,
}

/// A unit that was fetched and read, ready to be applied.
pub struct Ingested {
    /// The change for the index.
    pub change: UnitChange,
    /// Keeps its share of the bytes in flight until the change is written.
    pub in_flight: tokio::sync::OwnedSemaphorePermit,
    /// The error of the index while an archive was being staged: the data directory cannot be written.
    pub index_error: Option<crate::index::IndexError>,
}

impl Ingest {
    /// An ingest over these directories.
    #[must_use]
    pub fn new(
        directories: impl IntoIterator<Item = Directory>,
        writer: IndexWriter,
        reader: IndexReader,
        options: IngestOptions,
        clock: Clock,
    ) -> Self {
        let IngestOptions { limits, bytes_in_flight, refresh_interval, lookup_unlisted } = options;
        let kib = u32::try_from(bytes_in_flight / 1024).unwrap_or(MAX_KIB).clamp(1024, MAX_KIB);
        let inner = Inner {
            directories: directories.into_iter().map(|directory| (directory.url().clone(), directory)).collect(),
            writer,
            reader,
            limits,
            clock,
            refresh_interval,
            kib_in_flight: Arc::new(Semaphore::new(kib as usize)),
            kib,
            restores: tokio::sync::Mutex::default(),
            lookup_unlisted,
            lookups: tokio::sync::Mutex::default(),
            retried: tokio::sync::Mutex::default(),
            demanded: demanded::Demanded::default(),
            kept_summaries: kept_summaries::KeptSummaries::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The directory with this key, if it is configured.
    #[must_use]
    pub fn directory(&self, url: &DirectoryUrl) -> Option<&Directory> {
        self.inner.directories.get(url)
    }

    /// The time between two refreshes.
    #[must_use]
    pub fn refresh_interval(&self) -> Duration {
        self.inner.refresh_interval
    }

    /// Forgets what the last refresh of a directory left in memory: a new one begins with what the index knows.
    pub fn begin_round(&self, directory: &DirectoryUrl) {
        self.inner.demanded.forget(directory);
        self.inner.kept_summaries.forget(directory);
    }

    /// Fetches and reads the files of a task. Files that could not be fetched or read are problems in the change.
    pub async fn ingest(&self, directory: &Directory, task: Task, reason: IngestReason) -> Ingested {
        telemetry::ingested(reason);
        let Task { key, files, failures, has_summary, newest: _ } = task;
        let (archives, in_flight) = match &key {
            UnitKey::Application(application) => {
                let summary = files.iter().find(|file| file.kind == FileKind::Summary);
                let summary = summary.and_then(|file| self.inner.kept_summaries.take(&key, file));
                self.fetch_archive_by_application_id(directory, application.id, files, summary).await
            }
            UnitKey::LegacyJob(_, job) => self.fetch_archive_by_job_id(directory, *job, files).await,
        };
        let now = self.inner.clock.now();
        let read = read::read(archives, self.inner.limits, self.inner.writer.clone()).await;
        let (change, index_error) = outcome::change(Unit { key, failures, has_summary }, read, now, self.inner.refresh_interval);
        Ingested { change, in_flight, index_error }
    }
}
