//! The server's own log: one event a line, whatever archives are called, and what was deleted is in it.

use serde_json::Value;

use crate::support::archives::{application_folder, id, set_modified, write, write_application};
use crate::support::process::Process;

const END: i64 = 1_795_000_000_000;

/// A name that would be a line of its own.
const CLUSTER: &str = "prod\n2026-01-01T00:00:00.000000Z ERROR forged: nothing is well\r\u{1b}[31m";

/// A server that has deleted the older of two applications, and met one that is broken.
async fn after_a_cleanup(folder: &std::path::Path, options: &[&str]) -> Process {
    let root = folder.join("archives");
    for (digit, end) in [('a', END), ('b', END - 60_000)] {
        write_application(&root, CLUSTER, &id(digit), "name\nof a person", end, &[]);
        set_modified(&application_folder(&root, CLUSTER, &id(digit)).join("application-summary"), end);
    }
    let broken = application_folder(&root, CLUSTER, &id('c')).join("application-summary");
    write(&broken, "{\"archive\":[");
    set_modified(&broken, END - 30_000);
    let server = Process::start(&[&root], &folder.join("data"), options);
    server.wait_until("/api/v1/deletions", "deleted", |record| record["deletions"].as_array().unwrap().len() == 1).await;
    server.wait_until("/api/v1/status", "met", |status| status["problems"]["total"] == 1).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_one_line_and_a_deletion_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = after_a_cleanup(folder.path(), &["historyserver.archive.retained-applications=1"]).await;
    server.terminate();
    let log = server.log();
    for line in log.lines() {
        assert!(
            line.contains("  INFO historyserver") || line.contains("  WARN historyserver") || line.contains(" INFO rusqlite"),
            "{line}"
        );
        assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line}");
    }
    let logged: Vec<&str> = log.lines().filter(|line| line.contains("removed an application")).collect();
    assert_eq!(logged.len(), 1, "{log}");
    for part in
        [id('b').as_str(), "done=\"deleted\"", "reason=\"count\"", "archive.size_bytes=", "number 2 from the newest, the limit is 1"]
    {
        assert!(logged[0].contains(part), "{part}: {}", logged[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_json_every_line_is_an_object_with_the_same_fields() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["historyserver.archive.retained-applications=1", "historyserver.log.format=json"];
    let mut server = after_a_cleanup(folder.path(), &options).await;
    server.terminate();
    let lines: Vec<Value> =
        server.log().lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    assert!(
        lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string() && line["message"].is_string()),
        "{lines:?}"
    );
    let logged = lines.iter().find(|line| line["application.id"] == id('b').as_str()).expect("the deletion");
    assert_eq!((&logged["done"], &logged["reason"]), (&"deleted".into(), &"count".into()));
}
