//! The checks of `check-config` that list the archive directories: limits and times that are probably mistakes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{open_directories, retention_rules};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::directory::{Directory, DirectoryError, Extent, FileKind, Found, FoundFile};
use crate::names::FilePath;
use crate::retention::plausibility;
use crate::retention::policy::{AHEAD, EARLIEST, Policy};

/// Time limit of the listing of one directory.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Checks that all archive directories can be opened, which sends no request.
///
/// # Errors
/// An archive directory is not valid, or the client of its store cannot be made of its options.
pub fn can_be_opened(config: &Config) -> anyhow::Result<()> {
    open_directories(config).map(|_| ())
}

/// Sentences about limits that would remove nearly all archives, and about archives with impossible times. Empty without a limit.
///
/// # Errors
/// An archive directory is not valid.
pub async fn limits(config: &Config) -> anyhow::Result<Vec<String>> {
    let policy = retention_rules(&config.retention).policy;
    if !policy.limits() {
        return Ok(Vec::new());
    }
    let mut sentences: Vec<String> = policy.ttl.filter(|_| policy.age_is_absurd()).map(plausibility::short_age).into_iter().collect();
    for directory in open_directories(config)? {
        let mut seen = Seen::default();
        let url = directory.url();
        match tokio::time::timeout(TIME_LIMIT, scan(&directory, Clock::System.now(), &mut seen)).await {
            // `examine` reports that it cannot be listed.
            Ok(Ok(()) | Err(_)) => {}
            Err(_elapsed) => sentences.push(format!(
                "the limits of retention were checked against a part of the archives in {url} only: listing all of them takes longer than {} s",
                TIME_LIMIT.as_secs()
            )),
        }
        sentences.extend(seen.sentences(&directory, &policy));
    }
    Ok(sentences)
}

/// Times and sizes of a listing.
#[derive(Debug, Default)]
struct Seen {
    /// Time and bytes of the newest archive that is not ahead of the clock.
    newest: Option<(Timestamp, u64)>,
    early: Option<(u64, FilePath)>,
    ahead: Option<(u64, FilePath)>,
}

impl Seen {
    fn take(&mut self, files: &[FoundFile], folder: &FilePath, now: Timestamp) {
        // An application goes by the time of its summary; without one it is not judged.
        let main = files.iter().find(|file| file.kind == FileKind::Summary || file.path == *folder);
        let Some(time) = main.map(|main| main.version.modified) else { return };
        let count = |place: &mut Option<(u64, FilePath)>| match place {
            Some((count, _)) => *count += 1,
            None => *place = Some((1, folder.clone())),
        };
        if time.since(now) > AHEAD {
            return count(&mut self.ahead);
        }
        if time < EARLIEST {
            count(&mut self.early);
        }
        if self.newest.is_none_or(|(newest, _)| newest < time) {
            self.newest = Some((time, files.iter().map(|file| file.version.size).sum()));
        }
    }

    fn sentences(&self, directory: &Directory, policy: &Policy) -> Vec<String> {
        let url = directory.url();
        let newest = self.newest.map_or(0, |(_, bytes)| bytes);
        let small = policy.bytes.filter(|limit| newest > *limit).map(|limit| plausibility::small_size(url, newest, limit));
        let early = self.early.as_ref().map(|(count, first)| plausibility::early_times(url, *count, first));
        let ahead = self.ahead.as_ref().map(|(count, first)| plausibility::ahead(url, *count, first));
        small.into_iter().chain(early).chain(ahead).collect()
    }
}

/// Lists all of a directory.
async fn scan(directory: &Directory, now: Timestamp, seen: &mut Seen) -> Result<(), DirectoryError> {
    let (sender, mut found) = mpsc::channel(64);
    let take = async {
        while let Some(piece) = found.recv().await {
            match piece {
                Found::Applications(applications) => {
                    for application in applications {
                        seen.take(&application.files.unwrap_or_default(), &application.folder, now);
                    }
                }
                Found::LegacyJobs(files) => files.iter().for_each(|file| seen.take(std::slice::from_ref(file), &file.path, now)),
                Found::Obstacle(_) => {}
            }
        }
    };
    let known = Arc::default();
    let (listed, ()) = tokio::join!(directory.list(&Extent::Full, &known, sender), take);
    listed.map(|_| ())
}
