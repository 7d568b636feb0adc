//! The configuration changes while the server runs: on SIGHUP, and when its file has changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::archives::{id, set_modified, write_application};
use crate::support::process::{Process, command};

const END: i64 = 1_795_000_000_000;

struct World {
    folder: tempfile::TempDir,
    server: Process,
}

impl World {
    /// A server over two applications, with this configuration file.
    async fn start(options: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archives = folder.path().join("archives");
        for (number, digit) in ['a', 'b'].into_iter().enumerate() {
            let end = END + i64::try_from(number).unwrap() * 1_000_000;
            write_application(&archives, "cluster", &id(digit), "name", end, &[&id(char::from(b'1' + u8::try_from(number).unwrap()))]);
            let application = archives.join("cluster/applications").join(id(digit));
            set_modified(&application.join("application-summary"), end);
        }
        std::fs::write(file(folder.path()), options).unwrap();
        let mut command = command(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=50 ms"]);
        command.arg("--config").arg(file(folder.path()));
        let server = Process::spawn(command);
        server.wait_for_refreshes(2).await;
        Self { folder, server }
    }

    fn write(&self, options: &str) {
        std::fs::write(file(self.folder.path()), options).unwrap();
    }

    fn hang_up(&self) {
        assert!(Command::new("kill").arg("-HUP").arg(self.server.id().to_string()).status().unwrap().success());
    }

    async fn wait_for_applications(&self, count: u64) {
        self.server.wait_until("/api/v1/status", "followed the limit", |status| status["figures"]["applications"] == count).await;
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("own.toml")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_changes_what_can_change_and_names_what_cannot() {
    let world = World::start("historyserver.archive.retained-applications = 5\n").await;
    world.wait_for_applications(2).await;

    world.write("historyserver.archive.retained-applications = 0\nhistoryserver.web.prot = 1\n");
    world.hang_up();
    let line = world.server.wait_for_log("the configuration is not valid, and nothing was changed");
    assert!(line.contains("historyserver.web.prot") && line.contains("historyserver.archive.retained-applications"), "{line}");
    world.wait_for_applications(2).await;

    world.write(
        "historyserver.archive.retained-applications = 1\nhistoryserver.archive.retention.max-delete-fraction = 1.0\n\
         historyserver.log.level = \"debug\"\nhistoryserver.web.max-connections = 77\n",
    );
    world.hang_up();
    world.server.wait_for_log("historyserver.archive.retained-applications is now `1` (was `5`)");
    world.server.wait_for_log("historyserver.log.level is now `debug` (was `info`)");
    let line = world.server.wait_for_log("historyserver.web.max-connections is `77` in the configuration");
    assert!(line.contains("WARN") && line.contains("until the server is restarted"), "{line}");
    world.wait_for_applications(1).await;
    world.server.wait_for_log("request answered");

    world.hang_up();
    world.server.wait_for_log("SIGHUP");
    assert_eq!(world.server.get("/healthz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_limit_waits_for_a_restart() {
    let world = World::start("").await;
    world.write("historyserver.archive.retained-applications = 1\nhistoryserver.archive.retention.max-delete-fraction = 1.0\n");
    world.hang_up();
    world.server.wait_for_log("historyserver.archive.retained-applications is `1` in the configuration, and stays `-1`");
    world.server.wait_for_log("historyserver.archive.retention.max-delete-fraction is now `1.0`");
    let finished = world.server.json("/api/v1/status").await["refresh"]["finished"].as_u64().unwrap();
    world.server.wait_for_refreshes(finished + 3).await;
    world.wait_for_applications(2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_found_without_a_signal() {
    let world = World::start("historyserver.log.level = \"info\"\n").await;
    world.write("historyserver.log.level = \"debug\"\n");
    world.server.wait_for_log("the configuration has changed");
    world.server.wait_for_log("historyserver.log.level is now `debug`");
    // Those of this test at the latest.
    assert_eq!(world.server.get("/healthz").await.status(), 200);
    world.server.get("/jobs/overview").await;
    world.server.wait_for_log("request answered");
}
