//! The guard against the fatal mistake.

use std::fs;

use historyserver::index::RemovalState;
use historyserver::refresh::RetentionRules;
use historyserver::refresh::plan::Rules;

use super::world::{Cleaner, NOW, Place, id, keep, rules};
use crate::support::archives::application_folder;

fn guarded(applications: u64) -> RetentionRules {
    RetentionRules { max_delete_fraction: Some(0.5), ..keep(applications) }
}

async fn confirm(server: &Cleaner) {
    let held = server.world.reader.held_cleanups().await.unwrap();
    assert_eq!(held.len(), 1);
    assert!(server.world.writer.confirm_cleanup(&held[0].directory, &held[0].plan, NOW).await.unwrap());
}

fn ten(place: &Place) {
    for number in 1..=10 {
        place.application(number, i64::from(number));
    }
}

#[tokio::test]
async fn a_run_that_would_delete_too_much_does_nothing_until_it_is_confirmed() {
    let place = Place::new();
    ten(&place);
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.world.close().await;
    let mut server = place.open(rules(), guarded(4));
    for _ in 0..2 {
        assert_eq!(server.round().await.deleted, 0);
        assert_eq!(place.present().len(), 10);
        assert_eq!(server.listed().await.len(), 10);
        assert_eq!(server.world.problems().await, ["cleanup-held-back"]);
    }
    let held = server.world.reader.held_cleanups().await.unwrap();
    assert_eq!((held[0].units, held[0].of), (6, 10));
    let pending = server.pending().await;
    assert_eq!(pending.len(), 6);
    assert!(pending.iter().all(|each| each.held && each.state == RemovalState::Held));
    assert!(!server.world.writer.confirm_cleanup(&held[0].directory, "0000000000000000", NOW).await.unwrap());
    confirm(&server).await;
    server.round().await;
    assert_eq!(place.present(), (1..=4).collect());
    assert_eq!(server.listed().await, (1..=4).collect());
    server.world.full_scan().await;
    assert_eq!(server.world.problems().await, Vec::<String>::new());
    assert_eq!(server.record().await.len(), 6);
}

#[tokio::test]
async fn a_confirmation_is_void_when_the_plan_has_changed_and_a_restart_does_not_lose_it() {
    let place = Place::new();
    ten(&place);
    let mut server = place.open(rules(), guarded(4));
    server.round().await;
    let before = server.world.reader.held_cleanups().await.unwrap().remove(0);
    place.application(11, 0);
    server.round().await;
    let after = server.world.reader.held_cleanups().await.unwrap().remove(0);
    assert_ne!(before.plan, after.plan);
    assert!(!server.world.writer.confirm_cleanup(&before.directory, &before.plan, NOW).await.unwrap());
    confirm(&server).await;
    server.world.close().await;
    let mut server = place.open(rules(), guarded(4));
    server.round().await;
    assert_eq!(place.present(), [1, 2, 3, 11].into());
}

#[tokio::test]
async fn exactly_the_fraction_passes() {
    let place = Place::new();
    ten(&place);
    let mut server = place.open(rules(), guarded(5));
    server.round().await;
    assert_eq!(place.present().len(), 5);
}

#[tokio::test]
async fn raising_a_limit_withdraws_held_removals() {
    let place = Place::new();
    ten(&place);
    let mut server = place.open(rules(), guarded(4));
    server.round().await;
    server.world.close().await;
    let mut server = place.open(rules(), guarded(8));
    server.round().await;
    assert_eq!(place.present().len(), 8);
    assert_eq!(server.world.reader.held_cleanups().await.unwrap(), []);
    assert_eq!(server.pending().await, []);
}

#[tokio::test]
async fn forgetting_too_many_missing_archives_is_held_too() {
    let place = Place::new();
    ten(&place);
    let rules = Rules { forget_gone_applications: true, ..rules() };
    let retention = RetentionRules { max_delete_fraction: Some(0.5), ..RetentionRules::default() };
    let mut server = place.open(rules, retention);
    server.round().await;
    for number in 1..=6 {
        fs::remove_dir_all(application_folder(&place.root(), "c", &id(number))).unwrap();
    }
    server.round().await;
    server.round().await;
    assert_eq!(server.listed().await.len(), 10);
    assert_eq!(server.world.problems().await, ["cleanup-held-back"]);
    confirm(&server).await;
    server.round().await;
    assert_eq!(server.listed().await, (7..=10).collect());
    assert_eq!(server.record().await.len(), 6);
    server.round().await;
    assert_eq!(server.pending().await, []);
    assert_eq!(server.world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_suddenly_empty_directory_is_trusted_when_that_is_confirmed() {
    let place = Place::new();
    ten(&place);
    let rules = Rules { forget_gone_applications: true, ..rules() };
    let mut server = place.open(rules, RetentionRules { max_delete_fraction: Some(0.5), ..RetentionRules::default() });
    server.round().await;
    fs::remove_dir_all(place.root()).unwrap();
    server.round().await;
    assert_eq!(server.listed().await.len(), 10);
    assert_eq!(server.world.problems().await, ["directory-vanished"]);
    confirm(&server).await;
    server.round().await;
    assert_eq!(server.listed().await.len(), 0);
    server.round().await;
    assert_eq!(server.world.problems().await, ["directory-missing"]);
}

#[tokio::test]
async fn a_vanished_directory_that_returns_loses_nothing() {
    let place = Place::new();
    ten(&place);
    let away = place.folder.path().join("away");
    let mut server = place.open(rules(), keep(9));
    server.world.full_scan().await;
    assert_eq!(server.listed().await.len(), 9);
    fs::rename(place.root(), &away).unwrap();
    let report = server.round().await;
    assert_eq!(report.deleted + report.forgotten, 0);
    fs::rename(&away, place.root()).unwrap();
    server.round().await;
    assert_eq!(place.present(), (1..=9).collect());
    assert_eq!(server.world.reader.held_cleanups().await.unwrap(), []);
}
