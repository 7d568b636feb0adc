//! The first cleanup with a limit, the first with a stricter one, and limits and times that nobody can mean.

use std::time::Duration;

use historyserver::clock::Clock;
use historyserver::index::HeldReason;
use historyserver::refresh::RetentionRules;
use historyserver::refresh::plan::Rules;
use historyserver::retention::policy::Policy;

use super::world::{Cleaner, DAY, MINUTE, NOW, Place, application_in, id, keep, rules};
use crate::support::archives::{application_folder, set_modified};
use crate::support::process::{Process, command};

/// Limits of an operator who has not set `max-delete-fraction`.
fn usual(policy: Policy) -> RetentionRules {
    RetentionRules { policy, ..RetentionRules::default() }
}

fn count(applications: u64) -> RetentionRules {
    usual(Policy { applications: Some(applications), ..Policy::default() })
}

fn write(place: &Place, applications: u8) {
    for number in 1..=applications {
        place.application(number, i64::from(number));
    }
}

async fn held(server: &Cleaner) -> Option<(HeldReason, u64, u64)> {
    server.world.reader.held_cleanups().await.unwrap().first().map(|held| (held.reason, held.units, held.of))
}

async fn confirm(server: &Cleaner) {
    let held = server.world.reader.held_cleanups().await.unwrap().remove(0);
    assert!(server.world.writer.confirm_cleanup(&held.directory, &held.plan, NOW).await.unwrap());
}

/// A round after which nothing is gone.
async fn takes_nothing(server: &mut Cleaner, place: &Place) {
    let before = place.present();
    assert_eq!(server.round().await.deleted, 0);
    assert_eq!(place.present(), before);
}

#[tokio::test]
async fn mistaken_limits_that_would_delete_nearly_everything_are_held_and_reported() {
    let slips = [
        Policy { ttl: Some(Duration::from_millis(30)), ..Policy::default() },
        Policy { ttl: Some(Duration::from_millis(59_999)), ..Policy::default() },
        Policy { applications: Some(1), ..Policy::default() },
        Policy { bytes: Some(500), ..Policy::default() },
        Policy { ttl: Some(Duration::from_millis(30)), bytes: Some(500), ..Policy::default() },
    ];
    for policy in slips {
        let place = Place::new();
        write(&place, 10);
        place.legacy_job(0x41, 3);
        let mut server = place.open(rules(), usual(policy));
        for _ in 0..3 {
            takes_nothing(&mut server, &place).await;
        }
        assert!(matches!(held(&server).await, Some((HeldReason::FirstLimit, 9.., 11))), "{policy:?}: {:?}", held(&server).await);
        let problems = server.world.problems().await;
        assert!(problems.contains(&"cleanup-held-back".to_owned()), "{policy:?}");
        assert_eq!(problems.contains(&"limit-implausible".to_owned()), policy.applications.is_none(), "{policy:?}: {problems:?}");
        // It is listed and served meanwhile.
        assert_eq!(server.listed().await.len(), 10);
    }
}

#[tokio::test]
async fn a_usual_first_limit_and_one_that_takes_exactly_half_hold_at_once() {
    for (kept, left) in [(9, 9), (5, 5)] {
        let place = Place::new();
        write(&place, 10);
        let mut server = place.open(rules(), count(kept));
        server.round().await;
        assert_eq!(place.present().len(), left);
        assert_eq!(held(&server).await, None);
    }
}

#[tokio::test]
async fn two_of_three_are_more_than_half_too() {
    let place = Place::new();
    write(&place, 3);
    let mut server = place.open(rules(), count(1));
    takes_nothing(&mut server, &place).await;
    assert_eq!(held(&server).await, Some((HeldReason::FirstLimit, 2, 3)));
}

#[tokio::test]
async fn a_configured_fraction_of_one_deletes_at_once() {
    let place = Place::new();
    write(&place, 10);
    let mut server = place.open(rules(), keep(1));
    assert_eq!(server.round().await.deleted, 9);
}

#[tokio::test]
async fn a_limit_that_was_followed_may_take_everything_later_over_restarts_too() {
    let place = Place::new();
    write(&place, 10);
    let ttl = usual(Policy { ttl: Some(DAY), ..Policy::default() });
    let clock = Clock::manual(NOW);
    let mut server = place.open_at(clock.clone(), rules(), ttl);
    server.round().await;
    server.world.close().await;
    let mut server = place.open_at(clock.clone(), rules(), ttl);
    server.round().await;
    clock.advance(2 * DAY);
    assert_eq!(server.round().await.deleted, 10);
}

#[tokio::test]
async fn a_stricter_limit_that_would_take_more_than_half_waits_and_a_wider_one_lets_go() {
    let place = Place::new();
    write(&place, 10);
    let mut server = place.open(rules(), count(8));
    server.round().await;
    assert_eq!(place.present().len(), 8);
    server.world.close().await;
    let mut server = place.open(rules(), count(3));
    takes_nothing(&mut server, &place).await;
    assert_eq!(held(&server).await, Some((HeldReason::StricterLimit, 5, 8)));
    server.world.close().await;
    let mut server = place.open(rules(), count(6));
    server.round().await;
    assert_eq!((place.present().len(), held(&server).await), (6, None));
    server.world.close().await;
    // Confirmed, it is followed from then on.
    let mut server = place.open(rules(), count(1));
    takes_nothing(&mut server, &place).await;
    confirm(&server).await;
    server.round().await;
    assert_eq!(place.present(), [1].into());
    write(&place, 10);
    server.round().await;
    assert_eq!(place.present(), [1].into());
}

#[tokio::test]
async fn a_limit_of_another_kind_and_one_without_an_index_are_first_limits_again() {
    let place = Place::new();
    write(&place, 10);
    let mut server = place.open(rules(), count(10));
    server.round().await;
    server.world.close().await;
    let both = Policy { applications: Some(10), ttl: Some(3 * MINUTE), ..Policy::default() };
    let mut server = place.open(rules(), usual(both));
    takes_nothing(&mut server, &place).await;
    assert_eq!(held(&server).await, Some((HeldReason::StricterLimit, 8, 10)));
    server.world.close().await;
    let mut server = place.open(rules(), usual(Policy { delete_unreadable: true, ..count(1).policy }));
    takes_nothing(&mut server, &place).await;
    server.world.close().await;
    std::fs::remove_dir_all(place.data()).unwrap();
    let mut server = place.open(rules(), count(1));
    takes_nothing(&mut server, &place).await;
    assert_eq!(held(&server).await, Some((HeldReason::FirstLimit, 9, 10)));
}

#[tokio::test]
async fn removals_that_only_forget_are_not_held() {
    let place = Place::new();
    write(&place, 10);
    let mut server = place.open(rules(), RetentionRules { keep_archives: true, ..count(1) });
    server.round().await;
    assert_eq!((server.listed().await, place.present().len()), ([1].into(), 10));
    server.world.close().await;
    // To delete what was only forgotten before is stricter.
    let mut server = place.open(rules(), count(1));
    takes_nothing(&mut server, &place).await;
    assert_eq!(held(&server).await, Some((HeldReason::StricterLimit, 9, 10)));
}

#[tokio::test]
async fn an_empty_directory_is_no_first_cleanup_and_an_implausible_limit_stays_guarded() {
    let place = Place::new();
    let mut server = place.open(rules(), usual(Policy { ttl: Some(Duration::from_millis(30)), ..Policy::default() }));
    server.round().await;
    for number in 1..=3 {
        place.application(number, 1);
        takes_nothing(&mut server, &place).await;
    }
    assert_eq!(held(&server).await, Some((HeldReason::FirstLimit, 3, 3)));
    confirm(&server).await;
    server.round().await;
    assert_eq!(place.present(), [].into());
    place.application(4, 1);
    server.round().await;
    assert_eq!(place.present(), [].into());
}

#[tokio::test]
async fn missing_archives_are_forgotten_without_a_guard() {
    let place = Place::new();
    write(&place, 10);
    let mut server = place.open(Rules { forget_gone_applications: true, ..rules() }, count(10));
    server.round().await;
    for number in 2..=10 {
        std::fs::remove_dir_all(application_folder(&place.root(), "c", &id(number))).unwrap();
    }
    server.round().await;
    assert_eq!((server.listed().await, held(&server).await), ([1].into(), None));
}

/// Dates all files of an application.
fn date(place: &Place, number: u8, millis: i64) {
    let folder = application_folder(&place.root(), "c", &id(number));
    set_modified(&folder.join("application-summary"), millis);
    set_modified(&folder.join("jobs").join(id(number | 0x80)), millis);
}

#[tokio::test]
async fn archives_dated_before_flink_existed_wait_whatever_the_limit_and_the_rest_goes() {
    let policies = [
        Policy { ttl: Some(3650 * DAY), ..Policy::default() },
        Policy { applications: Some(6), ..Policy::default() },
        Policy { bytes: Some(100_000), applications: Some(6), ..Policy::default() },
    ];
    for policy in policies {
        let place = Place::new();
        write(&place, 10);
        // 1970, 1980 (what a zip file begins with) and 2001.
        for (number, millis) in [(8, 0), (9, 315_532_800_000), (10, 1_000_000_000_000)] {
            date(&place, number, millis);
        }
        let mut server = place.open(rules(), usual(policy));
        let gone = server.round().await.deleted;
        assert_eq!(gone, u64::from(policy.applications.is_some()), "{policy:?}");
        assert_eq!(held(&server).await.map(|(reason, units, _)| (reason, units)), Some((HeldReason::Times, 3)), "{policy:?}");
        assert_eq!(server.world.problems().await, ["times-implausible"]);
        confirm(&server).await;
        server.round().await;
        assert_eq!(place.present().len(), if policy.applications.is_some() { 6 } else { 7 });
        server.world.full_scan().await;
        assert_eq!(server.world.problems().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn where_everything_is_dated_1970_nothing_goes_by_age_even_with_everything_allowed() {
    for fraction in [None, Some(1.0)] {
        let place = Place::new();
        for number in 1..=6 {
            application_in(&place.root(), "c", number, 1);
            date(&place, number, 0);
        }
        let policy = Policy { ttl: Some(3650 * DAY), ..Policy::default() };
        let mut server = place.open(rules(), RetentionRules { policy, max_delete_fraction: fraction, ..RetentionRules::default() });
        takes_nothing(&mut server, &place).await;
        takes_nothing(&mut server, &place).await;
        let problems =
            server.world.reader.everything().problem_page(historyserver::index::ProblemFilter::default(), None, 10).await.unwrap().0.rows;
        assert!(problems.iter().any(|problem| problem.reason.contains("6 archives in") && problem.reason.contains("dated before 2014")));
    }
}

#[tokio::test]
async fn check_config_reports_implausible_limits_and_times() {
    let place = Place::new();
    write(&place, 3);
    date(&place, 2, 0);
    set_modified(&application_folder(&place.root(), "c", &id(3)).join("application-summary"), (Clock::System.now() + 2 * DAY).as_millis());
    let check = |options: &[&str]| {
        let output = command(&[&place.root()], &place.data(), options).arg("check-config").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().filter(|line| line.starts_with("warning: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(check(&[]), Vec::<String>::new());
    let told = check(&["historyserver.archive.retained-ttl=30", "historyserver.archive.retained-size=500"]);
    for part in [
        "historyserver.archive.retained-ttl is 30 ms",
        "historyserver.archive.retained-size is 500 bytes, and the newest archive",
        "1 archives in file://",
        "are dated before 2014",
        "ahead of this machine's clock",
    ] {
        assert!(told.iter().any(|line| line.contains(part)), "{part}: {told:?}");
    }
    assert_eq!(told.len(), 4, "{told:?}");
    let usual = check(&["historyserver.archive.retained-ttl=365 d", "historyserver.archive.retained-size=1 gb"]);
    assert_eq!(usual.len(), 2, "{usual:?}");
}

#[tokio::test]
async fn an_implausible_limit_is_logged_at_the_start_and_reported_by_readyz() {
    let place = Place::new();
    write(&place, 5);
    let server = Process::start(&[&place.root()], &place.data(), &["historyserver.archive.retained-ttl=30"]);
    server.wait_for_log("historyserver.archive.retained-ttl is 30 ms: nearly every archive is older");
    server.wait_for_log("the first cleanup of");
    let held = |status: &serde_json::Value| status["refresh"]["directories"][0]["held_back"]["reason"] == "first-limit";
    server.wait_until("/api/v1/status", "held back", held).await;
    assert_eq!(place.present().len(), 5);
}
