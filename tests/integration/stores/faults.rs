//! A store that fails for a while: afterwards everything is as if it had not.

use serde_json::Value;

use super::contract::{Lists, seed};
use super::fault_proxy::{Fault, FaultProxy};
use super::remote::Remote;
use crate::support::archives::{id, summary, write_application};
use crate::support::process::Process;

const END: i64 = 1_795_000_000_000;
/// Refreshes that a failing store is watched for.
const REFRESHES: u64 = 3;
/// Requests that a refresh may make of a failing store: its listings and the files that are due, each with three retries.
const REQUESTS_OF_A_REFRESH: u64 = 200;
/// Resident memory of a server in a debug build, in bytes.
const MEMORY: u64 = 600 << 20;

#[tokio::test]
async fn connections_are_refused() {
    recovers_from(Fault::Refused).await;
}

#[tokio::test]
async fn objects_are_reset_in_the_middle() {
    recovers_from(Fault::ObjectReset).await;
}

#[tokio::test]
async fn listings_are_reset_in_the_middle() {
    recovers_from(Fault::ListingReset).await;
}

#[tokio::test]
async fn objects_end_early() {
    recovers_from(Fault::Truncated).await;
}

#[tokio::test]
async fn the_store_has_internal_errors() {
    recovers_from(Fault::Status(500)).await;
}

#[tokio::test]
async fn the_store_is_throttled() {
    recovers_from(Fault::Status(503)).await;
}

#[tokio::test]
async fn the_store_is_slow() {
    recovers_from(Fault::Slow).await;
}

#[tokio::test]
async fn objects_have_another_tag_than_their_listing() {
    recovers_from(Fault::WrongTag).await;
}

#[tokio::test]
async fn the_store_does_not_answer() {
    recovers_from(Fault::Hang).await;
}

/// The store fails while a server runs that forgets what is missing, and while archives are written to it and to a local directory.
async fn recovers_from(fault: Fault) {
    let folder = tempfile::tempdir().unwrap();
    let local = folder.path().join("local");
    std::fs::create_dir(&local).unwrap();
    let mut remote = Remote::moto().await;
    let expected = seed(&remote, folder.path()).await;
    let mut proxy = FaultProxy::start(&remote.endpoint());
    remote.connect_through(&proxy.endpoint());
    let server = Process::spawn(remote.command_beside(
        &[&local],
        &folder.path().join("data"),
        &[
            "historyserver.archive.fs.refresh-interval=100ms",
            "historyserver.archive.clean-expired-applications=true",
            "historyserver.archive.clean-expired-jobs=true",
        ],
    ));
    let lists = |applications: usize| move |list: &Value| list["applications"].as_array().unwrap().len() == applications;
    server.wait_until("/applications/overview", "listed", lists(expected.applications.len())).await;
    server.wait_until("/jobs/overview", "listed", |list| list["jobs"].as_array().unwrap().len() == expected.jobs.len()).await;

    let before = proxy.requests();
    proxy.set(fault).await;
    let (late, neighbour) = (id('7'), id('8'));
    let path = format!("archives/late/applications/{late}/application-summary");
    remote.write(&path, summary(&late, "late", END, &[]).into_bytes()).await;
    let begun = finished(&server).await;
    write_application(&local, "neighbour", &neighbour, "neighbour", END, &[]);
    let has = |id: &str| {
        let id = id.to_owned();
        move |list: &Value| list["applications"].as_array().unwrap().iter().any(|each| each["id"] == *id)
    };
    server.wait_until("/applications/overview", "listed the other directory", has(&neighbour)).await;
    if fault != Fault::Hang {
        server.wait_for_refreshes(begun + REFRESHES).await;
    }
    let refreshes = finished(&server).await - begun + 1;
    let (listings, objects) = proxy.requests();
    let requests = listings + objects - before.0 - before.1;
    assert!(requests <= refreshes * REQUESTS_OF_A_REFRESH, "{requests} requests in {refreshes} refreshes");
    // What was indexed is served, whatever happens to its store.
    let list = server.json("/applications/overview").await;
    assert!(list["applications"].as_array().unwrap().len() > expected.applications.len(), "{list}");

    proxy.set(Fault::None).await;
    server.wait_until("/applications/overview", "recovered", has(&late)).await;
    server.wait_until("/api/v1/problems", "without problems", |problems| problems["items"].as_array().unwrap().is_empty()).await;
    let mut after = Lists::of(&server).await;
    after.applications.retain(|each| each["id"] != *late && each["id"] != *neighbour);
    assert_eq!(after, expected);
    let deletions = server.json("/api/v1/deletions").await;
    assert_eq!(deletions["deletions"], Value::Array(Vec::new()), "{deletions}");
    let (_, peak) = server.memory();
    assert!(peak < MEMORY, "{peak} bytes");
}

#[tokio::test]
async fn deletions_are_refused_for_a_while() {
    retains_in_spite_of(&[Fault::DeletionStatus(503), Fault::Refused, Fault::DeletionStatus(500)]).await;
}

#[tokio::test]
async fn answers_to_deletions_are_lost() {
    retains_in_spite_of(&[Fault::DeletionReset, Fault::ListingReset]).await;
}

#[tokio::test]
async fn deletions_have_no_answer() {
    retains_in_spite_of(&[Fault::DeletionHang, Fault::Refused]).await;
}

/// The store fails while archives are deleted. Afterwards archives, index, deletions and problems are those of a run without faults.
async fn retains_in_spite_of(faults: &[Fault]) {
    let folder = tempfile::tempdir().unwrap();
    let mut remote = Remote::moto().await;
    let expected = seed(&remote, folder.path()).await;
    let mut proxy = FaultProxy::start(&remote.endpoint());
    remote.connect_through(&proxy.endpoint());
    let before = remote.files().await;
    let data = folder.path().join("data");
    let interval = "historyserver.archive.fs.refresh-interval=100ms";
    {
        let server = Process::spawn(remote.command(&data, &[interval]));
        let count = expected.applications.len();
        server.wait_until("/applications/overview", "listed", |list| list["applications"].as_array().unwrap().len() == count).await;
        let count = expected.jobs.len();
        server.wait_until("/jobs/overview", "listed", |list| list["jobs"].as_array().unwrap().len() == count).await;
    }
    let retained = 5;
    let limit = format!("historyserver.archive.retained-applications={retained}");
    let options = [interval, &limit, "historyserver.archive.retention.max-delete-fraction=1.0"];
    proxy.set(faults[0]).await;
    let server = Process::spawn(remote.command(&data, &options));
    for fault in faults {
        proxy.set(*fault).await;
        let requests = |counts: (u64, u64)| counts.0 + counts.1;
        let (begun, sent) = (finished(&server).await, requests(proxy.requests()));
        if matches!(fault, Fault::DeletionHang) {
            server.wait_until("/api/v1/status", "cleaning up", |status| !status["cleanup"]["running_since"].is_null()).await;
        } else {
            // A store that fails is asked ever less often: more refreshes than one may take minutes.
            server.wait_for_refreshes(begun + 1).await;
        }
        let refreshes = finished(&server).await - begun + 1;
        let sent = requests(proxy.requests()) - sent;
        assert!(sent <= refreshes * REQUESTS_OF_A_REFRESH, "{sent} requests in {refreshes} refreshes");
    }
    proxy.set(Fault::None).await;
    // Not refreshes: at this interval several pass while one cleanup waits for its store.
    let cleanups = async || server.json("/api/v1/status").await["cleanup"]["finished"].as_u64().unwrap();
    let begun = cleanups().await;
    let expired = before.applications().len() - retained;
    let done = |record: &Value| record["deletions"].as_array().unwrap().len() >= expired;
    server.wait_until("/api/v1/deletions?limit=1000", "deleted", done).await;
    let took = cleanups().await - begun;
    server.wait_until("/api/v1/problems", "without problems", |problems| problems["items"].as_array().unwrap().is_empty()).await;
    let record = server.json("/api/v1/deletions?limit=1000").await;
    let record = record["deletions"].as_array().unwrap();
    assert!(record.len() == expired && record.iter().all(|deletion| deletion["done"] == "deleted"), "{record:?}");
    let after = remote.files().await;
    assert_eq!((after.applications().len(), after.jobs()), (retained, before.jobs()));
    let listed = Lists::of(&server).await;
    assert_eq!(listed.applications.len(), retained);
    // The cleanup in progress, and those after three refreshes.
    assert!(took <= REFRESHES + 1, "{took} cleanups");
}

async fn finished(server: &Process) -> u64 {
    server.json("/api/v1/status").await["refresh"]["finished"].as_u64().unwrap()
}
