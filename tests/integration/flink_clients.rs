//! Third-party clients of Flink's REST API, and Flink's own, against this server with the sample archives.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::flink::{run, tool};
use crate::support::process::Process;

/// The server over all sample archives, after its first refresh.
struct Served {
    server: Process,
    folder: tempfile::TempDir,
}

async fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let archives = archives();
    let roots: Vec<&Path> = archives.iter().map(PathBuf::as_path).collect();
    let urls = [
        "historyserver.log.jobmanager.url-pattern=https://logs.example/<jobid>",
        "historyserver.log.taskmanager.url-pattern=https://logs.example/<jobid>/<tmid>",
    ];
    let server = Process::start(&roots, &folder.path().join("data"), &urls);
    server.wait_for_refreshes(1).await;
    Served { server, folder }
}

fn archives() -> [PathBuf; 3] {
    ["flink-2.3.0", "flink-2.2.1", "flink-1.20.5"].map(|name| tool(&format!("tests/fixtures/archives/{name}")))
}

/// The last line of the checks has the number of requests and the number of failures.
fn finished_without_failure(printed: &str) {
    assert!(printed.trim_end().ends_with(", 0 failures"), "{printed}");
}

/// Runs `tests/clients/<name>.py`, which reports problems and fails.
async fn python_client(name: &str) {
    let served = served().await;
    let python = tool(".test-tools/flink-clients/installed.txt").with_file_name("bin/python");
    let script = tool(&format!("tests/clients/{name}.py"));
    finished_without_failure(&run(Command::new(python).arg("-B").arg(script).arg(&served.server.base)));
}

/// Compiles and runs a class of `tests/clients/java`.
fn java(class: &str) -> Command {
    tool(".test-tools/flink/VERSION");
    let mut command = Command::new(tool("tests/tools/java.sh"));
    command.arg(class);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flink_rest_client_reads_everything_of_every_job_and_is_refused_changes() {
    python_client("rest_client").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flink_job_manager_api_makes_of_our_answers_what_it_makes_of_the_archived_documents() {
    python_client("job_manager_api").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flink_mcp_server_answers_every_tool_about_every_job() {
    python_client("mcp_server").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_parses_in_flinks_own_message_classes_with_its_strict_mapper() {
    let served = served().await;
    let [newest, newer, old] = archives();
    let mut check = java("MessageClasses");
    check.arg(&served.server.base).arg(newest).arg(newer).arg("--older").arg(old);
    finished_without_failure(&run(&mut check));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flinks_own_cluster_client_lists_and_reads_every_job_and_is_refused_changes() {
    let served = served().await;
    let jobs = served.server.json("/jobs/overview").await;
    let [.., old] = archives();
    let line = |job: &serde_json::Value| {
        let id = job["jid"].as_str().unwrap();
        // This client cannot read the details that Flink 1 wrote.
        let old = if old.join(id).exists() { " old" } else { "" };
        format!("{id} {}{old}\n", job["state"].as_str().unwrap())
    };
    let lines: String = jobs["jobs"].as_array().unwrap().iter().map(line).collect();
    let file = served.folder.path().join("jobs");
    std::fs::write(&file, lines).unwrap();
    finished_without_failure(&run(java("FlinkClusterClient").arg(&served.server.base).arg(file)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flinks_own_dashboard_opens_every_application_and_job_and_each_of_their_tabs() {
    let served = served().await;
    tool("tests/clients/dashboard/node_modules/playwright-core");
    let script = tool("tests/clients/dashboard/open.mjs");
    finished_without_failure(&run(Command::new("node").arg(script).arg(&served.server.base).args(archives())));
}
