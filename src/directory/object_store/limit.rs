//! The number of requests to a store at once. A store that is overloaded gets fewer, and more again when it answers.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Maximum number of requests of one directory in flight.
pub(super) const MAX_IN_FLIGHT: usize = 64;
/// Pause after a failure that halves the number. Failures within a pause are of requests that were sent before it: they count no more.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// First pause after a failure while only one request is in flight; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Maximum pause.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Increase of the number with each success.
const RECOVERY: f64 = 0.5;

/// A limit that adapts to the answers of a store.
#[derive(Debug, Default)]
pub(super) struct Limit {
    state: Mutex<State>,
    released: Notify,
}

#[derive(Debug)]
struct State {
    allowed: f64,
    in_flight: usize,
    /// Failures since the last success.
    failures: u32,
    paused_until: Option<Instant>,
}

/// The right to send one request. It is returned when this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limit: Arc<Limit>,
}

impl Default for State {
    fn default() -> Self {
        Self { allowed: MAX_IN_FLIGHT as f64, in_flight: 0, failures: 0, paused_until: None }
    }
}

impl Limit {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until one more request may be sent.
    pub(super) async fn acquire(self: &Arc<Self>) -> Permit {
        loop {
            let released = self.released.notified();
            let pause = {
                let mut state = self.state();
                let now = Instant::now();
                let pause = state.paused_until.filter(|until| *until > now);
                if pause.is_none() && state.in_flight < state.whole() {
                    state.in_flight += 1;
                    let more = state.in_flight < state.whole();
                    drop(state);
                    if more {
                        self.released.notify_one();
                    }
                    return Permit { limit: Arc::clone(self) };
                }
                pause
            };
            match pause {
                Some(until) => tokio::time::sleep_until(until.into()).await,
                None => released.await,
            }
        }
    }

    /// The store has answered, and is not overloaded.
    pub(super) fn note_success(&self) {
        self.state().restore();
        self.released.notify_one();
    }

    /// The store is overloaded, fails or does not answer.
    pub(super) fn note_overload(&self) {
        self.state().reduce(Instant::now());
    }
}

impl State {
    fn whole(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the maximum")]
        let whole = self.allowed as usize;
        whole
    }

    fn reduce(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| now < until) {
            return;
        }
        self.failures += 1;
        let pause = if self.whole() > 1 {
            self.allowed = (self.allowed / 2.0).max(1.0);
            SHORT_PAUSE
        } else {
            FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(MAX_PAUSE)
        };
        self.paused_until = Some(now + pause.mul_f64(jitter()));
    }

    fn restore(&mut self) {
        self.failures = 0;
        self.paused_until = None;
        self.allowed = (self.allowed + RECOVERY).min(MAX_IN_FLIGHT as f64);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut state = self.limit.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        drop(state);
        self.limit.released.notify_one();
    }
}

/// A random factor between 0.5 and 1, so that servers that failed together do not return together.
fn jitter() -> f64 {
    0.5 + (RandomState::new().hash_one(0_u8) % 1_000) as f64 / 2_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_reduce_the_number_to_one_with_pauses_and_successes_restore_it() {
        let mut state = State::default();
        let start = Instant::now();
        let (mut now, mut sent) = (start, 0_u32);
        while now < start + Duration::from_secs(80) {
            now = state.paused_until.map_or(now, |until| until.max(now)) + Duration::from_millis(30);
            state.reduce(now);
            sent += 1;
        }
        assert_eq!(state.whole(), 1);
        assert!(sent < 80, "{sent} requests in 80 s to a store that refuses each");
        for _ in 0..130 {
            state.restore();
        }
        assert_eq!((state.whole(), state.paused_until), (MAX_IN_FLIGHT, None));
    }

    #[tokio::test]
    async fn no_more_than_the_allowed_number_is_in_flight_and_the_rest_follows() {
        let limit = Arc::new(Limit::default());
        let mut permits = Vec::new();
        for _ in 0..MAX_IN_FLIGHT {
            permits.push(limit.acquire().await);
        }
        let waiting: Vec<_> = (0..100)
            .map(|_| {
                let limit = Arc::clone(&limit);
                crate::tasks::spawn(async move { drop(limit.acquire().await) })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|each| !each.is_finished()));
        drop(permits);
        for each in waiting {
            tokio::time::timeout(Duration::from_mins(1), each).await.unwrap().unwrap();
        }
        assert_eq!(limit.state().in_flight, 0);
    }
}
