//! The period of the refreshes: a fixed delay, cut short by whoever activates the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::refresh::Refresh;

/// Makes the next refresh start at once. Activating while one runs means one more when it is done; activations coalesce.
#[derive(Debug, Clone, Default)]
pub struct Activator {
    shared: Arc<Activation>,
}

#[derive(Debug, Default)]
struct Activation {
    wake: Notify,
    full_scan: AtomicBool,
    /// Whether all is tried again that could not be read.
    everything_again: AtomicBool,
    /// Full scans that were asked for.
    requests: AtomicU64,
}

impl Activator {
    /// Asks for a quick scan.
    pub fn quick_scan(&self) {
        self.shared.wake.notify_one();
    }

    /// Asks for a full scan.
    pub fn full_scan(&self) {
        self.shared.full_scan.store(true, Ordering::SeqCst);
        self.shared.wake.notify_one();
    }

    /// Asks for a full scan, and to try everything again that could not be read. Gives back the number that [`RefreshStatus::requested`](crate::refresh::RefreshStatus::requested) reaches
    /// when one is done that began after this.
    #[must_use]
    pub fn request_full_scan(&self) -> u64 {
        // In this order: whoever sees the number sees the wish as well.
        self.shared.everything_again.store(true, Ordering::SeqCst);
        self.shared.full_scan.store(true, Ordering::SeqCst);
        let number = self.shared.requests.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.wake.notify_one();
        number
    }

    /// Waits until somebody has activated.
    pub async fn activated(&self) {
        self.shared.wake.notified().await;
    }
}

/// Refreshes now, and again `delay` after each refresh has ended, until `stop` is cancelled.
pub async fn refresh(mut refresh: Refresh, delay: Duration, activator: Activator, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let requests = activator.shared.requests.load(Ordering::SeqCst);
        let full_scan = activator.shared.full_scan.swap(false, Ordering::SeqCst);
        if activator.shared.everything_again.swap(false, Ordering::SeqCst) {
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
