//! The pause before the next attempt at something that failed.

use std::time::Duration;

/// A pause that doubles with each failure in a row, up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// Limit of a pause.
    pub limit: Duration,
}

impl Backoff {
    /// The pause until the next attempt, after this many failures in a row.
    #[must_use]
    pub fn pause(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_with_each_failure_up_to_its_limit() {
        let (first, limit) = (Duration::from_secs(30), Duration::from_secs(200));
        let pauses = [0, 1, 2, 3, 4, u32::MAX].map(|failures| Backoff { first, limit }.pause(failures).as_secs());
        assert_eq!(pauses, [30, 30, 60, 120, 200, 200]);
        assert_eq!(Backoff { first: Duration::MAX, limit: Duration::MAX }.pause(9), Duration::MAX);
    }
}
