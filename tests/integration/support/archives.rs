//! Archives made by tests: small, and as broken as wanted.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// An archive with these entries, as Flink writes it.
pub(crate) fn envelope(entries: &[(&str, &str)]) -> String {
    let entries: Vec<Value> = entries.iter().map(|(path, json)| json!({"path": path, "json": json})).collect();
    json!({ "archive": entries }).to_string()
}

/// The summary of an application.
pub(crate) fn summary(id: &str, name: &str, end: i64, jobs: &[&str]) -> String {
    let overview = json!({"applications": [{
        "id": id, "name": name, "start-time": end - 1000, "end-time": end, "duration": 1000,
        "status": "FINISHED", "jobs": {"FINISHED": jobs.len()}
    }]});
    let job = |job: &&str| json!({"jid": job, "name": "job", "state": "FINISHED"});
    let details = json!({
        "id": id, "name": name, "status": "FINISHED", "start-time": end - 1000, "end-time": end, "duration": 1000,
        "timestamps": {}, "jobs": jobs.iter().map(job).collect::<Vec<_>>()
    });
    envelope(&[
        ("/applications/overview", &overview.to_string()),
        (&format!("/applications/{id}"), &details.to_string()),
        (&format!("/applications/{id}/exceptions"), r#"{"exceptionHistory":{"entries":[]}}"#),
    ])
}

/// The archive of a job.
pub(crate) fn job(id: &str, name: &str, end: i64) -> String {
    let overview = json!({"jobs": [{
        "jid": id, "name": name, "jobType": "BATCH", "schedulerType": "Default", "start-time": end - 1000, "end-time": end,
        "duration": 1000, "state": "FINISHED", "last-modification": end, "tasks": {"total": 1, "finished": 1}, "pending-operators": 0
    }]});
    let details = json!({"jid": id, "name": name, "state": "FINISHED"});
    envelope(&[
        ("/jobs/overview", &overview.to_string()),
        (&format!("/jobs/{id}"), &details.to_string()),
        (&format!("/jobs/{id}/config"), &json!({"jid": id, "name": name}).to_string()),
    ])
}

/// An id made of one hex digit.
pub(crate) fn id(digit: char) -> String {
    digit.to_string().repeat(32)
}

/// Writes a file and the folders above it.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Where an application lies.
pub(crate) fn application_folder(root: &Path, cluster: &str, id: &str) -> PathBuf {
    root.join(cluster).join("applications").join(id)
}

/// Writes a whole application with these jobs.
pub(crate) fn write_application(root: &Path, cluster: &str, id: &str, name: &str, end: i64, jobs: &[&str]) {
    let folder = application_folder(root, cluster, id);
    for each in jobs {
        write(&folder.join("jobs").join(each), job(each, name, end));
    }
    write(&folder.join("application-summary"), summary(id, name, end, jobs));
}

/// Sets the modification time of a file, in milliseconds.
pub(crate) fn set_modified(path: &Path, millis: i64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(millis).unwrap());
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}
