//! Schemathesis asks the server, as its users run it, whatever the OpenAPI document allows and forbids, and holds the answers against it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::flink::tool;
use crate::support::process::Process;

/// The same requests each time: a failure can be looked into.
const SEED: &str = "20261126";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_made_from_the_document_is_answered_otherwise_than_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let archives = ["flink-2.3.0", "flink-2.2.1", "flink-1.20.5"].map(|name| tool(&format!("tests/fixtures/archives/{name}")));
    let roots: Vec<&Path> = archives.iter().map(PathBuf::as_path).collect();
    let server = Process::start(&roots, &folder.path().join("data"), &[]);
    server.wait_for_refreshes(1).await;
    let program = tool(".test-tools/schemathesis/installed.txt").with_file_name("bin/schemathesis");
    let mut command = Command::new(program);
    command.current_dir(folder.path()).args(["run", &format!("{}/api/v1/openapi.json", server.base), "--url", &server.base]);
    // One worker: Python 3.11 parses source text in one thread at a time only, and it does so with every pattern that it makes.
    command.args(["--seed", SEED, "--max-examples", "8", "--workers", "1", "--warnings", "off", "--no-color"]);
    // A schema cannot say what a time, a zone or a cursor is: such values are refused, with a sentence, though it allows them.
    command.args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let document = server.json("/api/v1/openapi.json").await;
    let operations: usize = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len()).sum();
    // It leaves out the document itself, which it has read.
    let asked = operations - 1;
    assert!(said.contains(&format!("{asked} selected / {asked} total")), "{said}");
    // It ran to its end, and the server is well.
    assert!(server.json("/healthz").await.is_object());
    assert!(!server.log().contains(" ERROR "), "{}", server.log());
}
