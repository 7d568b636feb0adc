//! What a plan says about retention.

use super::*;
use crate::index::{Mark, MarkState, Removal};

const DAY: Millis = 24 * 60 * 60 * 1_000;

fn judging(policy: Policy) -> Judging {
    Judging { policy, keep_archives: false, by_age: true }
}

fn keep(applications: u64) -> Judging {
    judging(Policy { applications: Some(applications), ..Policy::default() })
}

fn ttl(limit: Millis) -> Judging {
    judging(Policy { ttl: Some(limit), ..Policy::default() })
}

fn dated(modified: Millis) -> Vec<FoundFile> {
    vec![file(FileKind::Summary, 10, modified)]
}

fn judge(known: &KnownDirectory, found: &[Found], judging: Judging) -> (Vec<Task>, Plan) {
    let mut planner = Planner::new(directory(), known, judging, NOW);
    let tasks = found.iter().flat_map(|piece| planner.take(piece)).collect();
    (tasks, planner.finish(&RULES))
}

fn mark(state: MarkState, removal: Removal) -> Mark {
    Mark { state, removal, confirmed: false, time: NOW - DAY, bytes: 10 }
}

fn marked(mut known: KnownDirectory, number: u8, mark: Mark) -> KnownDirectory {
    known.marks.applications.insert((cluster(), application(number)), mark);
    known
}

fn keys(expiries: &[Expiry]) -> Vec<UnitKey> {
    expiries.iter().map(|expiry| expiry.key.clone()).collect()
}

#[test]
fn with_a_count_nothing_is_fetched_before_the_verdict_and_what_expires_never() {
    let listing = [found(1, dated(NOW - DAY)), found(2, dated(NOW - 3 * DAY)), found(3, dated(NOW - 2 * DAY))];
    let (early, plan) = judge(&KnownDirectory::default(), &listing, keep(2));
    assert_eq!(early, vec![]);
    assert_eq!(plan.tasks.iter().map(|task| task.key.clone()).collect::<Vec<_>>(), [key(1), key(3)]);
    assert_eq!(keys(&plan.expire), [key(2)]);
    let judged = &plan.expire[0];
    assert_eq!((judged.reason.as_str(), judged.bytes, judged.time), ("count", 10, NOW - 3 * DAY));
    assert_eq!(judged.folder, FilePath::new(format!("prod-eu/applications/{}", application(2))));
    assert_eq!(judged.files.len(), 1);
}

#[test]
fn with_an_age_alone_what_is_young_is_fetched_at_once_and_what_is_old_never() {
    let listing = [found(1, dated(NOW - DAY + 1)), found(2, dated(NOW - DAY))];
    let (early, plan) = judge(&KnownDirectory::default(), &listing, ttl(DAY));
    assert_eq!(early.len(), 1);
    assert_eq!(plan.tasks, vec![]);
    assert_eq!(keys(&plan.expire), [key(2)]);
    // Without trust in the clock it is fetched after all.
    let (early, plan) = judge(&KnownDirectory::default(), &listing, Judging { by_age: false, ..ttl(DAY) });
    assert_eq!((early.len(), plan.expire.len()), (2, 0));
}

#[test]
fn what_a_look_has_only_read_the_name_of_is_judged_by_what_is_known() {
    let known = knowing([(1, unit(&dated(NOW - DAY))), (2, unit(&dated(NOW - 2 * DAY)))]);
    let name = |number| {
        let folder = FilePath::new(format!("prod-eu/applications/{}", application(number)));
        Found::Applications(vec![FoundApplication { cluster: cluster(), id: application(number), folder, files: None }])
    };
    let (_, plan) = judge(&known, &[name(1), name(2)], keep(1));
    assert_eq!(keys(&plan.expire), [key(2)]);
    assert_eq!(plan.expire[0].files[0].fingerprint, dated(NOW - 2 * DAY)[0].version.fingerprint());
    let again = marked(known, 2, mark(MarkState::Marked, Removal::Delete));
    assert_eq!(judge(&again, &[name(1), name(2)], keep(1)).1.expire, vec![]);
}

#[test]
fn what_was_tried_and_could_not_be_read_in_this_version_does_not_count() {
    let mut unreadable = unit(&dated(NOW - DAY));
    (unreadable.files[0].parsed, unreadable.files[0].attempts) = (false, 1);
    let known = knowing([(1, unreadable)]);
    let second = found(2, dated(NOW - 2 * DAY));
    let (_, plan) = judge(&known, &[found(1, dated(NOW - DAY)), second.clone()], keep(1));
    assert_eq!(plan.expire, vec![]);
    let rewritten = found(1, vec![file(FileKind::Summary, 11, NOW - DAY)]);
    assert_eq!(keys(&judge(&known, &[rewritten, second], keep(1)).1.expire), [key(2)]);
}

#[test]
fn what_is_within_the_limit_again_is_retained_again_and_read() {
    let known = marked(KnownDirectory::default(), 2, mark(MarkState::Marked, Removal::Delete));
    let listing = [found(1, dated(NOW - DAY)), found(2, dated(NOW - 2 * DAY))];
    for judging in [keep(2), judging(Policy::default())] {
        let (early, plan) = judge(&known, &listing, judging);
        assert_eq!(plan.retain_again, [key(2)]);
        assert_eq!(early.len() + plan.tasks.len(), 2);
    }
}

#[test]
fn what_is_being_deleted_is_neither_judged_nor_taken_for_gone() {
    let known = knowing([(1, unit(&dated(NOW - 2 * DAY)))]);
    for state in [MarkState::Marked, MarkState::Begun] {
        let known = marked(known.clone(), 1, mark(state, Removal::Delete));
        let rules = Rules { forget_gone_applications: true, ..RULES };
        let plan = Planner::new(directory(), &known, keep(1), NOW).finish(&rules);
        assert_eq!((plan.presence, plan.forget, plan.retain_again), (vec![], vec![], vec![]));
    }
    let known = marked(known, 1, mark(MarkState::Begun, Removal::Delete));
    let (tasks, plan) = judge(&known, &[found(1, vec![file(FileKind::Summary, 12, NOW)])], keep(5));
    assert_eq!((tasks, plan.tasks, plan.retain_again), (vec![], vec![], vec![]));
}

#[test]
fn what_stays_beyond_the_limit_is_forgotten_once_and_never_read() {
    let keep_archives = Judging { keep_archives: true, ..keep(1) };
    let known = knowing([(2, unit(&dated(NOW - 2 * DAY)))]);
    let listing = [1, 2, 3].map(|number| found(number, dated(NOW - i64::from(number) * DAY)));
    let (_, plan) = judge(&known, &listing, keep_archives);
    assert_eq!((keys(&plan.expire), keys(&plan.leave)), (vec![key(2)], vec![key(3)]));
    assert_eq!(plan.expire[0].removal, Removal::Forget);
    let left = marked(KnownDirectory::default(), 3, mark(MarkState::Forgotten, Removal::Forget));
    let left = marked(left, 2, mark(MarkState::Forgotten, Removal::Forget));
    let (_, plan) = judge(&left, &listing, keep_archives);
    assert_eq!((plan.expire, plan.leave, plan.retain_again, plan.tasks.len()), (vec![], vec![], vec![], 1));
    // It is to be deleted as soon as archives are not kept any more.
    assert_eq!(judge(&left, &listing, keep(1)).1.expire.len(), 2);
    // What somebody else took away needs no mark.
    assert_eq!(judge(&left, &listing[..2], keep_archives).1.retain_again, [key(3)]);
}

#[test]
fn what_an_obstacle_hides_keeps_its_mark() {
    let known = marked(KnownDirectory::default(), 1, mark(MarkState::Held, Removal::Delete));
    let hides = Hidden::Cluster(cluster());
    let obstacle =
        Found::Obstacle(Obstacle { hides, path: FilePath::new("x"), code: ProblemCode::PermissionDenied, reason: String::new() });
    assert_eq!(judge(&known, &[obstacle], keep(1)).1.retain_again, vec![]);
    assert_eq!(judge(&known, &[], keep(1)).1.retain_again, [key(1)]);
}

#[test]
fn what_is_found_twice_in_one_listing_is_judged_once() {
    let listing = [found(1, dated(NOW - DAY)), found(1, dated(NOW - DAY)), found(2, dated(NOW - 2 * DAY))];
    let (_, plan) = judge(&KnownDirectory::default(), &listing, keep(2));
    assert_eq!((plan.expire, plan.tasks.len(), plan.units), (vec![], 2, 2));
}

#[test]
fn a_directory_from_which_a_cleanup_took_all_has_not_vanished_and_one_that_waits_for_it_has() {
    let known = || knowing([(1, unit(&dated(NOW - DAY)))]);
    let (_, plan) = judge(&marked(known(), 1, mark(MarkState::Begun, Removal::Delete)), &[], ttl(DAY));
    assert!(!plan.vanished && !plan.holds_archives);
    let (_, plan) = judge(&KnownDirectory { held_archives: true, ..KnownDirectory::default() }, &[], ttl(DAY));
    assert!(!plan.vanished && !plan.holds_archives);
    for waits in [mark(MarkState::Marked, Removal::Delete), mark(MarkState::Held, Removal::Delete)] {
        assert!(judge(&marked(known(), 1, waits), &[], ttl(DAY)).1.vanished);
    }
    // Forgotten here, and there in the directory: that is known by the mark alone.
    let forgotten = KnownDirectory { held_archives: true, ..KnownDirectory::default() };
    assert!(judge(&marked(forgotten, 1, mark(MarkState::Forgotten, Removal::Forget)), &[], keep(1)).1.vanished);
}
