//! The program as it is run: the first command, signals, crashes, memory.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::generator::LargeJob;
use crate::support::archives::{id, job, set_modified, write, write_application};
use crate::support::process::{Process, command, copy_of};

const END: i64 = 1_795_000_000_000;

/// A list as a set: objects by id.
fn by_id(list: &Value, member: &str) -> std::collections::BTreeMap<String, Value> {
    list.as_array().unwrap().iter().map(|each| (each[member].as_str().unwrap().to_owned(), each.clone())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_command_of_the_readme_lists_what_flinks_own_server_lists() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(root).arg("-D").arg("historyserver.web.port=0");
    command.arg("-D").arg(format!("historyserver.data.dir={}", folder.path().join("data").display()));
    let server = Process::spawn(command);
    assert!(server.base.starts_with("http://127.0.0.1:"), "{}", server.base);
    server.wait_for_refreshes(1).await;
    for (path, member, list) in [("/applications/overview", "id", "applications"), ("/jobs/overview", "jid", "jobs")] {
        let name = path.trim_start_matches('/').replace('/', "-");
        let recorded = root.join(format!("tests/fixtures/java-history-server/{name}.json"));
        let recorded: Value = serde_json::from_slice(&std::fs::read(&recorded).unwrap()).unwrap();
        let mut ours = by_id(&server.json(path).await[list], member);
        // Flink's server ignores clusters whose name is not an id.
        assert!(ours.remove("987cd3074a3a33ff9d7a563ca03beef8").is_some());
        assert_eq!(ours, by_id(&recorded[list], member), "{path}");
    }
    assert!(server.get("/").await.text().await.unwrap().contains("<title>"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_metrics_have_an_address_of_their_own_where_one_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let (archives, data) = (folder.path().join("archives"), folder.path().join("data"));
    std::fs::create_dir(&archives).unwrap();
    let options = ["historyserver.web.operations-address=127.0.0.1", "historyserver.web.operations-port=0"];
    let server = Process::start(&[&archives], &data, &options);
    server.wait_for_refreshes(1).await;
    let line = server.wait_for_log("health and metrics are served at ");
    let operations = &line[line.find("http://").unwrap()..];
    for (path, status) in
        [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/jobs/overview", 404), ("/api/v1/status", 404), ("/", 404)]
    {
        let answer = server.client.get(format!("{operations}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
    }
    assert_eq!(server.get("/readyz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_server_refuses_the_data_directory_and_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    let data = folder.path().join("data");
    let first = Process::start(&[&archives], &data, &[]);
    let second = command(&[&archives], &data, &[]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(message.contains(&first.id().to_string()) && message.contains("historyserver.data.dir"), "{message}");
    drop(first);
    // A killed owner leaves no lock.
    let third = Process::start(&[&archives], &data, &[]);
    assert_eq!(third.get("/healthz").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_it_in_order_and_a_restart_is_ready_before_it_has_listed_anything() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of("flink-2.3.0", folder.path());
    let data = folder.path().join("data");
    let mut server = Process::start(&[&archives], &data, &[]);
    server.wait_for_refreshes(1).await;
    let listed = server.json("/applications/overview").await;
    assert_eq!(server.terminate().code(), Some(0), "{}", server.log());
    assert!(server.log().contains("stopped"), "{}", server.log());
    // Nothing can be listed any more: what is answered comes from the index.
    std::fs::rename(&archives, folder.path().join("away")).unwrap();
    let server = Process::start(&[&archives], &data, &[]);
    assert_eq!(server.get("/readyz").await.status(), 200);
    assert_eq!(server.json("/applications/overview").await, listed);
}

/// The answers of a server that has read an archive directory: both lists, some documents, and the figures that would tell of anything
/// kept twice or left over.
async fn content(server: &Process, documents: &[String]) -> Vec<String> {
    let mut content = Vec::new();
    for path in ["/applications/overview", "/jobs/overview"].into_iter().chain(documents.iter().map(String::as_str)) {
        let answer = server.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        content.push(answer.text().await.unwrap());
    }
    let figures = server.json("/api/v1/status").await["figures"].clone();
    let counted = ["applications", "jobs", "pack_bytes", "problems"].map(|name| figures[name].as_u64().unwrap());
    content.push(format!("{counted:?}"));
    content
}

fn files_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_in_its_first_refresh_each_restart_ends_with_exactly_the_archives() {
    const APPLICATIONS: u64 = 600;
    const ONCE: &[&str] = &["historyserver.archive.fs.refresh-interval=1 h"];
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    let hex = |number: u64| format!("{number:032x}");
    for number in 0..APPLICATIONS {
        write_application(&archives, "c", &hex(number), "name", END + i64::try_from(number).unwrap(), &[&hex(number + 100_000)]);
    }
    // The oldest, so that it comes last: its documents are written ahead of its row, part by part.
    let large = LargeJob { bytes: 24 << 20, document_bytes: 900_000, start: END - 1_000_000 };
    large.write_file(&LargeJob::id(1), &archives.join(LargeJob::id(1))).unwrap();
    let mut documents: Vec<String> =
        (0..APPLICATIONS).step_by(17).map(|number| format!("/jobs/{}/config", hex(number + 100_000))).collect();
    documents.push(format!("/jobs/{}/vertices/bc764cd8ddf7a0cff126f51c16239658/subtasks/11/attempts/0", LargeJob::id(1)));

    let data = folder.path().join("undisturbed");
    let mut server = Process::start(&[&archives], &data, ONCE);
    server.wait_for_refreshes(1).await;
    let expected = content(&server, &documents).await;
    assert_eq!(expected.last().unwrap().split(',').next().unwrap(), format!("[{APPLICATIONS}"));
    server.terminate();
    let files = files_in(&data);

    let mut random = std::hash::RandomState::new().hash_one("points");
    let mut in_the_middle = 0;
    for round in 0..10 {
        let data = folder.path().join(format!("killed-{round}"));
        let mut server = Process::start(&[&archives], &data, ONCE);
        // A point of its own in each round: so many jobs are listed, or none yet, and some time passes.
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let listed = (random >> 33) % APPLICATIONS;
        let reached =
            |status: &Value| status["figures"]["jobs"].as_u64().unwrap() >= listed || status["refresh"]["finished"].as_u64().unwrap() > 0;
        let status = server.wait_until("/api/v1/status", "as far as it is to be killed", reached).await;
        tokio::time::sleep(Duration::from_millis((random >> 20) % 100)).await;
        server.kill();
        in_the_middle += u32::from(status["refresh"]["finished"] == 0);

        let mut server = Process::start(&[&archives], &data, ONCE);
        server.wait_for_refreshes(1).await;
        assert!(content(&server, &documents).await == expected, "killed with {listed} jobs listed: {}", server.log());
        assert_eq!(server.terminate().code(), Some(0));
        assert_eq!(files_in(&data), files, "a file was left over");
    }
    assert!(in_the_middle >= 5, "only {in_the_middle} of ten were killed before the first refresh had ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_descriptors_stay_flat_over_two_hundred_refreshes() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of("flink-2.3.0", folder.path());
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=5 ms"]);
    let finished = server.wait_for_refreshes(20).await["refresh"]["finished"].as_u64().unwrap();
    let (memory, _) = server.memory();
    let descriptors = server.descriptors();
    server.wait_for_refreshes(finished + 200).await;
    let (after, _) = server.memory();
    assert!(after < memory + (8 << 20), "{memory} bytes before, {after} after");
    assert!(server.descriptors() <= descriptors + 4, "{descriptors} descriptors before, {} after", server.descriptors());
}

/// A JSON string of this many bytes: blocks that do not compress, each with its number.
fn large_document(size: usize) -> String {
    let mut number = 1_u64;
    let block: String = std::iter::repeat_with(|| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{number:016x}")
    })
    .take(8_192)
    .collect();
    let mut document = String::with_capacity(size);
    document.push('"');
    for number in 0.. {
        if document.len() + block.len() + 32 > size {
            break;
        }
        write!(document, "{number:016}").unwrap();
        document.push_str(&block);
    }
    document.push_str(&"x".repeat(size - 1 - document.len()));
    document.push('"');
    document
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_of_200_mb_is_ingested_within_twice_its_size_and_served_within_64_mb() {
    const SIZE: usize = 200 << 20;
    let folder = tempfile::tempdir().unwrap();
    let (archives, data) = (folder.path().join("archives"), folder.path().join("data"));
    write(&archives.join(id('1')), job(&id('1'), "small", END));
    let server = Process::start(&[&archives], &data, &["historyserver.archive.fs.refresh-interval=100 ms"]);
    server.wait_until("/jobs/overview", "listed", |list| list["jobs"].as_array().unwrap().len() == 1).await;
    server.reset_peak_memory();
    let (before, _) = server.memory();

    let big = id('2');
    let overview = json!({"jobs": [{"jid": big, "name": "big", "state": "FINISHED", "start-time": 1, "end-time": 2, "duration": 1}]});
    let document = large_document(SIZE);
    let content = format!(
        r#"{{"archive":[{{"path":"/jobs/overview","json":{}}},{{"path":"/jobs/{big}/plan","json":{}}}]}}"#,
        serde_json::to_string(&overview.to_string()).unwrap(),
        serde_json::to_string(&document).unwrap()
    );
    let beside = folder.path().join("big");
    write(&beside, content);
    // Not of this moment: a file read within two seconds of its writing is read again, and cuts those who read it meanwhile.
    set_modified(&beside, END);
    std::fs::rename(&beside, archives.join(&big)).unwrap();
    server.wait_until("/jobs/overview", "listed", |list| list["jobs"].as_array().unwrap().len() == 2).await;
    let (_, peak) = server.memory();
    assert!(peak < before + 2 * SIZE as u64, "{before} bytes before, at most {peak} while ingesting");

    let url = format!("{}/jobs/{big}/plan", server.base);
    server.reset_peak_memory();
    let (before, _) = server.memory();
    let expected = std::sync::Arc::new(document);
    let mut readers = Vec::new();
    for _ in 0..20 {
        let request = server.client.get(&url).header("accept-encoding", "identity");
        let expected = expected.clone();
        readers.push(tokio::spawn(async move {
            use futures::StreamExt as _;
            let mut body = request.send().await.unwrap().bytes_stream();
            let mut position = 0;
            while let Some(chunk) = body.next().await {
                let chunk = chunk.unwrap();
                assert!(expected.as_bytes()[position..].starts_with(&chunk), "another byte after {position}");
                position += chunk.len();
            }
            position
        }));
    }
    for reader in readers {
        assert_eq!(reader.await.unwrap(), SIZE);
    }
    let (_, peak) = server.memory();
    assert!(peak < before + (64 << 20), "{before} bytes before, at most {peak} while serving");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_state_is_one_line_of_the_log_and_a_refresh_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    write_application(&archives, "c", &id('a'), "good", END, &[&id('1')]);
    write(&archives.join(id('2')), "{\"archive\":[");
    // Not of this moment: a file read within two seconds of its writing is read once more.
    for file in [archives.join(id('2')), archives.join("c/applications").join(id('a')).join("application-summary")] {
        set_modified(&file, END);
    }
    set_modified(&archives.join("c/applications").join(id('a')).join("jobs").join(id('1')), END);
    std::os::unix::fs::symlink("/nowhere", archives.join("dangling")).unwrap();
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=5 ms"]);
    let refreshes = async |more: u64| {
        let finished = server.json("/api/v1/status").await["refresh"]["finished"].as_u64().unwrap();
        server.wait_for_refreshes(finished + more).await;
    };
    let lines = |text: &str| server.log().lines().filter(|line| line.contains(text)).count();

    refreshes(3).await;
    let before = server.log();
    assert_eq!((lines("archive-unreadable"), lines("link-refused"), lines("refreshed archive directory")), (1, 1, 1), "{before}");
    refreshes(50).await;
    assert_eq!(server.log(), before, "a refresh that finds nothing new says nothing");

    let away = folder.path().join("away");
    std::fs::rename(&archives, &away).unwrap();
    server.wait_until("/api/v1/status", "vanished", |status| status["refresh"]["directories"][0]["state"] == "vanished").await;
    refreshes(50).await;
    assert_eq!(lines("directory-vanished"), 1, "{}", server.log());
    std::fs::rename(&away, &archives).unwrap();
    server.wait_until("/api/v1/status", "back", |status| status["refresh"]["directories"][0]["state"] == "listed").await;
    refreshes(50).await;
    assert_eq!(lines("directory-vanished"), 2, "and one when it is resolved: {}", server.log());

    let beside = folder.path().join("whole");
    write(&beside, job(&id('2'), "whole", END));
    set_modified(&beside, END + 1_000);
    std::fs::rename(&beside, archives.join(id('2'))).unwrap();
    server.wait_until("/jobs/overview", "resolved", |list| list["jobs"].as_array().unwrap().len() == 2).await;
    refreshes(50).await;
    assert_eq!(lines("archive-unreadable"), 2, "and one when it is resolved: {}", server.log());
    assert_eq!(server.log().lines().count(), before.lines().count() + 4, "{}", server.log());
}
