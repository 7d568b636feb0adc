//! Deletions in object stores: of many units by few requests, checked, and careful with every answer.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use historyserver::clock::Clock;
use historyserver::index::RemovalOutcome;
use historyserver::retention::policy::Policy;

use super::world::{Cleaner, MINUTE, NOW, keep, limited, rules};
use crate::s3_double::{Deletions, S3Double};
use crate::support::archives::{job, summary};

/// End of all runs.
const END: i64 = 1_795_000_000_000;

/// An id that differs for each number, in no order.
fn scattered(number: u128) -> String {
    format!("{:032x}", number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

/// An application with one job. Its key below the root is returned.
fn put(store: &S3Double, cluster: &str, number: u128) -> String {
    let (id, job_id) = (scattered(number), scattered(number + 1_000_000));
    let folder = format!("archives/{cluster}/applications/{id}");
    store.put(format!("{folder}/jobs/{job_id}"), job(&job_id, "job", END));
    store.put(format!("{folder}/application-summary"), summary(&id, "name", END, &[&job_id]));
    folder
}

fn put_all(store: &S3Double, count: u128) {
    for number in 0..count {
        put(store, "prod", number);
    }
}

fn open(store: &S3Double, data: &Path, applications: u64) -> (Cleaner, Clock) {
    let clock = Clock::manual(NOW);
    (Cleaner::open(&[store.directory()], data, clock.clone(), rules(), keep(applications)), clock)
}

/// Numbers of requests that list and that delete, since the last call.
fn requests(store: &S3Double) -> (usize, usize) {
    let requests = store.take_requests();
    let count = |part: &str| requests.iter().filter(|request| request.contains(part)).count();
    let (lists, deletions) = (count("list-type=2"), count("?delete"));
    assert_eq!(lists + deletions, requests.len(), "{requests:?}");
    (lists, deletions)
}

fn folders(store: &S3Double) -> BTreeSet<String> {
    store.keys().iter().filter_map(|key| Some(key.split_once("/applications/")?.1.split('/').next()?.to_owned())).collect()
}

#[tokio::test]
async fn many_applications_of_a_cluster_are_deleted_by_few_requests() {
    let store = S3Double::start().await;
    put_all(&store, 1_200);
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 100);
    server.world.full_scan().await;
    store.take_requests();
    store.delay(Duration::from_millis(30));
    let start = Instant::now();
    let report = server.clean().await;
    // One request after another for each application would take 66 s, and 16 at once 10 s with their listings.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!((report.deleted, report.failed, report.changed), (1_100, 0, 0));
    // 2,400 keys before and 200 after are 4 pages. 1,100 job archives and 1,100 summaries are 4 deletions.
    assert_eq!(requests(&store), (4, 4));
    assert_eq!(folders(&store).len(), 100);
    assert_eq!(server.world.applications().await.len(), 100);
    assert_eq!(server.pending().await, []);
}

#[tokio::test]
async fn clusters_with_one_application_each_are_listed_together() {
    let store = S3Double::start().await;
    for number in 0..700 {
        put(&store, &scattered(number + 5_000), number);
    }
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 50);
    server.world.full_scan().await;
    store.take_requests();
    assert_eq!(server.clean().await.deleted, 650);
    // 1,400 keys before and 100 after; 650 job archives and 650 summaries.
    assert_eq!(requests(&store), (3, 2));
    assert_eq!(folders(&store).len(), 50);
}

#[tokio::test]
async fn a_few_applications_among_many_cost_a_page_each_at_most() {
    let store = S3Double::start().await;
    put_all(&store, 2_000);
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 1_998);
    server.world.full_scan().await;
    store.take_requests();
    assert_eq!(server.clean().await.deleted, 2);
    let (lists, deletions) = requests(&store);
    assert!(lists <= 4 && deletions == 2, "{lists} {deletions}");
}

#[tokio::test]
async fn legacy_jobs_are_deleted_together_beside_many_other_objects() {
    let store = S3Double::start().await;
    for number in 0..300 {
        store.put(format!("archives/{}", scattered(number)), job(&scattered(number), "legacy", END));
    }
    for number in 0..3_000 {
        store.put(format!("archives/{:x}-checkpoints/{number:05}", number % 16), "x");
    }
    let data = tempfile::tempdir().unwrap();
    let retention = limited(Policy { legacy_jobs: Some(10), ..Policy::default() });
    let mut server = Cleaner::open(&[store.directory()], data.path(), Clock::manual(NOW), rules(), retention);
    server.world.full_scan().await;
    store.take_requests();
    assert_eq!(server.clean().await.deleted, 290);
    assert_eq!(requests(&store), (2, 1));
    assert_eq!(store.keys().len(), 3_010);
}

#[tokio::test]
async fn markers_of_folders_go_with_their_application_and_other_objects_stay() {
    let store = S3Double::start().await;
    put_all(&store, 6);
    let all: Vec<String> = folders(&store).into_iter().map(|id| format!("archives/prod/applications/{id}")).collect();
    for folder in &all {
        for marker in ["/", "_$folder$", "", "/jobs/", "/jobs_$folder$", "/jobs"] {
            store.put(format!("{folder}{marker}"), "");
        }
    }
    store.put("archives/prod/applications/", "");
    store.put(format!("archives/prod/applications/{}/", scattered(77)), "");
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 1);
    server.world.full_scan().await;
    let kept = server.world.applications().await.remove(0);
    // Foreign objects keep the folder of one application.
    let foreign = all.iter().find(|folder| !folder.ends_with(&kept)).unwrap();
    store.put(format!("{foreign}/notes.txt"), "mine");
    assert_eq!(server.clean().await.deleted, 5);
    let left = store.keys();
    assert!(left.contains(&format!("{foreign}/notes.txt")) && left.contains(&format!("{foreign}/jobs/")), "{left:?}");
    let of_others = |key: &&String| !key.contains(&kept) && !key.starts_with(foreign.as_str());
    let others: Vec<&String> = left.iter().filter(of_others).collect();
    assert_eq!(others, ["archives/prod/applications/", &format!("archives/prod/applications/{}/", scattered(77))]);
    let record = server.record().await;
    assert_eq!(record.iter().filter(|deletion| deletion.detail.contains("its folder stays")).count(), 1);
}

#[tokio::test]
async fn an_object_that_the_store_refuses_to_delete_is_one_failure_and_stops_no_other() {
    let store = S3Double::start().await;
    put_all(&store, 5);
    let victim: &'static str = scattered(3).leak();
    let data = tempfile::tempdir().unwrap();
    let (mut server, clock) = open(&store, data.path(), 1);
    server.world.full_scan().await;
    let expired = 4 - usize::from(server.world.applications().await[0] == *victim);
    store.answer_deletions(Deletions::Denied(victim));
    let report = server.clean().await;
    assert_eq!(report.deleted + report.failed, 4);
    server.world.full_scan().await;
    if expired == 4 {
        assert_eq!(report.failed, 1);
        assert_eq!(server.world.problems().await, ["deletion-failed"]);
        let failure = server.pending().await[0].failure.clone().unwrap();
        assert!(failure.contains("AccessDenied") && failure.contains("s3:DeleteObject"), "{failure}");
        assert!(store.keys().iter().any(|key| key.contains(victim) && key.ends_with("application-summary")), "the summary is last");
        store.take_requests();
        assert_eq!(server.clean().await.failed, 0, "not before its time");
    }
    store.answer_deletions(Deletions::Plain);
    clock.advance(120 * MINUTE);
    server.round().await;
    server.round().await;
    assert_eq!((folders(&store).len(), server.world.problems().await), (1, Vec::new()));
}

#[tokio::test]
async fn credentials_that_may_not_delete_are_one_problem_and_one_request_for_each_cleanup() {
    let store = S3Double::start().await;
    put_all(&store, 1_500);
    let data = tempfile::tempdir().unwrap();
    let (mut server, clock) = open(&store, data.path(), 10);
    server.world.full_scan().await;
    store.answer_deletions(Deletions::Denied(""));
    store.take_requests();
    let report = server.clean().await;
    assert_eq!((report.deleted, report.failed), (0, 1_490));
    let (_, deletions) = requests(&store);
    assert!(deletions <= 2, "{deletions}");
    for _ in 0..3 {
        clock.advance(MINUTE);
        server.world.quick_scan().await;
        assert_eq!(server.world.problems().await, ["deletion-failed"]);
        store.take_requests();
        let report = server.clean().await;
        assert_eq!((report.deleted, report.failed), (0, 1_490));
        assert_eq!(requests(&store), (0, 1));
    }
    let failures: Vec<String> = server.pending().await.into_iter().filter_map(|each| each.failure).collect();
    let [failure] = &failures[..] else { panic!("{failures:?}") };
    for part in ["s3://bucket/archives", "s3:DeleteObject", "historyserver.archive.retain-remote-beyond-local-limit", "1489 further"] {
        assert!(failure.contains(part), "{part}: {failure}");
    }
    assert_eq!(folders(&store).len(), 1_500);
    // The permission was granted.
    store.answer_deletions(Deletions::Plain);
    assert_eq!(server.clean().await.deleted, 1_490);
    clock.advance(MINUTE);
    server.world.quick_scan().await;
    assert_eq!((folders(&store).len(), server.world.problems().await), (10, Vec::new()));
    assert_eq!(server.pending().await, []);
}

#[tokio::test]
async fn an_answer_that_names_nothing_is_checked_by_a_listing() {
    let store = S3Double::start().await;
    put_all(&store, 5);
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 3);
    server.world.full_scan().await;
    store.answer_deletions(Deletions::Quiet);
    assert_eq!(server.clean().await.deleted, 2);
    assert_eq!((folders(&store).len(), server.pending().await), (3, Vec::new()));
    assert!(server.record().await.iter().all(|deletion| deletion.done == RemovalOutcome::Deleted));
    store.answer_deletions(Deletions::Pretended);
    put_all(&store, 7);
    server.world.full_scan().await;
    let report = server.clean().await;
    assert_eq!((report.deleted, report.failed), (0, 4));
    let failure = server.pending().await[0].failure.clone().unwrap();
    assert!(failure.contains("lists them still"), "{failure}");
}

#[tokio::test]
async fn an_application_that_was_written_again_since_the_verdict_stays() {
    let store = S3Double::start().await;
    put_all(&store, 4);
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 1);
    server.world.full_scan().await;
    let kept = server.world.applications().await.remove(0);
    let rewritten = (0..4).map(scattered).find(|id| *id != kept).unwrap();
    store.put(format!("archives/prod/applications/{rewritten}/application-summary"), summary(&rewritten, "written again", END, &[]));
    let report = server.clean().await;
    assert_eq!((report.deleted, report.changed), (2, 1));
    assert_eq!(folders(&store), [kept, rewritten].into());
}

#[tokio::test]
async fn a_store_that_fails_while_it_deletes_is_left_alone_and_finished_afterwards() {
    let store = S3Double::start().await;
    put_all(&store, 300);
    let data = tempfile::tempdir().unwrap();
    let (mut server, _) = open(&store, data.path(), 10);
    server.world.full_scan().await;
    store.answer_deletions(Deletions::Status(StatusCode::SERVICE_UNAVAILABLE));
    store.take_requests();
    for _ in 0..2 {
        let report = server.clean().await;
        assert_eq!((report.deleted, report.failed), (0, 290));
        let (_, deletions) = requests(&store);
        assert!(deletions <= 4, "one request with its retries, and not {deletions}");
    }
    assert_eq!(server.pending().await.iter().filter(|each| each.failure.is_some()).count(), 1);
    store.answer_deletions(Deletions::Plain);
    for _ in 0..3 {
        server.round().await;
    }
    let record = server.record().await;
    assert_eq!((folders(&store).len(), record.len(), server.pending().await), (10, 290, Vec::new()));
    assert!(record.iter().all(|deletion| deletion.done == RemovalOutcome::Deleted));
    assert_eq!(server.world.problems().await, Vec::<String>::new());
}
