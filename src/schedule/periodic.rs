//! The times of refreshes: a fixed delay, which an [`Activator`] can cut short.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::refresh::Refresh;

/// Starts the next refresh at once. While a refresh runs, all activations together start one more refresh after it.
#[derive(Debug, Clone, Default)]
pub struct Activator {
    shared: Arc<Activation>,
}

#[derive(Debug, Default)]
struct Activation {
    wake: Notify,
    full_scan: AtomicBool,
    /// Whether everything that could not be read is retried.
    retry_everything: AtomicBool,
    /// Number of requested full scans.
    requests: AtomicU64,
}

impl Activator {
    /// Requests a quick scan.
    pub fn quick_scan(&self) {
        self.shared.wake.notify_one();
    }

    /// Requests a full scan.
    pub fn full_scan(&self) {
        self.shared.full_scan.store(true, Ordering::SeqCst);
        self.shared.wake.notify_one();
    }

    /// Requests a full scan, and a retry of everything that could not be read. Returns the number that
    /// [`RefreshStatus::requested`](crate::refresh::RefreshStatus::requested) reaches when a refresh that began after this is done.
    #[must_use]
    pub fn request_full_scan(&self) -> u64 {
        // In this order, so that a refresh that sees the number also sees the flags.
        self.shared.retry_everything.store(true, Ordering::SeqCst);
        self.shared.full_scan.store(true, Ordering::SeqCst);
        let number = self.shared.requests.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.wake.notify_one();
        number
    }

    /// Waits for the next activation.
    pub async fn activated(&self) {
        self.shared.wake.notified().await;
    }
}

/// Runs a refresh now, and again `delay` after the end of each refresh, until `stop` is cancelled.
pub async fn refresh(mut refresh: Refresh, delay: Duration, activator: Activator, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let requests = activator.shared.requests.load(Ordering::SeqCst);
        let full_scan = activator.shared.full_scan.swap(false, Ordering::SeqCst);
        if activator.shared.retry_everything.swap(false, Ordering::SeqCst) {
            refresh.retry_everything();
        }
        refresh.run(full_scan, &stop).await;
        refresh.note_requested(requests);
        refresh.note_next(clock.now() + Millis::try_from(delay.as_millis()).unwrap_or(Millis::MAX / 2));
        tokio::select! {
            () = stop.cancelled() => {}
            () = activator.activated() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}
