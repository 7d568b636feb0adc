//! When a file that could not be read is tried again although nothing has changed.

use crate::clock::Millis;
use crate::index::Fault;

/// First and longest pause after a failure of content.
const CONTENT: (Millis, Millis) = (30_000, 24 * 60 * 60 * 1_000);

/// Longest pause after a failure of the store, unless refreshes are further apart.
const STORE_LONGEST: Millis = 5 * 60 * 1_000;

/// The pause after the latest of `failures` attempts in a row at a file that has not changed for `age` milliseconds, where refreshes
/// are `interval` milliseconds apart.
///
/// What a store did not hand out may be there a moment later: one, two, four and then eight intervals. What a file holds changes only
/// while it is written: the pause grows with its age, so that a file is tried seven times on its first day and once a day after that.
pub(super) fn pause(fault: Fault, failures: u32, age: Millis, interval: Millis) -> Millis {
    match fault {
        Fault::Store => {
            let intervals = 1 << failures.saturating_sub(1).min(3);
            interval.saturating_mul(intervals).clamp(interval, STORE_LONGEST.max(interval))
        }
        Fault::Content => age.saturating_mul(3).clamp(CONTENT.0, CONTENT.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = 24 * 60 * 60 * 1_000;

    #[test]
    fn what_the_store_did_not_hand_out_is_tried_again_within_a_few_refreshes_however_old_it_is() {
        let pauses = |interval| [1, 2, 3, 4, 5, 1_000].map(|failures| pause(Fault::Store, failures, 900 * DAY, interval));
        assert_eq!(pauses(10_000), [10_000, 20_000, 40_000, 80_000, 80_000, 80_000]);
        assert_eq!(pauses(60_000), [60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
        assert_eq!(pauses(DAY), [DAY; 6]);
    }

    #[test]
    fn content_that_does_not_change_is_tried_a_few_times_and_then_once_a_day() {
        let (mut age, mut attempts) = (0, 0);
        while age < DAY {
            age += pause(Fault::Content, attempts, age, 10_000);
            attempts += 1;
        }
        assert_eq!(attempts, 7);
        for age in [DAY, 900 * DAY, Millis::MAX] {
            assert_eq!(pause(Fault::Content, 50, age, 10_000), DAY);
        }
        // Dated ahead of the clock.
        assert_eq!(pause(Fault::Content, 1, Millis::MIN, 10_000), 30_000);
    }
}
