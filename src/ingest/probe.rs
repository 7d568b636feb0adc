//! Probes whether the archives of a unit can be read, before they may be deleted. Nothing of them is kept.
//!
//! Small files are read whole. Of large job archives the head and the end are read, and the rest only where these do not suffice.

use std::io;

use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::outcome::Unit;
use super::read::{ReadFailure, ReadFile};
use super::task::Task;
use super::{Ingest, WHOLE_UP_TO, outcome};
use crate::archive::facts::JobApplication;
use crate::archive::{self, ArchiveLimits, NoSink, Owner};
use crate::directory::{Contents, Directory, DirectoryError, FileKind, FoundFile};
use crate::index::{JudgedFile, UnitChange, UnitKey};
use crate::tasks;

/// Bytes above which only the ends of a job archive are read.
const WHOLE: u64 = 256 << 10;

/// Bytes of each end: the first holds an entry under the job's id in every archive that Flink writes.
const END: u64 = 64 << 10;

/// The result of a probe.
pub struct ProbedUnit {
    /// The unit.
    pub key: UnitKey,
    /// Files that can be read.
    pub readable: Vec<JudgedFile>,
    /// The task of a job that may belong to an application: it must be ingested, since only the index knows to which.
    pub claimable: Option<Task>,
    /// The change of the index for files that cannot be read.
    pub unreadable: Option<UnitChange>,
    /// Keeps its share of the bytes in flight.
    pub in_flight: OwnedSemaphorePermit,
}

impl Ingest {
    /// Probes whether the files of a task can be read.
    pub async fn probe(&self, directory: &Directory, task: Task) -> ProbedUnit {
        let again = task.clone();
        let mut claimable = false;
        let Task { key, files, failures, has_summary, newest: _ } = task;
        let in_flight = self.room(files.iter().map(|file| file.version.size.min(WHOLE_UP_TO)).sum()).await;
        let (mut readable, mut failed) = (Vec::new(), Vec::new());
        for file in files {
            let owner = match (&key, file.kind) {
                (UnitKey::Application(key), FileKind::Summary) => Owner::Application(key.id),
                (UnitKey::LegacyJob(_, job), FileKind::Summary) => Owner::Job(*job),
                (_, FileKind::Job(job)) => Owner::Job(job),
            };
            match probe_file(directory, &file, owner, self.inner.limits).await {
                Ok(application) => {
                    claimable |= matches!(key, UnitKey::LegacyJob(..)) && application != JobApplication::NotArchived;
                    readable.push(JudgedFile { kind: file.kind, fingerprint: file.version.fingerprint() });
                }
                Err(failure) => failed.push(ReadFile { file, result: Err(failure) }),
            }
        }
        let unit = || Unit { key: key.clone(), failures, has_summary };
        let (now, interval) = (self.inner.clock.now(), self.inner.refresh_interval);
        let unreadable = (!failed.is_empty()).then(|| outcome::change(unit(), failed, now, interval).0);
        ProbedUnit { key, readable, claimable: claimable.then_some(again), unreadable, in_flight }
    }
}

/// Probes one file. Returns whether a job may belong to an application.
async fn probe_file(directory: &Directory, file: &FoundFile, owner: Owner, limits: ArchiveLimits) -> Result<JobApplication, ReadFailure> {
    let size = file.version.size;
    if file.kind != FileKind::Summary && size > WHOLE {
        let head = directory.read_part(&file.path, 0..END).await.map_err(ReadFailure::Fetch)?;
        let tail = directory.read_part(&file.path, size - END..size).await.map_err(ReadFailure::Fetch)?;
        if archive::has_whole_ends(&head, &tail, owner, &limits) {
            // A job that fails before it is run has no archive of this size.
            return Ok(JobApplication::NotArchived);
        }
    }
    let contents = directory.read(&file.path, WHOLE_UP_TO).await.map_err(ReadFailure::Fetch)?;
    tasks::spawn_blocking(move || read(contents, owner, &limits)).await
}

/// Reads a whole archive, and keeps nothing.
fn read(contents: Contents, owner: Owner, limits: &ArchiveLimits) -> Result<JobApplication, ReadFailure> {
    let read = match contents {
        Contents::Whole(bytes) => archive::read_slice(&bytes, owner, limits, &mut NoSink),
        Contents::Stream(stream) => {
            let stream: StreamReader<_, Bytes> = StreamReader::new(stream.map_err(|error: DirectoryError| io::Error::other(error)));
            archive::read_stream(SyncIoBridge::new(stream), owner, limits, &mut NoSink)
        }
    };
    read.map(|read| read.facts.application).map_err(ReadFailure::from)
}
