//! What is found is published while the refresh still runs; what cannot be listed or written changes nothing.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use historyserver::clock::{Clock, Timestamp};
use historyserver::ingest::LookupUnlisted;
use historyserver::refresh::DirectoryState;
use historyserver::refresh::plan::Rules;
use proptest::prelude::*;

use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{application_folder, id, job, summary, write_application};
use crate::support::stored;
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

fn forgetting() -> Rules {
    Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::ZERO }
}

#[tokio::test]
async fn the_list_grows_while_the_first_refresh_still_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    for (application, job) in [('a', '1'), ('b', '2'), ('c', '3')] {
        stored::write_application(&store, "c", &id(application), &id(job)).await;
    }
    let mut world = World::open(&[stored::directory(&store)], folder.path(), WorldOptions::default());
    let held = store.hold(Operation::Get, &id('b'));
    let router = world.router.clone();
    let growing = async {
        held.until_arrived(1).await;
        // Asked again until the two others are there; the refresh cannot have ended.
        loop {
            let request = Request::get("/applications/overview").header("host", "localhost").body(Body::empty()).unwrap();
            let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
            let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
            if list["applications"].as_array().unwrap().len() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(held);
    };
    futures::join!(world.full_scan(), growing);
    assert_eq!(world.applications().await.len(), 3);
}

#[tokio::test]
async fn a_directory_that_fails_to_list_changes_nothing_and_is_shown_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    stored::write_application(&store, "c", &id('a'), &id('1')).await;
    let options = WorldOptions { rules: forgetting(), ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    world.full_scan().await;
    for failure in [Failure::Unavailable, Failure::Denied] {
        store.fail(Operation::List, "", failure);
        world.full_scan().await;
        world.full_scan().await;
        assert_eq!(world.applications().await, [id('a')]);
        assert_eq!(world.jobs().await, [id('1')]);
        assert_eq!(world.problems().await, ["directory-unreachable"]);
        let status = world.status.borrow().directories[0].clone();
        assert_eq!(status.state, DirectoryState::Failed);
        assert!(status.reason.is_some());
        store.heal();
        world.full_scan().await;
        assert_eq!(world.problems().await, Vec::<String>::new());
        assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Listed);
    }
}

#[tokio::test]
async fn a_cluster_that_fails_to_list_protects_its_applications_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    stored::write_application(&store, "c", &id('a'), &id('1')).await;
    let other = format!("history/other/applications/{}/application-summary", id('b'));
    store.write(&other, summary(&id('b'), "name", END, &[])).await;
    let options = WorldOptions { rules: forgetting(), ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    world.full_scan().await;
    assert_eq!(world.applications().await.len(), 2);
    store.fail(Operation::List, "history/c/applications", Failure::Unavailable);
    store.erase(&other).await;
    world.full_scan().await;
    assert_eq!(world.applications().await, [id('a')]);
    assert_eq!(world.problems().await, ["listing-failed"]);
}

#[tokio::test]
async fn a_full_data_directory_fails_the_refresh_with_a_sentence_and_it_recovers_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    let data = folder.path().join("data");
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
    let status = world.status.borrow().directories[0].clone();
    assert_eq!(status.state, DirectoryState::Failed, "{status:?}");
    assert!(status.reason.unwrap().contains("historyserver.data.dir"));
    assert!(world.applications().await.contains(&id('a')), "what is indexed is served");
    assert_eq!(world.get(&format!("/applications/{}", id('a'))).await.status, 200);
    let listed = world.applications().await;
    assert!(listed.len() < 401);

    // Room is made, here by taking out what was not read: the next refresh goes on as if nothing had been.
    // What was written when the refresh ended may be committed after it, and stays, though it is gone.
    let mut left = 1;
    for number in 0..400 {
        let application = format!("{number:032x}");
        if listed.contains(&application) {
            left += 1;
        } else {
            std::fs::remove_dir_all(application_folder(&root, "c", &application)).unwrap();
        }
    }
    world.full_scan().await;
    let status = world.status.borrow().directories[0].clone();
    assert_eq!((status.state, status.reason), (DirectoryState::Listed, None));
    assert!(world.applications().await.len() >= left);
    assert_eq!(world.problems().await, Vec::<String>::new());
    world.close().await;

    for number in 0..400 {
        write_application(&root, "c", &format!("{number:032x}"), &"a long name ".repeat(40), END, &[&format!("{:032x}", number + 1000)]);
    }
    let mut world = World::over(&[&root], &data, WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.applications().await.len(), 401);
}

#[tokio::test]
async fn an_id_that_is_not_listed_yet_is_looked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    stored::write_application(&store, "c", &id('a'), &id('1')).await;
    let clock = Clock::manual(Timestamp::from_millis(2_000_000_000_000));
    let options = WorldOptions { lookup_unlisted: LookupUnlisted::Any, clock: clock.clone(), ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    world.full_scan().await;
    stored::write_application(&store, "c", &id('b'), &id('2')).await;
    store.write(&format!("history/{}", id('3')), job(&id('3'), "legacy", END)).await;
    assert_eq!(world.get(&format!("/applications/{}", id('b'))).await.status, 200);
    assert_eq!(world.get(&format!("/jobs/{}", id('3'))).await.status, 200);
    assert_eq!(world.applications().await.len(), 2);

    store.reset_counts();
    let asked = |store: &FaultyStore| store.count(Operation::List, "") + store.count(Operation::Get, "");
    for _ in 0..5 {
        assert_eq!(world.get(&format!("/applications/{}", id('f'))).await.status, 404);
    }
    let once = asked(&store);
    assert!(once > 0);
    clock.advance(Duration::from_millis(29_999));
    assert_eq!(world.get(&format!("/applications/{}", id('f'))).await.status, 404);
    assert_eq!(asked(&store), once, "an id that was not found is not looked for again at once");
    clock.advance(Duration::from_millis(1));
    assert_eq!(world.get(&format!("/applications/{}", id('f'))).await.status, 404);
    assert_eq!(asked(&store), 2 * once);

    store.reset_counts();
    for number in 0..200 {
        world.get(&format!("/applications/{number:032x}")).await;
    }
    assert!(asked(&store) <= 60 * once, "at most 60 lookups a minute");
}

#[tokio::test]
async fn no_more_bytes_are_read_at_once_than_may_be_in_flight() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    // A little over a MiB each, since the name is in it three times.
    let padding = "x".repeat(360 << 10);
    for digit in ['1', '2', '3', '4', '5'] {
        store.write(&format!("history/{}", id(digit)), job(&id(digit), &padding, END)).await;
    }
    let options = WorldOptions { bytes_in_flight: 3 << 20, ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    let held = store.hold(Operation::Get, "");
    let releasing = async {
        held.until_arrived(2).await;
        // All tasks of the refresh begin together: had there been room for another one, it would be here after a few turns.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let at_once = store.count(Operation::Get, "");
        drop(held);
        at_once
    };
    let ((), at_once) = futures::join!(world.full_scan(), releasing);
    assert_eq!(at_once, 2);
    assert_eq!(world.jobs().await.len(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_failed_listing_forgets_nothing_below_it(gone: [bool; 6], failing in 0..3_usize, full_scan: bool, denied: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(nothing_below_a_failed_listing_is_forgotten(gone, failing, full_scan, denied));
    }
}

/// Takes some of six archives out of a store (two of each cluster, two legacy jobs), lets the listing of a part of it fail, and then
/// nothing fail any more.
async fn nothing_below_a_failed_listing_is_forgotten(gone: [bool; 6], failing: usize, full_scan: bool, denied: bool) {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    let places: Vec<(String, String)> = ['a', 'b', 'c', 'd', 'e', 'f']
        .into_iter()
        .enumerate()
        .map(|(number, digit)| {
            let application = |cluster: &str| format!("history/{cluster}/applications/{}/application-summary", id(digit));
            (id(digit), [application("one"), application("two"), format!("history/{}", id(digit))][number / 2].clone())
        })
        .collect();
    for (number, (id, place)) in places.iter().enumerate() {
        store.write(place, if number < 4 { summary(id, "name", END, &[]) } else { job(id, "name", END) }).await;
    }
    for cluster in ["one", "two"] {
        // A cluster of which nothing is left is not there to be listed, and so cannot fail.
        store.write(&format!("history/{cluster}/applications/left"), "").await;
    }
    let clock = Clock::manual(Timestamp::from_millis(2_000_000_000_000));
    let options = WorldOptions { rules: forgetting(), clock: clock.clone(), ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    world.full_scan().await;
    let listed = async |world: &World| {
        let mut listed = world.applications().await;
        listed.extend(world.jobs().await);
        listed.sort();
        listed
    };
    assert_eq!(listed(&world).await.len(), 6);

    for ((_, place), _) in places.iter().zip(gone).filter(|(_, gone)| *gone) {
        store.erase(place).await;
    }
    let part = ["", "history/one/applications", "history/two/applications"][failing];
    store.fail(Operation::List, part, if denied { Failure::Denied } else { Failure::Unavailable });
    // A look at a store may have to wait for some time after the last.
    clock.advance(Duration::from_mins(1));
    if full_scan {
        world.full_scan().await;
    } else {
        world.quick_scan().await;
    }
    let left = |protected: &str| -> Vec<String> {
        let kept = places.iter().zip(gone).filter(|((_, place), gone)| !gone || place.contains(protected));
        kept.map(|((id, _), _)| id.clone()).collect()
    };
    assert_eq!(listed(&world).await, left(part));

    store.heal();
    world.full_scan().await;
    assert_eq!(listed(&world).await, left("nothing is protected"));
}

#[tokio::test]
async fn one_id_is_looked_for_once_however_many_ask_and_no_more_than_four_ids_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    stored::write_application(&store, "c", &id('a'), &id('1')).await;
    let options = WorldOptions { lookup_unlisted: LookupUnlisted::Any, ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], folder.path(), options);
    world.full_scan().await;
    stored::write_application(&store, "c", &id('b'), &id('2')).await;
    store.reset_counts();
    let held = store.hold(Operation::List, "");
    let same = format!("/applications/{}", id('b'));
    let asking = futures::future::join_all((0..10).map(|_| world.get(&same)));
    let others = async {
        held.until_arrived(1).await;
        // Three more have a place; for the others there is none, and they are answered at once.
        let three: Vec<String> = (0..3).map(|number| format!("/applications/{number:032x}")).collect();
        let waiting = futures::future::join_all(three.iter().map(|path| world.get(path)));
        let fifth = async {
            held.until_arrived(4).await;
            for number in 10..15 {
                assert_eq!(world.get(&format!("/applications/{number:032x}")).await.status, 404);
            }
            assert_eq!(store.count(Operation::List, ""), 4);
            drop(held);
        };
        tokio::join!(waiting, fifth).0
    };
    let (same, others) = tokio::join!(asking, others);
    assert!(same.iter().all(|answer| answer.status == 200));
    assert!(others.iter().all(|answer| answer.status == 404));
    assert_eq!(store.count(Operation::List, &id('b')), 1, "one flight");
}
