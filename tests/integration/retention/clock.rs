//! A clock that may be wrong: what only age would expire waits for an hour, or for somebody who confirms it.

use std::time::Duration;

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::index::HeldReason;
use historyserver::refresh::RetentionRules;
use historyserver::retention::policy::Policy;
use serde_json::Value;

use super::faults::{newest_last, objects};
use super::world::{Cleaner, DAY, NOW, Place, id, rules};
use crate::moto::Moto;
use crate::support::archives::{job, set_modified, write};
use crate::support::process::command;

const MINUTES_OF_A_DAY: i64 = 24 * 60;
const HOUR: Duration = Duration::from_hours(1);
const YEAR: Duration = Duration::from_hours(365 * 24);

fn ttl(limit: Duration) -> RetentionRules {
    RetentionRules { policy: Policy { ttl: Some(limit), ..Policy::default() }, ..RetentionRules::default() }
}

/// Ten applications and two legacy jobs of the last 90 days, and one application of 400 days ago.
fn archives(place: &Place) {
    for number in 1..=10 {
        place.application(number, i64::from(number - 1) * 9 * MINUTES_OF_A_DAY + 1);
    }
    place.legacy_job(0x41, 5 * MINUTES_OF_A_DAY);
    place.legacy_job(0x42, 80 * MINUTES_OF_A_DAY);
    place.application(11, 400 * MINUTES_OF_A_DAY);
}

async fn held(server: &Cleaner) -> Option<(HeldReason, u64)> {
    server.world.reader.held_cleanups().await.unwrap().first().map(|held| (held.reason, held.units))
}

async fn reasons(server: &Cleaner) -> Vec<String> {
    server
        .world
        .reader
        .everything()
        .problem_page(historyserver::index::ProblemFilter::default(), None, 100)
        .await
        .unwrap()
        .0
        .rows
        .into_iter()
        .map(|problem| problem.reason)
        .collect()
}

#[tokio::test]
async fn with_the_right_clock_the_limit_holds_at_the_first_start() {
    let place = Place::new();
    archives(&place);
    let mut server = place.open(rules(), ttl(YEAR));
    assert_eq!(server.round().await.deleted, 1);
    assert_eq!(place.present().len(), 12);
    assert_eq!(server.world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_is_ahead_at_the_start_deletes_nothing_whatever_the_index_knows() {
    // Days that the clock is ahead, and what would go then.
    for (ahead, beyond) in [(400, 13), (300, 4), (20, 1)] {
        for first_start in [true, false] {
            let place = Place::new();
            archives(&place);
            if !first_start {
                let mut server = place.open(rules(), RetentionRules::default());
                server.round().await;
                server.world.writer.note_refresh(NOW).await.unwrap();
                server.world.close().await;
            }
            let mut server = place.open_at(Clock::manual(NOW + ahead * DAY), rules(), ttl(YEAR));
            for _ in 0..2 {
                assert_eq!(server.round().await.deleted, 0);
            }
            assert_eq!(place.present().len(), 13, "{ahead} d, first start: {first_start}");
            assert_eq!(held(&server).await, Some((HeldReason::Clock, beyond)), "{ahead} d, first start: {first_start}");
            assert_eq!(server.world.problems().await, ["clock-implausible"]);
            let told = reasons(&server).await.remove(0);
            assert!(told.contains("the clock of this machine may be ahead") && told.contains("--confirm "), "{told}");
            // All of it stays listed.
            assert_eq!(server.listed().await.len(), 11);
        }
    }
}

#[tokio::test]
async fn removals_confirmed_in_spite_of_the_clock_are_done_and_trusted_by_the_next_process() {
    let place = Place::new();
    for number in 1..=4 {
        place.application(number, i64::from(number) * 150 * MINUTES_OF_A_DAY);
    }
    let mut server = place.open(rules(), ttl(YEAR));
    server.round().await;
    let held = server.world.reader.held_cleanups().await.unwrap().remove(0);
    assert_eq!((held.reason, held.units, held.of), (HeldReason::Clock, 2, 4));
    let (reader, writer) = (server.world.reader.clone(), server.world.writer.clone());
    let cleaner = historyserver::schedule::cleanups::Cleaner::new(server.cleanup.clone(), writer, reader, server.world.clock.clone());
    assert!(cleaner.confirm(&held.plan).await.unwrap());
    assert_eq!(server.round().await.deleted, 2);
    assert_eq!(place.present(), [1, 2].into());
    server.world.full_scan().await;
    assert_eq!(server.world.problems().await, Vec::<String>::new());
    server.world.close().await;
    // A day later the clock is believed: that of the confirmation is near.
    place.application(5, 380 * MINUTES_OF_A_DAY);
    let mut server = place.open_at(Clock::manual(NOW + DAY), rules(), ttl(YEAR));
    assert_eq!(server.round().await.deleted, 1);
    assert_eq!(place.present(), [1, 2].into());
}

#[tokio::test]
async fn on_a_quiet_directory_the_limit_holds_after_an_hour() {
    let place = Place::new();
    for (number, days) in [(1, 200), (2, 210), (3, 220), (4, 400)] {
        place.application(number, days * MINUTES_OF_A_DAY);
    }
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), ttl(YEAR));
    server.round().await;
    assert_eq!(held(&server).await, Some((HeldReason::Clock, 1)));
    clock.advance(Duration::from_millis(3_600_000 - 1));
    assert_eq!(server.round().await.deleted, 0);
    clock.advance(Duration::from_millis(1));
    assert_eq!(server.round().await.deleted, 1);
    assert_eq!(place.present(), [1, 2, 3].into());
    assert_eq!(held(&server).await, None);
    // And from then on at once, over restarts too.
    server.world.close().await;
    let mut server = place.open_at(clock, rules(), ttl(215 * DAY));
    assert_eq!(server.round().await.deleted, 1);
}

#[tokio::test]
async fn a_wrong_clock_that_ran_for_an_hour_still_does_not_take_more_than_half() {
    let place = Place::new();
    archives(&place);
    let mut server = place.open(rules(), ttl(YEAR));
    server.round().await;
    server.world.close().await;
    let clock = Clock::manual(NOW + 400 * DAY);
    let mut server = place.open_at(clock.clone(), rules(), ttl(YEAR));
    server.round().await;
    clock.advance(HOUR);
    assert_eq!(server.round().await.deleted, 0);
    assert_eq!(held(&server).await, Some((HeldReason::FirstLimit, 12)));
    assert_eq!(place.present().len(), 12);
}

#[tokio::test]
async fn other_limits_hold_while_the_clock_is_doubted() {
    let place = Place::new();
    archives(&place);
    let policy = Policy { ttl: Some(YEAR), applications: Some(9), ..Policy::default() };
    let mut server = place.open_at(Clock::manual(NOW + 400 * DAY), rules(), RetentionRules { policy, ..RetentionRules::default() });
    assert_eq!(server.round().await.deleted, 2);
    assert_eq!(place.present(), (1..=9).chain([0x41, 0x42]).collect());
    assert_eq!(held(&server).await, Some((HeldReason::Clock, 11)));
    assert!(server.pending().await.iter().all(|removal| removal.held));
}

#[tokio::test]
async fn due_removals_by_age_are_withdrawn_when_the_clock_jumps_before_the_cleanup() {
    let place = Place::new();
    archives(&place);
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), ttl(YEAR));
    server.world.full_scan().await;
    assert_eq!(server.listed().await.len(), 10);
    clock.set(clock.now() - 30 * DAY);
    server.world.full_scan().await;
    assert_eq!(server.listed().await.len(), 11);
    assert_eq!(server.clean().await.deleted, 0);
    assert_eq!(place.present().len(), 13);
}

#[tokio::test]
async fn the_command_waits_for_a_confirmation_where_nothing_shows_that_the_clock_is_right() {
    // To a process that starts, a clock that is ahead by years and archives that are years old look alike.
    let place = Place::new();
    let old = Clock::System.now() - 3 * YEAR;
    for number in 1..=5 {
        let file = place.root().join(id(number));
        write(&file, job(&id(number), "old", old.as_millis()));
        set_modified(&file, (old - u32::from(number) * DAY).as_millis());
    }
    let option = "historyserver.archive.retained-ttl=365 d";
    let run = |arguments: &[&str]| command(&[&place.root()], &place.data(), &[option]).arg("cleanup").args(arguments).output().unwrap();
    let held = run(&["--json"]);
    assert_eq!(held.status.code(), Some(2), "{held:?}");
    let log = String::from_utf8_lossy(&held.stderr).into_owned();
    assert!(log.contains("WARN") && log.contains("the clock of this machine may be ahead"), "{log}");
    let told: Value = serde_json::from_slice(&held.stdout).unwrap();
    assert_eq!((&told["held_back"][0]["reason"], &told["held_back"][0]["units"]), (&"clock".into(), &5.into()));
    assert_eq!(place.present().len(), 5);
    let preview: Value = serde_json::from_slice(&run(&["--dry-run", "--json"]).stdout).unwrap();
    assert_eq!(preview["removals"].as_array().unwrap().len(), 5);
    assert!(preview["removals"].as_array().unwrap().iter().all(|row| row["held_back"] == true));
    let confirmed = run(&["--confirm", told["held_back"][0]["plan"].as_str().unwrap()]);
    assert_eq!(confirmed.status.code(), Some(0), "{confirmed:?}");
    assert_eq!(place.present().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_a_store_is_trusted_more_than_the_clock_while_they_differ() {
    let moto = Moto::start();
    moto.make_bucket("bucket").await;
    let store = moto.client("bucket");
    newest_last(store.as_ref(), 3).await;
    let directory = Directory::open("s3://bucket/archives", &moto.options()).unwrap();
    let data = tempfile::tempdir().unwrap();
    // As if the clock had been so wrong for long: by the index it is right.
    let clock = Clock::manual(Clock::System.now() + 400 * DAY);
    let mut server = Cleaner::open(&[directory], data.path(), clock.clone(), rules(), ttl(YEAR));
    server.world.writer.note_refresh(clock.now()).await.unwrap();
    for _ in 0..3 {
        assert_eq!(server.round().await.deleted, 0);
        let told = reasons(&server).await;
        assert!(told.iter().any(|reason| reason.contains("ahead of that of the store; nothing expires")), "{told:?}");
        clock.advance(HOUR);
    }
    assert_eq!(held(&server).await, Some((HeldReason::Clock, 3)));
    assert_eq!(objects(store.as_ref()).await.len(), 6);
}
