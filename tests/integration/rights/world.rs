//! A server with rules, over archives of two teams.

use axum::body::Body;
use axum::http::Request;
use historyserver::access::rights::{self, Rights};
use historyserver::access::{Identity, IdentityKind};
use historyserver::api::ApiOptions;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

use super::matrix::filled;
use crate::support::archives::{application_folder, envelope, id, summary, write};
use crate::support::world::{Answer, World, WorldOptions};

/// A password that no page shows.
pub(super) const SECRET: &str = "swordfish-4711";

/// An application of a team, with one job that has the same id.
pub(super) struct Sample {
    pub(super) id: String,
    pub(super) cluster: &'static str,
    pub(super) name: &'static str,
    pub(super) owner: &'static str,
}

/// Applications of two teams.
pub(super) fn samples() -> [Sample; 3] {
    [
        Sample { id: id('a'), cluster: "a-prod", name: "Orders", owner: "team-a" },
        Sample { id: id('b'), cluster: "b-prod", name: "Payments", owner: "team-b" },
        Sample { id: id('c'), cluster: "b-prod", name: "Payouts", owner: "team-b" },
    ]
}

/// The archive of a job with a configuration.
fn job(sample: &Sample, end: i64) -> String {
    let Sample { id, name, owner, .. } = sample;
    let overview = json!({"jobs": [{
        "jid": id, "name": format!("{name} job"), "jobType": "BATCH", "start-time": end - 1000, "end-time": end,
        "duration": 1000, "state": "FAILED", "last-modification": end, "tasks": {"total": 1, "failed": 1}
    }]});
    let details = json!({"jid": id, "name": format!("{name} job"), "state": "FAILED", "start-time": end - 1000, "end-time": end,
        "duration": 1000, "vertices": [], "plan": {"nodes": []}});
    let config = json!({"jid": id, "name": name, "execution-config": {"job-parallelism": 1,
        "user-config": {"pipeline.owner": owner, "sink.password": SECRET, "shared.word": "zebra"}}});
    let cluster = json!([{"key": "cluster.owner", "value": owner}, {"key": "s3.secret-key", "value": SECRET}]);
    let exceptions = json!({"root-exception": null, "exceptionHistory": {"entries": [{
        "exceptionName": "a.b.Boom", "stacktrace": format!("a.b.Boom: the {name} sink is gone\n\tat x.Y.z(Y.java:1)"),
        "timestamp": end, "concurrentExceptions": []}], "truncated": false}});
    let accumulators = json!({"job-accumulators": [], "user-task-accumulators": [], "serialized-user-task-accumulators": {}});
    envelope(&[
        ("/jobs/overview", &overview.to_string()),
        (&format!("/jobs/{id}"), &details.to_string()),
        (&format!("/jobs/{id}/config"), &config.to_string()),
        (&format!("/jobs/{id}/jobmanager/config"), &cluster.to_string()),
        (&format!("/jobs/{id}/exceptions"), &exceptions.to_string()),
        (&format!("/jobs/{id}/accumulators"), &accumulators.to_string()),
    ])
}

/// An archive with a document for each of Flink's paths that begins so and that it has none for.
fn with_all_documents(archive: &str, prefix: &str, sample: &Sample) -> String {
    let mut archive: Value = serde_json::from_str(archive).unwrap();
    let entries = archive["archive"].as_array_mut().unwrap();
    for template in historyserver::api::flink_routes() {
        let path = filled(template).replace("{id}", &sample.id);
        let has_one = entries.iter().any(|entry| entry["path"] == path);
        if path.starts_with(&format!("{prefix}{}", sample.id)) && !has_one {
            let text = json!({"of": sample.name, "key": "x.password", "value": SECRET}).to_string();
            entries.push(json!({"path": path, "json": text}));
        }
    }
    archive.to_string()
}

/// Writes the archives of the samples, and one file of each cluster that cannot be read.
pub(super) fn write_samples(root: &Path) {
    for (number, sample) in samples().iter().enumerate() {
        let folder = application_folder(root, sample.cluster, &sample.id);
        let end = 1_700_000_000_000 + i64::try_from(number).unwrap() * 1_000;
        let summary = summary(&sample.id, sample.name, end, &[&sample.id]);
        write(&folder.join("application-summary"), with_all_documents(&summary, "/applications/", sample));
        write(&folder.join("jobs").join(&sample.id), with_all_documents(&job(sample, end), "/jobs/", sample));
    }
    for (cluster, digit) in [("a-prod", 'd'), ("b-prod", 'e')] {
        write(&application_folder(root, cluster, &id(digit)).join("application-summary"), "no archive");
    }
}

/// A server over the samples with these rules.
pub(super) struct Guarded {
    pub(super) world: World,
    _folders: [tempfile::TempDir; 2],
}

impl Guarded {
    pub(super) async fn with_rules(rules: &Value) -> Self {
        let (directory, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_samples(directory.path());
        let rights = Rights::of_rules(rights::parse(&rules.to_string()).unwrap());
        let options = WorldOptions { api: ApiOptions { rights, ..ApiOptions::default() }, ..WorldOptions::default() };
        let mut world = World::over(&[directory.path()], data.path(), options);
        world.full_scan().await;
        Self { world, _folders: [directory, data] }
    }

    /// The answer to a client.
    pub(super) async fn get(&self, client: &Identity, path: &str) -> Answer {
        let request = Request::get(path).extension(Arc::new(client.clone())).body(Body::empty()).unwrap();
        self.world.request(request).await
    }

    /// The JSON of a path that answers 200.
    pub(super) async fn json(&self, client: &Identity, path: &str) -> Value {
        let answer = self.get(client, path).await;
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub(super) async fn close(self) {
        self.world.close().await;
    }
}

pub(super) fn user(name: &str) -> Identity {
    Identity::named(name, IdentityKind::User, ["everybody"])
}
