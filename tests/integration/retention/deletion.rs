//! Deletions: only what was judged, never through links, restartable.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::index::RemovalOutcome;
use historyserver::retention::delete::Step;

use super::world::{Cleaner, NOW, Place, application_in, id, keep, rules};
use crate::support::archives::{application_folder, set_modified, summary, write};

#[tokio::test]
async fn an_application_rewritten_since_it_was_judged_is_left_alone_and_judged_again() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    let mut server = place.open(rules(), keep(1));
    server.world.full_scan().await;
    assert_eq!(server.pending().await.len(), 1);
    let file = application_folder(&place.root(), "c", &id(2)).join("application-summary");
    write(&file, summary(&id(2), "written again", NOW.as_millis(), &[]));
    set_modified(&file, NOW.as_millis());
    let report = server.clean().await;
    assert_eq!((report.changed, report.deleted), (1, 0));
    server.round().await;
    assert_eq!(place.present(), [2].into());
    assert_eq!(server.listed().await, [2].into());
}

/// A server that retains one of the two applications of a place, and does something once a step of the deletion is done.
fn disturbed(place: &Place, at: Step, disturb: impl Fn(&Path) + Send + Sync + 'static) -> Cleaner {
    place.application(1, 1);
    place.application(2, 2);
    let folder = application_folder(&place.root(), "c", &id(2));
    let directory = Directory::open(place.root().to_str().unwrap(), &BTreeMap::new()).unwrap();
    let once = std::sync::Once::new();
    let witness = Arc::new(move |step| {
        if step == at {
            once.call_once(|| disturb(&folder));
        }
    });
    Cleaner::witnessed(&[directory], &place.data(), Clock::manual(NOW), rules(), keep(1), witness)
}

#[tokio::test]
async fn a_file_that_is_rewritten_while_its_neighbours_are_deleted_stays_and_is_judged_again() {
    let place = Place::new();
    let mut server = disturbed(&place, Step::FirstJobDeleted, |folder| {
        write(&folder.join("application-summary"), summary(&id(2), "written again", NOW.as_millis(), &[]));
        set_modified(&folder.join("application-summary"), NOW.as_millis());
    });
    let report = server.round().await;
    assert_eq!((report.changed, report.deleted, report.failed), (1, 0, 0));
    server.round().await;
    assert_eq!(server.listed().await, [2].into(), "it is the newest now");
    assert_eq!(place.present(), [2].into());
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_while_it_is_deleted_leads_nowhere_else() {
    for part in ["", "..", "../.."] {
        let place = Place::new();
        let outside = place.folder.path().join("outside");
        application_in(&outside, "c", 2, 2);
        let (moved, target) = (place.folder.path().join("moved"), application_folder(&outside, "c", &id(2)).join(part));
        let target = target.canonicalize().unwrap();
        let mut server = disturbed(&place, Step::FirstJobDeleted, move |folder| {
            let folder = folder.join(part).canonicalize().unwrap();
            fs::rename(&folder, &moved).unwrap();
            symlink(&target, &folder).unwrap();
        });
        let report = server.round().await;
        assert_eq!((report.deleted, report.failed), (0, 1), "{part:?}");
        for _ in 0..2 {
            server.round().await;
        }
        let outside = application_folder(&outside, "c", &id(2));
        assert!(outside.join("application-summary").exists() && outside.join("jobs").join(id(0x82)).exists(), "{part:?}");
    }
}

#[tokio::test]
async fn a_deletion_that_was_cut_short_between_two_names_is_finished() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    place.legacy_job(3, 1);
    place.legacy_job(4, 2);
    let mut policy = keep(1);
    policy.policy.legacy_jobs = Some(1);
    let mut server = place.open(rules(), policy);
    server.world.full_scan().await;
    let folder = application_folder(&place.root(), "c", &id(2));
    let aside = |file: &Path| file.with_file_name(format!(".{}.deleting", file.file_name().unwrap().to_str().unwrap()));
    for file in [folder.join("jobs").join(id(0x82)), folder.join("application-summary"), place.root().join(id(4))] {
        fs::rename(&file, aside(&file)).unwrap();
    }
    let report = server.clean().await;
    assert_eq!((report.deleted, report.changed, report.failed), (2, 0, 0));
    assert!(!folder.exists() && !aside(&place.root().join(id(4))).exists());
    assert_eq!(place.present(), [1, 3].into());
}

#[tokio::test]
async fn a_missing_archive_counts_as_deleted() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    let mut server = place.open(rules(), keep(1));
    server.world.full_scan().await;
    fs::remove_dir_all(application_folder(&place.root(), "c", &id(2))).unwrap();
    let report = server.clean().await;
    assert_eq!((report.deleted, report.failed), (1, 0));
    assert_eq!(server.record().await[0].done, RemovalOutcome::AlreadyGone);
    assert_eq!(server.pending().await, []);
}

#[tokio::test]
async fn of_a_linked_application_the_link_alone_is_removed() {
    let place = Place::new();
    place.application(1, 1);
    let elsewhere = place.folder.path().join("elsewhere");
    application_in(&elsewhere, "c", 2, 2);
    let (target, link) = (application_folder(&elsewhere, "c", &id(2)), application_folder(&place.root(), "c", &id(2)));
    symlink(&target, &link).unwrap();
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(place.present(), [1].into());
    assert!(fs::symlink_metadata(&link).is_err());
    assert!(target.join("application-summary").exists() && target.join("jobs").join(id(0x82)).exists());
    let record = server.record().await;
    assert_eq!(record[0].done, RemovalOutcome::LinkRemoved);
    assert!(record[0].detail.contains("symbolic link"), "{}", record[0].detail);
}

#[tokio::test]
async fn an_application_below_a_linked_cluster_is_only_forgotten_once() {
    let place = Place::new();
    place.application(1, 1);
    let elsewhere = place.folder.path().join("elsewhere");
    application_in(&elsewhere, "linked", 2, 2);
    symlink(elsewhere.join("linked"), place.root().join("linked")).unwrap();
    let mut server = place.open(rules(), keep(1));
    for _ in 0..3 {
        server.round().await;
    }
    assert!(application_folder(&elsewhere, "linked", &id(2)).join("application-summary").exists());
    assert!(place.root().join("linked").exists());
    assert_eq!(server.listed().await, [1].into());
    let record = server.record().await;
    assert_eq!(record.len(), 1);
    assert_eq!(record[0].done, RemovalOutcome::Forgotten);
}

#[tokio::test]
async fn jobs_below_a_link_stay_where_they_are() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    let jobs = application_folder(&place.root(), "c", &id(2)).join("jobs");
    let elsewhere = place.folder.path().join("elsewhere");
    fs::rename(&jobs, &elsewhere).unwrap();
    symlink(&elsewhere, &jobs).unwrap();
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(place.present(), [1].into());
    assert!(elsewhere.join(id(0x82)).exists());
}

#[tokio::test]
async fn a_file_that_is_no_archive_stays_with_its_folder() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    let folder = application_folder(&place.root(), "c", &id(2));
    write(&folder.join("notes.txt"), "mine");
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert!(folder.join("notes.txt").exists());
    assert!(!folder.join("application-summary").exists() && !folder.join("jobs").exists());
    assert_eq!(server.listed().await, [1].into());
    assert_eq!(server.round().await.deleted, 0);
    assert_eq!(server.record().await.len(), 1);
}

#[tokio::test]
async fn the_last_application_of_a_cluster_leaves_its_folder_of_applications() {
    let place = Place::new();
    application_in(&place.root(), "old", 1, 100);
    application_in(&place.root(), "new", 2, 1);
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(place.present(), [2].into());
    assert!(place.root().join("old/applications").is_dir());
}

#[tokio::test]
async fn a_legacy_job_archive_is_deleted_however_its_name_is_spelled() {
    let place = Place::new();
    place.legacy_job(1, 1);
    place.legacy_job(0xab, 2);
    fs::rename(place.root().join(id(0xab)), place.root().join(id(0xab).to_uppercase())).unwrap();
    let mut policy = keep(1);
    (policy.policy.applications, policy.policy.legacy_jobs) = (None, Some(1));
    let mut server = place.open(rules(), policy);
    server.round().await;
    assert_eq!(place.present(), [1].into());
}

#[tokio::test]
async fn of_a_nested_cluster_the_emptied_folders_of_applications_go_and_others_stay() {
    let place = Place::new();
    let nested = "team a/prod ü #1";
    for (cluster, number, minutes) in [(nested, 1, 100), (nested, 2, 90), ("team a", 3, 1)] {
        application_in(&place.root(), cluster, number, minutes);
    }
    let mut server = place.open(rules(), keep(1));
    server.round().await;
    assert_eq!(server.listed().await, [3].into());
    assert!(place.root().join(nested).join("applications").is_dir());
    assert_eq!(fs::read_dir(place.root().join(nested).join("applications")).unwrap().count(), 0);
    assert!(application_folder(&place.root(), "team a", &id(3)).join("application-summary").exists());
    assert_eq!(server.record().await.len(), 2);
}

#[tokio::test]
async fn archives_below_hidden_names_are_neither_counted_nor_deleted() {
    let place = Place::new();
    for number in 1..=4 {
        application_in(&place.root(), "c", number, i64::from(number) * 10);
    }
    // The newest and the oldest of all.
    for (cluster, number, minutes) in [(".old", 5, 1_000), ("_keep", 6, 1), ("team/.trash", 7, 2), ("team/_x/prod", 8, 900)] {
        application_in(&place.root(), cluster, number, minutes);
    }
    let mut server = place.open(rules(), keep(3));
    server.round().await;
    server.round().await;
    assert_eq!(server.listed().await, (1..=3).collect());
    assert_eq!(place.present(), [1, 2, 3, 5, 6, 7, 8].into());
    assert_eq!(server.record().await.len(), 1);
}
