//! The limits that earlier cleanups of a directory followed: the first cleanup with a limit, or with a stricter one, is guarded.

use std::time::Duration;

use crate::clock::whole_millis;
use crate::index::{FollowedLimits, HeldReason};

use super::policy::Policy;

/// The limits of a cleanup, as they are recorded: times are in whole milliseconds. `by_age` false: the age limit was left out.
#[must_use]
pub fn limits(policy: &Policy, keep_archives: bool, by_age: bool) -> FollowedLimits {
    FollowedLimits {
        applications: policy.applications,
        legacy_jobs: policy.legacy_jobs,
        ttl: policy.ttl.filter(|_| by_age).map(|ttl| Duration::from_millis(whole_millis(ttl))),
        bytes: policy.bytes,
        delete_unreadable: policy.delete_unreadable,
        keep_archives,
    }
}

/// Whether a cleanup with these limits is the first with a limit, or the first with a stricter one than before.
#[must_use]
pub fn novelty(limits: &FollowedLimits, before: Option<&FollowedLimits>) -> Option<HeldReason> {
    let Some(before) = before.filter(|before| has_limit(before)) else { return has_limit(limits).then_some(HeldReason::FirstLimit) };
    let tighter = tighter(limits.applications, before.applications)
        || tighter(limits.legacy_jobs, before.legacy_jobs)
        || tighter(limits.ttl, before.ttl)
        || tighter(limits.bytes, before.bytes)
        || (limits.delete_unreadable && !before.delete_unreadable)
        || (!limits.keep_archives && before.keep_archives);
    tighter.then_some(HeldReason::StricterLimit)
}

fn has_limit(limits: &FollowedLimits) -> bool {
    limits.applications.is_some() || limits.legacy_jobs.is_some() || limits.ttl.is_some() || limits.bytes.is_some()
}

fn tighter<T: PartialOrd>(now: Option<T>, before: Option<T>) -> bool {
    match (now, before) {
        (Some(now), Some(before)) => now < before,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(applications: u64) -> FollowedLimits {
        FollowedLimits { applications: Some(applications), ..FollowedLimits::default() }
    }

    #[test]
    fn the_first_limit_and_a_stricter_one_are_new_and_an_equal_or_wider_one_is_not() {
        let none = FollowedLimits::default();
        assert_eq!(novelty(&none, None), None);
        assert_eq!(novelty(&keep(5), None), Some(HeldReason::FirstLimit));
        assert_eq!(novelty(&keep(5), Some(&none)), Some(HeldReason::FirstLimit));
        assert_eq!(novelty(&keep(5), Some(&keep(5))), None);
        assert_eq!(novelty(&keep(6), Some(&keep(5))), None);
        assert_eq!(novelty(&none, Some(&keep(5))), None);
        let stricter = [
            keep(4),
            FollowedLimits { legacy_jobs: Some(9), ..keep(5) },
            FollowedLimits { ttl: Some(Duration::from_millis(9)), ..keep(5) },
            FollowedLimits { bytes: Some(9), ..keep(9) },
            FollowedLimits { delete_unreadable: true, ..keep(5) },
        ];
        for limits in stricter {
            assert_eq!(novelty(&limits, Some(&keep(5))), Some(HeldReason::StricterLimit), "{limits:?}");
        }
        let kept = FollowedLimits { keep_archives: true, ..keep(5) };
        assert_eq!(novelty(&keep(5), Some(&kept)), Some(HeldReason::StricterLimit));
        assert_eq!(novelty(&kept, Some(&keep(5))), None);
    }

    #[test]
    fn an_age_limit_that_was_left_out_is_new_when_it_is_used_again() {
        let policy = Policy { ttl: Some(Duration::from_secs(1)), applications: Some(3), ..Policy::default() };
        let without = limits(&policy, false, false);
        assert_eq!(novelty(&without, Some(&limits(&policy, false, true))), None);
        assert_eq!(novelty(&limits(&policy, false, true), Some(&without)), Some(HeldReason::StricterLimit));
    }
}
