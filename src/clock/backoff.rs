//! The pause before the next attempt at something that failed.

use super::Millis;

/// A pause that doubles with each failure in a row, up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Milliseconds after the first failure.
    pub first: Millis,
    /// Limit of a pause, in milliseconds.
    pub limit: Millis,
}

impl Backoff {
    /// Milliseconds until the next attempt, after this many failures in a row.
    #[must_use]
    pub fn pause(self, failures: u32) -> Millis {
        let doublings = failures.saturating_sub(1).min(62);
        self.first.saturating_mul(1 << doublings).min(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_doubles_with_each_failure_up_to_its_limit() {
        let backoff = Backoff { first: 30_000, limit: 200_000 };
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(|failures| backoff.pause(failures)), [30_000, 30_000, 60_000, 120_000, 200_000, 200_000]);
        assert_eq!(Backoff { first: Millis::MAX, limit: Millis::MAX }.pause(9), Millis::MAX);
    }
}
