//! New applications are listed by their summaries before their archives are read, whenever more of them wait than are read at once.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::{Request, StatusCode};
use historyserver::refresh::RetentionRules;
use historyserver::retention::policy::Policy;
use serde_json::{Value, json};

use crate::faulty_store::{FaultyStore, Held, Operation};
use crate::support::archives::{application_folder, envelope, write};
use crate::support::process::Process;
use crate::support::stored;
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

/// Applications that are read at once; more than these are listed first.
const AT_ONCE: usize = 16;

/// More applications than that.
const MANY: u64 = 40;

fn hex(number: u64) -> String {
    format!("{number:032x}")
}

/// Ids of the jobs of these applications begin with 0.
fn job_of(number: u64) -> String {
    hex(number + 0x1000)
}

/// The id of another job.
fn other(digit: char) -> String {
    digit.to_string().repeat(32)
}

fn overview(job: &str, name: &str, end: i64) -> Value {
    json!({
        "jid": job, "name": name, "jobType": "BATCH", "schedulerType": "Default", "start-time": end - 1000, "end-time": end,
        "duration": 1000, "state": "FINISHED", "last-modification": end, "tasks": {"total": 1, "finished": 1}, "pending-operators": 0
    })
}

/// The archive of a job, with its overview behind a first entry of this size.
fn archive(job: &str, name: &str, end: i64, first: usize) -> String {
    envelope(&[
        (&format!("/jobs/{job}/config"), &json!({"jid": job, "name": name, "filler": "x".repeat(first)}).to_string()),
        ("/jobs/overview", &json!({"jobs": [overview(job, name, end)]}).to_string()),
        (&format!("/jobs/{job}"), &json!({"jid": job, "name": name, "state": "FINISHED"}).to_string()),
    ])
}

/// A summary that describes its jobs, as those of Flink do.
fn summary(application: &str, end: i64, jobs: &[&str]) -> String {
    let object = json!({
        "id": application, "name": "an application", "start-time": end - 1000, "end-time": end, "duration": 1000, "status": "FINISHED",
        "jobs": {"FINISHED": jobs.len()}
    });
    let mut details = object.clone();
    details["jobs"] = jobs.iter().map(|job| overview(job, "a job", end)).collect();
    envelope(&[
        ("/applications/overview", &json!({"applications": [object]}).to_string()),
        (&format!("/applications/{application}"), &details.to_string()),
    ])
}

fn folder(application: &str) -> String {
    format!("history/c/applications/{application}")
}

async fn write_application(store: &FaultyStore, application: &str, end: i64, job: &str) {
    store.write(&format!("{}/jobs/{job}", folder(application)), archive(job, "a job", end, 0)).await;
    store.write(&format!("{}/application-summary", folder(application)), summary(application, end, &[job])).await;
}

/// Writes applications that are newer than everything written before: the directory reads times of a store in seconds.
async fn write_many(store: &FaultyStore) {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let begun = now();
    while now() == begun {
        tokio::task::yield_now().await;
    }
    for number in 0..MANY {
        write_application(store, &hex(number), END + i64::try_from(number).unwrap(), &job_of(number)).await;
    }
}

/// Asks while a refresh runs.
#[derive(Clone)]
struct Client(axum::Router);

impl Client {
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("host", "localhost").body(axum::body::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(self.0.clone(), request).await.unwrap();
        let status = response.status();
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn queued(&self) -> u64 {
        self.json("/api/v1/status").await["figures"]["queued"].as_u64().unwrap()
    }
}

/// Runs a refresh, and `asking` while the archives of [`AT_ONCE`] of the many applications wait for the store.
async fn while_reading<T>(world: &mut World, store: &FaultyStore, asking: impl AsyncFnOnce(Client, Held) -> T) -> T {
    let held = store.hold(Operation::Get, "/jobs/0");
    let client = Client(world.router.clone());
    let asked = async {
        held.until_arrived(AT_ONCE).await;
        asking(client, held).await
    };
    futures::join!(world.full_scan(), asked).1
}

/// The objects of an overview, which holds none of them twice.
async fn listed(client: &Client, list: &str) -> BTreeSet<String> {
    let body = client.json(&format!("/{list}/overview")).await;
    let objects: Vec<String> = body[list].as_array().unwrap().iter().map(ToString::to_string).collect();
    let set: BTreeSet<String> = objects.iter().cloned().collect();
    assert_eq!(set.len(), objects.len(), "{list}");
    set
}

#[tokio::test]
async fn all_are_listed_before_their_archives_are_read_and_what_is_requested_is_read_at_once() {
    let data = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    // The oldest: the last in the queue.
    write_application(&store, &other('f'), END - 1, &other('f')).await;
    write_many(&store).await;
    let mut world = World::open(&[stored::directory(&store)], data.path(), WorldOptions::default());
    let (applications, jobs) = while_reading(&mut world, &store, async |client, held| {
        let all = MANY + 1;
        assert_eq!(client.queued().await, all);
        assert_eq!(client.json("/api/v1/status").await["figures"]["units"], all);
        let found = (listed(&client, "applications").await, listed(&client, "jobs").await);
        assert_eq!((found.0.len() as u64, found.1.len() as u64), (all, all));
        assert_eq!(store.count(Operation::Get, "/jobs/0"), AT_ONCE);
        for path in ["/api/v1/applications?limit=1000", "/api/v1/jobs?limit=1000"] {
            let page = client.json(path).await;
            assert_eq!(page["queued"], all, "{path}");
            assert!(page["items"].as_array().unwrap().iter().all(|item| item["read"] == false && item["archived"] != false), "{page}");
        }
        assert_eq!(client.json("/api/v1/statistics").await["queued"], all);
        assert_eq!(client.json("/api/v1/search?q=job").await["queued"], all);

        let config = client.json(&format!("/jobs/{}/config", other('f'))).await;
        assert_eq!(config["name"], "a job");
        assert_eq!(client.queued().await, all - 1);
        let item = client.json(&format!("/api/v1/jobs/{}", other('f'))).await;
        assert_eq!((&item["read"], &item["archived"]), (&json!(true), &json!(true)), "{item}");
        drop(held);
        found
    })
    .await;
    let client = Client(world.router.clone());
    assert_eq!(client.queued().await, 0);
    assert_eq!((listed(&client, "applications").await, listed(&client, "jobs").await), (applications, jobs));
    assert_eq!(store.count(Operation::Get, &format!("/jobs/{}", other('f'))), 1, "it left the queue");
    assert_eq!(store.count(Operation::Get, "/application-summary") as u64, MANY + 1, "each was kept until its archives were read");
    let page = client.json("/api/v1/jobs?limit=1000").await;
    assert!(page["queued"] == 0 && page["items"].as_array().unwrap().iter().all(|item| item["read"] == true), "{page}");
    assert_eq!(world.problems().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_application_that_arrives_while_archives_are_read_is_listed_without_waiting_for_them() {
    let data = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    write_many(&store).await;
    let options = WorldOptions { refresh_interval: Duration::from_millis(1), ..WorldOptions::default() };
    let mut world = World::open(&[stored::directory(&store)], data.path(), options);
    while_reading(&mut world, &store, async |client, held| {
        assert_eq!(listed(&client, "applications").await.len() as u64, MANY);
        // One that still runs has no summary.
        store.write(&format!("{}/jobs/{}", folder(&other('e')), other('e')), archive(&other('e'), "a job", END, 0)).await;
        write_application(&store, &other('f'), END, &other('f')).await;
        while listed(&client, "applications").await.len() as u64 == MANY {
            tokio::task::yield_now().await;
        }
        assert!(listed(&client, "jobs").await.iter().any(|object| object.contains(&other('f'))));
        assert_eq!(store.count(Operation::Get, &format!("/jobs/{}", other('f'))), 0, "its archives wait");
        assert_eq!(client.queued().await, MANY + 1);
        drop(held);
    })
    .await;
    let client = Client(world.router.clone());
    assert_eq!((client.queued().await, listed(&client, "applications").await.len() as u64), (0, MANY + 1));
    assert_eq!(store.count(Operation::Get, &format!("/jobs/{}", other('f'))), 1, "it is read in the same round, once");
    world.full_scan().await;
    assert_eq!(listed(&client, "applications").await.len() as u64, MANY + 1, "the next round finds it where it was");
    assert!(listed(&client, "jobs").await.iter().any(|object| object.contains(&other('e'))));
}

#[tokio::test]
async fn a_summary_may_name_jobs_with_without_and_with_unreadable_archives() {
    let data = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    let (good, absent, broken, unnamed) = (other('1'), other('2'), other('3'), other('4'));
    let at = folder(&other('f'));
    store.write(&format!("{at}/jobs/{good}"), archive(&good, "renamed", END, 0)).await;
    store.write(&format!("{at}/jobs/{broken}"), "{\"archive\":[").await;
    store.write(&format!("{at}/jobs/{unnamed}"), archive(&unnamed, "unnamed", END, 0)).await;
    store.write(&format!("{at}/application-summary"), summary(&other('f'), END, &[&good, &absent, &broken])).await;
    // An application whose summary cannot be read.
    store.write(&format!("{}/application-summary", folder(&other('e'))), "no archive").await;
    write_many(&store).await;
    let mut world = World::open(&[stored::directory(&store)], data.path(), WorldOptions::default());
    while_reading(&mut world, &store, async |client, held| {
        let jobs = listed(&client, "jobs").await;
        let is_listed = |job: &str| jobs.iter().any(|object| object.contains(job));
        assert!(is_listed(&good) && is_listed(&broken), "by the summary");
        assert!(!is_listed(&absent) && !is_listed(&unnamed), "nothing to list yet");
        assert!(!listed(&client, "applications").await.iter().any(|object| object.contains(&other('e'))));
        let (status, body) = client.get(&format!("/jobs/{absent}/config")).await;
        assert_eq!(status, 404);
        assert!(body.to_string().contains("not archived"), "{body}");
        drop(held);
    })
    .await;
    let client = Client(world.router.clone());
    let jobs = listed(&client, "jobs").await;
    assert_eq!(jobs.len() as u64, MANY + 2);
    assert!(jobs.contains(&overview(&good, "renamed", END).to_string()), "the archive of a job wins");
    assert!(jobs.contains(&overview(&unnamed, "unnamed", END).to_string()));
    assert!(!jobs.iter().any(|object| object.contains(&broken) || object.contains(&absent)));
    let (status, body) = client.get(&format!("/jobs/{broken}/config")).await;
    assert!(status != 200 && !body.to_string().contains("not archived"), "{status} {body}");
    assert_eq!(client.get(&format!("/jobs/{absent}/config")).await.0, 404);
    assert_eq!(client.get(&format!("/jobs/{unnamed}/config")).await.0, 200);
    assert_eq!(client.queued().await, 0);
    assert_eq!(world.problems().await, ["archive-unreadable", "archive-unreadable"]);
}

#[tokio::test]
async fn job_archives_outside_of_applications_are_listed_by_their_first_bytes() {
    let data = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    let (plain, late, broken) = (other('1'), other('2'), other('3'));
    store.write(&format!("history/{plain}"), archive(&plain, "plain", END, 2_000)).await;
    store.write(&format!("history/{late}"), archive(&late, "late", END, 40_000)).await;
    let mut cut = archive(&broken, "broken", END, 100);
    cut.truncate(cut.len() - 40);
    store.write(&format!("history/{broken}"), cut).await;
    // They are found before applications: more than are read at once.
    for number in 0..MANY {
        let job = hex(number + (9 << 60));
        store.write(&format!("history/{job}"), archive(&job, "one of many", END, 0)).await;
    }
    write_many(&store).await;
    let mut world = World::open(&[stored::directory(&store)], data.path(), WorldOptions::default());
    while_reading(&mut world, &store, async |client, held| {
        let jobs = listed(&client, "jobs").await;
        assert!(jobs.contains(&overview(&plain, "plain", END).to_string()));
        assert!(jobs.contains(&overview(&broken, "broken", END).to_string()), "its head is whole");
        assert!(!jobs.iter().any(|object| object.contains(&late)), "its overview is behind the first bytes");
        assert_eq!(store.count(Operation::Get, &plain), 1);
        drop(held);
    })
    .await;
    let client = Client(world.router.clone());
    let jobs = listed(&client, "jobs").await;
    assert!(jobs.contains(&overview(&plain, "plain", END).to_string()) && jobs.contains(&overview(&late, "late", END).to_string()));
    assert!(!jobs.iter().any(|object| object.contains(&broken)), "its archive cannot be read");
    assert_eq!(client.queued().await, 0);
    assert_eq!(world.problems().await, ["archive-unreadable"]);
}

#[tokio::test]
async fn nothing_that_is_expired_is_read_while_only_summaries_are_read() {
    let data = tempfile::tempdir().unwrap();
    let store = FaultyStore::in_memory();
    for digit in ['d', 'e', 'f'] {
        write_application(&store, &other(digit), END - 1, &other(digit)).await;
    }
    write_many(&store).await;
    let policy = Policy { applications: Some(MANY), ..Policy::default() };
    let options = WorldOptions {
        retention: RetentionRules { policy, max_delete_fraction: Some(1.0), ..RetentionRules::default() },
        ..WorldOptions::default()
    };
    let mut world = World::open(&[stored::directory(&store)], data.path(), options);
    while_reading(&mut world, &store, async |client, held| {
        assert_eq!(listed(&client, "applications").await.len() as u64, MANY);
        for digit in ['d', 'e', 'f'] {
            assert_eq!(store.count(Operation::Get, &other(digit)), 0, "{digit}");
        }
        drop(held);
    })
    .await;
    let client = Client(world.router.clone());
    assert_eq!(listed(&client, "applications").await.len() as u64, MANY);
    assert_eq!(client.queued().await, 0);
}

/// Writes the applications of a directory on disk.
fn write_on_disk(root: &std::path::Path, number: u64) {
    let (application, job, end) = (hex(number), job_of(number), END + i64::try_from(number).unwrap());
    let at = application_folder(root, "c", &application);
    write(&at.join("jobs").join(&job), archive(&job, "a job", end, 0));
    write(&at.join("application-summary"), summary(&application, end, &[&job]));
}

#[tokio::test]
async fn lists_equal_those_of_a_server_that_read_each_archive_as_it_came() {
    let folder = tempfile::tempdir().unwrap();
    let (at_once, one_by_one) = (folder.path().join("at-once"), folder.path().join("one-by-one"));
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/versions");
    let copied = std::process::Command::new("cp").arg("-r").arg(fixtures.join("flink-2.3.0")).arg(&at_once).status().unwrap();
    assert!(copied.success());
    (0..MANY).for_each(|number| write_on_disk(&at_once, number));
    let mut first = World::over(&[&at_once], &folder.path().join("data-1"), WorldOptions::default());
    first.full_scan().await;

    let mut second = World::over(&[&one_by_one], &folder.path().join("data-2"), WorldOptions::default());
    let mut units = Vec::new();
    for cluster in std::fs::read_dir(&at_once).unwrap().map(|entry| entry.unwrap().path()) {
        let applications = if cluster.is_file() { vec![cluster] } else { applications_below(&cluster) };
        units.extend(applications);
    }
    assert!(units.len() as u64 > MANY + 20);
    for some in units.chunks(8) {
        for unit in some {
            let to = one_by_one.join(unit.strip_prefix(&at_once).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            assert!(std::process::Command::new("cp").arg("-rp").arg(unit).arg(&to).status().unwrap().success());
        }
        second.full_scan().await;
    }
    for path in ["/applications/overview", "/jobs/overview"] {
        let (one, other) = (first.get(path).await, second.get(path).await);
        assert_eq!((one.status, one.text()), (other.status, other.text()), "{path}");
    }
    for path in ["/api/v1/applications?limit=1000", "/api/v1/jobs?limit=1000", "/api/v1/statistics?from=2020-01-01&to=2020-02-01"] {
        let place = |text: String| text.replace("one-by-one", "at-once");
        assert_eq!(place(first.get(path).await.text()), place(second.get(path).await.text()), "{path}");
    }
}

/// The folders of the applications below a folder.
fn applications_below(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = || std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    if folder.file_name().is_some_and(|name| name == "applications") {
        return entries().collect();
    }
    entries().filter(|entry| entry.is_dir()).flat_map(|entry| applications_below(&entry)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_between_the_lists_and_the_archives_each_restart_reads_the_rest() {
    const APPLICATIONS: u64 = 600;
    const ONCE: &[&str] = &["historyserver.archive.fs.refresh-interval=1 h"];
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    (0..APPLICATIONS).for_each(|number| write_on_disk(&archives, number));
    let mut between = 0;
    for round in 0..10_u64 {
        let data = folder.path().join(format!("data-{round}"));
        let mut server = Process::start(&[&archives], &data, ONCE);
        // So many are still to be read, or all were read before they could be counted.
        let left = APPLICATIONS - round * APPLICATIONS / 11;
        let status = server
            .wait_until("/api/v1/status", "in the middle", |status| {
                let (units, queued) = (status["figures"]["units"].as_u64().unwrap(), status["figures"]["queued"].as_u64().unwrap());
                (units == APPLICATIONS && queued <= left) || status["refresh"]["finished"] != 0
            })
            .await;
        server.kill();
        between += u32::from(status["figures"]["queued"] != 0);

        let mut server = Process::start(&[&archives], &data, ONCE);
        let status = server.wait_for_refreshes(1).await;
        assert_eq!((&status["figures"]["queued"], &status["figures"]["applications"]), (&json!(0), &json!(APPLICATIONS)), "{status}");
        assert_eq!(status["readiness"]["complete"], true);
        for number in (0..APPLICATIONS).step_by(29) {
            assert_eq!(server.json(&format!("/jobs/{}/config", job_of(number))).await["name"], "a job");
        }
        let jobs = server.json("/jobs/overview").await;
        assert_eq!(jobs["jobs"].as_array().unwrap().len() as u64, APPLICATIONS);
        server.terminate();
    }
    assert!(between >= 3, "only {between} of ten were killed between the lists and the archives");
}
