//! What is found is published while the refresh still runs; what cannot be listed or written changes nothing.

use axum::body::Body;
use axum::http::Request;
use historyserver::clock::Clock;
use historyserver::directory::{Directory, DirectoryUrl};
use historyserver::ingest::LookUpUnlisted;
use historyserver::refresh::DirectoryState;
use historyserver::refresh::plan::Rules;

use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{id, job, summary, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

fn forgetting() -> Rules {
    Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: 0 }
}

async fn write_to(store: &FaultyStore, application: &str, job_id: &str) {
    let folder = format!("history/c/applications/{application}");
    store.write(&format!("{folder}/jobs/{job_id}"), job(job_id, "job", END)).await;
    store.write(&format!("{folder}/application-summary"), summary(application, "name", END, &[job_id])).await;
}

fn directory(store: &FaultyStore) -> Directory {
    Directory::in_store(DirectoryUrl::new("memory://bucket/history"), store.store(), "history")
}

#[tokio::test]
async fn the_list_grows_while_the_first_refresh_still_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    for (application, job) in [('a', '1'), ('b', '2'), ('c', '3')] {
        write_to(&store, &id(application), &id(job)).await;
    }
    let mut world = World::open(&[directory(&store)], folder.path(), WorldOptions::default());
    let held = store.hold(Operation::Get, &id('b'));
    let router = world.router.clone();
    let growing = async {
        held.until_arrived(1).await;
        // Asked again until the two others are there; the refresh cannot have ended.
        loop {
            let request = Request::get("/applications/overview").body(Body::empty()).unwrap();
            let response = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
            let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
            let list: serde_json::Value = serde_json::from_slice(&body).unwrap();
            if list["applications"].as_array().unwrap().len() == 2 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        drop(held);
    };
    futures::join!(world.audit(), growing);
    assert_eq!(world.applications().await.len(), 3);
}

#[tokio::test]
async fn a_directory_that_fails_to_list_changes_nothing_and_is_shown_as_failed() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    write_to(&store, &id('a'), &id('1')).await;
    let options = WorldOptions { rules: forgetting(), ..WorldOptions::default() };
    let mut world = World::open(&[directory(&store)], folder.path(), options);
    world.audit().await;
    for failure in [Failure::Unavailable, Failure::Denied] {
        store.fail(Operation::List, "", failure);
        world.audit().await;
        world.audit().await;
        assert_eq!(world.applications().await, [id('a')]);
        assert_eq!(world.jobs().await, [id('1')]);
        assert_eq!(world.problems().await, ["directory-unreachable"]);
        let status = world.status.borrow().directories[0].clone();
        assert_eq!(status.state, DirectoryState::Failed);
        assert!(status.reason.is_some());
        store.heal();
        world.audit().await;
        assert_eq!(world.problems().await, Vec::<String>::new());
        assert_eq!(world.status.borrow().directories[0].state, DirectoryState::Listed);
    }
}

#[tokio::test]
async fn a_cluster_that_fails_to_list_protects_its_applications_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    write_to(&store, &id('a'), &id('1')).await;
    let other = format!("history/other/applications/{}/application-summary", id('b'));
    store.write(&other, summary(&id('b'), "name", END, &[])).await;
    let options = WorldOptions { rules: forgetting(), ..WorldOptions::default() };
    let mut world = World::open(&[directory(&store)], folder.path(), options);
    world.audit().await;
    assert_eq!(world.applications().await.len(), 2);
    store.fail(Operation::List, "history/c/applications", Failure::Unavailable);
    store.erase(&other).await;
    world.audit().await;
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
    world.audit().await;
    let pages = u32::try_from(world.reader.figures().await.unwrap().file_bytes / 4096).unwrap();
    world.close().await;
    for number in 0..400 {
        write_application(&root, "c", &format!("{number:032x}"), &"a long name ".repeat(40), END, &[&format!("{:032x}", number + 1000)]);
    }
    let full = WorldOptions { max_file_pages: Some(pages + 8), ..WorldOptions::default() };
    let mut world = World::over(&[&root], &data, full);
    world.audit().await;
    let status = world.status.borrow().directories[0].clone();
    assert_eq!(status.state, DirectoryState::Failed, "{status:?}");
    assert!(status.reason.unwrap().contains("historyserver.data.dir"));
    assert!(world.applications().await.contains(&id('a')), "what is indexed is served");
    assert_eq!(world.get(&format!("/applications/{}", id('a'))).await.status, 200);
    world.close().await;
    let mut world = World::over(&[&root], &data, WorldOptions::default());
    world.audit().await;
    assert_eq!(world.applications().await.len(), 401);
}

#[tokio::test]
async fn an_id_that_is_not_listed_yet_is_looked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    write_to(&store, &id('a'), &id('1')).await;
    let clock = Clock::manual(2_000_000_000_000);
    let options = WorldOptions { look_up_unlisted: LookUpUnlisted::Any, clock: clock.clone(), ..WorldOptions::default() };
    let mut world = World::open(&[directory(&store)], folder.path(), options);
    world.audit().await;
    write_to(&store, &id('b'), &id('2')).await;
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
    clock.advance(29_999);
    assert_eq!(world.get(&format!("/applications/{}", id('f'))).await.status, 404);
    assert_eq!(asked(&store), once, "an id that was not found is not looked for again at once");
    clock.advance(1);
    assert_eq!(world.get(&format!("/applications/{}", id('f'))).await.status, 404);
    assert_eq!(asked(&store), 2 * once);

    store.reset_counts();
    for number in 0..200 {
        world.get(&format!("/applications/{number:032x}")).await;
    }
    assert!(asked(&store) <= 60 * once, "at most 60 lookups a minute");
}
