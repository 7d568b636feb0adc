//! One suite for every kind of store: what is listed, read, kept and deleted is the same everywhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::files::{Files, unit};
use super::remote::Remote;
use crate::support::archives::{id, job, summary};
use crate::support::process::Process;
use crate::support::served::{Archive, archives_in, samples};

/// Files beside archives, which are nobody's archives.
const FOREIGN: [&str; 4] = ["beside/the-archives", "archives/README.txt", "archives/warehouse/table/part-0", "archives/_temporary/0/x"];
const RETAINED_APPLICATIONS: usize = 5;
const RETAINED_JOBS: usize = 2;
const DELETIONS: &str = "/api/v1/deletions?limit=1000";
const END: i64 = 1_795_000_000_000;

#[tokio::test]
async fn seaweedfs() {
    holds(Remote::seaweedfs().await).await;
}

#[tokio::test]
async fn moto() {
    holds(Remote::moto().await).await;
}

#[tokio::test]
async fn a_bucket_that_keeps_versions() {
    let remote = Remote::moto().await;
    remote.keep_versions().await;
    let contract = Contract::new(remote).await;
    assert_eq!(contract.remote.deletion_markers().await, 0);
    contract.a_limit_deletes_applications_and_nothing_else().await;
    contract.a_limit_deletes_legacy_jobs_and_nothing_else().await;
    assert!(contract.remote.deletion_markers().await > 0, "the versions stay, hidden by markers of deletion");
}

#[tokio::test]
async fn s3s_fs() {
    holds(Remote::s3s_fs().await).await;
}

#[tokio::test]
async fn azurite() {
    holds(Remote::azurite().await).await;
}

#[tokio::test]
async fn fake_gcs_server() {
    holds(Remote::fake_gcs().await).await;
}

#[tokio::test]
async fn hdfs() {
    holds(Remote::hdfs().await).await;
}

/// A store with the sample archives, and what a server over the same files in a local directory answers.
struct Contract {
    remote: Remote,
    data: tempfile::TempDir,
    expected: Lists,
}

/// Flink's two lists, each sorted by id.
#[derive(Debug, PartialEq)]
pub(super) struct Lists {
    pub(super) applications: Vec<Value>,
    pub(super) jobs: Vec<Value>,
}

impl Lists {
    pub(super) async fn of(server: &Process) -> Self {
        let sorted = |list: &Value, id: &str| {
            let mut rows = list.as_array().unwrap().clone();
            rows.sort_by_key(|row| row[id].as_str().unwrap().to_owned());
            rows
        };
        Self {
            applications: sorted(&server.json("/applications/overview").await["applications"], "id"),
            jobs: sorted(&server.json("/jobs/overview").await["jobs"], "jid"),
        }
    }

    fn ids(rows: &[Value], id: &str) -> BTreeSet<String> {
        rows.iter().map(|row| row[id].as_str().unwrap().to_owned()).collect()
    }
}

async fn holds(remote: Remote) {
    let contract = reads(remote).await;
    contract.a_limit_deletes_applications_and_nothing_else().await;
    contract.a_limit_deletes_legacy_jobs_and_nothing_else().await;
}

async fn reads(remote: Remote) -> Contract {
    let contract = Contract::new(remote).await;
    contract.everything_is_listed_and_served().await;
    contract.late_files_are_found().await;
    contract.a_restart_keeps_everything().await;
    contract.archives_that_are_missing_are_forgotten().await;
    contract
}

impl Contract {
    async fn new(remote: Remote) -> Self {
        let data = tempfile::tempdir().unwrap();
        let expected = seed(&remote, data.path()).await;
        Self { remote, data, expected }
    }

    fn start(&self, options: &[&str]) -> Process {
        let mut all = vec!["historyserver.archive.fs.refresh-interval=100ms"];
        all.extend(options);
        Process::spawn(self.remote.command(&self.data.path().join("data"), &all))
    }

    async fn everything_is_listed_and_served(&self) {
        let server = self.start(&[]);
        let (applications, jobs) = (self.expected.applications.len(), self.expected.jobs.len());
        until_listed(&server, "/applications/overview", "applications", applications).await;
        until_listed(&server, "/jobs/overview", "jobs", jobs).await;
        self.serves_everything(&server).await;
        let problems = server.json("/api/v1/problems").await;
        assert_eq!(problems["items"], Value::Array(Vec::new()), "{problems}");
        // A full scan on request changes nothing.
        let request = server.client.post(format!("{}/api/v1/refresh", server.base)).header("content-type", "application/json");
        let accepted: Value = request.body("{}").send().await.unwrap().json().await.unwrap();
        let run = accepted["run"].as_u64().unwrap();
        server.wait_until("/api/v1/status", "scanned", |status| status["refresh"]["requested"].as_u64() >= Some(run)).await;
        assert_eq!(Lists::of(&server).await, self.expected);
    }

    async fn serves_everything(&self, server: &Process) {
        assert_eq!(Lists::of(server).await, self.expected);
        for (path, text) in archives_in(&samples()).iter().flat_map(Archive::requested) {
            let answer = server.get(&path).await;
            assert_eq!(answer.status(), 200, "{path}");
            assert!(answer.bytes().await.unwrap() == text.as_bytes(), "{path} differs");
        }
    }

    /// The job of an application arrives before its summary, and one after it.
    async fn late_files_are_found(&self) {
        let server = self.start(&[]);
        let (application, first, second) = (id('7'), id('8'), id('9'));
        let folder = format!("archives/late/applications/{application}");
        let listed = |job: &str| {
            let job = job.to_owned();
            move |list: &Value| list["jobs"].as_array().unwrap().iter().any(|each| each["jid"] == *job)
        };
        self.remote.write(&format!("{folder}/jobs/{first}"), job(&first, "first", END).into_bytes()).await;
        server.wait_until("/jobs/overview", "listed the first job", listed(&first)).await;
        let summary = summary(&application, "late", END, &[&first, &second]);
        self.remote.write(&format!("{folder}/application-summary"), summary.into_bytes()).await;
        let named = |list: &Value| list["applications"].as_array().unwrap().iter().any(|each| each["name"] == "late");
        server.wait_until("/applications/overview", "listed the application", named).await;
        self.remote.write(&format!("{folder}/jobs/{second}"), job(&second, "second", END).into_bytes()).await;
        server.wait_until("/jobs/overview", "listed the second job", listed(&second)).await;
        // A file that is written again is read again.
        self.remote.write(&format!("{folder}/jobs/{second}"), job(&second, "written again", END).into_bytes()).await;
        let renamed = |list: &Value| list["jobs"].as_array().unwrap().iter().any(|each| each["name"] == "written again");
        server.wait_until("/jobs/overview", "read again", renamed).await;
    }

    async fn a_restart_keeps_everything(&self) {
        let mut server = self.start(&[]);
        let before = Lists::of(&server).await;
        assert_eq!(before.applications.len(), self.expected.applications.len() + 1);
        server.wait_for_refreshes(2).await;
        assert_eq!(Lists::of(&server).await, before);
        assert!(server.terminate().success());
        let server = self.start(&[]);
        assert_eq!(Lists::of(&server).await, before);
        server.wait_for_refreshes(2).await;
        assert_eq!(Lists::of(&server).await, before);
    }

    async fn archives_that_are_missing_are_forgotten(&self) {
        for file in self.remote.files().await.0.iter().filter(|file| file.starts_with("archives/late/")) {
            self.remote.delete(file).await;
        }
        let forget = ["historyserver.archive.clean-expired-applications=true", "historyserver.archive.clean-expired-jobs=true"];
        let server = self.start(&forget);
        until_listed(&server, "/applications/overview", "applications", self.expected.applications.len()).await;
        until_listed(&server, "/jobs/overview", "jobs", self.expected.jobs.len()).await;
        self.serves_everything(&server).await;
    }

    async fn a_limit_deletes_applications_and_nothing_else(&self) {
        self.write_markers().await;
        let before = self.remote.files().await;
        let expired = before.applications().len() - RETAINED_APPLICATIONS;
        let limit = format!("historyserver.archive.retained-applications={RETAINED_APPLICATIONS}");
        let (server, after) = self.clean_up(&before, &limit, expired).await;
        assert_eq!((after.applications().len(), after.jobs()), (RETAINED_APPLICATIONS, before.jobs()), "{after:?}");
        assert_eq!(Lists::ids(&Lists::of(&server).await.applications, "id"), after.applications());
    }

    async fn a_limit_deletes_legacy_jobs_and_nothing_else(&self) {
        let before = self.remote.files().await;
        let expired = before.jobs().len() - RETAINED_JOBS;
        let (server, after) = self.clean_up(&before, &format!("historyserver.archive.retained-jobs={RETAINED_JOBS}"), expired).await;
        assert_eq!((after.applications(), after.jobs().len()), (before.applications(), RETAINED_JOBS), "{after:?}");
        assert!(Lists::ids(&Lists::of(&server).await.jobs, "jid").is_superset(&after.jobs()));
    }

    /// Writes markers of the folders of all applications, as `s3a`, `s3n` and consoles do. The client of this test shows them as files.
    async fn write_markers(&self) {
        let files = self.remote.files().await;
        let folders: BTreeSet<&str> = files.0.iter().filter_map(|file| Some(file.split_once("/jobs/")?.0)).collect();
        for folder in folders {
            for end in self.remote.folder_markers() {
                self.remote.write_raw(&format!("{folder}{end}"), Vec::new()).await;
            }
        }
    }

    /// Starts a server with a limit, and waits until it has deleted this many units. All their files are gone, and no other file.
    async fn clean_up(&self, before: &Files, limit: &str, expired: usize) -> (Process, Files) {
        let recorded = async |server: &Process| server.json(DELETIONS).await["deletions"].as_array().unwrap().len();
        let earlier = {
            let server = self.start(&[]);
            recorded(&server).await
        };
        let server = self.start(&[limit, "historyserver.archive.retention.max-delete-fraction=1.0"]);
        let done = |record: &Value| record["deletions"].as_array().unwrap().len() == earlier + expired;
        server.wait_until(DELETIONS, "deleted", done).await;
        let after = self.remote.files().await;
        let (applications, jobs) = (after.applications(), after.jobs());
        let stays = |file: &String| unit(file).is_none_or(|unit| applications.contains(&unit) || jobs.contains(&unit));
        assert_eq!(after.0, before.0.iter().filter(|file| stays(file)).cloned().collect());
        assert!(FOREIGN.iter().all(|path| after.0.contains(*path)), "{after:?}");
        let problems = server.json("/api/v1/problems").await;
        assert_eq!(problems["items"], Value::Array(Vec::new()), "{problems}");
        (server, after)
    }
}

/// Writes the sample archives into a store, with foreign files and markers of folders beside them. Returns what a server over the same
/// archives in local directories answers.
pub(super) async fn seed(remote: &Remote, folder: &Path) -> Lists {
    for sample in samples() {
        for file in files_below(&sample) {
            let path = format!("archives/{}", file.strip_prefix(&sample).unwrap().display());
            remote.write(&path, std::fs::read(&file).unwrap()).await;
        }
    }
    for path in FOREIGN {
        remote.write(path, b"not an archive".to_vec()).await;
    }
    for marker in ["archives/", "archives/prod-eu/", "archives/prod-eu/applications/"] {
        remote.write_raw(marker, Vec::new()).await;
    }
    let samples = samples();
    let samples: Vec<&Path> = samples.iter().map(PathBuf::as_path).collect();
    let local = Process::start(&samples, &folder.join("reference"), &[]);
    local.wait_for_refreshes(1).await;
    Lists::of(&local).await
}

async fn until_listed(server: &Process, path: &str, member: &str, count: usize) {
    server.wait_until(path, "listed", |list| list[member].as_array().unwrap().len() == count).await;
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}
