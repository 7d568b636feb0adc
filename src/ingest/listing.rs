//! Lists new units by their summaries (legacy job archives: by their heads) before their archives are read.

use bytes::Bytes;
use futures::future::join_all;

use super::task::Task;
use super::{Ingest, WHOLE_UP_TO};
use crate::archive::{self, ArchiveLimits};
use crate::directory::{Contents, Directory, FileKind, FoundFile};
use crate::index::{UnitKey, UnitListing};
use crate::tasks;

/// First bytes of a legacy job archive: the overview of the job is its first or second entry and ends within 4 KiB. A smaller file is
/// read whole by the same request.
const HEAD: u64 = 16 << 10;

impl Ingest {
    /// Reads what lists show of new units. Units of which that cannot be read are left out: the reading of their archives tells why.
    pub async fn listings(&self, directory: &Directory, tasks: &[Task]) -> Vec<UnitListing> {
        let main: Vec<_> = tasks.iter().filter_map(|task| Some((task.key.clone(), main_file(task)?.clone()))).collect();
        let _room = self.room(main.iter().map(|(key, file)| bytes_of(key, file)).sum()).await;
        let read = join_all(main.into_iter().map(|(key, file)| async move {
            let bytes = read(directory, &key, &file).await?;
            if file.kind == FileKind::Summary {
                self.inner.kept_summaries.keep(&key, &file.version, &bytes, self.inner.clock.now());
            }
            Some((key, bytes))
        }));
        let read: Vec<_> = read.await.into_iter().flatten().collect();
        let files: Vec<_> = tasks.iter().map(|task| (task.key.clone(), task.files.clone())).collect();
        let limits = self.inner.limits;
        tasks::spawn_blocking(move || {
            let mut files = files.into_iter();
            let listed = read.into_iter().filter_map(|(key, bytes)| {
                let (_, files) = files.find(|(of, _)| *of == key)?;
                listing(key, files, &bytes, &limits)
            });
            listed.collect()
        })
        .await
    }
}

/// The file that describes a unit, if it is small enough to be read ahead of the others.
fn main_file(task: &Task) -> Option<&FoundFile> {
    let wanted = |file: &&FoundFile| match task.key {
        UnitKey::Application(_) => file.kind == FileKind::Summary && file.version.size <= WHOLE_UP_TO,
        UnitKey::LegacyJob(..) => true,
    };
    task.files.iter().find(wanted)
}

fn bytes_of(key: &UnitKey, file: &FoundFile) -> u64 {
    match key {
        UnitKey::Application(_) => file.version.size,
        UnitKey::LegacyJob(..) => file.version.size.min(HEAD),
    }
}

async fn read(directory: &Directory, key: &UnitKey, file: &FoundFile) -> Option<Bytes> {
    match key {
        UnitKey::Application(_) => match directory.read(&file.path, WHOLE_UP_TO).await.ok()? {
            Contents::Whole(bytes) => Some(bytes),
            Contents::Stream(_) => None,
        },
        UnitKey::LegacyJob(..) => directory.read_part(&file.path, 0..bytes_of(key, file)).await.ok(),
    }
}

fn listing(key: UnitKey, files: Vec<FoundFile>, bytes: &Bytes, limits: &ArchiveLimits) -> Option<UnitListing> {
    match &key {
        UnitKey::Application(application) => {
            let mut listing = archive::read_summary_listing(bytes, application.id, limits)?;
            listing.jobs.retain(|(job, _)| files.iter().any(|file| file.kind == FileKind::Job(*job)));
            Some(UnitListing { key, files, application: Some(listing.application), jobs: listing.jobs })
        }
        UnitKey::LegacyJob(_, job) => {
            let record = archive::read_job_listing(bytes, *job, limits)?;
            let jobs = vec![(*job, record)];
            Some(UnitListing { key, files, application: None, jobs })
        }
    }
}
