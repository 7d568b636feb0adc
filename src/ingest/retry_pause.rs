//! The pause before a file that could not be read is retried although it has not changed.

use std::time::Duration;

use crate::clock::Backoff;
use crate::index::Fault;

/// Shortest and longest pause after a failure of content.
const CONTENT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_hours(24));

/// Longest pause after a failure of the store, unless refreshes are further apart.
const STORE_LIMIT: Duration = Duration::from_mins(5);

/// Refresh intervals of the longest pause after a failure of the store.
const STORE_INTERVALS: u32 = 8;

/// The pause after `failures` failed attempts in a row at a file that has not changed for `age`. `interval` is the time between two
/// refreshes.
///
/// A store may return a file a moment later: the pause is one, two, four and then eight intervals. The content of a file changes only
/// while it is written: the pause grows with its age, so that a file is retried seven times on its first day and once a day after that.
pub(super) fn retry_pause(fault: Fault, failures: u32, age: Duration, interval: Duration) -> Duration {
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

    const DAY: Duration = Duration::from_hours(24);
    const INTERVAL: Duration = Duration::from_secs(10);

    #[test]
    fn a_file_that_the_store_did_not_return_is_retried_within_a_few_refreshes_at_any_age() {
        let pauses = |seconds| {
            let interval = Duration::from_secs(seconds);
            [1, 2, 3, 4, 5, 1_000].map(|failures| retry_pause(Fault::Store, failures, 900 * DAY, interval).as_secs())
        };
        assert_eq!(pauses(10), [10, 20, 40, 80, 80, 80]);
        assert_eq!(pauses(60), [60, 120, 240, 300, 300, 300]);
        assert_eq!(pauses(DAY.as_secs()), [DAY.as_secs(); 6]);
    }

    #[test]
    fn content_that_does_not_change_is_retried_a_few_times_and_then_once_a_day() {
        let (mut age, mut attempts) = (Duration::ZERO, 0);
        while age < DAY {
            age += retry_pause(Fault::Content, attempts, age, INTERVAL);
            attempts += 1;
        }
        assert_eq!(attempts, 7);
        for age in [DAY, 900 * DAY, Duration::MAX] {
            assert_eq!(retry_pause(Fault::Content, 50, age, INTERVAL), DAY);
        }
        // Dated ahead of the clock.
        assert_eq!(retry_pause(Fault::Content, 1, Duration::ZERO, INTERVAL), CONTENT.0);
    }
}
