//! The refreshes of all archive directories, side by side.

use std::path::PathBuf;

use futures::future::join_all;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::round::DirectoryRefresh;
use super::status::RefreshStatus;
use crate::clock::{Clock, Millis};

/// Refreshes the archive directories; made once by the composition root.
pub struct Refresh {
    directories: Vec<DirectoryRefresh>,
    status: watch::Sender<RefreshStatus>,
    /// Local folders where the next change is likely.
    folders: watch::Sender<Vec<PathBuf>>,
    clock: Clock,
}

impl Refresh {
    /// A refresh over these directories, and its status.
    #[must_use]
    pub fn new(directories: Vec<DirectoryRefresh>, clock: Clock) -> (Self, watch::Receiver<RefreshStatus>) {
        let status =
            RefreshStatus { directories: directories.iter().map(|each| each.status.clone()).collect(), ..RefreshStatus::default() };
        let (status, receiver) = watch::channel(status);
        let (folders, _) = watch::channel(directories.iter().flat_map(DirectoryRefresh::local_folders).collect());
        (Self { directories, status, folders, clock }, receiver)
    }

    /// Local folders where the next change is likely, most important first; updated after each refresh.
    #[must_use]
    pub fn folders(&self) -> watch::Receiver<Vec<PathBuf>> {
        self.folders.subscribe()
    }

    /// Refreshes all directories side by side. `full` requests a full scan even where none is due.
    /// Ends early, at a safe point, when `stop` is cancelled.
    pub async fn run(&mut self, full: bool, stop: &CancellationToken) {
        let started = self.clock.now();
        self.status.send_modify(|status| {
            status.running_since = Some(started);
            status.next = None;
        });
        let status = &self.status;
        join_all(self.directories.iter_mut().enumerate().map(|(number, each)| async move {
            each.run(full, stop, |directory, pending| {
                status.send_modify(|status| {
                    status.directories[number] = directory.clone();
                    status.pending = pending;
                });
            })
            .await;
        }))
        .await;
        let now = self.clock.now();
        let folders: Vec<PathBuf> = self.directories.iter().flat_map(DirectoryRefresh::local_folders).collect();
        self.folders.send_if_modified(|before| {
            let changed = *before != folders;
            *before = folders;
            changed
        });
        self.status.send_modify(|status| {
            status.finished += 1;
            status.running_since = None;
            status.last_finished = Some(now);
            status.pending = 0;
            status.directories = self.directories.iter().map(|each| each.status.clone()).collect();
        });
    }

    /// Makes the next refresh retry every archive that could not be read, because a client or the operator requested it.
    pub fn retry_everything(&mut self) {
        self.directories.iter_mut().for_each(DirectoryRefresh::retry_everything);
    }

    /// Publishes that all requests up to this number are done.
    pub fn note_requested(&self, requested: u64) {
        self.status.send_modify(|status| status.requested = requested);
    }

    /// Publishes when the next refresh is due.
    pub fn note_next(&self, next: Millis) {
        self.status.send_modify(|status| status.next = Some(next));
    }
}
