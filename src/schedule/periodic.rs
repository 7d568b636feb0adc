//! The period of the refreshes: a fixed delay, cut short by whoever activates the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
    audit: AtomicBool,
}

impl Activator {
    /// Asks for a look.
    pub fn look(&self) {
        self.shared.wake.notify_one();
    }

    /// Asks for an audit.
    pub fn audit(&self) {
        self.shared.audit.store(true, Ordering::SeqCst);
        self.shared.wake.notify_one();
    }

    /// Waits until somebody has activated.
    pub async fn activated(&self) {
        self.shared.wake.notified().await;
    }
}

/// Refreshes now, and again `delay` after each refresh has ended, until `stop` is cancelled.
pub async fn refresh(mut refresh: Refresh, delay: Duration, activator: Activator, clock: Clock, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let audit = activator.shared.audit.swap(false, Ordering::SeqCst);
        refresh.run(audit, &stop).await;
        refresh.note_next(clock.now() + Millis::try_from(delay.as_millis()).unwrap_or(Millis::MAX / 2));
        tokio::select! {
            () = stop.cancelled() => {}
            () = activator.activated() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}
