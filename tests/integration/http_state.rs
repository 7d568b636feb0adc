//! `/api/v1/problems`, `/api/v1/tasks`, `/api/v1/…/documents`, `/api/v1/…/archive`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::archives::{id, write, write_application};
use crate::support::process::{Process, copy_of};
use crate::support::served::{Served, archives_in, samples};

/// Every item of a list, page by page.
async fn all(server: &Served, path: &str, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let separator = if path.contains('?') { '&' } else { '?' };
    let mut cursor = String::new();
    loop {
        let page = server.json(&format!("{path}{separator}limit={limit}{cursor}")).await;
        let rows = page["items"].as_array().unwrap().clone();
        assert!(rows.len() <= limit, "{path}");
        items.extend(rows);
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn problems_come_in_pages_and_by_code_directory_cluster_and_application() {
    let folder = tempfile::tempdir().unwrap();
    for digit in '1'..='5' {
        write(&folder.path().join(id(digit)), "no archive");
    }
    write(&folder.path().join("eu/applications").join(id('a')).join("application-summary"), "no archive");
    let server = Served::over(&[folder.path().to_path_buf()]).await;
    let whole = server.json("/api/v1/problems").await;
    assert_eq!((&whole["total"], &whole["next"]), (&json!({"count": 6, "exact": true}), &Value::Null));
    for limit in 1..=7 {
        assert_eq!(&all(&server, "/api/v1/problems", limit).await, whole["items"].as_array().unwrap(), "{limit}");
    }
    let directory = whole["items"][0]["subject"]["directory"].as_str().unwrap().to_owned();
    for (query, count) in [
        ("code=archive-unreadable".to_owned(), 6),
        ("code=archive-empty,archive-unreadable".to_owned(), 6),
        ("code=archive-empty".to_owned(), 0),
        (format!("directory={directory}"), 6),
        ("directory=file:///nowhere".to_owned(), 0),
        ("cluster=eu".to_owned(), 1),
        (format!("application={}", id('a').to_uppercase()), 1),
        (format!("application={}&code=archive-unreadable&cluster=eu", id('a')), 1),
    ] {
        let found = server.json(&format!("/api/v1/problems?{query}")).await;
        assert_eq!(found["total"]["count"], count, "{query}");
        assert_eq!(found["items"].as_array().unwrap().len(), count, "{query}");
    }
    let metrics = server.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("historyserver_problems_by_code{code=\"archive-unreadable\"} 6"), "{metrics}");
    assert!(metrics.contains("historyserver_problems_by_code{code=\"archive-empty\"} 0"), "{metrics}");
    for wrong in
        ["code=nothing", "application=x", "limit=0", "limit=1001", "cursor=x", "cursor=1.2", "nmae=1", "limit=1&limit=2", "cluster=%00"]
    {
        let answer = server.get(&format!("/api/v1/problems?{wrong}")).await;
        assert_eq!(answer.status(), 400, "{wrong}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requested_refresh_can_be_followed_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of("flink-2.3.0", folder.path());
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=1 h"]);
    server.wait_for_refreshes(1).await;
    let before = server.json("/api/v1/tasks").await;
    let names: Vec<&str> = before["items"].as_array().unwrap().iter().map(|task| task["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["refresh", "cleanup", "facts"]);
    assert_eq!((&before["items"][0]["requested"], &before["items"][0]["state"]), (&json!(0), &json!("waiting")));

    for path in ["refresh", "cleanup"] {
        let request = server.client.post(format!("{}/api/v1/{path}?force=1", server.base)).header("content-type", "application/json");
        let answer = request.body("{}").send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        assert!(answer.text().await.unwrap().contains("`force` is not a parameter of this path: it takes none."), "{path}");
    }
    let request = server.client.post(format!("{}/api/v1/refresh", server.base)).header("content-type", "application/json").body("{}");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let accepted: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let run = accepted["run"].as_u64().unwrap();
    assert_eq!(run, 1);
    let done = |tasks: &Value| tasks["items"][0]["requested"].as_u64().unwrap() >= run;
    let tasks = server.wait_until("/api/v1/tasks", "the refresh", done).await;
    assert!(tasks["items"][0]["finished"].as_u64().unwrap() > before["items"][0]["finished"].as_u64().unwrap(), "{tasks}");
}

#[tokio::test]
async fn documents_are_listed_with_their_sizes_and_answered_at_their_href() {
    let server = Served::over(&samples()).await;
    let mut expected: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for archive in archives_in(&samples()) {
        expected.entry(archive.id).or_default().extend(archive.documents);
    }
    let jobs = server.json("/jobs/overview").await["jobs"].as_array().unwrap().clone();
    let applications = server.json("/applications/overview").await["applications"].as_array().unwrap().clone();
    assert!(jobs.len() > 3 && applications.len() > 1);
    for job in &jobs {
        let id = job["jid"].as_str().unwrap();
        let found = all(&server, &format!("/api/v1/jobs/{id}/documents"), 1_000).await;
        assert_eq!(all(&server, &format!("/api/v1/jobs/{id}/documents"), 7).await, found, "{id}");
        let mut paths = BTreeSet::new();
        for document in &found {
            let path = document["path"].as_str().unwrap();
            assert!(paths.insert(path), "{path} is there twice");
            assert_eq!((&document["owner"], document["id"].as_str().unwrap()), (&json!("job"), id));
        }
        // Where copies of an id have other documents, which one is shown is not this test's matter.
        let known = &expected[id];
        assert!(paths.iter().all(|path| known.contains_key(*path)), "{id}");
        let document = &found[found.len() / 2];
        let answer = server.get(document["href"].as_str().unwrap()).await;
        assert_eq!(answer.status(), 200, "{document}");
        let text = answer.text().await.unwrap();
        assert_eq!(json!(text.len()), document["bytes"], "{document}");
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
    for application in &applications {
        let id = application["id"].as_str().unwrap();
        let found = all(&server, &format!("/api/v1/applications/{id}/documents"), 1_000).await;
        assert_eq!(all(&server, &format!("/api/v1/applications/{id}/documents"), 3).await, found, "{id}");
        assert_eq!(found[0]["owner"], "application");
        for document in &found {
            assert_eq!(server.get(document["href"].as_str().unwrap()).await.status(), 200, "{document}");
        }
    }
    for (path, status) in [
        (format!("/api/v1/jobs/{}/documents", id('f')), 404),
        ("/api/v1/jobs/x/documents".to_owned(), 400),
        (format!("/api/v1/jobs/{}/documents?cursor=x", jobs[0]["jid"].as_str().unwrap()), 400),
        (format!("/api/v1/jobs/{}/documents?cluster=nowhere", jobs[0]["jid"].as_str().unwrap()), 404),
        (format!("/api/v1/jobs/{}/document", jobs[0]["jid"].as_str().unwrap()), 400),
        (format!("/api/v1/jobs/{}/document?path=/nothing", jobs[0]["jid"].as_str().unwrap()), 404),
    ] {
        assert_eq!(server.get(&path).await.status(), status, "{path}");
    }
    server.stop().await;
}

/// Names and contents of a zip file.
async fn download(server: &Served, path: &str) -> (String, BTreeMap<String, Vec<u8>>) {
    let answer = server.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let rebuilt = answer.headers()["historyserver-rebuilt-archives"].to_str().unwrap().to_owned();
    let mut archive = zip::ZipArchive::new(Cursor::new(answer.bytes().await.unwrap())).unwrap();
    let mut files = BTreeMap::new();
    for number in 0..archive.len() {
        let mut file = archive.by_index(number).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        let name = file.name().unwrap().into_owned();
        files.insert(name, content);
    }
    (rebuilt, files)
}

fn files_below(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(root, &path, files);
        } else {
            files.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

#[tokio::test]
async fn a_download_holds_the_stored_files_byte_for_byte_under_their_paths() {
    let root = samples().pop().unwrap();
    let server = Served::over(std::slice::from_ref(&root)).await;
    let mut stored = BTreeMap::new();
    files_below(&root, &root, &mut stored);
    let applications = server.json("/applications/overview").await["applications"].as_array().unwrap().clone();
    assert!(!applications.is_empty());
    for application in &applications {
        let id = application["id"].as_str().unwrap();
        let (rebuilt, files) = download(&server, &format!("/api/v1/applications/{id}/archive?format=zip")).await;
        assert_eq!(rebuilt, "0");
        assert!(!files.is_empty());
        for (name, content) in &files {
            assert!(name.contains(&format!("/applications/{id}/")), "{name}");
            assert!(stored.get(name) == Some(content), "{name} is another");
        }
        let below = stored.keys().filter(|name| {
            files.keys().any(|file| name.starts_with(file.rsplit_once("application-summary").map_or("-", |(folder, _)| folder)))
        });
        assert_eq!(below.count(), files.len(), "{id}");
    }
    let tar = server.get(&format!("/api/v1/applications/{}/archive?format=tar", applications[0]["id"].as_str().unwrap())).await;
    assert_eq!(tar.status(), 400);
    assert!(tar.text().await.unwrap().contains("zip"));
    assert_eq!(server.get(&format!("/api/v1/applications/{}/archive", id('f'))).await.status(), 404);
    server.stop().await;
}

#[tokio::test]
async fn missing_files_are_rebuilt_from_their_documents_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let (application, job) = (id('a'), id('b'));
    write_application(folder.path(), "eu", &application, "näme \"quoted\"\n", 1_000, &[&job]);
    let mut stored = BTreeMap::new();
    files_below(folder.path(), folder.path(), &mut stored);
    let mut server = Served::over(&[PathBuf::from(folder.path())]).await;
    let missing = folder.path().join(format!("eu/applications/{application}"));
    std::fs::remove_dir_all(&missing).unwrap();
    write_application(folder.path(), "eu", &id('c'), "another", 1_000, &[]);
    server.world.full_scan().await;

    let (rebuilt, files) = download(&server, &format!("/api/v1/applications/{application}/archive")).await;
    assert_eq!(rebuilt, stored.len().to_string());
    assert_eq!(files.len(), 2 * stored.len(), "{:?}", files.keys());
    let documents = |content: &[u8]| {
        let envelope: Value = serde_json::from_slice(content).unwrap();
        envelope["archive"].as_array().unwrap().clone()
    };
    for (name, content) in &stored {
        assert_eq!(documents(&files[name]), documents(content), "{name}");
        assert!(String::from_utf8_lossy(&files[&format!("{name}.rebuilt.txt")]).contains("rebuilt from its documents"), "{name}");
    }
    let (_, files) = download(&server, &format!("/api/v1/jobs/{job}/archive")).await;
    assert_eq!(files.len(), 2);
    server.stop().await;
}
