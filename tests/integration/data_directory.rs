//! The data directory of a running server: its permissions, and the end of the server when the directory is removed or replaced.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::process::{Process, command, copy_of};

/// A disturbance of a data directory.
type Disturb = fn(&Path);

fn away(path: &Path) -> std::path::PathBuf {
    path.with_extension("away")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_data_directory_is_taken_away_says_so_and_ends_and_another_one_begins_anew() {
    let ways: [(&str, Disturb); 5] = [
        ("was deleted", |data| fs::remove_dir_all(data).unwrap()),
        ("was replaced", |data| {
            fs::rename(data, away(data)).unwrap();
            fs::create_dir(data).unwrap();
        }),
        ("historyserver.lock", |data| fs::remove_file(data.join("historyserver.lock")).unwrap()),
        ("historyserver.sqlite", |data| {
            fs::copy(data.join("historyserver.sqlite"), data.join("copy")).unwrap();
            fs::rename(data.join("copy"), data.join("historyserver.sqlite")).unwrap();
        }),
        ("historyserver.sqlite-wal", |data| fs::remove_file(data.join("historyserver.sqlite-wal")).unwrap()),
    ];
    for (message, disturb) in ways {
        let folder = tempfile::tempdir().unwrap();
        let (archives, data) = (copy_of("flink-2.3.0", folder.path()), folder.path().join("data"));
        let mut first = Process::start(&[&archives], &data, &["historyserver.archive.fs.refresh-interval=1 s"]);
        first.wait_for_refreshes(1).await;
        let listed = first.json("/applications/overview").await;
        let disturbed = Instant::now();
        disturb(&data);
        assert_eq!(first.wait_for_end().code(), Some(1), "{message}: {}", first.log());
        assert!(disturbed.elapsed() < Duration::from_secs(15), "{message}: {:?}", disturbed.elapsed());
        let log = first.log();
        let sentence = log.lines().last().unwrap();
        let names = sentence.contains(&data.display().to_string()) && sentence.contains("historyserver.data.dir");
        assert!(names && sentence.contains(message) && log.contains("ERROR"), "{message}: {log}");

        let mut second = Process::start(&[&archives], &data, &[]);
        second.wait_for_refreshes(1).await;
        assert_eq!(second.json("/applications/overview").await, listed, "{message}");
        assert_eq!(second.terminate().code(), Some(0), "{message}: {}", second.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_data_directory_stays_goes_on_whatever_lies_beside_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let (archives, data) = (copy_of("flink-2.3.0", folder.path()), folder.path().join("data"));
    let mut server = Process::start(&[&archives], &data, &["historyserver.archive.fs.refresh-interval=100 ms"]);
    server.wait_for_refreshes(1).await;
    fs::write(data.join("notes"), "mine").unwrap();
    fs::remove_file(data.join("historyserver.sock")).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    // Looked at once a second.
    let finished = server.wait_for_refreshes(1).await["refresh"]["finished"].as_u64().unwrap();
    server.wait_for_refreshes(finished + 30).await;
    assert_eq!(server.get("/readyz").await.status(), 200);
    assert_eq!(server.terminate().code(), Some(0), "{}", server.log());
}

/// Modes of all files in a folder.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().permissions().mode() & 0o777)).collect()
}

/// The server, started under this umask.
fn under(umask: &str, archives: &Path, data: &Path) -> Process {
    let server = command(&[archives], data, &[]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("umask {umask} && exec \"$0\" \"$@\"")).arg(server.get_program()).args(server.get_args());
    shell.current_dir(data.parent().unwrap());
    Process::spawn(shell)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_may_read_a_file_of_the_data_directory_whatever_the_umask() {
    for umask in ["000", "022", "077", "277"] {
        let folder = tempfile::tempdir().unwrap();
        let (archives, data) = (copy_of("flink-2.3.0", folder.path()), folder.path().join("data"));
        fs::create_dir(&data).unwrap();
        fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
        let mut server = under(umask, &archives, &data);
        server.wait_for_refreshes(1).await;
        let names =
            ["historyserver.lock", "historyserver.sock", "historyserver.sqlite", "historyserver.sqlite-shm", "historyserver.sqlite-wal"];
        assert_eq!(modes(&data), names.map(|name| (name.to_owned(), 0o600)).into(), "umask {umask}");
        // As an earlier version left them, after a crash.
        server.kill();
        fs::write(data.join("historyserver.sqlite.damaged-20260101T000000Z"), "").unwrap();
        fs::write(data.join("historyserver.sqlite-journal"), "").unwrap();
        for name in modes(&data).into_keys() {
            fs::set_permissions(data.join(name), Permissions::from_mode(0o644)).unwrap();
        }
        let mut server = under(umask, &archives, &data);
        server.wait_for_refreshes(1).await;
        let open: Vec<_> = modes(&data).into_iter().filter(|(_, mode)| *mode != 0o600).collect();
        assert_eq!(open, [], "umask {umask}");
        assert_eq!(server.terminate().code(), Some(0));
        assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o755, "the folder is its owner's");
    }
}
