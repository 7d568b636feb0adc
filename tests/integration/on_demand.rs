//! Packs that were evicted are read again when asked for, and what happens when that cannot be.

use std::path::Path;
use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use historyserver::clock::{Clock, Timestamp};
use historyserver::directory::Directory;
use historyserver::refresh::plan::Rules;
use serde_json::Value;

use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{id, job, summary};
use crate::support::stored;
use crate::support::world::{World, WorldOptions, fixtures};

const END: i64 = 1_795_000_000_000;

/// Every document of an archive folder with the path that Flink's API has for it, read with nothing of ours.
fn documents(root: &Path) -> Vec<(String, String)> {
    let mut documents = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let archive: Value = serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap();
            for document in archive["archive"].as_array().unwrap() {
                let path = document["path"].as_str().unwrap();
                if !path.ends_with("/overview") || path.contains("rescales") {
                    documents.push((path.to_owned(), document["json"].as_str().unwrap().to_owned()));
                }
            }
        }
    }
    // Of equal paths in one archive the last counts, as in Flink.
    let mut last = std::collections::BTreeMap::new();
    for (path, json) in documents {
        last.insert(path, json);
    }
    last.into_iter().collect()
}

#[tokio::test]
async fn every_document_is_restored_with_a_budget_of_nothing_and_of_one_pack() {
    const STRIDES: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let root = fixtures("flink-2.3.0");
    let documents = documents(&root);
    assert!(documents.len() > 500);
    for (number, budget) in [0, 40_000].into_iter().enumerate() {
        let data = folder.path().join(number.to_string());
        let options = WorldOptions { max_pack_bytes: budget, restored_grace: Duration::from_millis(500), ..WorldOptions::default() };
        let mut world = World::over(&[&root], &data, options);
        world.full_scan().await;
        let figures = world.reader.everything().figures().await.unwrap();
        assert!(figures.pack_bytes <= budget, "{figures:?}");
        assert!(figures.evictions > 0, "{figures:?}");
        // Each stride visits every archive, and after each everything is evicted again.
        let mut asked = 0;
        for offset in 0..STRIDES {
            for (path, json) in documents.iter().skip(offset).step_by(STRIDES) {
                let answer = world.get(path).await;
                assert_eq!(answer.status, 200, "{path}");
                assert!(answer.text() == *json, "{path}");
                asked += 1;
            }
            world.until_evicted_to(budget).await;
        }
        assert_eq!(asked, documents.len());
        assert!(world.reader.everything().figures().await.unwrap().evictions >= figures.evictions * STRIDES as u64 / 2);
        world.close().await;
    }
}

async fn store_with_one_application() -> (FaultyStore, Directory) {
    let store = FaultyStore::in_memory();
    let folder = format!("history/c/applications/{}", id('a'));
    store.write(&format!("{folder}/jobs/{}", id('1')), job(&id('1'), "first", END)).await;
    store.write(&format!("{folder}/jobs/{}", id('2')), job(&id('2'), "second", END)).await;
    store.write(&format!("{folder}/application-summary"), summary(&id('a'), "name", END, &[&id('1'), &id('2')])).await;
    let directory = stored::directory(&store);
    (store, directory)
}

#[tokio::test]
async fn a_hundred_requests_for_one_evicted_application_cause_one_fetch() {
    let folder = tempfile::tempdir().unwrap();
    let (store, directory) = store_with_one_application().await;
    let mut world = World::open(&[directory], folder.path(), WorldOptions { max_pack_bytes: 0, ..WorldOptions::default() });
    world.full_scan().await;
    let before = store.count(Operation::Get, "");
    let held = store.hold(Operation::Get, "jobs");
    let path = format!("/jobs/{}/config", id('1'));
    let asking = futures::future::join_all((0..100).map(|_| world.get(&path)));
    let release = async {
        held.until_arrived(2).await;
        drop(held);
    };
    let (answers, ()) = futures::join!(asking, release);
    assert!(answers.iter().all(|answer| answer.status == 200));
    let fetched = store.count(Operation::Get, "") - before;
    assert_eq!(fetched, 3, "the summary and both job archives, once each");
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_a_503_with_the_time_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, directory) = store_with_one_application().await;
    let mut world = World::open(&[directory], folder.path(), WorldOptions { max_pack_bytes: 0, ..WorldOptions::default() });
    world.full_scan().await;
    store.fail(Operation::Get, "", Failure::Unavailable);
    let path = format!("/jobs/{}/config", id('1'));
    let answer = world.get(&path).await;
    assert_eq!(answer.status, 503);
    assert!(answer.headers[RETRY_AFTER].to_str().unwrap().parse::<u32>().unwrap() > 0);
    assert!(answer.json()["errors"][0].is_string());
    assert_eq!(world.applications().await, vec![id('a')], "lists need no pack");
    store.heal();
    assert_eq!(world.get(&path).await.status, 200);
}

#[tokio::test]
async fn an_archive_that_went_after_its_pack_was_evicted_stays_listed_and_its_documents_are_410() {
    let folder = tempfile::tempdir().unwrap();
    let (store, directory) = store_with_one_application().await;
    let rules = Rules { empty_grace: Duration::ZERO, ..Rules::default() };
    let mut world = World::open(&[directory], folder.path(), WorldOptions { max_pack_bytes: 0, rules, ..WorldOptions::default() });
    world.full_scan().await;
    for file in [format!("jobs/{}", id('1')), format!("jobs/{}", id('2')), "application-summary".to_owned()] {
        store.erase(&format!("history/c/applications/{}/{file}", id('a'))).await;
    }
    let path = format!("/jobs/{}/config", id('1'));
    let answer = world.get(&path).await;
    assert_eq!(answer.status, 410, "asked before a refresh has seen it: {}", answer.text());
    world.full_scan().await;
    assert_eq!(world.get(&path).await.status, 410);
    assert_eq!(world.applications().await, vec![id('a')]);
    assert_eq!(world.jobs().await.len(), 2);
}

#[tokio::test]
async fn a_file_that_does_not_come_back_hides_no_other_of_its_application() {
    let rules = Rules { empty_grace: Duration::ZERO, ..Rules::default() };
    let options = WorldOptions { max_pack_bytes: 0, restored_grace: Duration::from_millis(100), rules, ..WorldOptions::default() };
    let (first, second) = (format!("/jobs/{}/config", id('1')), format!("/jobs/{}/config", id('2')));
    let file = format!("history/c/applications/{}/jobs/{}", id('a'), id('2'));

    let folder = tempfile::tempdir().unwrap();
    let (store, directory) = store_with_one_application().await;
    let mut world = World::open(&[directory], folder.path(), options.clone());
    world.full_scan().await;
    store.fail(Operation::Get, &id('2'), Failure::Denied);
    assert_eq!(world.get(&first).await.status, 200);
    assert_eq!(world.get(&second).await.status, 503);
    world.until_evicted_to(0).await;
    store.heal();
    assert_eq!(world.get(&second).await.status, 200, "what is known of it stayed");
    assert_eq!(world.problems().await, Vec::<String>::new());

    world.until_evicted_to(0).await;
    store.write(&file, "{").await;
    assert_eq!(world.get(&first).await.status, 200);
    let answer = world.get(&second).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert!(answer.text().contains("cannot be read: the archive is incomplete"), "{}", answer.text());
    assert_eq!(world.problems().await, ["archive-unreadable"]);

    world.until_evicted_to(0).await;
    store.erase(&file).await;
    assert_eq!(world.get(&first).await.status, 200);
    assert_eq!(world.get(&second).await.status, 410, "asked before a refresh has seen it");
    assert_eq!(world.get(&format!("/applications/{}", id('a'))).await.status, 200);
    world.full_scan().await;
    assert_eq!(world.get(&second).await.status, 410);
    assert_eq!((world.applications().await.len(), world.jobs().await.len()), (1, 2));
}

#[tokio::test]
async fn a_budget_smaller_than_the_missing_archives_forgets_the_longest_missing() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    for (number, digit) in ['a', 'b', 'c'].into_iter().enumerate() {
        let end = END + i64::try_from(number).unwrap();
        crate::support::archives::write_application(
            &root,
            "c",
            &id(digit),
            "name",
            end,
            &[&id(char::from(b'1' + u8::try_from(number).unwrap()))],
        );
    }
    let clock = Clock::manual(Timestamp::from_millis(2_000_000_000_000));
    let data = folder.path().join("data");
    // In the end none is left, which is to be believed at once.
    let rules = Rules { empty_grace: Duration::ZERO, ..Rules::default() };
    let options = |max_pack_bytes| WorldOptions { max_pack_bytes, rules, clock: clock.clone(), ..WorldOptions::default() };
    let mut world = World::over(&[&root], &data, options(10 << 20));
    world.full_scan().await;
    let all = world.reader.everything().figures().await.unwrap().pack_bytes;
    for digit in ['b', 'a', 'c'] {
        std::fs::remove_dir_all(crate::support::archives::application_folder(&root, "c", &id(digit))).unwrap();
        world.advance(Duration::from_secs(1));
        world.full_scan().await;
    }
    assert_eq!(world.applications().await.len(), 3);
    world.close().await;
    // Room for two of three.
    let mut world = World::over(&[&root], &data, options(all * 5 / 6));
    world.full_scan().await;
    let mut left = world.applications().await;
    left.sort();
    assert_eq!(left, vec![id('a'), id('c')], "b went first");
    assert_eq!(world.get(&format!("/applications/{}", id('a'))).await.status, 200);
}
