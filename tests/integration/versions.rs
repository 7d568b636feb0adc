//! Archives of twelve Flink versions: documents are served byte for byte, and lists have the values of the archives.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::served::{archives_in, samples};
use crate::support::world::{World, WorldOptions};

/// Each folder is an archive directory.
fn versions() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/versions");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

async fn over(folders: &[PathBuf], data: &Path) -> World {
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let mut world = World::over(&folders, data, WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.problems().await, [""; 0]);
    world
}

async fn json(world: &World, path: &str) -> Value {
    let answer = world.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

/// All rows of a list.
async fn rows(world: &World, path: &str) -> Vec<Value> {
    json(world, path).await["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_document_of_every_version_is_served_byte_for_byte() {
    let (folders, data) = (versions(), tempfile::tempdir().unwrap());
    assert_eq!(folders.len(), 13);
    let world = over(&folders, data.path()).await;
    let mut served = 0;
    // Two versions each have a job with this id: under high availability, it is the id of the cluster. One of them is shown.
    for archive in archives_in(&folders).iter().filter(|archive| !archive.id.starts_with("00000000")) {
        for (path, document) in archive.documents.iter().filter(|(path, _)| path.contains(&archive.id)) {
            let answer = world.get(path).await;
            assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, document.as_str()), "{path}");
            served += 1;
        }
    }
    assert!(served > 2_500, "{served}");
    world.close().await;
}

#[tokio::test]
async fn jobs_that_ended_at_zero_have_the_end_of_their_details() {
    let (folders, data) = (versions(), tempfile::tempdir().unwrap());
    let world = over(&folders, data.path()).await;
    let jobs = rows(&world, "/api/v1/jobs?limit=1000&sort=-end").await;
    assert!(jobs.len() > 80, "{}", jobs.len());
    let number = |job: &Value, name: &str| job[name].as_i64().unwrap_or_else(|| panic!("no {name}: {job}"));
    for job in &jobs {
        assert_eq!(number(job, "end") - number(job, "start"), number(job, "duration"), "{job}");
    }
    assert!(jobs.is_sorted_by_key(|job| std::cmp::Reverse(number(job, "end"))));
    let (job, start, duration) = ("ed0b42199107a69dbfc21a06d78c949f", 1_795_806_720_465_i64, 1_563);
    let item = json(&world, &format!("/api/v1/jobs/{job}")).await;
    assert_eq!((number(&item, "end"), number(&item, "duration")), (start + duration, duration));
    let near = rows(&world, &format!("/api/v1/jobs?end_from={}&end_to={}", start, start + duration + 1)).await;
    assert!(near.iter().any(|near| near["id"] == job));
    assert_ne!(rows(&world, "/api/v1/jobs?sort=duration&limit=1").await[0]["id"], job, "it is not the shortest");
    assert!(!world.get("/api/v1/jobs/export").await.text().contains("1970-"));
    let archived = json(&world, "/jobs/overview").await;
    let archived = archived["jobs"].as_array().unwrap().iter().find(|each| each["jid"] == job).unwrap();
    assert_eq!((&archived["end-time"], &archived["duration"]), (&json!(0), &json!(-start)), "Flink's list is as archived");
    world.close().await;
}

#[tokio::test]
async fn types_restarts_and_labels_are_read_from_every_version() {
    let (folders, data) = (versions(), tempfile::tempdir().unwrap());
    let world = over(&folders, data.path()).await;
    for (directory, untyped) in [("flink-1.14.6", 1), ("flink-1.15.4", 0), ("flink-1.17.2", 1), ("flink-1.20.5", 0), ("flink-2.3.0", 0)] {
        let all = rows(&world, "/api/v1/jobs?limit=1000").await;
        let of_version: Vec<_> = all.iter().filter(|job| job["directory"].as_str().unwrap().ends_with(&format!("/{directory}"))).collect();
        assert!(!of_version.is_empty(), "{directory}");
        let without = of_version.iter().filter(|job| job["job_type"].is_null()).count();
        assert_eq!(without, untyped, "{directory}: only jobs without a plan have no type");
    }
    // Two regions, speculative attempts, rescales, a full history.
    for (job, restarts, rescales) in [
        ("08c9b4be2948ad3385a2ea23c5e4ee27", 2, Value::Null),
        ("0d218881982cbb2c420e5f3883a3ae0f", 0, Value::Null),
        ("93420ca35fb18963d74f3829a3b4411a", 3, json!(2)),
        ("47d0834cc6641019c11084fb57f94331", 3, Value::Null),
    ] {
        let facts = json(&world, &format!("/api/v1/jobs/{job}")).await["facts"].clone();
        assert_eq!((&facts["restarts"], &facts["rescales"], &facts["notes"]), (&json!(restarts), &rescales, &json!([])), "{job}");
    }
    let failed = "29e3f1484f2b3e1d6af3b11cd45edd99";
    let facts = json(&world, &format!("/api/v1/jobs/{failed}")).await["facts"].clone();
    assert_eq!(facts["root_exception"]["labels"]["team"], "données & <i>co</i> 日本");
    let found = rows(&world, "/api/v1/search?q=donn%C3%A9es&in=exception&limit=100").await;
    let hit = found.iter().find(|item| item["id"] == failed).unwrap();
    assert_eq!((&hit["matches"][0]["field"], &hit["matches"][0]["key"]), (&json!("failure_label"), &json!("team")));
    assert!(hit["href"].as_str().unwrap().ends_with("/exceptions"));
    world.close().await;
}

#[tokio::test]
async fn a_job_that_failed_before_it_was_run_and_is_in_no_summary_is_shown_as_such() {
    let (folders, data) = (versions(), tempfile::tempdir().unwrap());
    let world = over(&folders, data.path()).await;
    let job = json(&world, "/api/v1/jobs/4439b850dd02da40389aaf91132b4d5c").await;
    assert_eq!(
        (&job["application"], &job["cluster"], &job["flat"], &job["archived"]),
        (&Value::Null, &Value::Null, &json!(true), &json!(true))
    );
    assert_eq!(job["facts"]["root_exception"]["cause_class"], "java.io.FileNotFoundException");
    let (samples, data) = (samples(), tempfile::tempdir().unwrap());
    let with_samples = over(&samples, data.path()).await;
    assert!(rows(&with_samples, "/api/v1/jobs?limit=1000").await.iter().all(|job| job["flat"] == job["application"].is_null()));
    with_samples.close().await;
    world.close().await;
}
