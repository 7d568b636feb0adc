//! The point to restore a job from, by its name.

use serde_json::{Value, json};

use crate::support::served::{Served, samples};

fn paths(answer: &Value) -> Vec<&str> {
    answer["items"].as_array().unwrap().iter().map(|point| point["path"].as_str().unwrap()).collect()
}

fn notes(answer: &Value) -> Vec<&str> {
    answer["notes"].as_array().unwrap().iter().map(|note| note["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_job_that_was_stopped_with_a_savepoint_is_restored_from_it() {
    let server = Served::over(&samples()).await;
    let answer = server.json("/api/v1/jobs/restore-point?name=cli%20DETACHED%20streaming%20stopped").await;
    let newest = &answer["newest"];
    assert_eq!(newest["path"], "file:/var/flink/sp/savepoint-e92bcf-b62950545790");
    assert_eq!((&newest["savepoint"], &newest["kind"], &newest["format"]), (&json!(true), &json!("SYNC_SAVEPOINT"), &json!("CANONICAL")));
    assert_eq!(
        (&newest["retention"], &newest["status"], &newest["job"]),
        (&json!("kept"), &json!("FINISHED"), &answer["newest_run"]["id"])
    );
    // A finished job keeps no checkpoint: those come last and are never the answer.
    let items = answer["items"].as_array().unwrap();
    assert!(items.len() > 1 && items[1..].iter().any(|point| point["retention"] == "deleted"), "{items:#?}");
    assert_eq!(notes(&answer), ["files-not-checked"]);
    server.stop().await;
}

#[tokio::test]
async fn a_canceled_job_that_keeps_checkpoints_is_restored_from_its_last_one() {
    let server = Served::over(&samples()).await;
    let answer = server.json("/api/v1/jobs/restore-point?name=REST%20streaming%20cancelled").await;
    let checkpoints = server.json(&format!("/jobs/{}/checkpoints", answer["newest"]["job"].as_str().unwrap())).await;
    assert_eq!(answer["newest"]["path"], checkpoints["latest"]["completed"]["external_path"]);
    assert_eq!(answer["newest"]["at"], checkpoints["latest"]["completed"]["trigger_timestamp"]);
    assert_eq!(answer["newest"]["retention"], "kept");
    assert!(paths(&answer).contains(&checkpoints["latest"]["savepoint"]["external_path"].as_str().unwrap()), "{answer:#}");
    server.stop().await;
}

#[tokio::test]
async fn without_a_point_the_answer_says_so_and_an_unknown_name_is_refused() {
    let server = Served::over(&samples()).await;
    let jobs = server.json("/api/v1/jobs?limit=1000&job_type=BATCH").await;
    let name = jobs["items"][0]["name"].as_str().unwrap();
    let encoded: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let answer = server.json(&format!("/api/v1/jobs/restore-point?name={encoded}")).await;
    assert_eq!((&answer["newest"], paths(&answer).len()), (&Value::Null, 0));
    assert_eq!(notes(&answer), ["no-point"]);
    assert!(answer["runs_read"].as_u64().unwrap() > 0);

    let unknown = server.get("/api/v1/jobs/restore-point?name=no-such-job").await;
    assert_eq!(unknown.status(), 404);
    assert!(unknown.text().await.unwrap().contains("Give the complete name"), "the sentence says what to do");
    assert_eq!(server.get("/api/v1/jobs/restore-point").await.status(), 400);
    server.stop().await;
}

#[tokio::test]
async fn an_older_run_is_used_where_the_newest_left_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = samples().into_iter().find(|samples| samples.ends_with("flink-2.3.0")).unwrap();
    crate::support::process::copy_of("flink-2.3.0", folder.path());
    let archives = folder.path().join("flink-2.3.0");
    assert!(first.exists() && archives.exists());
    // The run of a day later, whose summary does not change here, completed no checkpoint.
    let (old, new) = ("e92bcf91f790a61e444960dbe82b3d4a", "e92bcf91f790a61e444960dbe82b3d4b");
    let file = archives.join(format!("a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1/applications/{old}/jobs/{old}"));
    let mut archive: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for entry in archive["archive"].as_array_mut().unwrap() {
        for member in ["path", "json"] {
            let text = entry[member].as_str().unwrap().replace(old, new);
            entry[member] = text.into();
        }
        let path = entry["path"].as_str().unwrap();
        if path == "/jobs/overview" {
            let mut overview: Value = serde_json::from_str(entry["json"].as_str().unwrap()).unwrap();
            let end = overview["jobs"][0]["end-time"].as_i64().unwrap();
            overview["jobs"][0]["end-time"] = (end + 86_400_000).into();
            entry["json"] = overview.to_string().into();
        } else if path.ends_with("/checkpoints") {
            entry["json"] = json!({"counts": {"completed": 0}, "history": []}).to_string().into();
        }
    }
    std::fs::write(archives.join(new), archive.to_string()).unwrap();
    let server = Served::over(&[archives]).await;
    let answer = server.json("/api/v1/jobs/restore-point?name=CLI%20detached%20streaming%20stopped").await;
    assert_eq!((&answer["newest_run"]["id"], &answer["newest"]["job"]), (&json!(new), &json!(old)), "{answer:#}");
    assert_eq!(notes(&answer), ["older-run", "files-not-checked"]);
    server.stop().await;
}
