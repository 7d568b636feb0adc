//! The examples of `examples/` do what they say.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::moto::Moto;
use crate::support::process::{Process, copy_of};

#[path = "../../examples/failed_jobs.rs"]
#[expect(dead_code, reason = "its `main` is called by cargo only")]
mod failed_jobs;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clients_in_rust_and_python_list_the_failed_jobs_with_their_root_causes() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of("flink-1.20.5", folder.path());
    let server = Process::start(&[&archives], &folder.path().join("data"), &[]);
    server.wait_for_refreshes(1).await;

    let jobs = failed_jobs::failed_jobs(&server.base).await.unwrap();
    let failing = failed_jobs::FailedJob {
        id: "231ca9eda182b5e0c291bb541c0c87c8".to_owned(),
        name: "legacy failing".to_owned(),
        root_cause: Some("java.lang.RuntimeException".to_owned()),
    };
    assert!(jobs.contains(&failing), "{jobs:?}");

    let output = Command::new("python3").arg(example("failed_jobs.py")).arg(&server.base).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let expected: Vec<String> =
        jobs.iter().map(|job| format!("{}\t{}\t{}", job.id, job.name, job.root_cause.as_deref().unwrap_or("unknown"))).collect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_configuration_for_s3_serves_a_bucket() {
    let store = Moto::start();
    store.make_bucket("flink-archives").await;
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives/flink-1.20.5");
    let id = "231ca9eda182b5e0c291bb541c0c87c8";
    let bytes = std::fs::read(archives.join(id)).unwrap();
    let client = store.client("flink-archives");
    client.put_opts(&format!("completed-jobs/{id}").into(), bytes.into(), object_store::PutOptions::default()).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(folder.path()).arg("--config").arg(example("s3/historyserver.toml"));
    // Places of this machine, and the store of the test.
    command.arg("-D").arg(format!("historyserver.data.dir={}", folder.path().join("data").display()));
    command.arg("-D").arg("historyserver.web.port=0");
    for (key, value) in store.options() {
        command.arg("-D").arg(format!("{key}={value}"));
    }
    let server = Process::spawn(command);
    server.wait_for_refreshes(1).await;
    let listed = server.json("/jobs/overview").await;
    assert_eq!(listed["jobs"][0]["jid"], id, "{listed}");
    assert!(!server.log().contains("WARN"), "{}", server.log());
}
