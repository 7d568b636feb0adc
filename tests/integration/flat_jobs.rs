//! Flat jobs of Flink 2.3: they failed before they were run, are archived beside the clusters and belong to an application.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use historyserver::refresh::plan::Rules;
use serde_json::{Value, json};

use crate::support::archives::{application_folder, envelope, id, set_modified, write};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;
const CLUSTER: &str = "prod/eu";

/// The archive of a job as Flink 2.3 writes it beside the clusters.
fn flat(job: &str, failures: &[&str]) -> String {
    let overview = json!({"jobs": [{"jid": job, "name": "early", "jobType": "STREAMING", "schedulerType": null, "start-time": END - 500,
        "end-time": END - 100, "duration": 400, "state": "FAILED", "last-modification": END, "tasks": {"total": 2, "failed": 1}, "pending-operators": 0}]});
    let details = json!({"jid": job, "name": "early", "state": "FAILED", "application-id": null, "start-time": END - 500, "end-time": END - 100,
        "duration": 400, "job-type": "STREAMING", "vertices": [], "plan": {"type": "", "nodes": []}, "timestamps": {"FAILED": END - 100}});
    let entries: Vec<Value> =
        failures.iter().map(|trace| json!({"exceptionName": "a.Early", "stacktrace": trace, "timestamp": END - 100})).collect();
    let exceptions = json!({"exceptionHistory": {"entries": entries, "truncated": false}});
    envelope(&[
        ("/jobs/overview", &overview.to_string()),
        (&format!("/jobs/{job}"), &details.to_string()),
        (&format!("/jobs/{job}/exceptions"), &exceptions.to_string()),
    ])
}

/// A summary that names this job, with the failure of the job.
fn summary(application: &str, job: &str, start: i64, failure: Option<&str>) -> String {
    let times = json!({"start-time": END - 1000, "end-time": END, "duration": 1000});
    let mut listed = json!({"id": application, "name": "app", "status": "FAILED", "jobs": {"FAILED": 1}});
    let mut details = json!({"id": application, "name": "app", "status": "FAILED", "timestamps": {},
        "jobs": [{"jid": job, "name": "early", "state": "FAILED", "start-time": start}]});
    for object in [&mut listed, &mut details] {
        object.as_object_mut().unwrap().extend(times.as_object().unwrap().clone());
    }
    let failures: Vec<Value> = failure
        .iter()
        .map(|trace| json!({"exceptionName": "x.NoResources", "stacktrace": trace, "timestamp": END - 90, "jobId": job}))
        .collect();
    envelope(&[
        ("/applications/overview", &json!({ "applications": [listed] }).to_string()),
        (&format!("/applications/{application}"), &details.to_string()),
        (&format!("/applications/{application}/exceptions"), &json!({"exceptionHistory": {"entries": failures}}).to_string()),
    ])
}

fn write_summary(root: &Path, application: &str, content: &str) {
    write(&application_folder(root, CLUSTER, application).join("application-summary"), content);
}

/// Writes the summary or the flat job. `failures`: the failure in the summary, and the failures in the job archive.
fn write_one(root: &Path, summary_now: bool, application: &str, job: &str, failures: (Option<&str>, &[&str])) {
    if summary_now {
        write_summary(root, application, &summary(application, job, END - 500, failures.0));
    } else {
        write(&root.join(job), flat(job, failures.1));
    }
}

fn world(root: &Path, data: &Path) -> World {
    let rules = Rules { forget_gone_applications: true, forget_gone_legacy_jobs: true, empty_grace: Duration::ZERO };
    World::over(&[root], data, WorldOptions { rules, ..WorldOptions::default() })
}

async fn json(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// Asserts the application of the job in every answer that shows it.
async fn assert_belongs(world: &World, application: &str, job: &str) {
    let item = json(world, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!((&item["application"], &item["cluster"], &item["flat"]), (&json!(application), &json!(CLUSTER), &json!(true)));
    let place = "cluster=prod%2Feu";
    assert_eq!(json(world, &format!("/api/v1/jobs/{job}?{place}")).await["id"], job);
    assert_eq!(json(world, &format!("/api/v1/jobs/{job}?cluster=")).await["id"], job, "as it lies");
    for path in [format!("/jobs/{job}/exceptions"), format!("/api/v1/jobs/{job}/document?path=/jobs/{job}/exceptions&{place}")] {
        assert!(json(world, &path).await["exceptionHistory"].is_object(), "{path}");
    }
    let jobs = json(world, &format!("/api/v1/applications/{application}")).await["job_items"].as_array().unwrap().clone();
    assert_eq!(jobs.len(), 1, "once, although a summary and a file have it");
    assert_eq!((&jobs[0]["id"], &jobs[0]["archived"], &jobs[0]["name"]), (&json!(job), &json!(true), &json!("early")));
    let listed = json(world, &format!("/api/v1/jobs?{place}")).await;
    assert_eq!((&listed["total"]["count"], &listed["items"][0]["id"]), (&json!(1), &json!(job)));
    let of_application = json(world, &format!("/api/v1/jobs?application={application}")).await;
    assert_eq!((&of_application["total"]["count"], &of_application["items"][0]["archived"]), (&json!(1), &json!(true)));
    assert_eq!(json(world, "/api/v1/jobs?application=unknown").await["total"]["count"], 0);
    let applications = json(world, "/api/v1/applications?job_type=STREAMING&min_failed_tasks=1").await;
    assert_eq!(applications["total"]["count"], 1, "it counts for its application");
    let documents = json(world, &format!("/api/v1/applications/{application}/documents")).await;
    let paths: Vec<&str> = documents["items"].as_array().unwrap().iter().map(|each| each["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&format!("/jobs/{job}/exceptions").as_str()), "{paths:?}");
    for document in documents["items"].as_array().unwrap() {
        json(world, document["href"].as_str().unwrap()).await;
    }
}

#[tokio::test]
async fn a_job_beside_the_clusters_belongs_to_the_application_that_names_it_whichever_comes_first() {
    let (application, job) = (id('a'), id('1'));
    for summary_first in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("archives");
        let mut world = world(&root, &folder.path().join("data"));
        let put = |summary_now| write_one(&root, summary_now, &application, &job, (None, &["a.Early: no such savepoint"]));
        put(summary_first);
        world.full_scan().await;
        if summary_first {
            assert_eq!(json(&world, &format!("/api/v1/applications/{application}")).await["job_items"][0]["archived"], false);
        } else {
            let item = json(&world, &format!("/api/v1/jobs/{job}")).await;
            assert_eq!((&item["application"], &item["cluster"], &item["flat"]), (&Value::Null, &Value::Null, &json!(true)));
            assert_eq!(json(&world, "/api/v1/jobs/facets").await["cluster"], json!([]));
            let without = json(&world, "/api/v1/jobs?application=unknown&status=FAILED").await;
            assert_eq!((&without["total"]["count"], &without["items"][0]["id"]), (&json!(1), &json!(job)));
        }
        put(!summary_first);
        world.full_scan().await;
        assert_belongs(&world, &application, &job).await;
        assert_eq!(json(&world, "/api/v1/jobs/facets").await["cluster"], json!([{"value": CLUSTER, "count": 1}]));

        let zip = world.get(&format!("/api/v1/applications/{application}/archive")).await;
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.body)).unwrap();
        let mut names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
        names.sort();
        assert_eq!(names, [job.clone(), format!("{CLUSTER}/applications/{application}/application-summary")]);
        let mut content = String::new();
        zip.by_name(&job).unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, flat(&job, &["a.Early: no such savepoint"]), "byte for byte");

        // The summary goes: the job is what it was without it.
        std::fs::remove_dir_all(root.join("prod")).unwrap();
        world.full_scan().await;
        let item = json(&world, &format!("/api/v1/jobs/{job}")).await;
        assert_eq!((&item["application"], &item["cluster"]), (&Value::Null, &Value::Null));
        assert_eq!(json(&world, "/api/v1/jobs/facets").await["cluster"], json!([]));
        world.close().await;
    }
}

#[tokio::test]
async fn only_the_application_that_a_job_can_be_of_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    let (older, other, job) = (id('a'), id('b'), id('1'));
    // Both name it. The start shows which one is right, although the other is newer.
    write_summary(&root, &older, &summary(&older, &job, END - 500, None));
    write_summary(&root, &other, &summary(&other, &job, END - 9_000, None));
    for (application, time) in [(&older, END), (&other, END + 5_000)] {
        set_modified(&application_folder(&root, CLUSTER, application).join("application-summary"), time);
    }
    write(&root.join(&job), flat(&job, &[]));
    // Flink 2.2 wrote no application: this one is of an earlier run with the same id.
    let legacy = id('2');
    write(&root.join(&legacy), flat(&legacy, &[]).replace("\\\"application-id\\\":null,", ""));
    let third = id('c');
    write_summary(&root, &third, &summary(&third, &legacy, END - 500, None));
    // One that names another application is of no other.
    let named = id('3');
    write(
        &root.join(&named),
        flat(&named, &[]).replace("\\\"application-id\\\":null", &format!("\\\"application-id\\\":\\\"{}\\\"", id('e'))),
    );
    let fourth = id('d');
    write_summary(&root, &fourth, &summary(&fourth, &named, END - 500, None));
    let mut world = world(&root, &folder.path().join("data"));
    world.full_scan().await;
    assert_belongs_only(&world, &job, json!(older)).await;
    assert_belongs_only(&world, &legacy, Value::Null).await;
    assert_belongs_only(&world, &named, Value::Null).await;
    assert_eq!(json(&world, &format!("/api/v1/applications/{other}")).await["job_items"][0]["archived"], false);
    world.close().await;
}

async fn assert_belongs_only(world: &World, job: &str, application: Value) {
    assert_eq!(json(world, &format!("/api/v1/jobs/{job}")).await["application"], application, "{job}");
}

#[tokio::test]
async fn a_failure_that_only_the_summary_has_is_the_failure_of_the_job() {
    let (application, job) = (id('a'), id('1'));
    let failure = "x.NoResources: waited in vain\n\tat x.Y.z(Y.java:1)\nCaused by: y.TooFewSlots: seventeen\n\tat x.Y.z(Y.java:2)";
    for summary_first in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("archives");
        let mut world = world(&root, &folder.path().join("data"));
        let put = |summary_now| write_one(&root, summary_now, &application, &job, (Some(failure), &[]));
        put(summary_first);
        world.full_scan().await;
        if !summary_first {
            let facts = json(&world, &format!("/api/v1/jobs/{job}")).await["facts"].clone();
            assert_eq!((&facts["root_exception"], &facts["notes"][0]["code"]), (&Value::Null, &json!("failure-not-told")));
            assert_eq!(facts["notes"][1]["code"], "no-plan");
        }
        put(!summary_first);
        world.full_scan().await;
        let facts = json(&world, &format!("/api/v1/jobs/{job}")).await["facts"].clone();
        let exception = &facts["root_exception"];
        assert_eq!(
            (&exception["class"], &exception["cause_class"], &exception["at"]),
            (&json!("x.NoResources"), &json!("y.TooFewSlots"), &json!(END - 90))
        );
        assert_eq!((&exception["source"], &facts["notes"][0]["code"]), (&json!("application"), &json!("failure-told-elsewhere")));
        assert_eq!(facts["restarts"], 0);
        let found = json(&world, "/api/v1/search?q=seventeen").await;
        let kinds: Vec<&str> = found["items"].as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["application", "job"]);
        let statistics = json(&world, &format!("/api/v1/statistics?kind=jobs&from={}&to={}", END - 86_400_000, END + 86_400_000)).await;
        assert_eq!(statistics["exceptions"], json!([{"class": "y.TooFewSlots", "jobs": 1}]));

        // Another summary that says nothing takes it away again.
        write_summary(&root, &application, &summary(&application, &job, END - 500, None));
        world.full_scan().await;
        assert_eq!(json(&world, &format!("/api/v1/jobs/{job}")).await["facts"]["root_exception"], Value::Null);
        assert_eq!(json(&world, "/api/v1/search?q=seventeen").await["items"], json!([]));
        world.close().await;
    }
}

#[tokio::test]
async fn a_job_without_an_end_has_ended_with_its_application() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    let (application, job) = (id('a'), id('1'));
    let without_end = flat(&job, &[])
        .replace(&format!("\\\"end-time\\\":{}", END - 100), "\\\"end-time\\\":0")
        .replace("\\\"duration\\\":400", &format!("\\\"duration\\\":{}", 500 - END));
    write(&root.join(&job), &without_end);
    let mut world = world(&root, &folder.path().join("data"));
    world.full_scan().await;
    let item = json(&world, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!((&item["end"], &item["duration"]), (&Value::Null, &Value::Null));
    write_summary(&root, &application, &summary(&application, &job, END - 500, None));
    world.full_scan().await;
    let item = json(&world, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!((&item["end"], &item["duration"]), (&json!(END), &json!(500)));
    let within = json(&world, &format!("/api/v1/jobs?end_from={}&end_to={}", END - 10, END + 10)).await;
    assert_eq!(within["total"]["count"], 1);
    let overview = json(&world, "/jobs/overview").await;
    assert_eq!(overview["jobs"][0]["end-time"], 0, "Flink's list is as archived");
    world.close().await;
}
