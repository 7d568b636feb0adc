//! Flink's own tests of its history server about fetching, serving and legacy archives.
//! Each test names its case in Flink.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use historyserver::refresh::plan::Rules;
use serde_json::{Value, json};

use crate::support::archives::{application_folder, envelope, id, job, summary, write, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("archives")).unwrap();
        Self { folder }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("archives")
    }

    fn world(&self, forget: bool) -> World {
        let rules = Rules { forget_gone_applications: forget, forget_gone_legacy_jobs: forget, empty_grace: Duration::ZERO };
        World::over(&[&self.root()], &self.folder.path().join("data"), WorldOptions { rules, ..WorldOptions::default() })
    }
}

/// An archive as Flink before 1.5 wrote it; `pending` is the name of a task state up to 1.3.
fn old_job(id: &str, with_pending: bool) -> String {
    let mut tasks = json!({"total": 3, "running": 0, "finished": 3, "canceling": 0, "canceled": 0, "failed": 0});
    if with_pending {
        tasks["pending"] = json!(1);
    } else {
        tasks["created"] = json!(1);
        tasks["scheduled"] = json!(2);
        tasks["deploying"] = json!(3);
    }
    let overview = json!({"running": [], "finished": [{
        "jid": id, "name": "old", "state": "FINISHED", "start-time": END - 10, "end-time": END, "duration": 10,
        "last-modification": END, "tasks": tasks
    }]});
    envelope(&[("/joboverview", &overview.to_string()), (&format!("/jobs/{id}/config"), "{}")])
}

#[tokio::test]
async fn history_server_integration() {
    for with_pending in [true, false] {
        let place = Place::new();
        let mut world = place.world(false);
        world.full_scan().await;
        assert_eq!(world.get("/jobs/overview").await.json(), json!({"jobs": []}));
        assert_eq!(world.get("/applications/overview").await.json(), json!({"applications": []}));
        for digit in ['1', '2'] {
            write(&place.root().join(id(digit)), job(&id(digit), "job", END + 1));
        }
        write(&place.root().join(id('3')), old_job(&id('3'), with_pending));
        world.full_scan().await;
        assert_eq!(world.jobs().await.len(), 3);
        assert_eq!(world.problems().await, Vec::<String>::new());
        let config = world.get("/config").await.json();
        for member in ["refresh-interval", "timezone-name", "timezone-offset", "flink-version", "flink-revision", "features"] {
            assert!(!config[member].is_null(), "{member}");
        }
        for feature in ["web-submit", "web-cancel", "web-rescale", "web-history"] {
            assert_eq!(config["features"][feature], json!(feature == "web-history"));
        }
    }
}

#[tokio::test]
async fn update_job_overview_and_legacy_job_overview_migration() {
    for with_pending in [true, false] {
        let place = Place::new();
        write(&place.root().join(id('3')), old_job(&id('3'), with_pending));
        let mut world = place.world(false);
        world.full_scan().await;
        let listed = world.get("/jobs/overview").await.json()["jobs"][0].clone();
        let tasks = if with_pending { (0, 1, 0) } else { (1, 2, 3) };
        assert_eq!(listed["tasks"]["created"], tasks.0);
        assert_eq!(listed["tasks"]["scheduled"], tasks.1);
        assert_eq!(listed["tasks"]["deploying"], tasks.2);
        assert_eq!((&listed["tasks"]["total"], &listed["tasks"]["finished"]), (&json!(3), &json!(3)));
        assert_eq!((&listed["tasks"]["reconciling"], &listed["tasks"]["initializing"]), (&json!(0), &json!(0)));
        assert_eq!((&listed["name"], &listed["state"], &listed["end-time"]), (&json!("old"), &json!("FINISHED"), &json!(END)));
        assert_eq!(world.get(&format!("/jobs/{}/config", id('3'))).await.text(), "{}");
    }
}

#[tokio::test]
async fn clean_expired_job_and_remain_expired_job() {
    for forget in [true, false] {
        let place = Place::new();
        for digit in ['1', '2', '3'] {
            write(&place.root().join(id(digit)), job(&id(digit), "job", END));
        }
        let mut world = place.world(forget);
        world.full_scan().await;
        assert_eq!(world.jobs().await.len(), 3);
        fs::remove_file(place.root().join(id('2'))).unwrap();
        world.quick_scan().await;
        let left = world.jobs().await;
        assert_eq!(left.contains(&id('2')), !forget);
        assert_eq!(left.len(), if forget { 2 } else { 3 });
        fs::remove_file(place.root().join(id('1'))).unwrap();
        fs::remove_file(place.root().join(id('3'))).unwrap();
        world.quick_scan().await;
        assert_eq!(world.jobs().await.len(), if forget { 0 } else { 3 });
        let pack_bytes = world.reader.everything().figures().await.unwrap().pack_bytes;
        assert_eq!(pack_bytes == 0, forget, "nothing is left of what is forgotten");
    }
}

#[tokio::test]
async fn application_and_job_archives() {
    let place = Place::new();
    for (application, jobs) in [('a', ['1', '2']), ('b', ['3', '4'])] {
        let jobs = jobs.map(id);
        // Each application in a cluster of its own, named like it.
        write_application(&place.root(), &id(application), &id(application), "name", END, &[&jobs[0], &jobs[1]]);
    }
    write(&place.root().join(id('5')), job(&id('5'), "outside", END));
    let mut world = place.world(false);
    world.full_scan().await;
    let mut applications = world.applications().await;
    applications.sort();
    assert_eq!(applications, [id('a'), id('b')]);
    for (application, jobs) in [('a', ['1', '2']), ('b', ['3', '4'])] {
        let details = world.get(&format!("/applications/{}", id(application))).await.json();
        let named: Vec<&str> = details["jobs"].as_array().unwrap().iter().map(|job| job["jid"].as_str().unwrap()).collect();
        assert_eq!(named, jobs.map(id));
    }
    let mut jobs = world.jobs().await;
    jobs.sort();
    assert_eq!(jobs, ['1', '2', '3', '4', '5'].map(id));
}

#[tokio::test]
async fn clean_expired_application_and_remain_expired_application() {
    for forget in [true, false] {
        let place = Place::new();
        for (application, job) in [('a', '1'), ('b', '2'), ('c', '3')] {
            write_application(&place.root(), "c", &id(application), "name", END, &[&id(job)]);
        }
        let mut world = place.world(forget);
        world.full_scan().await;
        fs::remove_dir_all(application_folder(&place.root(), "c", &id('b'))).unwrap();
        world.quick_scan().await;
        assert_eq!((world.applications().await.len(), world.jobs().await.len()), if forget { (2, 2) } else { (3, 3) });
        fs::remove_dir_all(place.root().join("c")).unwrap();
        world.quick_scan().await;
        assert_eq!((world.applications().await.len(), world.jobs().await.len()), if forget { (0, 0) } else { (3, 3) });
    }
}

#[tokio::test]
async fn eager_mode_loads_all_files_and_all_applications_and_jobs() {
    let place = Place::new();
    for digit in ['1', '2', '3'] {
        write(&place.root().join(id(digit)), job(&id(digit), "job", END));
    }
    for (application, jobs) in [('a', ['4', '5']), ('b', ['6', '7'])] {
        let jobs = jobs.map(id);
        write_application(&place.root(), &id('0'), &id(application), "name", END, &[&jobs[0], &jobs[1]]);
    }
    let mut world = place.world(false);
    world.full_scan().await;
    for digit in '1'..='7' {
        for path in ["", "/config"] {
            assert_eq!(world.get(&format!("/jobs/{}{path}", id(digit))).await.status, 200);
        }
        // Flink's own server keeps single overviews there.
        assert_eq!(world.get(&format!("/overviews/{}", id(digit))).await.json()["jobs"][0]["jid"], id(digit).as_str());
    }
    for digit in ['a', 'b'] {
        let answer = world.get(&format!("/application-overviews/{}", id(digit))).await.json();
        assert_eq!(answer["applications"][0]["id"], id(digit).as_str());
    }
}

#[tokio::test]
async fn an_empty_archive_leaves_nothing_behind() {
    let place = Place::new();
    write(&place.root().join(id('1')), r#"{"archive":[]}"#);
    let mut world = place.world(false);
    world.full_scan().await;
    assert_eq!(world.jobs().await, Vec::<String>::new());
    assert_eq!(world.problems().await, ["archive-empty"]);
    assert_eq!(world.get(&format!("/jobs/{}", id('1'))).await.status, 404);
}

#[tokio::test]
async fn missing_application_summary_file() {
    let place = Place::new();
    let folder = application_folder(&place.root(), "c", &id('a'));
    write(&folder.join("jobs").join(id('1')), job(&id('1'), "job", END));
    let mut world = place.world(false);
    world.full_scan().await;
    assert_eq!(world.applications().await, Vec::<String>::new());
    assert_eq!(world.get(&format!("/applications/{}", id('a'))).await.status, 404);
    let problems = world.reader.everything().problem_page(historyserver::index::ProblemFilter::default(), None, 10).await.unwrap().0.rows;
    assert!(problems[0].reason.contains("application-summary"), "{}", problems[0].reason);
}

#[tokio::test]
async fn a_malformed_overview_entry_neither_fails_everything_nor_wipes_a_good_overview() {
    let place = Place::new();
    write(&place.root().join(id('1')), job(&id('1'), "good", END));
    write(&place.root().join(id('2')), envelope(&[("/jobs/overview", "not json"), (&format!("/jobs/{}/config", id('2')), "{}")]));
    let mut world = place.world(false);
    world.full_scan().await;
    assert_eq!(world.jobs().await, [id('1')]);
    assert_eq!(world.problems().await, ["overview-unusable"]);
    write(&place.root().join(id('1')), "{}");
    world.full_scan().await;
    assert_eq!(world.jobs().await, [id('1')], "the last good overview stays");
}

#[tokio::test]
async fn paths_of_the_static_file_server() {
    let place = Place::new();
    write_application(&place.root(), "c", &id('a'), "name", END, &[&id('1')]);
    write(&place.root().join("secret"), "secret");
    let mut world = place.world(false);
    world.full_scan().await;
    let index = world.get("/index.html").await;
    assert_eq!((index.status.as_u16(), world.get("/").await.body), (200, index.body));
    for path in ["/hello.html", "/hello", "/dir.json", "/../secret", "/../archives/secret"] {
        let answer = world.get(path).await;
        assert!(answer.status.is_client_error(), "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
        assert!(answer.json()["errors"][0].is_string(), "{path}");
    }
}

#[tokio::test]
async fn a_written_archive_is_read_back_equal_and_garbage_is_an_error() {
    let place = Place::new();
    let documents: Vec<(String, String)> = (0..50)
        .map(|number| {
            (format!("/jobs/{}/checkpoints/details/{number}", id('1')), format!(r#"{{"n":{number},"s":"ü\n\u0000\ud83d\ude80"}}"#))
        })
        .collect();
    let mut entries: Vec<(&str, &str)> = documents.iter().map(|(path, json)| (path.as_str(), json.as_str())).collect();
    let overview = json!({"jobs": [{"jid": id('1'), "name": "job", "state": "FINISHED", "start-time": 1, "end-time": 2, "duration": 1}]});
    let overview = overview.to_string();
    entries.push(("/jobs/overview", &overview));
    write(&place.root().join(id('1')), envelope(&entries));
    for (digit, garbage) in [('2', "garbage"), ('3', "")] {
        write(&place.root().join(id(digit)), garbage);
    }
    let mut world = place.world(false);
    world.full_scan().await;
    for (path, json) in &documents {
        assert_eq!(world.get(path).await.text(), *json);
    }
    assert_eq!(world.problems().await, ["archive-unreadable", "archive-unreadable"]);
}

#[tokio::test]
async fn a_rewritten_archive_is_served_in_its_last_version() {
    let place = Place::new();
    write_application(&place.root(), "c", &id('a'), "first", END, &[&id('1')]);
    let mut world = place.world(false);
    world.full_scan().await;
    let file = application_folder(&place.root(), "c", &id('a')).join("application-summary");
    write(&file, summary(&id('a'), "the second version", END, &[]));
    world.full_scan().await;
    let details: Value = world.get(&format!("/applications/{}", id('a'))).await.json();
    assert_eq!(details["name"], "the second version");
}
