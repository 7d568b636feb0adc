//! The time. It is injected as a [`Clock`], so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

mod backoff;
mod human_duration;
mod time_text;
mod zone;

pub use backoff::Backoff;
pub use human_duration::human_duration;
pub use time_text::parse_time;
pub use zone::SystemZone;

/// Milliseconds since 1970-01-01T00:00:00Z, as Flink writes times.
pub type Millis = i64;

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
    passed: AtomicI64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Clock {
    /// A manual clock that shows `now`.
    #[must_use]
    pub fn manual(now: Millis) -> Self {
        Self::Manual(Arc::new(ManualClock { now: AtomicI64::new(now), passed: AtomicI64::new(0) }))
    }

    /// The present time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
    pub fn now(&self) -> Millis {
        match self {
            Self::System => chrono::Utc::now().timestamp_millis(),
            Self::Manual(clock) => clock.now.load(Ordering::SeqCst),
        }
    }

    /// The time since a fixed moment of this process. It never decreases, even if the clock is set.
    #[must_use]
    pub fn passed(&self) -> Duration {
        match self {
            Self::System => START.elapsed(),
            Self::Manual(clock) => Duration::from_millis(u64::try_from(clock.passed.load(Ordering::SeqCst)).unwrap_or(0)),
        }
    }

    /// Advances a manual clock by `millis`, as passing time. Does nothing to the clock of the system.
    pub fn advance(&self, millis: Millis) {
        if let Self::Manual(clock) = self {
            clock.passed.fetch_add(millis, Ordering::SeqCst);
            clock.now.fetch_add(millis, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock forward or back, without passing time. Does nothing to the clock of the system.
    pub fn jump(&self, millis: Millis) {
        if let Self::Manual(clock) = self {
            clock.now.fetch_add(millis, Ordering::SeqCst);
        }
    }
}
