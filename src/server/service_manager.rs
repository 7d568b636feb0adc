//! Reports the state of the server to systemd, for units of `Type=notify` (`sd_notify(3)`). Without `NOTIFY_SOCKET` nothing is sent.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use crate::tasks;

/// Reports that the server answers requests.
pub(super) fn ready() {
    send(NotifyState::Ready);
}

/// Reports that the server reads its configuration again. [`ready`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send_all(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!("the monotonic clock cannot be read, so that systemd does not see the reload: {error}"),
    }
}

/// Reports that the server is stopping.
pub(super) fn stopping() {
    send(NotifyState::Stopping);
}

/// Pings the watchdog (`WatchdogSec=`) twice as often as it asks for, until the server stops. The pings come from the async threads: if
/// those are stuck, so that no request is answered, systemd restarts the server.
pub(super) fn ping_watchdog(stop: CancellationToken) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return };
    let mut pings = tokio::time::interval(limit / 2);
    tasks::spawn(async move {
        while stop.run_until_cancelled(pings.tick()).await.is_some() {
            send(NotifyState::Watchdog);
        }
    });
}

fn send(state: NotifyState<'_>) {
    send_all(&[state]);
}

fn send_all(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!("the state of the server cannot be reported to systemd by the socket in NOTIFY_SOCKET: {error}");
    }
}
