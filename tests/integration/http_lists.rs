//! The merged lists, and what is counted from them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::served::{Served, samples};

/// Elements of a list by id. No id may stand in it twice.
fn by_id(list: &Value, name: &str, id: &str) -> BTreeMap<String, Value> {
    let elements = list[name].as_array().unwrap();
    let map: BTreeMap<String, Value> = elements.iter().map(|element| (element[id].as_str().unwrap().to_owned(), element.clone())).collect();
    assert_eq!(map.len(), elements.len());
    map
}

fn recorded(file: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/java-history-server").join(file);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_overviews_equal_those_of_flinks_own_server_as_sets() {
    let server = Served::over(&samples()).await;
    for (path, file, name, id) in [
        ("/applications/overview", "applications-overview.json", "applications", "id"),
        ("/jobs/overview", "jobs-overview.json", "jobs", "jid"),
    ] {
        let (mut ours, theirs) = (by_id(&server.json(path).await, name, id), by_id(&recorded(file), name, id));
        // Clusters whose names are no ids are ignored by Flink's own server, and shown here.
        let more: Vec<String> = ours.keys().filter(|id| !theirs.contains_key(*id)).cloned().collect();
        for id in &more {
            assert_eq!(id, "987cd3074a3a33ff9d7a563ca03beef8", "only the application of the cluster prod-eu");
            ours.remove(id);
        }
        assert_eq!(more.len(), 1, "{path}");
        assert_eq!(ours, theirs, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn lists_are_newest_first() {
    let server = Served::over(&samples()).await;
    for (path, name) in [("/applications/overview", "applications"), ("/jobs/overview", "jobs")] {
        let list = server.json(path).await;
        let ends: Vec<i64> = list[name].as_array().unwrap().iter().map(|element| element["end-time"].as_i64().unwrap()).collect();
        assert!(ends.is_sorted_by(|a, b| a >= b), "{path}: {ends:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_form_of_a_list_is_the_same() {
    let server = Served::over(&samples()).await;
    for path in ["/applications/overview", "/jobs/overview", "/jobs"] {
        let expected = server.get(path).await.bytes().await.unwrap();
        for form in
            [format!("{path}.json"), format!("/v1{path}"), format!("/{path}/?x=1"), path.replace('o', "%6F"), path.replace("/o", "%2Fo")]
        {
            assert_eq!(server.get(&form).await.bytes().await.unwrap(), expected, "{form}");
        }
        let packed = server.request("GET", path).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let length: usize = packed.headers()["content-length"].to_str().unwrap().parse().unwrap();
        let body = packed.bytes().await.unwrap();
        assert_eq!(body.len(), length);
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&body[..]), &mut text).unwrap();
        assert_eq!(text, expected);
        for (encoding, length) in [("identity", expected.len()), ("gzip", length)] {
            let head = server.request("HEAD", path).header("accept-encoding", encoding).send().await.unwrap();
            assert_eq!(head.headers()["content-length"].to_str().unwrap(), length.to_string(), "{path} {encoding}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_poll_that_finds_nothing_new_is_a_304_until_something_is() {
    let archives = tempfile::tempdir().unwrap();
    let mut server = Served::over(&[archives.path().to_path_buf()]).await;
    for path in ["/applications/overview", "/jobs/overview", "/jobs", "/overview"] {
        let first = server.get(path).await;
        assert!(first.headers()["cache-control"].to_str().unwrap().contains("no-cache"), "{path}");
        let etag = first.headers()["etag"].clone();
        let weak = format!("\"other\", W/{}", etag.to_str().unwrap());
        for known in [etag.to_str().unwrap(), &weak, "*"] {
            let again = server.request("GET", path).header("if-none-match", known).send().await.unwrap();
            assert_eq!(again.status(), 304, "{path} {known}");
            assert_eq!(again.headers()["etag"], etag, "{path}");
            assert!(!again.headers().contains_key("content-type"), "{path}");
        }
    }
    assert_eq!(server.json("/applications/overview").await, json!({"applications": []}));
    assert_eq!(server.json("/jobs").await, json!({"jobs": []}));

    let before = server.get("/jobs/overview").await.headers()["etag"].clone();
    std::fs::copy(samples()[0].join("97e64afe56d154c5ef33d6bd2ea42fe0"), archives.path().join("97e64afe56d154c5ef33d6bd2ea42fe0")).unwrap();
    server.world.full_scan().await;
    let after = server.request("GET", "/jobs/overview").header("if-none-match", &before).send().await.unwrap();
    assert_eq!(after.status(), 200);
    assert_ne!(after.headers()["etag"], before);
    assert_eq!(
        server.json("/jobs").await,
        json!({"jobs": [{"id": "97e64afe56d154c5ef33d6bd2ea42fe0", "status": server.json("/jobs/97e64afe56d154c5ef33d6bd2ea42fe0").await["state"]}]})
    );
    server.stop().await;
}

#[tokio::test]
async fn counts_ids_and_states_agree_with_the_lists() {
    let server = Served::over(&samples()).await;
    let list = server.json("/jobs/overview").await;
    let jobs = list["jobs"].as_array().unwrap();
    let count = |state: &str| jobs.iter().filter(|job| job["state"] == state).count();
    let overview = server.json("/overview").await;
    assert_eq!(overview["jobs-finished"], count("FINISHED"));
    assert_eq!(overview["jobs-failed"], count("FAILED"));
    assert_eq!(overview["jobs-cancelled"], count("CANCELED"));
    assert_eq!((&overview["jobs-running"], &overview["taskmanagers"], &overview["slots-total"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(overview["flink-version"], "2.3.0");

    let expected: Vec<Value> = jobs.iter().map(|job| json!({"id": job["jid"], "status": job["state"]})).collect();
    assert_eq!(server.json("/jobs").await, json!({"jobs": expected}));
    for job in jobs {
        let id = job["jid"].as_str().unwrap();
        for path in [format!("/jobs/{id}/status"), format!("/v1/jobs/{}/status.json", id.to_uppercase())] {
            assert_eq!(server.json(&path).await, json!({"status": job["state"]}));
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn many_clients_at_once_get_one_whole_list() {
    let server = Served::over(&samples()).await;
    let answers = futures::future::join_all((0..64).map(|_| async { server.get("/jobs/overview").await.bytes().await.unwrap() })).await;
    let first: Value = serde_json::from_slice(&answers[0]).unwrap();
    assert!(!first["jobs"].as_array().unwrap().is_empty());
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    server.stop().await;
}
