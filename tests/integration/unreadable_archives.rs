//! Archives that cannot be read: what is answered for them, and when they are tried again.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use historyserver::clock::Timestamp;
use historyserver::directory::Directory;
use serde_json::Value;

use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::support::archives::{id, job, summary};
use crate::support::stored;
use crate::support::world::{World, WorldOptions};

const END: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const DAY: Duration = Duration::from_hours(24);

/// A store and the directory in it.
fn store() -> (FaultyStore, Directory) {
    let store = FaultyStore::in_memory();
    let directory = stored::directory(&store);
    (store, directory)
}

fn open(directory: &Directory, data: &tempfile::TempDir) -> World {
    World::open(std::slice::from_ref(directory), data.path(), WorldOptions::default())
}

fn sentence(answer: &crate::support::world::Answer) -> String {
    let body: Value = answer.json();
    body["errors"][0].as_str().unwrap_or_else(|| panic!("no envelope: {body}")).to_owned()
}

/// Every path that is about an application or a job by its id.
fn paths(kind: &str, id: &str) -> Vec<String> {
    let mut paths = vec![
        format!("/{kind}/{id}"),
        format!("/v1/{kind}/{id}/exceptions"),
        format!("/api/v1/{kind}/{id}"),
        format!("/api/v1/{kind}/{id}/documents"),
        format!("/api/v1/{kind}/{id}/document?path=/{kind}/{id}"),
        format!("/api/v1/{kind}/{id}/archive"),
    ];
    match kind {
        "jobs" => paths.extend(["status", "execution-result", "config", "vertices/x"].map(|each| format!("/jobs/{id}/{each}"))),
        _ => paths.push(format!("/application-overviews/{id}")),
    }
    paths
}

#[tokio::test]
async fn an_archive_with_bad_content_answers_with_its_problem_and_is_not_read_for_each_request() {
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    let (application, good, bad, legacy) = (id('a'), id('1'), id('2'), id('3'));
    let folder = format!("history/c/applications/{application}");
    store.write(&format!("{folder}/application-summary"), summary(&application, "name", END.as_millis(), &[&good, &bad])).await;
    store.write(&format!("{folder}/jobs/{good}"), job(&good, "good", END.as_millis())).await;
    // Of another job than its name says.
    store.write(&format!("{folder}/jobs/{bad}"), job(&good, "good", END.as_millis())).await;
    store.write(&format!("history/{legacy}"), "{\"archive\":[{").await;
    let unlisted = id('b');
    store.write(&format!("history/c/applications/{unlisted}/application-summary"), "[]").await;
    let mut world = open(&directory, &data);
    world.full_scan().await;
    assert_eq!(world.problems().await.len(), 3);
    let problems = world.reader.everything().problem_page(historyserver::index::ProblemFilter::default(), None, 10).await.unwrap().0.rows;
    let asked: [(&str, &String, &str); 3] =
        [("jobs", &bad, "jobs/2222"), ("jobs", &legacy, &legacy), ("applications", &unlisted, "b/application-summary")];
    store.reset_counts();
    for (kind, id, file) in asked {
        let problem = problems.iter().find(|problem| problem.subject.file.as_ref().unwrap().as_str().contains(file)).unwrap();
        for path in paths(kind, id).iter().chain(paths(kind, id).iter()) {
            let answer = world.get(path).await;
            assert_eq!(answer.status, 404, "{path}: {}", answer.text());
            assert!(sentence(&answer).contains(&problem.reason), "{path}: {}", answer.text());
            assert_eq!(answer.headers["historyserver-error"], "archive-unreadable", "{path}");
        }
    }
    assert_eq!(store.count(Operation::Get, &format!("{folder}/jobs/{bad}")), 0);
    assert!(store.count(Operation::Get, &legacy) <= 1, "at most a look at its version");
    // The archive of a job that is read has no such document.
    let answer = world.get(&format!("/jobs/{good}/vertices/x")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["historyserver-error"]),
        (404, &"not-in-archive".parse().unwrap()),
        "{}",
        answer.text()
    );
    // What is not there at all is answered as before.
    for path in paths("jobs", &id('9')) {
        let answer = world.get(&path).await;
        assert!(!answer.headers.contains_key("historyserver-error"), "{path}");
        let said = sentence(&answer);
        assert!(said.contains("No job with this id") || said.contains("There is no such job"), "{path}: {said}");
    }
    world.close().await;
}

#[tokio::test]
async fn a_request_reads_a_newer_version_of_an_unreadable_archive() {
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    let (application, first, legacy) = (id('a'), id('1'), id('3'));
    let folder = format!("history/c/applications/{application}");
    store.write(&format!("{folder}/application-summary"), summary(&application, "name", END.as_millis(), &[&first])).await;
    store.write(&format!("{folder}/jobs/{first}"), "{").await;
    store.write(&format!("history/{legacy}"), "{").await;
    let mut world = open(&directory, &data);
    world.full_scan().await;
    store.write(&format!("{folder}/jobs/{first}"), job(&first, "first", END.as_millis())).await;
    store.write(&format!("history/{legacy}"), job(&legacy, "legacy", END.as_millis())).await;
    for id in [&first, &legacy] {
        assert_eq!(world.get(&format!("/jobs/{id}/config")).await.status, 200, "{id}");
    }
    assert_eq!(world.problems().await, Vec::<String>::new());
    world.close().await;
}

#[tokio::test]
async fn an_unreadable_archive_that_was_deleted_is_unknown() {
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    let legacy = id('3');
    store.write(&format!("history/{legacy}"), "{").await;
    let mut world = open(&directory, &data);
    world.full_scan().await;
    store.erase(&format!("history/{legacy}")).await;
    assert!(sentence(&world.get(&format!("/jobs/{legacy}")).await).contains("No job with this id"));
    assert_eq!(world.problems().await, Vec::<String>::new());
    world.close().await;
}

#[tokio::test]
async fn a_file_that_the_store_did_not_return_is_read_on_request() {
    for failure in [Failure::Unavailable, Failure::Denied] {
        let data = tempfile::tempdir().unwrap();
        let (store, directory) = store();
        let legacy = id('3');
        store.write(&format!("history/{legacy}"), job(&legacy, "legacy", END.as_millis())).await;
        store.fail(Operation::Get, &legacy, failure);
        let mut world = open(&directory, &data);
        world.full_scan().await;
        store.reset_counts();
        let path = format!("/jobs/{legacy}/config");
        for _ in 0..10 {
            let answer = world.get(&path).await;
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(sentence(&answer).contains("cannot be read: "), "{}", answer.text());
            assert!(answer.headers.contains_key(RETRY_AFTER));
        }
        assert_eq!(store.count(Operation::Get, &legacy), 1, "not once for each request");
        store.heal();
        world.advance(Duration::from_millis(2_001));
        assert_eq!(world.get(&path).await.status, 200);
        assert_eq!(world.problems().await, Vec::<String>::new());
        world.close().await;
    }
}

#[tokio::test]
async fn trouble_of_the_store_is_over_a_few_refreshes_after_the_store_works_again() {
    for failure in [Failure::Unavailable, Failure::Denied] {
        let data = tempfile::tempdir().unwrap();
        let (store, directory) = store();
        let (application, first, legacy) = (id('a'), id('1'), id('3'));
        let folder = format!("history/c/applications/{application}");
        store.write(&format!("{folder}/application-summary"), summary(&application, "name", END.as_millis(), &[&first])).await;
        store.write(&format!("{folder}/jobs/{first}"), job(&first, "first", END.as_millis())).await;
        store.write(&format!("history/{legacy}"), job(&legacy, "legacy", END.as_millis())).await;
        store.fail(Operation::Get, "", failure);
        let mut world = open(&directory, &data);
        world.full_scan().await;
        // For half an hour.
        for _ in 0..180 {
            world.advance(Duration::from_secs(10));
            world.quick_scan().await;
        }
        assert_eq!((world.applications().await.len(), world.jobs().await.len()), (0, 0));
        let attempts = store.count(Operation::Get, &legacy);
        assert!((20..40).contains(&attempts), "{attempts} attempts in half an hour");
        store.heal();
        for _ in 0..8 {
            world.advance(Duration::from_secs(10));
            world.quick_scan().await;
        }
        assert_eq!((world.applications().await.len(), world.jobs().await.len()), (1, 2));
        assert_eq!(world.problems().await, Vec::<String>::new());
        world.close().await;
    }
}

#[tokio::test]
async fn a_restart_tries_everything_once_that_could_not_be_read() {
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    let (refused, broken) = (id('3'), id('4'));
    store.write(&format!("history/{refused}"), job(&refused, "refused", END.as_millis())).await;
    store.write(&format!("history/{broken}"), "{").await;
    store.fail(Operation::Get, &refused, Failure::Denied);
    let mut world = open(&directory, &data);
    world.full_scan().await;
    let later = world.clock.now() + Duration::from_secs(1);
    world.close().await;
    store.heal();
    store.reset_counts();
    let options = WorldOptions { clock: historyserver::clock::Clock::manual(later), ..WorldOptions::default() };
    let mut world = World::open(&[directory], data.path(), options);
    world.quick_scan().await;
    assert_eq!(world.jobs().await, [refused.as_str()]);
    for _ in 0..5 {
        world.advance(Duration::from_secs(10));
        world.quick_scan().await;
    }
    assert_eq!(store.count(Operation::Get, &broken), 1);
    world.close().await;
}

#[tokio::test]
async fn bad_content_is_read_seldom_and_all_of_it_on_request() {
    const COUNT: usize = 200;
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    for number in 0..COUNT {
        store.write(&format!("history/{number:032x}"), "{").await;
    }
    let mut world = open(&directory, &data);
    world.full_scan().await;
    assert_eq!(world.problems().await.len(), COUNT);
    store.reset_counts();
    for _ in 0..100 {
        world.advance(Duration::from_secs(10));
        world.quick_scan().await;
    }
    assert_eq!(store.count(Operation::Get, ""), 0, "old files are not read again within a quarter of an hour");
    world.advance(DAY);
    for round in 1..=4 {
        world.quick_scan().await;
        assert_eq!(store.count(Operation::Get, ""), (64 * round).min(COUNT), "in small portions");
        world.advance(Duration::from_secs(10));
    }
    store.reset_counts();
    world.refresh.retry_everything();
    world.full_scan().await;
    assert_eq!(store.count(Operation::Get, ""), COUNT);
    world.quick_scan().await;
    assert_eq!(store.count(Operation::Get, ""), COUNT, "once");
    world.close().await;
}

#[tokio::test]
async fn a_further_attempt_at_a_broken_archive_leaves_the_index_as_known() {
    let data = tempfile::tempdir().unwrap();
    let (store, directory) = store();
    store.write(&format!("history/{}", id('4')), "{").await;
    let mut world = open(&directory, &data);
    world.full_scan().await;
    let version = world.reader.known_version();
    world.advance(2 * DAY);
    store.reset_counts();
    for _ in 0..5 {
        world.quick_scan().await;
    }
    assert_eq!(store.count(Operation::Get, ""), 1);
    assert_eq!(world.reader.known_version(), version, "nothing is read anew of all that is known");
    let next = world.reader.everything().problem_page(historyserver::index::ProblemFilter::default(), None, 1).await.unwrap().0.rows[0]
        .next_attempt
        .unwrap();
    assert_eq!(next, world.clock.now() + DAY, "the problem tells the next attempt");
    world.close().await;
}
