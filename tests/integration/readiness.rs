//! `/readyz`: whether the server can answer, whether what it answers is complete, and why not.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{id, set_modified, write, write_application};
use crate::support::process::Process;
use crate::support::stored;
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

/// Status, and the body.
async fn readyz(router: &axum::Router) -> (u16, Value) {
    let request = Request::get("/readyz").header("host", "localhost").body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap())
}

/// Status, whether it is complete, and the codes of the reasons.
async fn judged(world: &World) -> (u16, bool, Vec<String>) {
    let (status, body) = readyz(&world.router).await;
    assert_eq!(body["ready"], status == 200);
    let reasons = body["reasons"].as_array().unwrap();
    assert!(reasons.iter().all(|reason| !reason["message"].as_str().unwrap().is_empty()));
    let codes = reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect();
    (status, body["complete"].as_bool().unwrap(), codes)
}

fn is(status: u16, complete: bool, codes: &[&str]) -> (u16, bool, Vec<String>) {
    (status, complete, codes.iter().map(|code| (*code).to_owned()).collect())
}

#[tokio::test]
async fn it_is_complete_only_when_all_of_the_first_listing_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    for (application, job) in [('a', '1'), ('b', '2')] {
        stored::write_application(&store, "c", &id(application), &id(job)).await;
    }
    let mut world = World::open(&[stored::directory(&store)], folder.path(), WorldOptions::default());
    assert_eq!(judged(&world).await, is(503, false, &["nothing-listed", "first-listing"]));
    let held = store.hold(Operation::Get, &id('b'));
    let router = world.router.clone();
    let reading = async {
        held.until_arrived(1).await;
        // Ready as soon as there is something to show.
        loop {
            let (status, body) = readyz(&router).await;
            assert_eq!(body["complete"], false, "{body}");
            if status == 200 {
                assert_eq!(body["reasons"][0]["code"], "first-listing", "{body}");
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(held);
    };
    futures::join!(world.full_scan(), reading);
    assert_eq!(judged(&world).await, is(200, true, &[]));
    world.close().await;
    // What an earlier process read is shown at once; whether more has come is not known yet.
    let mut world = World::open(&[stored::directory(&store)], folder.path(), WorldOptions::default());
    assert_eq!(judged(&world).await, is(200, false, &["first-listing"]));
    world.quick_scan().await;
    assert_eq!(judged(&world).await, is(200, true, &[]));
    world.close().await;
}

#[tokio::test]
async fn one_directory_of_two_that_cannot_be_listed_is_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (folder.path().join("good"), folder.path().join("other"));
    write_application(&good, "c", &id('a'), "name", END, &[]);
    write(&other, "a file where a directory should be");
    let mut world = World::over(&[&good, &other], &folder.path().join("data"), WorldOptions::default());
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["directory-unreachable"]));
    let (_, body) = readyz(&world.router).await;
    assert_eq!(body["reasons"][0]["directory"], format!("file://{}", other.display()));
    std::fs::remove_file(&other).unwrap();
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["directory-missing"]));
    std::fs::create_dir(&other).unwrap();
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, true, &[]));
    std::fs::remove_dir_all(&good).unwrap();
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["directory-vanished"]));
    world.close().await;
}

#[tokio::test]
async fn failed_listings_and_fetches_are_reasons_until_they_are_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    stored::write_application(&store, "c", &id('a'), &id('1')).await;
    stored::write_application(&store, "d", &id('b'), &id('2')).await;
    let mut world = World::open(&[stored::directory(&store)], folder.path(), WorldOptions::default());
    store.fail(Operation::Get, &id('1'), Failure::Denied);
    store.fail(Operation::List, "history/d/applications", Failure::Unavailable);
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["listing-obstructed", "archives-unfetched"]));
    world.close().await;
    // It is known after a restart too.
    let mut world = World::open(&[stored::directory(&store)], folder.path(), WorldOptions::default());
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["listing-obstructed", "archives-unfetched"]));
    store.heal();
    world.refresh.retry_everything();
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, true, &[]));
    assert_eq!(world.applications().await.len(), 2);
    world.close().await;
}

#[tokio::test]
async fn a_bad_archive_is_a_problem_and_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, "c", &id('a'), "name", END, &[]);
    write(&root.join(id('1')), "no archive");
    let mut world = World::over(&[&root], &folder.path().join("data"), WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.problems().await, ["archive-unreadable"]);
    assert_eq!(judged(&world).await, is(200, true, &[]), "it was read");
    world.close().await;
}

#[tokio::test]
async fn problems_that_cannot_be_recorded_are_reported_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (root, data) = (folder.path().join("archives"), folder.path().join("data"));
    write_application(&root, "c", &id('a'), "first", END, &[]);
    let mut world = World::over(&[&root], &data, WorldOptions::default());
    world.full_scan().await;
    let pages = u32::try_from(world.reader.everything().figures().await.unwrap().file_bytes / 4096).unwrap();
    world.close().await;
    for number in 0..400 {
        write_application(&root, "c", &format!("{number:032x}"), &"a long name ".repeat(40), END, &[&format!("{:032x}", number + 1000)]);
    }
    let full = WorldOptions { max_file_pages: Some(pages + 8), ..WorldOptions::default() };
    let mut world = World::over(&[&root], &data, full);
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, false, &["index-unwritable"]));
    let status = world.get("/api/v1/status").await.json();
    assert_eq!(status["readiness"]["complete"], false);
    let stored = world.problems().await.len();
    assert_eq!(status["problems"]["total"], stored + 1);
    let told = &status["problems"]["shown"][0];
    assert_eq!(told["code"], "index-unwritable");
    assert!(told["reason"].as_str().unwrap().contains("is full: free some space"), "{told}");
    for (query, items) in
        [("", stored + 1), ("?code=index-unwritable", 1), ("?code=archive-empty", 0), ("?cluster=c&code=index-unwritable", 0)]
    {
        let page = world.get(&format!("/api/v1/problems{query}")).await.json();
        assert_eq!((&page["items"].as_array().unwrap().len(), &page["total"]["count"]), (&items, &Value::from(items)), "{query}");
    }
    // It lasts, and is told since when it began.
    let since = told["since"].clone();
    world.advance(Duration::from_mins(1));
    world.full_scan().await;
    let again = world.get("/api/v1/status").await.json();
    assert_eq!((&again["problems"]["shown"][0]["code"], &again["problems"]["shown"][0]["since"]), (&"index-unwritable".into(), &since));
    world.close().await;
    // With room again, nothing of it is left.
    let mut world = World::over(&[&root], &data, WorldOptions::default());
    world.full_scan().await;
    assert_eq!(judged(&world).await, is(200, true, &[]));
    assert_eq!(world.get("/api/v1/status").await.json()["problems"]["total"], 0);
    world.close().await;
}

#[tokio::test]
async fn metrics_report_readiness_too() {
    let folder = tempfile::tempdir().unwrap();
    let (good, other) = (folder.path().join("good"), folder.path().join("other"));
    write_application(&good, "c", &id('a'), "name", END, &[]);
    set_modified(&good.join(format!("c/applications/{}/application-summary", id('a'))), END);
    write(&other, "a file where a directory should be");
    let server = Process::start(&[&good, &other], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=50 ms"]);
    server.wait_for_refreshes(1).await;
    let metrics = || async { server.get("/metrics").await.text().await.unwrap() };
    let text = metrics().await;
    assert!(text.contains("\nhistoryserver_ready 1\n") && text.contains("\nhistoryserver_complete 0\n"), "{text}");
    std::fs::remove_file(&other).unwrap();
    std::fs::create_dir(&other).unwrap();
    server.wait_until("/readyz", "complete", |body| body["complete"] == true).await;
    assert!(metrics().await.contains("\nhistoryserver_complete 1\n"));
}
