//! `historyserver backup` and `restore`: a copy of a running index holds everything, and becomes an index again.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::archives::{application_folder, write_application};
use crate::support::process::Process;

const END: i64 = 1_795_000_000_000;

fn id(number: usize) -> String {
    format!("{number:032x}")
}

fn write_applications(archives: &Path, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let at = END + i64::try_from(number).unwrap();
        write_application(archives, "cluster", &id(number), &format!("name {number}"), at, &[&id(number + 100_000)]);
    }
}

fn run(command: &str, file: &Path, data: &Path) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    program.arg(command).arg(file).arg("--data-dir").arg(data).output().unwrap()
}

/// The text that a successful command printed.
#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The error of a command that failed.
#[track_caller]
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

async fn applications(server: &Process) -> u64 {
    server.json("/api/v1/applications?limit=1").await["total"]["count"].as_u64().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_running_server_holds_all_and_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (archives, data) = (folder.path().join("archives"), folder.path().join("data"));
    write_applications(&archives, 0..40);
    let server = Process::start(&[&archives], &data, &["historyserver.archive.fs.refresh-interval=10 ms"]);

    // While archives are read: each backup is the state of one moment, and sound.
    for round in 0..3 {
        write_applications(&archives, 40 + round * 20..60 + round * 20);
        let printed = done(&run("backup", &folder.path().join(format!("during-{round}")), &data));
        assert!(printed.contains("the whole file was read and is sound"), "{printed}");
    }
    server
        .wait_until("/api/v1/status", "read all", |status| status["figures"]["applications"] == 100 && status["figures"]["queued"] == 0)
        .await;
    server.wait_for_refreshes(server.json("/api/v1/status").await["refresh"]["finished"].as_u64().unwrap() + 2).await;
    let backup = folder.path().join("backup");
    let printed = done(&run("backup", &backup, &data));
    assert!(printed.contains("100 applications, 100 jobs"), "{printed}");
    let refusal = refused(&run("backup", &backup, &data));
    assert!(refusal.contains("exists already"), "{refusal}");
    let refusal = refused(&run("restore", &backup, &data));
    assert!(refusal.contains(&data.display().to_string()), "{refusal}");

    // An archive that is missing afterwards is only in the backup.
    let path = format!("/jobs/{}", id(100_007));
    let document = server.get(&path).await.text().await.unwrap();
    let tag = server.get("/jobs/overview").await.headers()["etag"].clone();
    drop(server);
    std::fs::remove_dir_all(application_folder(&archives, "cluster", &id(7))).unwrap();

    let restored = folder.path().join("restored");
    let printed = done(&run("restore", &backup, &restored));
    assert!(printed.contains("100 applications, 100 jobs"), "{printed}");
    let refusal = refused(&run("restore", &backup, &restored));
    assert!(refusal.contains("only into a data directory without an index"), "{refusal}");
    let names: Vec<String> = std::fs::read_dir(&restored).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().all(|name| ["historyserver.sqlite", "historyserver.lock"].contains(&name.as_str())), "{names:?}");

    let server = Process::start(&[&archives], &restored, &[]);
    assert_eq!(server.get(&path).await.text().await.unwrap(), document);
    server.wait_for_refreshes(1).await;
    assert_eq!(server.get(&path).await.text().await.unwrap(), document);
    assert_eq!(applications(&server).await, 100);
    // A client that holds a list of the other index reads it again.
    let again = server.client.get(format!("{}/jobs/overview", server.base)).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 200);
}

#[test]
fn files_that_are_no_sound_backups_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let refusal = refused(&run("backup", &folder.path().join("backup"), &data));
    assert!(refusal.contains("there is no index in the data directory"), "{refusal}");

    let file = folder.path().join("file");
    std::fs::write(&file, "no database").unwrap();
    let refusal = refused(&run("restore", &file, &data));
    assert!(refusal.contains(&file.display().to_string()), "{refusal}");

    let foreign = folder.path().join("foreign");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE other (a)").unwrap();
    let refusal = refused(&run("restore", &foreign, &data));
    assert!(refusal.contains("is not a backup of this server"), "{refusal}");

    let refusal = refused(&run("restore", &folder.path().join("missing"), &data));
    assert!(refusal.contains("missing"), "{refusal}");
    assert!(!data.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_backup_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (archives, data, backup) = (folder.path().join("archives"), folder.path().join("data"), folder.path().join("backup"));
    write_applications(&archives, 0..30);
    let mut server = Process::start(&[&archives], &data, &[]);
    server.wait_for_refreshes(1).await;
    assert!(server.terminate().success());
    // Without a server, and by the configuration.
    let configuration = folder.path().join("own.toml");
    let text = format!("historyserver.archive.fs.dir = {archives:?}\nhistoryserver.data.dir = {data:?}\n");
    std::fs::write(&configuration, text).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    done(&program.arg("backup").arg(&backup).arg("--config").arg(&configuration).output().unwrap());

    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 8192 * 4096;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&backup, bytes).unwrap();
    let restored = folder.path().join("restored");
    let refusal = refused(&run("restore", &backup, &restored));
    assert!(refusal.contains("damaged"), "{refusal}");
    assert!(!restored.exists());
}
