//! The time. It is injected as a [`Clock`], so that tests can set it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

mod backoff;
mod human_duration;
mod time_text;
mod timestamp;
mod zone;

pub use backoff::Backoff;
pub use human_duration::human_duration;
pub use time_text::parse_time;
pub use timestamp::{Timestamp, whole_millis};
pub use zone::SystemZone;

/// A source of the time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that changes only when it is set.
    Manual(Arc<ManualClock>),
}

/// A clock that changes only when it is set.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    passed: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock {
    /// A manual clock that shows `now`.
    #[must_use]
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(ManualClock { now: AtomicI64::new(now.as_millis()), passed: AtomicU64::new(0) }))
    }

    /// The present time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::from_millis(chrono::Utc::now().timestamp_millis()),
            Self::Manual(clock) => Timestamp::from_millis(clock.now.load(Ordering::SeqCst)),
        }
    }

    /// The time since a fixed moment of this process. It never decreases, even if the clock is set.
    #[must_use]
    pub fn passed(&self) -> Duration {
        match self {
            Self::System => START.elapsed(),
            Self::Manual(clock) => Duration::from_millis(clock.passed.load(Ordering::SeqCst)),
        }
    }

    /// Advances a manual clock, as passing time. Does nothing to the clock of the system.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(clock) = self {
            clock.passed.fetch_add(whole_millis(by), Ordering::SeqCst);
            self.set(self.now() + by);
        }
    }

    /// Sets a manual clock, without passing time. Does nothing to the clock of the system.
    pub fn set(&self, now: Timestamp) {
        if let Self::Manual(clock) = self {
            clock.now.store(now.as_millis(), Ordering::SeqCst);
        }
    }
}
