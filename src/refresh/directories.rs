//! The refreshes of all archive directories. Each runs at its own pace; together they publish one status.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::join_all;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::error::RoundError;
use super::round::DirectoryRefresh;
use super::status::{DirectoryStatus, RefreshStatus};
use crate::clock::{Clock, Timestamp};

/// Refreshes the archive directories; made once by the composition root.
pub struct Refresh {
    directories: Vec<PublishedRefresh>,
}

/// The refresh of one directory, which publishes its state in the status of all.
pub struct PublishedRefresh {
    /// Place of the directory in the status.
    number: usize,
    refresh: DirectoryRefresh,
    status: Arc<watch::Sender<RefreshStatus>>,
    /// The root and folders where the next change is likely, if the directory is local; published after each refresh.
    folders: watch::Sender<Vec<PathBuf>>,
    events: Arc<Notify>,
    clock: Clock,
}

/// The folders of one local archive directory to watch, and the signal that something in them has changed.
pub struct Watched {
    /// The root, then folders where the next change is likely, most important first; sent again after each refresh.
    pub folders: watch::Receiver<Vec<PathBuf>>,
    /// Starts a quick scan of the directory.
    pub changed: Arc<Notify>,
}

impl Refresh {
    /// A refresh over these directories, and its status.
    #[must_use]
    pub fn new(directories: Vec<DirectoryRefresh>, clock: &Clock) -> (Self, watch::Receiver<RefreshStatus>) {
        let status =
            RefreshStatus { directories: directories.iter().map(|each| each.status.clone()).collect(), ..RefreshStatus::default() };
        let (status, receiver) = watch::channel(status);
        let status = Arc::new(status);
        let directories = directories.into_iter().enumerate().map(|(number, refresh)| {
            let (folders, _) = watch::channel(refresh.local_folders());
            PublishedRefresh { number, refresh, status: status.clone(), folders, events: Arc::default(), clock: clock.clone() }
        });
        (Self { directories: directories.collect() }, receiver)
    }

    /// The folders of each local directory.
    #[must_use]
    pub fn watched(&self) -> Vec<Watched> {
        let local = self.directories.iter().filter(|each| !each.folders.borrow().is_empty());
        local.map(|each| Watched { folders: each.folders.subscribe(), changed: each.events.clone() }).collect()
    }

    /// The refreshes of the directories, each to be run at its own pace.
    #[must_use]
    pub fn into_directories(self) -> Vec<PublishedRefresh> {
        self.directories
    }

    /// Makes the next refresh retry every archive that could not be read.
    pub fn retry_everything(&mut self) {
        self.directories.iter_mut().for_each(PublishedRefresh::retry_everything);
    }

    /// Refreshes all directories once, side by side. `full` requests a full scan even where none is due.
    /// Ends early, at a safe point, when `stop` is cancelled.
    pub async fn run(&mut self, full: bool, stop: &CancellationToken) {
        join_all(self.directories.iter_mut().map(|each| each.run(full, stop))).await;
    }
}

impl PublishedRefresh {
    /// Refreshes the directory. `full` requests a full scan even if none is due. Ends early, at a safe point, when `stop` is cancelled.
    /// A panic is a failure of this refresh, and the next one starts anew.
    pub async fn run(&mut self, full: bool, stop: &CancellationToken) {
        let started = self.clock.now();
        self.publish(|status| {
            status.running_since = Some(started);
            status.next = None;
        });
        let (number, status) = (self.number, self.status.clone());
        let publish = move |directory: &DirectoryStatus, pending: u64| {
            status.send_modify(|status| {
                status.directories[number] = DirectoryStatus { pending, ..directory.clone() };
                status.combine();
            });
        };
        let refreshing = AssertUnwindSafe(self.refresh.run(full, stop, publish)).catch_unwind().await;
        if refreshing.is_err() {
            self.refresh.note_failure(RoundError::Panicked).await;
        }
        self.folders.send_replace(self.refresh.local_folders());
        let now = self.clock.now();
        self.publish(|status| {
            status.finished += 1;
            status.running_since = None;
            status.last_finished = Some(now);
        });
    }

    /// Makes the next refresh retry every archive that could not be read, because a client or the operator requested it.
    pub fn retry_everything(&mut self) {
        self.refresh.retry_everything();
    }

    /// The time before which a quick scan would do nothing, because the last one was expensive.
    #[must_use]
    pub fn next_quick_scan(&self) -> Timestamp {
        self.refresh.next_quick_scan
    }

    /// Waits for a change in the folders of the directory.
    pub async fn changed(&self) {
        self.events.notified().await;
    }

    /// Publishes that all requests and all full scans up to these numbers are done, and when the next refresh is due.
    ///
    /// `pause` is the time until then.
    pub fn note_end(&mut self, requested: u64, full_scans: u64, pause: Duration) {
        self.refresh.note_pace(pause);
        let next = self.clock.now() + pause;
        self.publish(|status| {
            status.requested = requested;
            status.full_scans = full_scans;
            status.next = Some(next);
        });
    }

    fn publish(&mut self, change: impl FnOnce(&mut DirectoryStatus)) {
        self.refresh.note_requests();
        change(&mut self.refresh.status);
        self.status.send_modify(|status| {
            status.directories[self.number] = self.refresh.status.clone();
            status.combine();
        });
    }
}
