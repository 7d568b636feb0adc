//! Fetches the archive files of one application, or of one legacy job, in one pass.

use bytes::Bytes;
use futures::future::join_all;
use tokio::sync::OwnedSemaphorePermit;

use super::{Ingest, WHOLE_UP_TO};
use crate::archive::Owner;
use crate::directory::{Contents, Directory, DirectoryError, FileKind, FoundFile};
use crate::ids::{ApplicationId, JobId};

/// A file and its content, or why there is none.
pub struct FetchedFile {
    /// The file as listed before it was fetched.
    pub file: FoundFile,
    /// The owner of the archive.
    pub owner: Owner,
    /// Its content.
    pub contents: Result<Contents, DirectoryError>,
}

/// All archives of one application (or one legacy job archive), fetched together.
pub struct ApplicationArchives {
    /// `application-summary`, if it was requested.
    pub summary: Option<FetchedFile>,
    /// Job archives.
    pub jobs: Vec<FetchedFile>,
}

impl Ingest {
    /// Flink's `fetchArchiveByApplicationId`: fetches the summary and all job archives of one application in one pass,
    /// concurrently, once there is room for all of them among the bytes in flight.
    ///
    /// Files above [`WHOLE_UP_TO`] are streams that are read while they are parsed. A summary that was read before in the same version is
    /// not fetched again.
    pub async fn fetch_archive_by_application_id(
        &self,
        directory: &Directory,
        application: ApplicationId,
        files: Vec<FoundFile>,
        read_summary: Option<Bytes>,
    ) -> (ApplicationArchives, OwnedSemaphorePermit) {
        tracing::trace!(application.id = %application, files = files.len(), "fetching archives");
        let room = self.room_for(&files).await;
        let owner = |file: &FoundFile| match file.kind {
            FileKind::Summary => Owner::Application(application),
            FileKind::Job(job) => Owner::Job(job),
        };
        let read_summary = &read_summary;
        let fetched = join_all(files.into_iter().map(async |file| match read_summary {
            Some(bytes) if file.kind == FileKind::Summary => {
                FetchedFile { owner: owner(&file), file, contents: Ok(Contents::Whole(bytes.clone())) }
            }
            _ => fetch(directory, owner(&file), file).await,
        }));
        let fetched = fetched.await;
        let (summaries, jobs): (Vec<_>, Vec<_>) = fetched.into_iter().partition(|fetched| fetched.file.kind == FileKind::Summary);
        (ApplicationArchives { summary: summaries.into_iter().next(), jobs }, room)
    }

    /// Fetches one legacy job archive.
    pub async fn fetch_archive_by_job_id(
        &self,
        directory: &Directory,
        job: JobId,
        files: Vec<FoundFile>,
    ) -> (ApplicationArchives, OwnedSemaphorePermit) {
        tracing::trace!(job.id = %job, "fetching archive");
        let room = self.room_for(&files).await;
        let jobs = join_all(files.into_iter().map(|file| fetch(directory, Owner::Job(job), file))).await;
        (ApplicationArchives { summary: None, jobs }, room)
    }

    /// Waits for room among the bytes in flight, for all files at once: no task holds some while it waits for more.
    async fn room_for(&self, files: &[FoundFile]) -> OwnedSemaphorePermit {
        self.room(files.iter().map(|file| file.version.size.min(self.inner.limits.document_size.max(WHOLE_UP_TO))).sum()).await
    }

    /// Waits for room for this many bytes.
    pub(super) async fn room(&self, bytes: u64) -> OwnedSemaphorePermit {
        let kib = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.inner.kib);
        match self.inner.kib_in_flight.clone().acquire_many_owned(kib).await {
            Ok(permit) => permit,
            Err(_closed) => unreachable!("the semaphore of bytes in flight is never closed"),
        }
    }
}

async fn fetch(directory: &Directory, owner: Owner, file: FoundFile) -> FetchedFile {
    let contents = directory.read(&file.path, WHOLE_UP_TO).await;
    FetchedFile { file, owner, contents }
}
