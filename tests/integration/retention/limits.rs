//! The limits, with Flink's meaning, and what users have asked for beyond.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::refresh::RetentionRules;
use historyserver::refresh::plan::Rules;
use historyserver::retention::policy::Policy;

use super::world::{Cleaner, DAY, MINUTE, NOW, Place, RECORD_TTL, application_in, id, keep, limited, numbers, present_in, rules};
use crate::support::archives::{application_folder, job, set_modified, write};

fn set(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<u8> {
    numbers.into_iter().collect()
}

fn ttl(limit: Duration) -> RetentionRules {
    limited(Policy { ttl: Some(limit), ..Policy::default() })
}

#[tokio::test]
async fn beyond_retained_applications_the_oldest_are_deleted_with_their_jobs_and_newer_ones_push_out_others() {
    let place = Place::new();
    for number in 1..=4 {
        place.application(number, 100 - i64::from(number));
    }
    let mut server = place.open(rules(), keep(2));
    let report = server.round().await;
    assert_eq!(report.deleted, 2);
    assert_eq!(place.present(), set([3, 4]));
    assert_eq!(server.listed().await, set([3, 4]));
    assert_eq!(numbers(&server.world.jobs().await), set([0x83, 0x84]));
    // Never fetched, so the record has no name.
    assert!(server.record().await.iter().all(|deletion| deletion.name.is_none() && deletion.reason == "count"));
    place.application(5, 10);
    place.application(6, 9);
    server.round().await;
    assert_eq!(place.present(), set([5, 6]));
    assert_eq!(server.listed().await, set([5, 6]));
    assert_eq!(numbers(&server.world.jobs().await), set([0x85, 0x86]));
    let record = server.record().await;
    assert_eq!(record.len(), 4);
    assert_eq!(record[0].name.as_deref().map(|name| name.starts_with("application ")), Some(true));
    assert!(!place.root().join("c/applications").join(id(1)).exists());
    assert!(place.root().join("c/applications").exists());
    assert_eq!(server.round().await.deleted, 0);
}

#[tokio::test]
async fn beyond_retained_jobs_legacy_archives_are_deleted_and_never_jobs_of_applications() {
    let place = Place::new();
    for number in 1..=4 {
        place.legacy_job(number, 100 - i64::from(number));
    }
    place.application(9, 1_000);
    let policy = Policy { legacy_jobs: Some(2), ..Policy::default() };
    let mut server = place.open(rules(), RetentionRules { policy, ..RetentionRules::default() });
    server.round().await;
    assert_eq!(numbers(&server.world.jobs().await), set([3, 4, 0x89]));
    place.legacy_job(5, 10);
    place.legacy_job(6, 9);
    server.round().await;
    assert_eq!(numbers(&server.world.jobs().await), set([5, 6, 0x89]));
    assert_eq!(place.present(), set([5, 6, 9]));
}

#[tokio::test]
async fn an_age_equal_to_the_ttl_is_expired_and_aging_archives_are_deleted() {
    let place = Place::new();
    place.application(1, 60);
    place.application(2, 59);
    place.legacy_job(3, 60);
    place.legacy_job(4, 1);
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), ttl(60 * MINUTE));
    server.round().await;
    assert_eq!(place.present(), set([2, 4]));
    clock.advance(MINUTE);
    server.look().await;
    assert_eq!(place.present(), set([4]));
    assert_eq!(server.listed().await, set([]));
    assert!(server.record().await.iter().all(|deletion| deletion.reason == "age"));
}

#[tokio::test]
async fn limits_hold_per_directory_over_its_clusters() {
    let place = Place::new();
    let other = place.folder.path().join("other");
    for number in 1..=3 {
        application_in(&place.root(), if number == 2 { "prod-eu" } else { "prod-us" }, number, i64::from(number));
        application_in(&other, "prod-eu", number + 10, i64::from(number) + 50);
    }
    let directories = [place.root(), other.clone()].map(|root| Directory::open(root.to_str().unwrap(), &BTreeMap::new()).unwrap());
    let mut server = Cleaner::open(&directories, &place.data(), Clock::manual(NOW), rules(), keep(2));
    server.round().await;
    assert_eq!(place.present(), set([1, 2]));
    assert_eq!(present_in(&other), set([11, 12]));
}

#[tokio::test]
async fn when_the_copy_that_is_shown_expires_the_one_in_another_directory_steps_in() {
    let place = Place::new();
    let other = place.folder.path().join("other");
    application_in(&place.root(), "c", 1, 100);
    application_in(&other, "c", 1, 90);
    application_in(&other, "c", 2, 10);
    let directories = [place.root(), other.clone()].map(|root| Directory::open(root.to_str().unwrap(), &BTreeMap::new()).unwrap());
    let mut server = Cleaner::open(&directories, &place.data(), Clock::manual(NOW), rules(), RetentionRules::default());
    server.round().await;
    assert_eq!(server.listed().await, set([1, 2]));
    server.world.close().await;
    let mut server = Cleaner::open(&directories, &place.data(), Clock::manual(NOW), rules(), keep(1));
    server.round().await;
    assert_eq!(present_in(&other), set([2]));
    assert_eq!(server.listed().await, set([1, 2]));
    assert_eq!(server.world.get(&format!("/applications/{}", id(1))).await.status, 200);
    assert_eq!(numbers(&server.world.jobs().await), set([0x81, 0x82]));
}

#[tokio::test]
async fn bytes_beyond_retained_size_are_deleted_oldest_first_and_the_newest_always_stays() {
    let place = Place::new();
    for number in 1..=4 {
        place.application(number, i64::from(number));
    }
    let folder = application_folder(&place.root(), "c", &id(1));
    let bytes =
        fs::metadata(folder.join("application-summary")).unwrap().len() + fs::metadata(folder.join("jobs").join(id(0x81))).unwrap().len();
    let sized = |bytes| limited(Policy { bytes: Some(bytes), ..Policy::default() });
    let mut server = place.open(rules(), sized(bytes * 2));
    server.round().await;
    assert_eq!(place.present(), set([1, 2]));
    server.world.close().await;
    let mut server = place.open(rules(), sized(1));
    server.round().await;
    assert_eq!(place.present(), set([1]));
    assert_eq!(server.record().await[0].reason, "size");
}

#[tokio::test]
async fn unreadable_archives_and_those_without_a_summary_stay_unless_configured() {
    let place = Place::new();
    place.application(1, 50);
    place.application(2, 40);
    // Newer than both: one whose summary is broken, one without a summary.
    let broken = application_folder(&place.root(), "c", &id(3)).join("application-summary");
    write(&broken, "{\"archive\":[");
    set_modified(&broken, (NOW - 30 * MINUTE).as_millis());
    let alone = application_folder(&place.root(), "c", &id(4)).join("jobs").join(id(0x84));
    write(&alone, job(&id(0x84), "alone", NOW.as_millis()));
    set_modified(&alone, (NOW - 20 * MINUTE).as_millis());
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.world.close().await;
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(place.present(), set([2, 3, 4]));
    server.world.close().await;
    let mut strict = keep(1);
    strict.policy.delete_unreadable = true;
    let mut server = place.open(rules(), strict);
    server.round().await;
    assert_eq!(place.present(), set([4]));
}

#[tokio::test]
async fn equal_times_are_ranked_by_cluster_and_then_by_id() {
    let place = Place::new();
    for (cluster, number) in [("b", 1), ("a", 9), ("b", 2)] {
        application_in(&place.root(), cluster, number, 5);
    }
    let mut server = place.open(rules(), keep(2));
    server.round().await;
    assert_eq!(place.present(), set([1, 9]));
}

#[tokio::test]
async fn missing_applications_are_forgotten_with_their_jobs_or_stay_over_restarts() {
    for forget in [true, false] {
        let place = Place::new();
        for number in 1..=3 {
            place.application(number, i64::from(number));
        }
        place.legacy_job(7, 4);
        let rules = Rules { forget_gone_applications: forget, forget_gone_legacy_jobs: forget, empty_grace: Duration::ZERO };
        let mut server = place.open(rules, RetentionRules::default());
        server.round().await;
        fs::remove_dir_all(application_folder(&place.root(), "c", &id(1))).unwrap();
        server.round().await;
        assert_eq!(server.listed().await, if forget { set([2, 3]) } else { set([1, 2, 3]) });
        assert_eq!(server.world.get(&format!("/jobs/{}", id(0x81))).await.status, if forget { 404 } else { 200 });
        fs::remove_dir_all(place.root().join("c")).unwrap();
        fs::remove_file(place.root().join(id(7))).unwrap();
        server.round().await;
        server.world.close().await;
        let mut server = place.open(rules, RetentionRules::default());
        server.round().await;
        assert_eq!(server.listed().await, if forget { set([]) } else { set([1, 2, 3]) });
        assert_eq!(server.world.jobs().await.len(), if forget { 0 } else { 4 });
        let record = server.record().await;
        assert_eq!(record.len(), if forget { 4 } else { 0 });
        assert!(record.iter().all(|deletion| deletion.reason == "gone" && deletion.name.is_some()));
    }
}

#[tokio::test]
async fn an_archive_retained_beyond_the_limit_is_only_forgotten_and_listed_again_when_the_limit_is_raised() {
    let place = Place::new();
    for number in 1..=4 {
        place.application(number, i64::from(number));
    }
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.world.close().await;
    place.application(5, 5);
    let mut server = place.open(rules(), RetentionRules { keep_archives: true, ..keep(2) });
    let report = server.round().await;
    assert_eq!((report.forgotten, report.deleted), (2, 0));
    assert_eq!(server.listed().await, set([1, 2]));
    assert_eq!(place.present(), set([1, 2, 3, 4, 5]));
    // What is forgotten is not fetched again, and not forgotten again.
    assert_eq!(server.round().await.forgotten, 0);
    assert_eq!(server.look().await.forgotten, 0);
    assert_eq!(server.record().await.len(), 2);
    server.world.close().await;
    let mut server = place.open(rules(), RetentionRules { keep_archives: true, ..keep(4) });
    server.round().await;
    assert_eq!(server.listed().await, set([1, 2, 3, 4]));
    assert_eq!(server.look().await.forgotten, 0);
}

#[tokio::test]
async fn a_clock_set_back_or_ahead_expires_nothing_by_age_until_it_has_run_steadily() {
    let place = Place::new();
    place.application(1, 10);
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), ttl(DAY));
    server.round().await;
    clock.set(clock.now() + 2 * DAY);
    server.round().await;
    assert_eq!(place.present(), set([1]));
    assert_eq!(server.world.problems().await, ["clock-implausible"]);
    clock.advance(60 * MINUTE);
    server.round().await;
    assert_eq!(place.present(), set([]));
    assert_eq!(server.world.problems().await, Vec::<String>::new());
    // The clock stands before the last refresh of the process before.
    server.world.close().await;
    place.application(2, 10);
    let behind = Clock::manual(NOW + DAY - 9 * MINUTE);
    let mut server = place.open_at(behind, rules(), ttl(DAY));
    server.round().await;
    assert_eq!(place.present(), set([2]));
    assert_eq!(server.world.problems().await, ["clock-implausible"]);
}

#[tokio::test]
async fn archives_dated_ahead_are_kept_with_a_problem_and_not_counted() {
    let place = Place::new();
    place.application(1, -61);
    place.application(2, 10);
    place.application(3, 20);
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(place.present(), set([1, 2]));
    assert_eq!(server.world.problems().await, ["clock-implausible"]);
}

#[tokio::test]
async fn expired_archives_are_unlisted_at_once_and_listed_again_when_the_limit_is_raised() {
    let place = Place::new();
    for number in 1..=3 {
        place.application(number, i64::from(number));
    }
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.world.close().await;
    // Without a cleanup, as between two times of a cron expression.
    place.application(4, 4);
    let mut server = place.open(rules(), keep(2));
    server.world.full_scan().await;
    assert_eq!(server.listed().await, set([1, 2]));
    assert_eq!(server.world.get(&format!("/applications/{}", id(3))).await.status, 404);
    assert_eq!(server.pending().await.len(), 2);
    assert_eq!(place.present(), set([1, 2, 3, 4]));
    server.world.quick_scan().await;
    assert_eq!(server.pending().await.len(), 2);
    server.world.close().await;
    let mut server = place.open(rules(), keep(4));
    server.round().await;
    assert_eq!(server.listed().await, set([1, 2, 3, 4]));
    assert_eq!(server.pending().await, []);
    assert_eq!(place.present(), set([1, 2, 3, 4]));
}

#[tokio::test]
async fn an_entry_of_the_record_is_kept_for_its_time_and_not_longer() {
    let place = Place::new();
    (1..=3).for_each(|number| place.application(number, i64::from(number)));
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), keep(2));
    server.round().await;
    clock.advance(RECORD_TTL);
    place.application(4, 0);
    server.round().await;
    let recorded = |record: &[historyserver::index::Deletion]| record.iter().map(|deletion| deletion.at.since(NOW)).collect::<Vec<_>>();
    assert_eq!(recorded(&server.record().await), [RECORD_TTL, Duration::ZERO]);
    clock.advance(Duration::from_millis(1));
    server.round().await;
    assert_eq!(recorded(&server.record().await), [RECORD_TTL]);
}
