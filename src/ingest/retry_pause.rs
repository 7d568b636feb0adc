//! The pause before a file that could not be read is retried although it has not changed.

use crate::clock::{Backoff, Millis};
use crate::index::Fault;

/// Shortest and longest pause after a failure of content.
const CONTENT: (Millis, Millis) = (30_000, 24 * 60 * 60 * 1_000);

/// Longest pause after a failure of the store, unless refreshes are further apart.
const STORE_LIMIT: Millis = 5 * 60 * 1_000;

/// Refresh intervals of the longest pause after a failure of the store.
const STORE_INTERVALS: Millis = 8;

/// The pause in milliseconds after `failures` failed attempts in a row at a file that has not changed for `age` milliseconds, where
/// refreshes are `interval` milliseconds apart.
///
/// A store may return a file a moment later: the pause is one, two, four and then eight intervals. The content of a file changes only
/// while it is written: the pause grows with its age, so that a file is retried seven times on its first day and once a day after that.
pub(super) fn retry_pause(fault: Fault, failures: u32, age: Millis, interval: Millis) -> Millis {
    match fault {
        Fault::Store => {
            let limit = interval.saturating_mul(STORE_INTERVALS).min(STORE_LIMIT.max(interval));
            Backoff { first: interval, limit }.pause(failures)
        }
        Fault::Content => age.saturating_mul(3).clamp(CONTENT.0, CONTENT.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 24 * 60 * 60 * 1_000;

    #[test]
    fn a_file_that_the_store_did_not_return_is_retried_within_a_few_refreshes_at_any_age() {
        let pauses = |interval| [1, 2, 3, 4, 5, 1_000].map(|failures| retry_pause(Fault::Store, failures, 900 * DAY, interval));
        assert_eq!(pauses(10_000), [10_000, 20_000, 40_000, 80_000, 80_000, 80_000]);
        assert_eq!(pauses(60_000), [60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
        assert_eq!(pauses(DAY), [DAY; 6]);
    }

    #[test]
    fn content_that_does_not_change_is_retried_a_few_times_and_then_once_a_day() {
        let (mut age, mut attempts) = (0, 0);
        while age < DAY {
            age += retry_pause(Fault::Content, attempts, age, 10_000);
            attempts += 1;
        }
        assert_eq!(attempts, 7);
        for age in [DAY, 900 * DAY, Millis::MAX] {
            assert_eq!(retry_pause(Fault::Content, 50, age, 10_000), DAY);
        }
        // Dated ahead of the clock.
        assert_eq!(retry_pause(Fault::Content, 1, Millis::MIN, 10_000), 30_000);
    }
}
