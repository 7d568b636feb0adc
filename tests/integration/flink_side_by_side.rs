//! Flink's own history server and this one, over the same archives with the same configuration: all differences are intended.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::generator::{Generator, LargeJob, Plan};
use crate::support::flink::{JavaHistoryServer, copy_of_the_archives_with_ids_as_clusters, tool};
use crate::support::process::Process;
use crate::support::raw_http;
use crate::support::served::archives_in;

const JOB: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

/// Answers of this server that differ from those of Flink's server, by the recorded path.
const ON_PURPOSE: [(&str, &str, u16, &str); 22] = [
    ("GET", "/jobs/overview/", 200, "a slash at the end is left out"),
    ("GET", "/applications/9223bba4dd77432623bfe32c8ce22282/", 200, "a slash at the end is left out"),
    ("GET", "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/", 200, "a slash at the end is left out"),
    ("GET", "/jobs/0D6F4F6E8DA5B7E7A3551550FF16C873", 200, "ids are compared in lower case"),
    ("GET", "/jobs", 200, "clients ask for it"),
    ("GET", "/jobs/", 200, "clients ask for it"),
    ("GET", "/overview", 200, "clients ask for it"),
    ("GET", "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/status", 200, "clients ask for it"),
    ("GET", "/v1/jobs/overview", 200, "clients insist on the prefix"),
    ("GET", "/v1/config", 200, "clients insist on the prefix"),
    ("GET", "/jobs/overview%00", 400, "no path holds a NUL"),
    ("GET", "/jobs/%zz", 400, "it does not decode: the fault of the client"),
    ("GET", "/jobs/overview?x=%zz", 200, "queries are not read here"),
    ("HEAD", "/config", 200, "it is GET without a body"),
    ("OPTIONS", "/config", 204, "a question, not a fault"),
    ("PUT", "/jobs/overview", 405, "a history server is read-only"),
    ("PATCH", "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873", 405, "a history server is read-only"),
    ("DELETE", "/jobs/overview", 405, "a history server is read-only"),
    // The next ones have a body of their own.
    ("GET", "/config", 200, "flink-revision names this server"),
    ("GET", "/config.json", 200, "flink-revision names this server"),
    ("GET", "/config?x=1", 200, "flink-revision names this server"),
    ("GET", "/index.html", 200, "a page of its own"),
];

/// The same, of log URLs.
const LOG_URLS_ON_PURPOSE: [(&str, &str, u16, &str); 1] =
    [("GET", "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/taskmanagers/tm%20x-1/log-url", 200, "ids are percent-encoded")];

/// Both lists as sets: objects by id.
async fn lists(client: &reqwest::Client, base: &str) -> Vec<BTreeMap<String, Value>> {
    let mut lists = Vec::new();
    for (path, member, id) in [("/applications/overview", "applications", "id"), ("/jobs/overview", "jobs", "jid")] {
        let list: Value = client.get(format!("{base}{path}")).send().await.unwrap().json().await.unwrap();
        let objects = list[member].as_array().unwrap();
        lists.push(objects.iter().map(|object| (object[id].as_str().unwrap().to_owned(), object.clone())).collect());
    }
    lists
}

async fn answer(client: &reqwest::Client, base: &str, path: &str) -> (u16, String) {
    let response = client.get(format!("{base}{path}")).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// A configuration directory of Flink.
fn configuration(folder: &Path, archives: &[PathBuf], options: &str) -> PathBuf {
    let conf = folder.join("conf");
    std::fs::create_dir_all(&conf).unwrap();
    let archives: Vec<String> = archives.iter().map(|path| format!("file://{}", path.display())).collect();
    let yaml = format!(
        "historyserver.archive.fs.dir: {}\nhistoryserver.web.tmpdir: {}\nhistoryserver.web.address: 127.0.0.1\nhistoryserver.web.port: 0\n{options}",
        archives.join(","),
        folder.join("web").display(),
    );
    std::fs::write(conf.join("config.yaml"), yaml).unwrap();
    conf
}

/// This server, called as Flink's start script calls Flink's.
fn ours(conf: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(conf).arg("--configDir").arg(conf);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swapped_in_over_the_same_configuration_directory_it_answers_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of_the_archives_with_ids_as_clusters(folder.path());
    let conf = configuration(
        folder.path(),
        &archives,
        "historyserver.web.refresh-interval: 7 s\n\
         historyserver.log.jobmanager.url-pattern: logs.example/jm/<jobid>\n\
         historyserver.log.taskmanager.url-pattern: \"https://logs.example/tm/<tmid>?job=<jobid>&again=<jobid>\"\n",
    );
    let client = reqwest::Client::new();
    let paths = [
        format!("/jobs/{JOB}/jobmanager/log-url"),
        format!("/jobs/{JOB}/taskmanagers/127.0.0.1:36243-f72fa3/log-url"),
        format!("/jobs/{JOB}/taskmanagers/tm/log-url?x=1"),
        format!("/jobs/{JOB}"),
        format!("/jobs/{JOB}/checkpoints"),
        format!("/jobs/{JOB}/plan.json"),
        "/applications/9223bba4dd77432623bfe32c8ce22282".to_owned(),
        "/applications/9223bba4dd77432623bfe32c8ce22282/exceptions".to_owned(),
    ];

    let mut java = JavaHistoryServer::start(&conf);
    let base = java.loaded();
    let expected_lists = lists(&client, &base).await;
    let mut expected = Vec::new();
    for path in &paths {
        expected.push(answer(&client, &base, path).await);
    }
    let mut expected_config: Value = serde_json::from_str(&answer(&client, &base, "/config").await.1).unwrap();
    drop(java);

    let server = Process::spawn(ours(&conf));
    server.wait_for_refreshes(1).await;
    assert_eq!(expected_lists[0].len(), 13);
    assert_eq!(lists(&client, &server.base).await, expected_lists);
    for (path, expected) in paths.iter().zip(expected) {
        assert_eq!(expected.0, 200, "{path}");
        assert_eq!(answer(&client, &server.base, path).await, expected, "{path}");
    }
    // The revision is that of this server, and the name of the time zone is that of the machine. The rest is equal to Flink.
    let mut config = server.json("/config").await;
    for different in ["flink-revision", "timezone-name", "timezone-offset"] {
        assert!(
            config.as_object_mut().unwrap().remove(different).is_some()
                && expected_config.as_object_mut().unwrap().remove(different).is_some()
        );
    }
    assert_eq!(config, expected_config);
    assert_eq!(config["refresh-interval"], 7_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_archives_are_valid_for_flinks_server_too() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    let plan = Plan { applications: 28, legacy_jobs: 8, clusters: 3, ..Plan::default() };
    let made = Generator::new(plan).unwrap().write_all(&archives).unwrap();
    let large = LargeJob { bytes: 2_000_000, document_bytes: 300_000, start: 1_795_000_000_000 };
    large.write_file(&LargeJob::id(1), &archives.join(LargeJob::id(1))).unwrap();
    let conf = configuration(folder.path(), std::slice::from_ref(&archives), "");
    let client = reqwest::Client::new();

    let mut java = JavaHistoryServer::start(&conf);
    let base = java.loaded();
    let expected = lists(&client, &base).await;
    assert_eq!(expected[0].len(), 28, "all applications are listed");
    assert_eq!(expected[0].len() + expected[1].len(), usize::try_from(made.files).unwrap() + 1, "and all jobs, each of a file of its own");
    let mut documents = 0;
    for archive in archives_in(&[archives]) {
        for (path, text) in archive.documents.iter().filter(|(path, _)| !path.ends_with("s/overview") || path.contains("rescales")) {
            assert_eq!(answer(&client, &base, path).await, (200, text.clone()), "{path}");
            documents += 1;
        }
    }
    assert!(documents > 1_000, "{documents}");
    drop(java);

    let server = Process::spawn(ours(&conf));
    server.wait_for_refreshes(1).await;
    assert_eq!(lists(&client, &server.base).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_flinks_server_refuses_are_refused_with_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let archives = copy_of_the_archives_with_ids_as_clusters(folder.path());
    for (number, (key, value)) in [
        ("historyserver.archive.retained-applications", "0"),
        ("historyserver.archive.retained-jobs", "-2"),
        ("historyserver.archive.retained-ttl", "0 ms"),
        ("historyserver.archive.retained-ttl", "-1 s"),
        ("historyserver.web.port", "x"),
    ]
    .into_iter()
    .enumerate()
    {
        let conf = configuration(&folder.path().join(number.to_string()), &archives, "");
        let yaml = std::fs::read_to_string(conf.join("config.yaml")).unwrap();
        let yaml: Vec<&str> = yaml.lines().filter(|line| !line.starts_with(key)).collect();
        std::fs::write(conf.join("config.yaml"), format!("{}\n{key}: {value}\n", yaml.join("\n"))).unwrap();

        let (code, log) = JavaHistoryServer::start(&conf).refusal();
        assert_ne!(code, 0, "{log}");
        let output = ours(&conf).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        // Flink always exits with 1. 64 reports an invalid configuration.
        assert_eq!(output.status.code(), Some(64), "{key} {value}: {printed}");
        assert!(printed.contains(key) && printed.contains("config.yaml"), "{key} {value}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_answers_differ_from_those_recorded_of_flinks_server_only_on_purpose() {
    let recorded: Value = serde_json::from_slice(&std::fs::read(tool("tests/fixtures/java-history-server/answers.json")).unwrap()).unwrap();
    let archives = ["flink-2.3.0", "flink-2.2.1", "flink-1.20.5"].map(|name| tool(&format!("tests/fixtures/archives/{name}")));
    for configured in recorded.as_array().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let options: Vec<&str> = configured["configuration"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let conf = configuration(folder.path(), &archives, &format!("{}\n", options.join("\n")));
        let server = Process::spawn(ours(&conf));
        server.wait_for_refreshes(1).await;
        let mut purposes = if options[0].contains("ftp:") { ON_PURPOSE.to_vec() } else { LOG_URLS_ON_PURPOSE.to_vec() };
        for answer in configured["answers"].as_array().unwrap() {
            compare(&server, answer, &mut purposes).await;
        }
        assert!(purposes.is_empty(), "no longer different, or no longer requested: {purposes:?}");
    }
}

async fn compare(server: &Process, recorded: &Value, purposes: &mut Vec<(&str, &str, u16, &str)>) {
    let (method, path) = (recorded["method"].as_str().unwrap(), recorded["path"].as_str().unwrap());
    if recorded["request-headers"].is_object() {
        return; // If-Modified-Since: ours compares entity tags
    }
    // As written: a client would normalise the path.
    let answer = raw_http::request(server.base.trim_start_matches("http://").parse().unwrap(), method, path).await;
    let (status, body) = (answer.status, String::from_utf8_lossy(&answer.body).into_owned());
    let purpose = purposes.iter().position(|purpose| (purpose.0, purpose.1) == (method, path));
    if let Some(purpose) = purpose {
        let purpose = purposes.remove(purpose);
        assert_eq!(status, purpose.2, "{method} {path}: {}", purpose.3);
        return;
    }
    assert_eq!(u64::from(status), recorded["status"].as_u64().unwrap(), "{method} {path}: {body}");
    if status == 200 && recorded["body"].is_string() {
        assert_eq!(body, recorded["body"].as_str().unwrap(), "{method} {path}");
    } else if status != 200 {
        let sentence = answer.errors().remove(0);
        assert!(sentence.len() > 20, "{method} {path}: {sentence}");
    }
}
