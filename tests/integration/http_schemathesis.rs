//! Schemathesis sends requests that the OpenAPI document allows and forbids to a real server, and checks the answers against the document.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::flink::tool;
use crate::support::process::Process;

/// Each run sends the same requests, so a failure can be reproduced.
const SEED: &str = "20261126";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_conform_to_the_openapi_document() {
    let folder = tempfile::tempdir().unwrap();
    let archives = ["flink-2.3.0", "flink-2.2.1", "flink-1.20.5"].map(|name| tool(&format!("tests/fixtures/archives/{name}")));
    let roots: Vec<&Path> = archives.iter().map(PathBuf::as_path).collect();
    let server = Process::start(&roots, &folder.path().join("data"), &[]);
    server.wait_for_refreshes(1).await;
    let program = tool(".test-tools/schemathesis/installed.txt").with_file_name("bin/schemathesis");
    let mut command = Command::new(program);
    command.current_dir(folder.path()).args(["run", &format!("{}/api/v1/openapi.json", server.base), "--url", &server.base]);
    // One worker: schemathesis parses source text for each pattern, and Python 3.11 parses in one thread at a time.
    command.args(["--seed", SEED, "--max-examples", "8", "--workers", "1", "--warnings", "off", "--no-color"]);
    // A schema cannot describe times, time zones and cursors exactly: the server refuses some values that the schema allows.
    command.args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    let document = server.json("/api/v1/openapi.json").await;
    let operations: usize = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
    // Schemathesis does not test the operation that returns the document itself.
    let tested = operations - 1;
    assert!(report.contains(&format!("{tested} selected / {tested} total")), "{report}");
    // Schemathesis finished, and the server is still healthy.
    assert!(server.json("/healthz").await.is_object());
    assert!(!server.log().contains(" ERROR "), "{}", server.log());
}
