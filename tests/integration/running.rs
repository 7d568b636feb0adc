//! The program as it is run: the first command, signals, crashes, memory.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_ten_times_in_its_first_refresh_it_ends_with_exactly_the_archives() {
    const APPLICATIONS: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let (archives, data) = (folder.path().join("archives"), folder.path().join("data"));
    let hex = |number: usize| format!("{number:032x}");
    for number in 0..APPLICATIONS {
        write_application(&archives, "c", &hex(number), "name", END + i64::try_from(number).unwrap(), &[&hex(number + 100_000)]);
    }
    let mut expected: Vec<String> = (0..APPLICATIONS).map(hex).collect();
    expected.sort();
    for round in 0..10_u64 {
        let mut server = Process::start(&[&archives], &data, &["historyserver.archive.fs.refresh-interval=1 h"]);
        // Points spread over the refresh; after the first ones there is less left to do.
        tokio::time::sleep(Duration::from_millis(7 * round * round % 120)).await;
        server.kill();
    }
    let server = Process::start(&[&archives], &data, &[]);
    server.wait_for_refreshes(1).await;
    let ids = |list: &Value, member: &str| {
        let mut ids: Vec<String> = list.as_array().unwrap().iter().map(|each| each[member].as_str().unwrap().to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&server.json("/applications/overview").await["applications"], "id"), expected);
    assert_eq!(ids(&server.json("/jobs/overview").await["jobs"], "jid").len(), APPLICATIONS);
    for number in (0..APPLICATIONS).step_by(17) {
        let config = server.json(&format!("/jobs/{}/config", hex(number + 100_000))).await;
        assert_eq!(config["name"], "name");
    }
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["figures"]["problems"], 0, "{status}");
    let mut left: Vec<String> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert!(left.iter().all(|name| name.starts_with("historyserver.")) && left.len() <= 5, "{left:?}");
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
