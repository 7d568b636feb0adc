//! Deletions of Flink's own history server and of this one, with the same archives, limits and times.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use historyserver::clock::Timestamp;
use historyserver::retention::policy::{Candidate, Policy, Verdict, judge};

use crate::support::flink::{JavaHistoryServer, copy_of_the_archives_with_ids_as_clusters, run};
use crate::support::process::Process;

const HOUR: Duration = Duration::from_hours(1);

/// An application (with its cluster) or a legacy job archive below an archive directory.
struct Archived {
    cluster: Option<String>,
    id: String,
    path: PathBuf,
    /// Time of the summary. That of the folder is set to the same: Flink's server uses the folder's.
    time: SystemTime,
}

impl Archived {
    fn name(&self) -> String {
        self.path.display().to_string()
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Everything in an archive directory.
fn archived(root: &Path) -> Vec<Archived> {
    let mut found = Vec::new();
    for path in entries(root) {
        if path.is_file() {
            let time = path.metadata().unwrap().modified().unwrap();
            found.push(Archived { cluster: None, id: name(&path), path, time });
            continue;
        }
        for application in entries(&path.join("applications")) {
            let time = application.join("application-summary").metadata().unwrap().modified().unwrap();
            found.push(Archived { cluster: Some(name(&path)), id: name(&application), path: application, time });
        }
    }
    found
}

/// Dates the archives an hour apart, applications and legacy jobs each from half an hour ago, in an order that is not that of names.
fn date(root: &Path, now: SystemTime) {
    let mut counts = (0_u32, 0_u32);
    let mut all = archived(root);
    all.sort_by_key(|archived| archived.id.chars().rev().collect::<String>());
    for archived in all {
        let count = if archived.cluster.is_some() { &mut counts.0 } else { &mut counts.1 };
        let time = now - HOUR / 2 - HOUR * *count;
        *count += 1;
        let summary = archived.path.join("application-summary");
        for path in [&summary, &archived.path] {
            // The folder after its content: writing into it changes its time.
            if path.exists() {
                std::fs::File::open(path).unwrap().set_modified(time).unwrap();
            }
        }
    }
}

/// The paths that are left after the cleanup.
fn retained(all: &[Archived], policy: &Policy, now: SystemTime) -> BTreeSet<String> {
    let timestamp = |time: SystemTime| Timestamp::EPOCH + time.duration_since(UNIX_EPOCH).unwrap();
    let candidates: Vec<Candidate<'_>> = all
        .iter()
        .map(|archived| Candidate {
            cluster: archived.cluster.as_deref(),
            id: u128::from_str_radix(&archived.id, 16).unwrap().to_be_bytes(),
            time: timestamp(archived.time),
            bytes: 1,
            counts: true,
        })
        .collect();
    let verdicts = judge(&candidates, policy, timestamp(now), true);
    all.iter().zip(verdicts).filter(|(_, verdict)| *verdict == Verdict::Retained).map(|(archived, _)| archived.name()).collect()
}

/// The paths of all archives below a root.
fn remaining(root: &Path) -> BTreeSet<String> {
    archived(root).iter().map(|archived| archived.path.strip_prefix(root).unwrap().display().to_string()).collect()
}

/// A copy of a folder, with all times.
fn twin(folder: &Path, to: &Path) {
    run(Command::new("cp").arg("-a").arg(folder).arg(to));
}

/// A folder of Flink's configuration.
fn configuration(folder: &Path, root: &Path, options: &str) -> PathBuf {
    std::fs::create_dir(folder).unwrap();
    let common = "historyserver.web.address: 127.0.0.1\nhistoryserver.web.port: 0\n";
    let yaml = format!("historyserver.archive.fs.dir: file://{}\n{common}{options}", root.display());
    std::fs::write(folder.join("config.yaml"), yaml).unwrap();
    folder.to_owned()
}

/// Runs this server with a folder of Flink's configuration until it has deleted this many.
async fn clean_up_with_this_server(configuration: &Path, data: &Path, deletions: usize) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(data.parent().unwrap()).arg("--config-dir").arg(configuration);
    let server = Process::spawn({
        command.arg("-D").arg(format!("historyserver.data.dir={}", data.display()));
        command
    });
    server.wait_until("/api/v1/status", "cleaned up", |status| status["cleanup"]["finished"].as_u64() >= Some(2)).await;
    let record = server.json("/api/v1/deletions").await;
    assert_eq!(record["deletions"].as_array().unwrap().len(), deletions, "{record}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flinks_server_and_this_one_leave_exactly_what_our_policy_retains() {
    let hours = |hours| Some(Duration::from_hours(hours));
    for (options, policy, left) in [
        (
            "historyserver.archive.retained-applications: 5\nhistoryserver.archive.retained-jobs: 2\n",
            Policy { applications: Some(5), legacy_jobs: Some(2), ..Policy::default() },
            7,
        ),
        (
            "historyserver.archive.retained-ttl: 4 h\nhistoryserver.archive.retained-applications: 9\nhistoryserver.archive.retained-jobs: 1\n",
            Policy { applications: Some(9), legacy_jobs: Some(1), ttl: hours(4), ..Policy::default() },
            5,
        ),
        ("historyserver.archive.retained-ttl: 3 h\n", Policy { ttl: hours(3), ..Policy::default() }, 6),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // One archive directory with applications in three clusters and four legacy job archives.
        let archives = copy_of_the_archives_with_ids_as_clusters(folder.path());
        let root = &archives[0];
        for legacy in archives[1..].iter().flat_map(|archives| entries(archives)) {
            std::fs::rename(&legacy, root.join(name(&legacy))).unwrap();
        }
        let now = SystemTime::now();
        date(root, now);
        let all = archived(root);
        assert_eq!(all.len(), 17);

        let ours = folder.path().join("ours");
        twin(root, &ours);
        let mut java = JavaHistoryServer::start(&configuration(&folder.path().join("conf"), root, options));
        java.loaded();
        // An explicit limit of Flink holds from the first cleanup on.
        let at_once = format!("{options}historyserver.archive.retention.max-delete-fraction: 1.0\n");
        let conf = configuration(&folder.path().join("conf-ours"), &ours, &at_once);
        clean_up_with_this_server(&conf, &folder.path().join("data"), all.len() - left).await;

        let expected = retained(&all, &policy, now);
        assert_eq!(expected.len(), left, "{options}");
        let by_flink: BTreeSet<String> = archived(root).iter().map(Archived::name).collect();
        assert_eq!(by_flink, expected, "{options}");
        assert_eq!(remaining(&ours), remaining(root), "{options}");
    }
}
