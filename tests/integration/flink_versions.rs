//! The command-line clients of twelve Flink versions list the jobs of archives that twelve Flink versions wrote.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::flink::tool;
use crate::support::process::Process;

/// Clients of these versions refuse a job with an unknown member.
const STRICT: [&str; 2] = ["1.17.2", "1.18.1"];

/// A version and the folder of its jars, oldest first.
fn clients() -> Vec<(String, PathBuf)> {
    let installed = tool(".test-tools/flink-versions/VERSIONS");
    let versions = std::fs::read_to_string(&installed).unwrap();
    let older = versions.split_whitespace().map(|version| (version.to_owned(), installed.with_file_name(version).join("lib")));
    let newest = tool(".test-tools/flink/VERSION");
    older.chain([(std::fs::read_to_string(&newest).unwrap().trim().to_owned(), newest.with_file_name("lib"))]).collect()
}

/// Number of jobs that `flink list -a` prints; `None` when it fails.
fn listed(jars: &Path, base: &str, configuration: &Path) -> Option<usize> {
    let address = base.strip_prefix("http://").unwrap();
    let output = Command::new("java")
        .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Dfile.encoding=UTF-8", "-cp"])
        .arg(jars.join("*"))
        .args(["org.apache.flink.client.cli.CliFrontend", "list", "-a", "-m", address])
        .env("FLINK_CONF_DIR", configuration)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let ids = |line: &&str| line.split(" : ").nth(1).is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).lines().filter(ids).count())
}

/// The number of jobs in the archives of these versions, and the number that each client lists.
async fn over(versions: &[&str], options: &[&str], clients: &[(String, PathBuf)]) -> (usize, Vec<(String, Option<usize>)>) {
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("conf");
    std::fs::create_dir(&configuration).unwrap();
    for file in ["config.yaml", "flink-conf.yaml"] {
        std::fs::write(configuration.join(file), "").unwrap();
    }
    let roots: Vec<PathBuf> = versions.iter().map(|version| tool(&format!("tests/fixtures/versions/flink-{version}"))).collect();
    let roots: Vec<&Path> = roots.iter().map(PathBuf::as_path).collect();
    let server = Process::start(&roots, &folder.path().join("data"), options);
    server.wait_for_refreshes(1).await;
    let jobs = server.json("/jobs/overview").await["jobs"].as_array().unwrap().len();
    let seen = clients.iter().map(|(version, jars)| (version.clone(), listed(jars, &server.base, &configuration))).collect();
    (jobs, seen)
}

fn all(jobs: usize, clients: &[(String, PathBuf)]) -> Vec<(String, Option<usize>)> {
    clients.iter().map(|(version, _)| (version.clone(), Some(jobs))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_flink_2_and_lenient_ones_list_the_archives_of_every_version() {
    let clients: Vec<_> = clients().into_iter().filter(|(version, _)| !STRICT.contains(&version.as_str())).collect();
    let versions = ["1.13.6", "1.16.3", "1.17.2", "1.20.5", "2.0.2", "2.2.1", "2.3.0"];
    let (jobs, seen) = over(&versions, &[], &clients).await;
    assert!(jobs > 30, "{jobs} jobs");
    assert_eq!(seen, all(jobs, &clients));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_flink_1_list_the_archives_of_flink_1() {
    let clients: Vec<_> = clients().into_iter().filter(|(version, _)| version.starts_with("1.")).collect();
    let (jobs, seen) = over(&["1.13.6", "1.17.2", "1.18.1", "1.20.5"], &[], &clients).await;
    assert!(jobs > 20, "{jobs} jobs");
    assert_eq!(seen, all(jobs, &clients));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_1_17_and_1_18_list_archives_of_flink_2_where_their_version_is_configured() {
    let clients: Vec<_> = clients().into_iter().filter(|(version, _)| STRICT.contains(&version.as_str())).collect();
    let versions = ["1.17.2", "2.0.2", "2.3.0"];
    let (jobs, seen) = over(&versions, &["historyserver.web.flink-version=1.18.1"], &clients).await;
    assert_eq!(seen, all(jobs, &clients));
    let refused: Vec<_> = clients.iter().map(|(version, _)| (version.clone(), None)).collect();
    assert_eq!(over(&versions, &[], &clients).await.1, refused, "without it these clients can read no list with a job of Flink 2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_flink_2_list_the_archives_of_flink_1_where_their_version_is_configured() {
    let clients: Vec<_> = clients().into_iter().filter(|(version, _)| ["2.0.2", "2.3.0"].contains(&version.as_str())).collect();
    let (jobs, seen) = over(&["1.17.2"], &["historyserver.web.flink-version=2.0.2"], &clients).await;
    assert_eq!(seen, all(jobs, &clients));
}
