//! Recorded bodies of `/api/v1` over the sample archives. A change of an answer shows as a change of its recording.
//!
//! With `UPDATE_DOCUMENTS=1` in the environment, they are written instead of compared (`make documents`).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::served::{Served, samples};

/// The recorded JSON answers: the name of the file, and the request.
const RECORDED: &[(&str, &str)] = &[
    ("applications", "/api/v1/applications?limit=3&sort=name"),
    ("applications-failed", "/api/v1/applications?min_failed_jobs=1&sort=-duration"),
    ("applications-facets", "/api/v1/applications/facets?time_zone=Europe/Berlin"),
    ("applications-history", "/api/v1/applications/history?name=corpus.Jobs"),
    ("application", "/api/v1/applications/116169eb1ed91c2795e4eaf2678f67e7"),
    ("application-documents", "/api/v1/applications/116169eb1ed91c2795e4eaf2678f67e7/documents?limit=5"),
    ("jobs", "/api/v1/jobs?limit=3&sort=name"),
    ("jobs-failed", "/api/v1/jobs?status=FAILED&sort=-end"),
    ("jobs-facets", "/api/v1/jobs/facets?status=FAILED"),
    ("jobs-history", "/api/v1/jobs/history?name=adaptive%20rescaled"),
    ("job", "/api/v1/jobs/07ac2d4d82b8e3f0fd1a35b9888ae429"),
    ("job-documents", "/api/v1/jobs/07ac2d4d82b8e3f0fd1a35b9888ae429/documents?limit=5"),
    ("jobs-compare", "/api/v1/jobs/compare?left=97e64afe56d154c5ef33d6bd2ea42fe0&right=07ac2d4d82b8e3f0fd1a35b9888ae429"),
    ("search", "/api/v1/search?q=kaboom&limit=3"),
    ("statistics", "/api/v1/statistics?from=2026-11-21&to=2026-11-24&bucket=day&time_zone=Europe/Berlin"),
    ("problems", "/api/v1/problems"),
    ("deletions", "/api/v1/deletions"),
    ("retention-preview", "/api/v1/retention/preview"),
    ("error-unknown-parameter", "/api/v1/jobs?statsu=FAILED"),
    ("error-value", "/api/v1/jobs?status=BROKEN"),
    ("error-sort", "/api/v1/applications?sort=tasks"),
    ("error-cursor", "/api/v1/jobs?cursor=x"),
    ("error-no-such-job", "/api/v1/jobs/ffffffffffffffffffffffffffffffff"),
    ("error-no-such-path", "/api/v1/nothing"),
];

/// The recorded exports: the name of the file, and the request.
const EXPORTED: &[(&str, &str)] = &[
    ("applications.csv", "/api/v1/applications/export?limit=3&sort=name"),
    ("jobs.csv", "/api/v1/jobs/export?limit=3&sort=name"),
    ("jobs.ndjson", "/api/v1/jobs/export?format=ndjson&limit=3&sort=name"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/contract")
}

/// Compares an answer with its recording, or records it.
fn compare(name: &str, found: &str) {
    let file = folder().join(name);
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&file, found).unwrap();
    }
    let recorded = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}: run `make documents`", file.display()));
    assert_eq!(found, recorded, "{name} differs from its recording: if the change is intended, run `make documents`");
}

/// Removes the path of the working copy, which differs between machines.
fn normalised(text: &str) -> String {
    let here = concat!("file://", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let in_query: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
    text.replace(here, "file://").replace(&in_query, "file%3A%2F%2F")
}

/// Hides the cursor: it contains row numbers, which depend on the order in which archives were read.
fn hide_cursor(body: &mut Value) {
    if body["next"].is_string() {
        body["next"] = json!("<cursor>");
    }
}

#[tokio::test]
async fn answers_equal_their_recordings() {
    let server = Served::over(&samples()).await;
    for (name, path) in RECORDED {
        let answer = server.get(path).await;
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/json", "{path}");
        let mut body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        hide_cursor(&mut body);
        let recorded = json!({ "request": path, "status": status, "body": body });
        compare(&format!("{name}.json"), &normalised(&format!("{recorded:#}\n")));
    }
    for (name, path) in EXPORTED {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        compare(name, &normalised(&answer.text().await.unwrap()));
    }
    server.stop().await;
}

#[test]
fn every_recording_belongs_to_a_request() {
    let known: Vec<String> = RECORDED.iter().map(|(name, _)| format!("{name}.json")).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(known.contains(&name) || EXPORTED.iter().any(|(known, _)| *known == name), "{name} is a recording without a request");
    }
}
