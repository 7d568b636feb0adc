//! Failing stores, and several servers over one directory.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::names::DirectoryUrl;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::world::{Cleaner, MINUTE, id, keep, rules};
use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::moto::Moto;
use crate::support::archives::{job, summary};

async fn put(store: &dyn ObjectStore, number: u8) {
    let folder = format!("archives/c/applications/{}", id(number));
    let (job_id, end) = (id(number | 0x80), i64::from(number));
    store.put(&Path::from(format!("{folder}/jobs/{job_id}")), job(&job_id, "job", end).into()).await.unwrap();
    store.put(&Path::from(format!("{folder}/application-summary")), summary(&id(number), "name", end, &[&job_id]).into()).await.unwrap();
}

pub(super) async fn objects(store: &dyn ObjectStore) -> BTreeSet<String> {
    use futures::StreamExt as _;
    store.list(None).map(|object| object.unwrap().location.to_string()).collect().await
}

fn expected(numbers: impl IntoIterator<Item = u8>) -> BTreeSet<String> {
    let files = |number| {
        let folder = format!("archives/c/applications/{}", id(number));
        [format!("{folder}/jobs/{}", id(number | 0x80)), format!("{folder}/application-summary")]
    };
    numbers.into_iter().flat_map(files).collect()
}

fn server(store: &FaultyStore, data: &std::path::Path, clock: &Clock) -> Cleaner {
    keeping(2, store, data, clock)
}

/// A server that keeps so many applications.
pub(super) fn keeping(applications: u64, store: &FaultyStore, data: &std::path::Path, clock: &Clock) -> Cleaner {
    let directory = Directory::in_store(DirectoryUrl::new("s3://bucket/archives"), Arc::new(store.clone()), "archives");
    Cleaner::open(&[directory], data, clock.clone(), rules(), keep(applications))
}

/// The time of the objects: now, which the store does not let itself be told.
pub(super) fn now() -> Clock {
    Clock::manual(Clock::System.now())
}

/// All times are nearly equal: the ids decide where they are equal, so these are put in the order of their ids, newest last.
pub(super) async fn newest_last(store: &dyn ObjectStore, count: u8) {
    for number in 1..=count {
        put(store, number).await;
    }
}

async fn newest(store: &dyn ObjectStore, count: usize) -> BTreeSet<String> {
    use futures::StreamExt as _;
    let mut summaries: Vec<_> = store
        .list(None)
        .map(|object| object.unwrap())
        .filter(|object| std::future::ready(object.location.as_ref().ends_with("application-summary")))
        .map(|object| (-object.last_modified.timestamp(), object.location.to_string()))
        .collect()
        .await;
    summaries.sort();
    let kept = summaries.into_iter().take(count).map(|(_, path)| path.split('/').nth(3).unwrap()[..2].to_owned());
    expected(kept.map(|digits| u8::from_str_radix(&digits, 16).unwrap()))
}

#[tokio::test]
async fn a_failed_deletion_is_reported_and_retried_and_stops_no_other() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 5).await;
    let kept = newest(store.as_ref(), 2).await;
    let all = objects(store.as_ref()).await;
    let victim = (1..=5).map(id).find(|id| !kept.iter().any(|path| path.contains(id.as_str()))).unwrap();
    let faulty = FaultyStore::new(store.clone());
    let (data, clock) = (tempfile::tempdir().unwrap(), now());
    let mut server = server(&faulty, data.path(), &clock);
    faulty.fail(Operation::Delete, &victim, Failure::Denied);
    let report = server.round().await;
    assert_eq!((report.deleted, report.failed), (2, 1));
    server.world.quick_scan().await;
    assert_eq!(server.world.problems().await, ["deletion-failed"]);
    assert_eq!(server.listed().await.len(), 2);
    let left: BTreeSet<String> = all.iter().filter(|path| kept.contains(*path) || path.contains(&victim)).cloned().collect();
    assert_eq!(objects(store.as_ref()).await, left);
    // Not before its time.
    assert_eq!(server.clean().await.failed, 0);
    let pauses: Vec<Duration> = {
        let mut pauses = Vec::new();
        for _ in 0..3 {
            let due = server.pending().await[0].next_attempt.unwrap();
            pauses.push(due.since(clock.now()));
            clock.advance(due.since(clock.now()));
            assert_eq!(server.clean().await.failed, 1);
        }
        pauses
    };
    assert!(pauses.is_sorted_by(|before, after| before < after), "{pauses:?}");
    faulty.heal();
    clock.advance(60 * MINUTE);
    assert_eq!(server.clean().await.deleted, 1);
    assert_eq!(objects(store.as_ref()).await, kept);
    server.round().await;
    assert_eq!(server.world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_listing_that_fails_gives_no_verdict() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 5).await;
    let before = objects(store.as_ref()).await;
    let faulty = FaultyStore::new(store.clone());
    let (data, clock) = (tempfile::tempdir().unwrap(), now());
    let mut server = server(&faulty, data.path(), &clock);
    faulty.fail(Operation::List, "applications", Failure::Unavailable);
    let report = server.round().await;
    assert_eq!(report.deleted + report.forgotten, 0);
    assert_eq!(objects(store.as_ref()).await, before);
    faulty.heal();
    clock.advance(60 * MINUTE);
    assert_eq!(server.round().await.deleted, 3);
}

#[tokio::test]
async fn two_servers_that_clean_one_directory_at_once_lose_nothing_and_leave_nothing() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 12).await;
    let kept = newest(store.as_ref(), 2).await;
    let (first_store, second_store) = (FaultyStore::new(store.clone()), FaultyStore::new(store.clone()));
    let (first_data, second_data, clock) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), now());
    let mut first = server(&first_store, first_data.path(), &clock);
    let mut second = server(&second_store, second_data.path(), &clock);
    for round in 0..6_u8 {
        if round < 4 {
            first_store.fail(Operation::Delete, &id(round + 1), Failure::Unavailable);
            second_store.fail(Operation::Delete, &id(round + 5), Failure::Unavailable);
        }
        if round == 1 {
            first_store.fail(Operation::List, "applications", Failure::Unavailable);
        }
        tokio::join!(first.round(), second.round());
        let left = objects(store.as_ref()).await;
        assert!(kept.is_subset(&left), "round {round} lost something");
        first_store.heal();
        second_store.heal();
        clock.advance(60 * MINUTE);
    }
    assert_eq!(objects(store.as_ref()).await, kept);
    for server in [&mut first, &mut second] {
        server.round().await;
        assert_eq!(server.listed().await.len(), 2);
        assert_eq!(server.pending().await, []);
        assert_eq!(server.world.problems().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_bucket_of_an_s3_server_the_expired_are_deleted_and_nothing_beside_them() {
    let moto = Moto::start();
    moto.make_bucket("bucket").await;
    let store = moto.client("bucket");
    newest_last(store.as_ref(), 5).await;
    let kept = newest(store.as_ref(), 2).await;
    let beside: BTreeSet<String> = ["archives/notes.txt", "archives/c/applications/notes.txt", "elsewhere/x"].map(str::to_owned).into();
    for path in &beside {
        store.put(&Path::from(path.as_str()), "mine".into()).await.unwrap();
    }
    let directory = Directory::open("s3a://bucket/archives", &moto.options()).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut server = Cleaner::open(&[directory], data.path(), now(), rules(), keep(2));
    let report = server.round().await;
    assert_eq!((report.deleted, report.failed, report.forgotten), (3, 0, 0));
    assert_eq!(objects(store.as_ref()).await, kept.union(&beside).cloned().collect());
    assert_eq!(server.listed().await.len(), 2);
    assert_eq!(server.record().await.len(), 3);
    let report = server.round().await;
    assert_eq!(report.deleted + report.failed + report.forgotten, 0);
    assert_eq!(server.pending().await, []);
}
