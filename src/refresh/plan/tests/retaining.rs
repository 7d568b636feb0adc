//! Retention in plans.

use super::*;
use crate::index::{KnownRemoval, RemovalAction, RemovalState};

const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

fn judging(policy: Policy) -> Judging {
    Judging { policy, by_age: true, ..Judging::default() }
}

fn keep(applications: u64) -> Judging {
    judging(Policy { applications: Some(applications), ..Policy::default() })
}

fn ttl(limit: Duration) -> Judging {
    judging(Policy { ttl: Some(limit), ..Policy::default() })
}

fn dated(modified: Timestamp) -> Vec<FoundFile> {
    vec![file(FileKind::Summary, 10, modified)]
}

/// A verdict over a listing of which every file can be read.
fn judge(known: &KnownDirectory, found: &[Found], judging: Judging) -> (Vec<Task>, Plan) {
    judge_probed(known, &readable(found), found, judging)
}

fn judge_probed(known: &KnownDirectory, probed: &Probed, found: &[Found], judging: Judging) -> (Vec<Task>, Plan) {
    let mut planner = Planner::new(directory(), known, probed, judging, NOW);
    let tasks = found.iter().flat_map(|piece| planner.take(piece)).collect();
    (tasks, planner.finish(&RULES))
}

/// All files of a listing, as if they had been probed.
fn readable(found: &[Found]) -> Probed {
    let mut probed = Probed::new();
    for piece in found {
        let Found::Applications(applications) = piece else { continue };
        for application in applications {
            let files = application.files.iter().flatten();
            let judged = files.map(|file| JudgedFile { kind: file.kind, fingerprint: file.version.fingerprint() }).collect();
            probed.insert(UnitKey::application(&directory(), &application.cluster, application.id), judged);
        }
    }
    probed
}

fn unread(plan: &Plan) -> Vec<UnitKey> {
    plan.unread.iter().map(|unread| unread.key.clone()).collect()
}

fn removal(state: RemovalState, action: RemovalAction) -> KnownRemoval {
    KnownRemoval { state, action, confirmed: false, time: NOW - DAY, bytes: 10, verified: true }
}

fn with_removal(mut known: KnownDirectory, number: u8, removal: KnownRemoval) -> KnownDirectory {
    known.removals.applications.insert((cluster(), application(number)), removal);
    known
}

fn keys(removals: &[Removal]) -> Vec<UnitKey> {
    removals.iter().map(|removal| removal.key.clone()).collect()
}

#[test]
fn with_a_count_nothing_is_fetched_before_the_verdict_and_expired_archives_never() {
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
fn with_an_age_alone_recent_archives_are_fetched_at_once_and_old_ones_never() {
    let listing = [found(1, dated(NOW - DAY + Duration::from_millis(1))), found(2, dated(NOW - DAY))];
    let (early, plan) = judge(&KnownDirectory::default(), &listing, ttl(DAY));
    assert_eq!(early.len(), 1);
    assert_eq!(plan.tasks, vec![]);
    assert_eq!(keys(&plan.expire), [key(2)]);
    // Without trust in the clock it is fetched after all, and what is old waits for a confirmation.
    let (early, plan) = judge(&KnownDirectory::default(), &listing, Judging { by_age: false, ..ttl(DAY) });
    assert_eq!((early.len(), plan.expire.len()), (2, 0));
    assert_eq!((keys(&plan.doubted.expire), plan.doubted.by_clock), (vec![key(2)], true));
}

#[test]
fn a_unit_known_by_name_alone_is_judged_by_the_index() {
    let known = knowing([(1, unit(&dated(NOW - DAY))), (2, unit(&dated(NOW - 2 * DAY)))]);
    let name = |number| {
        let folder = FilePath::new(format!("prod-eu/applications/{}", application(number)));
        Found::Applications(vec![FoundApplication { cluster: cluster(), id: application(number), folder, files: None }])
    };
    let (_, plan) = judge(&known, &[name(1), name(2)], keep(1));
    assert_eq!(keys(&plan.expire), [key(2)]);
    assert_eq!(plan.expire[0].files[0].fingerprint, dated(NOW - 2 * DAY)[0].version.fingerprint());
    let again = with_removal(known, 2, removal(RemovalState::Due, RemovalAction::Delete));
    assert_eq!(judge(&again, &[name(1), name(2)], keep(1)).1.expire, vec![]);
}

#[test]
fn a_version_that_could_not_be_read_does_not_count() {
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
fn a_unit_within_the_limit_again_is_retained_again_and_read() {
    let known = with_removal(KnownDirectory::default(), 2, removal(RemovalState::Due, RemovalAction::Delete));
    let listing = [found(1, dated(NOW - DAY)), found(2, dated(NOW - 2 * DAY))];
    for judging in [keep(2), judging(Policy::default())] {
        let (early, plan) = judge(&known, &listing, judging);
        assert_eq!(plan.retain_again, [key(2)]);
        assert_eq!(early.len() + plan.tasks.len(), 2);
    }
}

#[test]
fn a_running_removal_is_neither_judged_nor_taken_for_missing() {
    let known = knowing([(1, unit(&dated(NOW - 2 * DAY)))]);
    for state in [RemovalState::Due, RemovalState::Running] {
        let known = with_removal(known.clone(), 1, removal(state, RemovalAction::Delete));
        let rules = Rules { forget_gone_applications: true, ..RULES };
        let plan = Planner::new(directory(), &known, &Probed::new(), keep(1), NOW).finish(&rules);
        assert_eq!((plan.presence, plan.forget, plan.retain_again), (vec![], vec![], vec![]));
    }
    let known = with_removal(known, 1, removal(RemovalState::Running, RemovalAction::Delete));
    let (tasks, plan) = judge(&known, &[found(1, vec![file(FileKind::Summary, 12, NOW)])], keep(5));
    assert_eq!((tasks, plan.tasks, plan.retain_again), (vec![], vec![], vec![]));
}

#[test]
fn an_archive_that_stays_beyond_the_limit_is_forgotten_once_and_never_read() {
    let keep_archives = Judging { keep_archives: true, ..keep(1) };
    let known = knowing([(2, unit(&dated(NOW - 2 * DAY)))]);
    let listing = [1, 2, 3].map(|number| found(number, dated(NOW - u32::from(number) * DAY)));
    let (_, plan) = judge(&known, &listing, keep_archives);
    assert_eq!((keys(&plan.expire), keys(&plan.leave)), (vec![key(2)], vec![key(3)]));
    assert_eq!(plan.expire[0].action, RemovalAction::Forget);
    let left = with_removal(KnownDirectory::default(), 3, removal(RemovalState::Forgotten, RemovalAction::Forget));
    let left = with_removal(left, 2, removal(RemovalState::Forgotten, RemovalAction::Forget));
    let (_, plan) = judge(&left, &listing, keep_archives);
    assert_eq!((plan.expire, plan.leave, plan.retain_again, plan.tasks.len()), (vec![], vec![], vec![], 1));
    // It is to be deleted as soon as archives are not kept any more.
    assert_eq!(judge(&left, &listing, keep(1)).1.expire.len(), 2);
    // A unit that another process removed needs no recorded removal.
    assert_eq!(judge(&left, &listing[..2], keep_archives).1.retain_again, [key(3)]);
}

#[test]
fn a_unit_hidden_by_an_obstacle_keeps_its_removal() {
    let known = with_removal(KnownDirectory::default(), 1, removal(RemovalState::Held, RemovalAction::Delete));
    let hides = Hidden::Cluster(cluster());
    let obstacle =
        Found::Obstacle(Obstacle { hides, path: FilePath::new("x"), code: ProblemCode::PermissionDenied, reason: String::new() });
    assert_eq!(judge(&known, &[obstacle], keep(1)).1.retain_again, vec![]);
    assert_eq!(judge(&known, &[], keep(1)).1.retain_again, [key(1)]);
}

#[test]
fn a_unit_found_twice_in_one_listing_is_judged_once() {
    let listing = [found(1, dated(NOW - DAY)), found(1, dated(NOW - DAY)), found(2, dated(NOW - 2 * DAY))];
    let (_, plan) = judge(&KnownDirectory::default(), &listing, keep(2));
    assert_eq!((plan.expire, plan.tasks.len(), plan.units), (vec![], 2, 2));
}

#[test]
fn a_directory_from_which_a_cleanup_took_all_has_not_vanished_and_one_that_waits_for_it_has() {
    let known = || knowing([(1, unit(&dated(NOW - DAY)))]);
    let (_, plan) = judge(&with_removal(known(), 1, removal(RemovalState::Running, RemovalAction::Delete)), &[], ttl(DAY));
    assert!(!plan.vanished && !plan.holds_archives);
    let (_, plan) = judge(&KnownDirectory { held_archives: true, ..KnownDirectory::default() }, &[], ttl(DAY));
    assert!(!plan.vanished && !plan.holds_archives);
    for waits in [removal(RemovalState::Due, RemovalAction::Delete), removal(RemovalState::Held, RemovalAction::Delete)] {
        assert!(judge(&with_removal(known(), 1, waits), &[], ttl(DAY)).1.vanished);
    }
    // Forgotten in the index, and present in the directory: only its recorded removal is known.
    let forgotten = KnownDirectory { held_archives: true, ..KnownDirectory::default() };
    assert!(judge(&with_removal(forgotten, 1, removal(RemovalState::Forgotten, RemovalAction::Forget)), &[], keep(1)).1.vanished);
}

#[test]
fn an_unread_archive_and_all_newer_ones_are_read_before_it_expires() {
    let listing = [1, 2, 3].map(|number| found(number, dated(NOW - u32::from(number) * DAY)));
    let nothing = KnownDirectory::default();
    let (_, plan) = judge_probed(&nothing, &Probed::new(), &listing, keep(1));
    assert_eq!((plan.expire.len(), unread(&plan)), (0, vec![key(2), key(3)]));
    assert_eq!(plan.tasks.iter().map(|task| task.key.clone()).collect::<Vec<_>>(), [key(1)]);
    assert!(plan.unread.iter().all(|unread| unread.task.is_some()));
    // The newest may be unreadable, and then the next is within the limit.
    let (_, plan) = judge_probed(&nothing, &readable(&listing[1..]), &listing, keep(1));
    assert_eq!((keys(&plan.expire), unread(&plan)), (vec![key(3)], vec![key(2)]));
    assert_eq!(judge_probed(&nothing, &readable(&listing), &listing, keep(1)).1.expire.len(), 2);
    // An age is its own.
    let (_, plan) = judge_probed(&nothing, &readable(&listing[2..]), &listing, ttl(2 * DAY));
    assert_eq!((keys(&plan.expire), unread(&plan)), (vec![key(3)], vec![key(2)]));
    // Who has unreadable archives deleted does not wait for them to be read.
    let strict = judging(Policy { applications: Some(1), delete_unreadable: true, ..Policy::default() });
    assert_eq!(judge_probed(&nothing, &Probed::new(), &listing, strict).1.expire.len(), 2);
}

#[test]
fn an_application_with_a_job_archive_that_cannot_be_read_stays_and_takes_its_place() {
    let files = |number: u32| vec![file(FileKind::Summary, 10, NOW - number * DAY), file(FileKind::Job(job(7)), 20, NOW - number * DAY)];
    let listing = [1_u8, 2, 3].map(|number| found(number, files(number.into())));
    let mut broken = unit(&files(2));
    (broken.files[1].parsed, broken.files[1].attempts) = (false, 1);
    let known = knowing([(1, unit(&files(1))), (2, broken), (3, unit(&files(3)))]);
    let (_, plan) = judge_probed(&known, &Probed::new(), &listing, keep(1));
    assert_eq!((keys(&plan.expire), unread(&plan)), (vec![key(3)], vec![]));
    let (_, plan) = judge_probed(&known, &Probed::new(), &listing, keep(2));
    assert_eq!(keys(&plan.expire), [key(3)]);
}

#[test]
fn a_mark_of_a_version_that_did_not_read_first_is_taken_back_until_it_was_read() {
    let listing = [found(1, dated(NOW - DAY)), found(2, dated(NOW - 2 * DAY))];
    let known = knowing([(1, unit(&dated(NOW - DAY)))]);
    let old = with_removal(known, 2, KnownRemoval { verified: false, ..removal(RemovalState::Due, RemovalAction::Delete) });
    let (_, plan) = judge_probed(&old, &Probed::new(), &listing, keep(1));
    assert_eq!((plan.retain_again, plan.expire.len(), plan.unread.len()), (vec![key(2)], 0, 1));
}

#[test]
fn a_time_before_flink_is_doubted_whatever_the_limit_and_with_everything_allowed_only_by_age() {
    let listing = [found(1, dated(NOW - DAY)), found(2, dated(Timestamp::EPOCH))];
    let nothing = KnownDirectory::default();
    for judging in [keep(1), ttl(DAY + MILLISECOND)] {
        let (_, plan) = judge(&nothing, &listing, judging);
        assert_eq!((plan.expire.len(), keys(&plan.doubted.expire), plan.doubted.by_clock), (0, vec![key(2)], false));
        assert_eq!(plan.too_early.as_ref().map(|(count, _)| *count), Some(1));
        // What was confirmed goes.
        let confirmed =
            with_removal(nothing.clone(), 2, KnownRemoval { confirmed: true, ..removal(RemovalState::Due, RemovalAction::Delete) });
        let (_, plan) = judge(&confirmed, &listing, judging);
        assert_eq!((plan.doubted.keys, plan.retain_again), (vec![], vec![]));
    }
    let (_, plan) = judge(&nothing, &listing, Judging { written_out: true, ..keep(1) });
    assert_eq!(keys(&plan.expire), [key(2)]);
    let (_, plan) = judge(&nothing, &listing, Judging { written_out: true, ..ttl(DAY + MILLISECOND) });
    assert_eq!(keys(&plan.doubted.expire), [key(2)]);
}

#[test]
fn with_a_doubted_clock_a_count_still_holds_and_removals_by_age_are_withdrawn() {
    let listing = [1, 2, 3].map(|number| found(number, dated(NOW - u32::from(number) * DAY)));
    let both = Judging { by_age: false, ..judging(Policy { applications: Some(2), ttl: Some(2 * DAY), ..Policy::default() }) };
    let known = with_removal(KnownDirectory::default(), 2, removal(RemovalState::Due, RemovalAction::Delete));
    let (_, plan) = judge(&known, &listing, both);
    assert_eq!((keys(&plan.expire), keys(&plan.doubted.expire), &plan.retain_again), (vec![key(3)], vec![key(2)], &vec![key(2)]));
    assert_eq!(plan.doubted.keys, [key(2)]);
    // On record already: nothing is written again.
    let held = with_removal(KnownDirectory::default(), 2, removal(RemovalState::Held, RemovalAction::Delete));
    let (_, plan) = judge(&held, &listing, both);
    assert_eq!((plan.doubted.expire, plan.doubted.keys, plan.retain_again), (vec![], vec![key(2)], vec![]));
}

#[test]
fn a_size_below_the_newest_archive_is_noticed() {
    let sized = |bytes| judging(Policy { bytes: Some(bytes), ..Policy::default() });
    let listing = [found(1, dated(NOW)), found(2, vec![file(FileKind::Summary, 99, NOW - DAY)])];
    assert_eq!(judge(&KnownDirectory::default(), &listing, sized(9)).1.newest_too_large, Some(10));
    assert_eq!(judge(&KnownDirectory::default(), &listing, sized(10)).1.newest_too_large, None);
}
