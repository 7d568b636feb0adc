//! File events: a hint that starts a quick scan, by a handful of watches.

use crate::support::archives::{application_folder, set_modified, write_application};
use crate::support::process::Process;

const END: i64 = 1_795_000_000_000;

/// The number of folders that a process watches, from `/proc`.
fn watches(server: &Process) -> usize {
    let folder = format!("/proc/{}/fdinfo", server.id());
    let states = std::fs::read_dir(folder).unwrap().filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    states.map(|text| text.lines().filter(|line| line.starts_with("inotify wd:")).count()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_is_listed_long_before_the_interval_and_watches_do_not_grow_with_the_applications() {
    const APPLICATIONS: usize = 400;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    let hex = |number: usize| format!("{number:032x}");
    for number in 0..APPLICATIONS {
        let cluster = ["prod-eu", "prod-us"][number % 2];
        write_application(&root, cluster, &hex(number), "settled", END, &[]);
        set_modified(&application_folder(&root, cluster, &hex(number)).join("application-summary"), END);
    }
    let server = Process::start(&[&root], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=1 h"]);
    server.wait_for_refreshes(1).await;
    // The root, and `applications/` of each cluster.
    server.wait_until("/api/v1/status", "watching", |_| watches(&server) == 3).await;
    // Moved in whole, so that one event is all there is.
    let beside = folder.path().join("beside");
    for number in [APPLICATIONS, APPLICATIONS + 1] {
        write_application(&beside, "a-new-cluster", &hex(number), "new", END + 1, &[]);
    }
    let one = hex(APPLICATIONS);
    let moves = [
        (APPLICATIONS, application_folder(&beside, "a-new-cluster", &one), application_folder(&root, "prod-eu", &one)),
        (APPLICATIONS + 1, beside.join("a-new-cluster"), root.join("a-new-cluster")),
    ];
    for (number, from, to) in moves {
        std::fs::rename(from, to).unwrap();
        let listed = |list: &serde_json::Value| list["applications"].as_array().unwrap().len() == number + 1;
        server.wait_until("/applications/overview", "listed", listed).await;
    }
    assert!(watches(&server) <= 12, "{} watches", watches(&server));
}
