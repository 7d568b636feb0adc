//! What was never read is read before it is deleted, and what cannot be read stays.

use std::fs;
use std::path::{Path, PathBuf};

use historyserver::refresh::RetentionRules;
use historyserver::retention::policy::Policy;
use serde_json::Value;

use super::faults::{keeping, newest_last, now, objects};
use super::world::{DAY, MINUTE, NOW, Place, id, keep, limited, rules};
use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{application_folder, envelope, job, set_modified, write};
use crate::support::process::{Process, command};

/// Makes a file unreadable in one of several ways, and keeps its time.
fn damage(file: &Path, how: &str) {
    let modified = fs::metadata(file).unwrap().modified().unwrap();
    let content = fs::read(file).unwrap();
    let broken = match how {
        "cut" => content[..content.len() / 2].to_vec(),
        "empty" => Vec::new(),
        "last bytes missing" => content[..content.len() - 2].to_vec(),
        "zeros" => vec![0; content.len()],
        "another's" => job(&id(0x7f), "another", NOW.as_millis()).into_bytes(),
        _ => unreachable!("{how}"),
    };
    fs::write(file, broken).unwrap();
    fs::File::options().write(true).open(file).unwrap().set_modified(modified).unwrap();
}

const WAYS: [&str; 5] = ["cut", "empty", "last bytes missing", "zeros", "another's"];

fn summary_of(place: &Place, number: u8) -> PathBuf {
    application_folder(&place.root(), "c", &id(number)).join("application-summary")
}

/// Six applications and six legacy jobs, of which the two oldest of each cannot be read.
fn half_broken(place: &Place, how: &str) {
    for number in 1..=6 {
        place.application(number, i64::from(number) * 10);
        place.legacy_job(number | 0x40, i64::from(number) * 10);
    }
    for number in [5, 6] {
        damage(&summary_of(place, number), how);
        damage(&place.root().join(id(number | 0x40)), how);
    }
}

fn both(kept: u64) -> Policy {
    Policy { applications: Some(kept), legacy_jobs: Some(kept), ..Policy::default() }
}

#[tokio::test]
async fn on_a_fresh_index_unreadable_archives_stay_and_the_rest_is_deleted() {
    let broken = [5, 6, 0x45, 0x46];
    let policies = [both(3), Policy { ttl: Some(35 * MINUTE), ..Policy::default() }];
    for how in WAYS {
        for policy in policies {
            let place = Place::new();
            half_broken(&place, how);
            // The clock is believed: there is an archive of a minute ago.
            place.application(7, 1);
            let kept: Vec<u8> = if policy.ttl.is_some() { vec![1, 2, 3, 7, 0x41, 0x42, 0x43] } else { vec![1, 2, 7, 0x41, 0x42, 0x43] };
            let mut server = place.open(rules(), limited(policy));
            server.round().await;
            server.round().await;
            assert_eq!(place.present(), kept.into_iter().chain(broken).collect(), "{how}: {policy:?}");
            assert!(!server.world.problems().await.is_empty());
        }
    }
}

#[tokio::test]
async fn by_size_unreadable_archives_stay_too() {
    let place = Place::new();
    half_broken(&place, "cut");
    let bytes = |number: u8| {
        let folder = application_folder(&place.root(), "c", &id(number));
        fs::metadata(summary_of(&place, number)).unwrap().len() + fs::metadata(folder.join("jobs").join(id(number | 0x80))).unwrap().len()
    };
    let legacy = fs::metadata(place.root().join(id(0x41))).unwrap().len();
    let mut server = place.open(rules(), limited(Policy { bytes: Some(bytes(1) + bytes(2) + 2 * legacy), ..Policy::default() }));
    server.round().await;
    assert_eq!(place.present(), [1, 2, 5, 6, 0x41, 0x42, 0x45, 0x46].into());
}

#[tokio::test]
async fn newer_unreadable_archives_are_not_counted() {
    let place = Place::new();
    for number in 1..=6 {
        place.application(number, i64::from(number) * 10);
    }
    damage(&summary_of(&place, 1), "cut");
    damage(&summary_of(&place, 2), "empty");
    let mut server = place.open(rules(), keep(3));
    for _ in 0..3 {
        server.round().await;
        assert_eq!(place.present(), [1, 2, 3, 4, 5].into());
    }
}

#[tokio::test]
async fn an_application_stays_with_a_job_archive_that_cannot_be_read() {
    let place = Place::new();
    for number in 1..=4 {
        place.application(number, i64::from(number) * 10);
    }
    damage(&application_folder(&place.root(), "c", &id(4)).join("jobs").join(id(0x84)), "cut");
    let mut server = place.open(rules(), keep(2));
    server.round().await;
    server.round().await;
    assert_eq!(place.present(), [1, 2, 4].into());
    assert_eq!(server.world.problems().await, ["archive-unreadable"]);
}

#[tokio::test]
async fn unreadable_archives_are_deleted_where_configured() {
    let place = Place::new();
    half_broken(&place, "cut");
    let mut server = place.open(rules(), limited(Policy { delete_unreadable: true, ..both(3) }));
    server.round().await;
    assert_eq!(place.present(), [1, 2, 3, 0x41, 0x42, 0x43].into());
}

#[tokio::test]
async fn a_large_job_archive_is_looked_at_by_its_ends() {
    let document = format!("{{\"jid\":\"x\",\"text\":\"{}\"}}", "}]} ".repeat(300_000));
    for (how, stays) in [("whole", false), ("last bytes missing", true), ("cut", true), ("another's", true)] {
        let place = Place::new();
        place.legacy_job(1, 1);
        let file = place.root().join(id(2));
        let owner = if how == "another's" { id(3) } else { id(2) };
        let details = format!("/jobs/{owner}");
        let plan = format!("/jobs/{owner}/plan");
        write(&file, envelope(&[(&details, "{}"), (&plan, &document)]));
        if how != "another's" && how != "whole" {
            damage(&file, how);
        }
        set_modified(&file, (NOW - DAY).as_millis());
        let mut server = place.open(rules(), limited(both(1)));
        server.round().await;
        assert_eq!(place.present().contains(&2), stays, "{how}");
        // Nothing of it was kept where it was whole: it was never ingested.
        if !stays {
            assert!(server.record().await.iter().all(|deletion| deletion.name.is_none()));
        }
    }
}

#[tokio::test]
async fn the_command_and_its_dry_run_agree_with_the_server() {
    let broken = [5, 6, 0x45, 0x46];
    let options = ["historyserver.archive.retained-applications=3", "historyserver.archive.retained-jobs=3"];
    let place = Place::new();
    half_broken(&place, "cut");
    let run = |arguments: &[&str]| command(&[&place.root()], &place.data(), &options).arg("cleanup").args(arguments).output().unwrap();
    let preview: Value = serde_json::from_slice(&run(&["--dry-run", "--json"]).stdout).unwrap();
    let removals = preview["removals"].as_array().unwrap();
    let shown: Vec<&Value> = removals.iter().map(|row| if row["job"].is_null() { &row["application"] } else { &row["job"] }).collect();
    assert_eq!(shown, [&Value::from(id(0x44)), &Value::from(id(4))], "{preview}");
    assert_eq!(place.present().len(), 12);
    let done = run(&["--json"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let expected = [1, 2, 3, 0x41, 0x42, 0x43].into_iter().chain(broken).collect();
    assert_eq!(place.present(), expected);
    // A server over the same archives, with an index of its own.
    let other = Place::new();
    half_broken(&other, "cut");
    let server = Process::start(&[&other.root()], &other.data(), &options);
    server.wait_until("/api/v1/deletions", "deleted", |record| record["deletions"].as_array().unwrap().len() == 2).await;
    server.wait_for_refreshes(2).await;
    assert_eq!(other.present(), expected);
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["refresh"]["directories"][0]["unread"], 0);
}

#[tokio::test]
async fn archives_that_the_store_does_not_return_stay_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    newest_last(store.store().as_ref(), 4).await;
    let clock = now();
    let all = objects(store.store().as_ref()).await.len();
    for failure in [Failure::Denied, Failure::Unavailable] {
        let data = folder.path().join(format!("{failure:?}"));
        store.fail(Operation::Get, "archives", failure);
        let mut server = keeping(2, &store, &data, &clock);
        assert_eq!(server.round().await.deleted, 0, "{failure:?}");
        assert_eq!(objects(store.store().as_ref()).await.len(), all);
        store.heal();
        server.world.close().await;
    }
    let mut server = keeping(2, &store, &folder.path().join("healed"), &clock);
    assert_eq!(server.round().await.deleted, 2);
}

#[tokio::test]
async fn a_mark_that_was_not_read_before_is_read_by_the_next_process() {
    // As an index of an older version leaves it.
    let place = Place::new();
    half_broken(&place, "cut");
    let mut server = place.open(rules(), limited(both(3)));
    server.world.full_scan().await;
    assert_eq!(server.pending().await.len(), 2);
    server.world.close().await;
    let index = rusqlite::Connection::open(place.data().join("historyserver.sqlite")).unwrap();
    let forged = "INSERT INTO expiries (directory, cluster, name, state, removal, reason, detail, time, bytes, at, folder, files)
                  SELECT directory, cluster, x'46464646464646464646464646464646', 1, 0, 'count', '', 0, 0, 0,
                         '46464646464646464646464646464646', x'' FROM expiries WHERE cluster = ''";
    assert_eq!(index.execute(forged, []).unwrap(), 1);
    drop(index);
    let mut server = place.open(rules(), RetentionRules { policy: both(3), ..RetentionRules::default() });
    server.round().await;
    assert_eq!(place.present(), [1, 2, 3, 5, 6, 0x41, 0x42, 0x43, 0x45, 0x46].into());
}
