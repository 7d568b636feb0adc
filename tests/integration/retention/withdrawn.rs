//! Verdicts that were put on record and do not hold any more: limits that were raised before the deletion was done.

use std::sync::Arc;

use historyserver::index::RemovalState;
use historyserver::refresh::RetentionRules;
use historyserver::retention::cleanup::CleanupScope;
use object_store::memory::InMemory;
use tokio_util::sync::CancellationToken;

use super::faults::{keeping, newest_last, now, objects};
use super::world::{MINUTE, Place, id, keep, rules};
use crate::faulty_store::{Failure, FaultyStore, Operation};

#[tokio::test]
async fn archives_that_could_not_be_deleted_are_retained_again_when_the_limit_is_raised() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 5).await;
    let before = objects(store.as_ref()).await;
    let faulty = FaultyStore::new(store.clone());
    let (data, clock) = (tempfile::tempdir().unwrap(), now());
    let mut server = keeping(2, &faulty, data.path(), &clock);
    // As with credentials that may only read.
    faulty.fail(Operation::Delete, "", Failure::Denied);
    assert_eq!(server.round().await.failed, 3);
    assert_eq!(server.listed().await.len(), 2);
    server.world.close().await;

    let mut server = keeping(5, &faulty, data.path(), &clock);
    faulty.heal();
    clock.advance(60 * MINUTE);
    server.cleanup.run(CleanupScope::Interrupted, &CancellationToken::new()).await;
    let report = server.round().await;
    assert_eq!((report.deleted, report.failed), (0, 0));
    assert_eq!(objects(store.as_ref()).await, before);
    assert_eq!(server.listed().await.len(), 5);
    assert_eq!(server.pending().await, []);
    server.world.quick_scan().await;
    assert_eq!(server.world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_partial_deletion_is_finished_although_the_limit_was_raised() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 3).await;
    let faulty = FaultyStore::new(store.clone());
    let (data, clock) = (tempfile::tempdir().unwrap(), now());
    let mut server = keeping(2, &faulty, data.path(), &clock);
    // Its jobs go, its summary does not.
    faulty.fail(Operation::Delete, "application-summary", Failure::Denied);
    assert_eq!(server.round().await.failed, 1);
    assert_eq!(objects(store.as_ref()).await.len(), 5);
    server.world.close().await;

    let server = keeping(3, &faulty, data.path(), &clock);
    faulty.heal();
    clock.advance(60 * MINUTE);
    let report = server.cleanup.run(CleanupScope::Interrupted, &CancellationToken::new()).await;
    assert_eq!((report.deleted, report.failed), (1, 0));
    assert_eq!(objects(store.as_ref()).await.len(), 4);
}

#[tokio::test]
async fn removals_of_an_earlier_process_wait_for_a_listing_of_this_one() {
    let store = Arc::new(InMemory::new());
    newest_last(store.as_ref(), 5).await;
    let before = objects(store.as_ref()).await;
    let faulty = FaultyStore::new(store.clone());
    let (data, clock) = (tempfile::tempdir().unwrap(), now());
    // As a dry run does that tries another limit.
    let mut tried = keeping(2, &faulty, data.path(), &clock);
    tried.world.full_scan().await;
    assert_eq!(tried.pending().await.len(), 3);
    tried.world.close().await;

    let mut server = keeping(5, &faulty, data.path(), &clock);
    faulty.fail(Operation::List, "", Failure::Unavailable);
    let report = server.round().await;
    assert_eq!((report.deleted, report.failed), (0, 0));
    assert_eq!(objects(store.as_ref()).await, before);
    faulty.heal();
    server.round().await;
    assert_eq!(objects(store.as_ref()).await, before);
    assert_eq!(server.listed().await.len(), 5);
}

#[tokio::test]
async fn an_expired_archive_is_not_listed_by_a_request_for_it() {
    for keep_archives in [false, true] {
        let place = Place::new();
        place.application(1, 1);
        place.application(2, 2);
        let mut server = place.open(rules(), RetentionRules { keep_archives, ..keep(1) });
        server.world.full_scan().await;
        assert_eq!(server.world.get(&format!("/applications/{}", id(2))).await.status, 404);
        assert_eq!(server.listed().await, [1].into());
        server.round().await;
        assert_eq!(server.world.get(&format!("/jobs/{}", id(0x82))).await.status, 404);
        assert_eq!(server.listed().await, [1].into());
        server.world.close().await;
        // Where it was only forgotten, it comes back.
        let mut server = place.open(rules(), RetentionRules { keep_archives, ..keep(2) });
        server.round().await;
        assert_eq!(server.listed().await, if keep_archives { [1, 2].into() } else { [1].into() });
    }
}

#[tokio::test]
async fn without_a_limit_archives_that_went_missing_stay_browsable() {
    let place = Place::new();
    place.application(1, 1);
    place.application(2, 2);
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.world.close().await;
    let mut server = place.open(rules(), keep(1));
    server.world.full_scan().await;
    assert_eq!(server.pending().await[0].state, RemovalState::Due);
    server.world.close().await;
    std::fs::remove_dir_all(place.root().join("c/applications").join(id(2))).unwrap();
    let mut server = place.open(rules(), RetentionRules::default());
    server.round().await;
    server.round().await;
    assert_eq!(server.pending().await, []);
    assert_eq!(server.listed().await, [1, 2].into());
    assert_eq!(server.world.get(&format!("/applications/{}", id(2))).await.status, 200);
}
