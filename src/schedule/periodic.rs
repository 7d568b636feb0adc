//! The times of refreshes: each archive directory has a fixed delay between its refreshes, which an [`Activator`] can cut short.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::refresh::{PublishedRefresh, Refresh};
use crate::tasks;

/// Starts the next refresh of every directory at once. While a directory is refreshed, all activations together start one more refresh
/// after it.
#[derive(Debug, Clone, Default)]
pub struct Activator {
    shared: Arc<watch::Sender<Activations>>,
}

/// The numbers of activations so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Activations {
    full_scans: u64,
    /// Requests by clients, each with a full scan and a retry of everything that could not be read.
    requests: u64,
}

impl Activator {
    /// Starts a full scan. Returns the number that [`DirectoryStatus::full_scans`](crate::refresh::DirectoryStatus::full_scans) of a
    /// directory reaches when a refresh of it that began after this is done.
    #[must_use]
    pub fn full_scan(&self) -> u64 {
        let mut number = 0;
        self.shared.send_modify(|activations| {
            activations.full_scans += 1;
            number = activations.full_scans;
        });
        number
    }

    /// Starts a full scan, and a retry of everything that could not be read. Returns the number that
    /// [`RefreshStatus::requested`](crate::refresh::RefreshStatus::requested) reaches when a refresh of every directory that began after
    /// this is done.
    #[must_use]
    pub fn request_full_scan(&self) -> u64 {
        let mut number = 0;
        self.shared.send_modify(|activations| {
            activations.full_scans += 1;
            activations.requests += 1;
            number = activations.requests;
        });
        number
    }

    /// The activations, as they come.
    #[must_use]
    pub fn activations(&self) -> watch::Receiver<Activations> {
        self.shared.subscribe()
    }
}

/// Refreshes each directory now, and again `delay` after the end of its last refresh, until `stop` is cancelled. No directory waits for
/// another.
pub async fn refresh(refresh: Refresh, delay: Duration, activator: Activator, clock: Clock, stop: CancellationToken) {
    let directories = refresh.into_directories().into_iter();
    let running: Vec<_> = directories
        .map(|directory| tasks::spawn(refresh_directory(directory, delay, activator.activations(), clock.clone(), stop.clone())))
        .collect();
    for directory in running {
        if let Err(error) = directory.await {
            tracing::error!("the refreshes of an archive directory ended unexpectedly: {error}; restart the server");
        }
    }
}

async fn refresh_directory(
    mut directory: PublishedRefresh,
    delay: Duration,
    mut activations: watch::Receiver<Activations>,
    clock: Clock,
    stop: CancellationToken,
) {
    let mut done = Activations::default();
    while !stop.is_cancelled() {
        let wanted = *activations.borrow_and_update();
        if wanted.requests != done.requests {
            directory.retry_everything();
        }
        directory.run(wanted.full_scans != done.full_scans, &stop).await;
        done = wanted;
        let now = clock.now();
        let pause = delay.max(directory.next_quick_scan().since(now));
        directory.note_end(done.requests, done.full_scans, pause);
        tokio::select! {
            () = stop.cancelled() => {}
            // An activator that was dropped sends nothing more.
            Ok(()) = activations.changed() => {}
            () = directory.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
