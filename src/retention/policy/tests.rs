use proptest::prelude::*;

use super::*;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn application(id: u8, time: Timestamp) -> Candidate<'static> {
    Candidate { cluster: Some("prod-eu"), id: [id; 16], time, bytes: 10, counts: true }
}

fn legacy(id: u8, time: Timestamp) -> Candidate<'static> {
    Candidate { cluster: None, ..application(id, time) }
}

/// First bytes of the ids of those that stay.
fn kept(candidates: &[Candidate<'_>], policy: &Policy) -> Vec<u8> {
    let verdicts = judge(candidates, policy, NOW, true);
    candidates.iter().zip(verdicts).filter(|(_, verdict)| !matches!(verdict, Verdict::Expired(_))).map(|(each, _)| each.id[0]).collect()
}

fn count(limit: u64) -> Policy {
    Policy { applications: Some(limit), ..Policy::default() }
}

fn ttl(limit: Duration) -> Policy {
    Policy { ttl: Some(limit), ..Policy::default() }
}

#[test]
fn without_a_limit_everything_is_retained() {
    assert_eq!(kept(&[application(1, Timestamp::EPOCH), legacy(2, Timestamp::EPOCH)], &Policy::default()), [1, 2]);
    assert!(!Policy::default().limits());
}

#[test]
fn the_newest_are_within_the_count_and_an_equal_rank_is_retained() {
    let candidates = [application(1, at(1)), application(2, at(4)), application(3, at(3)), application(4, at(2))];
    assert_eq!(kept(&candidates, &count(2)), [2, 3]);
    assert_eq!(kept(&candidates, &count(4)), [1, 2, 3, 4]);
    let verdicts = judge(&candidates, &count(2), NOW, true);
    assert_eq!(verdicts[3], Verdict::Expired(Reason::Count { rank: 3, limit: 2 }));
    assert_eq!(verdicts[0], Verdict::Expired(Reason::Count { rank: 4, limit: 2 }));
}

#[test]
fn an_age_equal_to_the_limit_is_expired() {
    let candidates = [
        application(1, NOW),
        application(2, NOW - MINUTE + Duration::from_millis(1)),
        application(3, NOW - MINUTE),
        legacy(4, NOW - 2 * MINUTE),
    ];
    assert_eq!(kept(&candidates, &ttl(MINUTE)), [1, 2]);
}

#[test]
fn count_and_age_must_both_hold() {
    let policy = Policy { ttl: Some(MINUTE), ..count(2) };
    let old = NOW - 2 * MINUTE;
    assert_eq!(kept(&[application(1, old)], &policy), [] as [u8; 0]);
    assert_eq!(
        kept(
            &[application(1, NOW), application(2, NOW - Duration::from_millis(1)), application(3, NOW - Duration::from_millis(2))],
            &policy
        ),
        [1, 2]
    );
    assert_eq!(kept(&[application(1, NOW), application(2, old), application(3, old)], &policy), [1]);
}

#[test]
fn ranks_are_counted_over_all_clusters_and_apart_from_legacy_jobs() {
    let other = Candidate { cluster: Some("prod-us"), ..application(2, at(8)) };
    let candidates = [application(1, at(9)), other, application(3, at(7)), legacy(4, at(1)), legacy(5, at(2))];
    assert_eq!(kept(&candidates, &count(2)), [1, 2, 4, 5]);
    let policy = Policy { legacy_jobs: Some(1), ..Policy::default() };
    assert_eq!(kept(&candidates, &policy), [1, 2, 3, 5]);
}

#[test]
fn equal_times_are_ranked_by_cluster_and_then_by_id() {
    let early = Candidate { cluster: Some("a"), ..application(9, at(5)) };
    let late = Candidate { cluster: Some("z"), ..application(1, at(5)) };
    assert_eq!(kept(&[late, application(3, at(5)), application(2, at(5)), early], &count(1)), [9]);
    assert_eq!(kept(&[late, application(3, at(5)), application(2, at(5)), early], &count(2)), [2, 9]);
    assert_eq!(kept(&[early, application(2, at(5)), late, application(3, at(5))], &count(3)), [9, 2, 3]);
}

#[test]
fn bytes_are_counted_from_the_newest_over_applications_and_legacy_jobs_and_the_newest_always_stays() {
    let size = |limit| Policy { bytes: Some(limit), ..Policy::default() };
    let candidates = [application(1, at(3)), legacy(2, at(2)), application(3, at(1))];
    assert_eq!(kept(&candidates, &size(30)), [1, 2, 3]);
    assert_eq!(kept(&candidates, &size(29)), [1, 2]);
    assert_eq!(kept(&candidates, &size(20)), [1, 2]);
    assert_eq!(kept(&candidates, &size(0)), [1]);
    // A small old one does not slip in behind a large one that is too much.
    let large = Candidate { bytes: 100, ..application(2, at(2)) };
    assert_eq!(kept(&[application(1, at(3)), large, application(3, at(1))], &size(50)), [1]);
    assert_eq!(judge(&candidates, &size(20), NOW, true)[2], Verdict::Expired(Reason::Size { total: 30, limit: 20 }));
}

#[test]
fn an_archive_that_does_not_count_stays_and_is_not_ranked() {
    let unreadable = Candidate { counts: false, ..application(1, at(9)) };
    assert_eq!(kept(&[unreadable, application(2, at(8)), application(3, at(7))], &count(1)), [1, 2]);
    assert_eq!(kept(&[Candidate { time: Timestamp::EPOCH, ..unreadable }], &ttl(MINUTE)), [1]);
    let lenient = Policy::default();
    assert!(lenient.counts(true, true) && !lenient.counts(false, true) && !lenient.counts(true, false));
    let strict = Policy { delete_unreadable: true, ..lenient };
    assert!(strict.counts(false, true) && strict.counts(true, false));
    assert_eq!(strict.time(Some(at(5)), at(9), true), at(5));
    assert_eq!(strict.time(Some(at(5)), at(9), false), at(9));
    assert_eq!(strict.time(None, at(9), true), at(9));
}

#[test]
fn an_archive_dated_more_than_an_hour_ahead_stays_and_is_not_ranked() {
    let candidates = [application(1, NOW + AHEAD + Duration::from_millis(1)), application(2, NOW + AHEAD), application(3, NOW)];
    let verdicts = judge(&candidates, &count(1), NOW, true);
    assert_eq!(verdicts, [Verdict::Ahead, Verdict::Retained, Verdict::Expired(Reason::Count { rank: 2, limit: 1 })]);
}

#[test]
fn without_trust_in_the_clock_age_expires_nothing_and_count_still_does() {
    let candidates = [application(1, at(2)), application(2, at(1))];
    let policy = Policy { ttl: Some(MINUTE), ..count(1) };
    assert_eq!(judge(&candidates, &policy, NOW, false), [Verdict::Retained, Verdict::Expired(Reason::Count { rank: 2, limit: 1 })]);
}

#[test]
fn times_at_the_ends_of_their_range_are_judged() {
    let candidates = [application(1, Timestamp::MIN), application(2, Timestamp::MAX), application(3, Timestamp::EPOCH)];
    let verdicts = judge(&candidates, &ttl(Duration::from_millis(1)), Timestamp::MAX, true);
    assert!(verdicts.iter().take(1).all(|verdict| matches!(verdict, Verdict::Expired(_))));
    assert_eq!(judge(&candidates, &ttl(Duration::from_millis(1)), Timestamp::MIN, true)[0], Verdict::Retained);
}

#[test]
fn a_reason_shows_the_limit_and_the_value() {
    assert_eq!(Reason::Count { rank: 3, limit: 2 }.to_string(), "number 3 from the newest, the limit is 2");
    let age = Reason::Age { age: Duration::from_secs(90_061), limit: Duration::from_hours(24) };
    assert_eq!(age.to_string(), "1 d 1 h old, the limit is 1 d");
    assert_eq!(
        Reason::Age { age: Duration::from_millis(3_600_001), limit: Duration::from_millis(1) }.to_string(),
        "1 h old, the limit is 1 ms"
    );
    assert_eq!(Reason::Size { total: 30, limit: 20 }.to_string(), "30 bytes with all newer archives, the limit is 20 bytes");
}

const CLUSTERS: [Option<&str>; 3] = [None, Some("a"), Some("b")];

prop_compose! {
    fn candidate()(cluster in 0..3_usize, id in 0..40_u8, age in -2..8_i32, bytes in 0..30_u64, counts in prop::bool::weighted(0.8))
        -> Candidate<'static> {
        Candidate { cluster: CLUSTERS[cluster], id: [id; 16], time: if age < 0 { NOW + age.unsigned_abs() * AHEAD } else { NOW - age.unsigned_abs() * AHEAD }, bytes, counts }
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate<'static>>> {
    prop::collection::vec(candidate(), 0..30).prop_map(|mut candidates| {
        candidates.sort_by_key(|each| (each.cluster, each.id));
        candidates.dedup_by_key(|each| (each.cluster, each.id));
        candidates
    })
}

fn policies() -> impl Strategy<Value = Policy> {
    let limit = || prop::option::of(1..12_u64);
    (limit(), limit(), prop::option::of(1..8_u32), prop::option::of(0..200_u64), any::<bool>()).prop_map(
        |(applications, legacy_jobs, hours, bytes, delete_unreadable)| Policy {
            applications,
            legacy_jobs,
            ttl: hours.map(|hours| hours * AHEAD),
            bytes,
            delete_unreadable,
        },
    )
}

fn is_expired(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Expired(_))
}

proptest! {
    #[test]
    fn raising_a_limit_never_expires_more(candidates in candidates(), policy in policies(), which in 0..4_usize, by in 1..5_u8) {
        let mut raised = policy;
        match which {
            0 => raised.applications = policy.applications.map(|limit| limit + u64::from(by)),
            1 => raised.legacy_jobs = policy.legacy_jobs.map(|limit| limit + u64::from(by)),
            2 => raised.ttl = policy.ttl.map(|limit| limit + u32::from(by) * AHEAD),
            _ => raised.bytes = policy.bytes.map(|limit| limit + u64::from(by) * 7),
        }
        let before = judge(&candidates, &policy, NOW, true);
        let after = judge(&candidates, &raised, NOW, true);
        for (before, after) in before.iter().zip(&after) {
            prop_assert!(is_expired(before) || !is_expired(after), "{before:?} became {after:?}");
        }
    }

    #[test]
    fn a_verdict_does_not_depend_on_the_order_of_the_listing(candidates in candidates(), policy in policies(), seed in any::<u64>()) {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by_key(|number| (*number as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let shuffled: Vec<_> = order.iter().map(|number| candidates[*number]).collect();
        let verdicts = judge(&candidates, &policy, NOW, true);
        let again = judge(&shuffled, &policy, NOW, true);
        for (number, verdict) in order.iter().zip(again) {
            prop_assert_eq!(verdicts[*number], verdict);
        }
    }

    #[test]
    fn what_is_retained_is_retained_again_when_the_expired_are_gone(candidates in candidates(), policy in policies()) {
        let verdicts = judge(&candidates, &policy, NOW, true);
        let left: Vec<_> = candidates.iter().zip(&verdicts).filter(|(_, verdict)| !is_expired(verdict)).map(|(each, _)| *each).collect();
        prop_assert!(!judge(&left, &policy, NOW, true).iter().any(is_expired));
    }

    #[test]
    fn no_more_than_each_limit_is_retained(candidates in candidates(), policy in policies()) {
        let verdicts = judge(&candidates, &policy, NOW, true);
        let retained: Vec<_> = candidates.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Retained).map(|(each, _)| each).collect();
        let applications = retained.iter().filter(|each| each.cluster.is_some()).count() as u64;
        prop_assert!(policy.applications.is_none_or(|limit| applications <= limit));
        prop_assert!(policy.legacy_jobs.is_none_or(|limit| retained.len() as u64 - applications <= limit));
        prop_assert!(policy.ttl.is_none_or(|limit| retained.iter().all(|each| NOW.since(each.time) < limit)));
        let bytes: u64 = retained.iter().map(|each| each.bytes).sum();
        prop_assert!(policy.bytes.is_none_or(|limit| bytes <= limit || retained.len() == 1));
    }
}
