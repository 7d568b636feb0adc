//! Facts of jobs, runs of a name, comparisons and classes of failures, against an independent reading of the archives.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use historyserver::refresh::plan::Rules;
use serde_json::{Value, json};

use crate::support::archives::{envelope, id, set_modified, write};
use crate::support::facts;
use crate::support::served::{Archive, Served, archives_in, samples};
use crate::support::world::{World, WorldOptions};

/// Archives of jobs among the samples.
fn jobs() -> Vec<Archive> {
    let archives = archives_in(&samples());
    archives.into_iter().filter(|archive| archive.documents.iter().any(|(path, _)| *path == format!("/jobs/{}", archive.id))).collect()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn every_fact_of_every_sample_agrees_with_its_documents() {
    let server = Served::over(&samples()).await;
    let jobs = jobs();
    assert!(jobs.len() > 20);
    let mut known = BTreeMap::<&str, usize>::new();
    for job in &jobs {
        let expected = facts::of_job(&job.id, &job.documents);
        let found = server.json(&format!("/api/v1/jobs/{}", job.id)).await;
        assert_eq!(found["facts"], expected, "{}", job.id);
        for fact in ["scheduler", "flink_version", "root_exception", "checkpoints", "restarts"] {
            *known.entry(fact).or_default() += usize::from(!expected[fact].is_null());
        }
    }
    // Some archive has each fact; not every version of Flink archives the scheduler, and not every job has checkpoints.
    assert!(known.values().all(|count| *count > 0), "{known:?}");
    assert!(known["scheduler"] < jobs.len() && known["checkpoints"] < jobs.len(), "{known:?}");
    server.stop().await;
}

#[tokio::test]
async fn runs_of_a_name_have_the_figures_of_their_jobs() {
    let server = Served::over(&samples()).await;
    for item in server.json("/api/v1/jobs?limit=1000").await["items"].as_array().unwrap() {
        let history = server.json(&format!("/api/v1/jobs/history?name={}", encoded(item["name"].as_str().unwrap()))).await;
        let run = history["items"].as_array().unwrap().iter().find(|run| run["id"] == item["id"]).unwrap();
        for (name, value) in item.as_object().unwrap() {
            assert_eq!(run[name], *value, "{name}");
        }
        let facts = server.json(&format!("/api/v1/jobs/{}", item["id"].as_str().unwrap())).await["facts"].clone();
        let (checkpoints, exception) = (&facts["checkpoints"], &facts["root_exception"]);
        let cause = if exception["cause_class"].is_null() { &exception["class"] } else { &exception["cause_class"] };
        for (name, expected) in [
            ("parallelism", &facts["parallelism"]),
            ("restarts", &facts["restarts"]),
            ("read_bytes", &facts["io"]["read_bytes"]),
            ("write_bytes", &facts["io"]["write_bytes"]),
            ("read_records", &facts["io"]["read_records"]),
            ("write_records", &facts["io"]["write_records"]),
            ("checkpoints_completed", &checkpoints["completed"]),
            ("checkpoints_failed", &checkpoints["failed"]),
            ("last_checkpoint_size", &checkpoints["last"]["state_size"]),
            ("longest_checkpoint_duration", &checkpoints["longest_duration"]),
            ("root_exception_class", &exception["class"]),
            ("root_cause_class", cause),
        ] {
            assert_eq!(run[name], *expected, "{name} of {}", item["id"]);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn runs_of_an_application_have_the_figures_of_all_its_jobs() {
    let server = Served::over(&samples()).await;
    let summaries: BTreeMap<String, Archive> = archives_in(&samples())
        .into_iter()
        .filter(|archive| archive.documents.iter().any(|(path, _)| *path == format!("/applications/{}", archive.id)))
        .map(|archive| (archive.id.clone(), archive))
        .collect();
    let mut several = 0;
    for item in server.json("/api/v1/applications?limit=1000").await["items"].as_array().unwrap() {
        let id = item["id"].as_str().unwrap();
        let history = server.json(&format!("/api/v1/applications/history?name={}", encoded(item["name"].as_str().unwrap()))).await;
        let run = history["items"].as_array().unwrap().iter().find(|run| run["id"] == item["id"]).unwrap();
        let details = server.json(&format!("/api/v1/applications/{id}")).await;
        let mut all = Vec::new();
        for job in details["job_items"].as_array().unwrap() {
            all.push(server.json(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())).await["facts"].clone());
        }
        several += usize::from(all.len() > 1);
        for name in ["read_bytes", "write_bytes", "read_records", "write_records"] {
            assert_eq!(run[name], facts::sum(all.iter().map(|facts| &facts["io"][name])), "{name} of {id}");
        }
        assert_eq!(run["restarts"], facts::sum(all.iter().map(|facts| &facts["restarts"])));
        assert_eq!(run["checkpoints_failed"], facts::sum(all.iter().map(|facts| &facts["checkpoints"]["failed"])));
        assert_eq!(run["last_checkpoint_size"], facts::largest(all.iter().map(|facts| &facts["checkpoints"]["last"]["state_size"])));
        let exceptions = summaries[id].documents.iter().find(|(path, _)| path.ends_with("/exceptions")).unwrap();
        let root = facts::root_exception(&serde_json::from_str(&exceptions.1).unwrap());
        assert_eq!(run["root_exception_class"], root["class"], "{id}");
    }
    assert!(several > 0);
    server.stop().await;
}

#[tokio::test]
async fn failures_are_counted_by_the_class_of_their_innermost_cause() {
    let server = Served::over(&samples()).await;
    let mut expected = BTreeMap::<String, u64>::new();
    for item in server.json("/api/v1/jobs?limit=1000&status=FAILED").await["items"].as_array().unwrap() {
        let job = server.json(&format!("/api/v1/jobs/{}", item["id"].as_str().unwrap())).await;
        let exception = &job["facts"]["root_exception"];
        let class = exception["cause_class"].as_str().or(exception["class"].as_str()).unwrap();
        *expected.entry(class.to_owned()).or_default() += 1;
    }
    assert!(expected.len() > 1, "{expected:?}");
    let range = "from=2026-11-01&to=2026-12-31";
    let found = server.json(&format!("/api/v1/statistics?{range}")).await;
    let classes = |found: &Value| -> Vec<(String, u64)> {
        let each = found["exceptions"].as_array().unwrap().iter();
        each.map(|each| (each["class"].as_str().unwrap().to_owned(), each["jobs"].as_u64().unwrap())).collect()
    };
    let counted = classes(&found);
    assert!(counted.is_sorted_by(|one, other| one.1 >= other.1), "{counted:?}");
    assert_eq!(counted.into_iter().collect::<BTreeMap<_, _>>(), expected);
    let none = server.json(&format!("/api/v1/statistics?{range}&status=FINISHED")).await;
    assert_eq!(classes(&none), []);
    let applications = server.json(&format!("/api/v1/statistics?kind=applications&{range}")).await;
    assert!(!classes(&applications).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_comparison_lists_differences_of_configuration_and_vertices() {
    let server = Served::over(&samples()).await;
    let jobs = jobs();
    let (mut changed, mut same) = (0, 0);
    for pair in jobs.windows(2) {
        let [left, right] = pair else { unreachable!() };
        let found = server.json(&format!("/api/v1/jobs/compare?left={}&right={}", left.id, right.id)).await;
        for (side, job) in [("left", left), ("right", right)] {
            let details = server.json(&format!("/api/v1/jobs/{}", job.id)).await;
            assert_eq!(found[format!("{side}_facts")], details["facts"]);
            assert_eq!(found[side]["id"], job.id.as_str());
        }
        let (one, other) = (facts::configuration(&left.id, &left.documents), facts::configuration(&right.id, &right.documents));
        let keys: std::collections::BTreeSet<_> = one.keys().chain(other.keys()).collect();
        let differing: Vec<_> = keys.iter().filter(|key| one.get(**key) != other.get(**key)).collect();
        let expected: Vec<Value> =
            differing.iter().map(|key| json!({"key": key, "left": one.get(**key), "right": other.get(**key)})).collect();
        assert_eq!(found["configuration"], json!(expected), "{} {}", left.id, right.id);
        assert_eq!(found["configuration_equal"], json!(keys.len() - differing.len()));
        let vertices = found["vertices"].as_array().unwrap();
        for (side, facts) in [("left", &found["left_facts"]), ("right", &found["right_facts"])] {
            let mut matched: Vec<String> =
                vertices.iter().filter(|each| !each[side].is_null()).map(|each| each[side].to_string()).collect();
            let mut all: Vec<String> = facts["vertices"].as_array().unwrap().iter().map(Value::to_string).collect();
            matched.sort();
            all.sort();
            assert_eq!(matched, all, "each vertex appears once");
        }
        for vertex in vertices {
            match vertex["change"].as_str().unwrap() {
                "same" => same += 1,
                "changed" => {
                    changed += 1;
                    for member in vertex["differences"].as_array().unwrap() {
                        let member = member.as_str().unwrap();
                        assert_ne!(vertex["left"][member], vertex["right"][member]);
                    }
                }
                "added" => assert!(vertex["left"].is_null()),
                _ => assert!(vertex["right"].is_null()),
            }
        }
    }
    assert!(same > 0 && changed > 0, "{same} {changed}");
    let itself = server.json(&format!("/api/v1/jobs/compare?left={}&right={}", jobs[0].id, jobs[0].id)).await;
    assert_eq!(itself["configuration"], json!([]));
    assert!(itself["vertices"].as_array().unwrap().iter().all(|vertex| vertex["change"] == "same"));
    for (query, status) in [
        ("left=x&right=y", 400),
        (&format!("left={}", jobs[0].id), 400),
        (&format!("left={}&right={}", jobs[0].id, "0".repeat(32)), 404),
        (&format!("left={}&right={}&right_cluster=nowhere", jobs[0].id, jobs[0].id), 404),
        (&format!("left={}&right={}&centre=1", jobs[0].id, jobs[0].id), 400),
    ] {
        assert_eq!(server.get(&format!("/api/v1/jobs/compare?{query}")).await.status(), status, "{query}");
    }
    server.stop().await;
}

const END: i64 = 1_795_000_000_000;

/// Writes the archive of a failed job.
fn write_failed(root: &Path, job: &str, parallelism: i64, class: &str, modified: i64) {
    let overview = json!({"jobs": [{"jid": job, "name": "made", "state": "FAILED", "start-time": END - 5, "end-time": END, "tasks": {}}]});
    let details = json!({"jid": job, "name": "made", "vertices": [{"id": "v", "name": "map", "parallelism": parallelism}]});
    let trace = format!("{class}: why\n\tat a.B.c(B.java:1)\n");
    let exceptions = json!({"exceptionHistory": {"entries": [{"exceptionName": class, "stacktrace": trace, "timestamp": END}]}});
    let archive = envelope(&[
        ("/jobs/overview", &overview.to_string()),
        (&format!("/jobs/{job}"), &details.to_string()),
        (&format!("/jobs/{job}/exceptions"), &exceptions.to_string()),
    ]);
    write(&root.join(job), archive);
    set_modified(&root.join(job), modified);
}

#[tokio::test]
async fn facts_are_replaced_and_removed_with_their_archive() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    let (job, other) = (id('1'), id('2'));
    write_failed(&root, &job, 2, "x.First", END);
    write_failed(&root, &other, 1, "x.Other", END);
    let rules = Rules { forget_gone_legacy_jobs: true, empty_grace: Duration::ZERO, ..Rules::default() };
    let mut world = World::over(&[&root], &folder.path().join("data"), WorldOptions { rules, ..WorldOptions::default() });
    world.full_scan().await;
    let statistics = format!("/api/v1/statistics?from={}&to={}", END - 1, END + 1);
    let job_path = format!("/api/v1/jobs/{job}");
    let facts = world.get(&job_path).await.json()["facts"].clone();
    assert_eq!((&facts["vertices"][0]["parallelism"], &facts["root_exception"]["class"]), (&json!(2), &json!("x.First")));

    write_failed(&root, &job, 7, "x.Second", END + 60_000);
    world.full_scan().await;
    let facts = world.get(&job_path).await.json()["facts"].clone();
    assert_eq!((&facts["vertices"][0]["parallelism"], &facts["root_exception"]["class"]), (&json!(7), &json!("x.Second")));
    let classes = world.get(&statistics).await.json()["exceptions"].clone();
    let mut classes: Vec<&str> = classes.as_array().unwrap().iter().map(|each| each["class"].as_str().unwrap()).collect();
    classes.sort_unstable();
    assert_eq!(classes, ["x.Other", "x.Second"]);

    std::fs::remove_file(root.join(&job)).unwrap();
    world.full_scan().await;
    assert_eq!(world.get(&job_path).await.status, 404);
    assert_eq!(world.get(&statistics).await.json()["exceptions"], json!([{"class": "x.Other", "jobs": 1}]));
    world.close().await;
}

#[tokio::test]
async fn rows_of_a_list_have_facts_of_their_runs_on_request() {
    let root = tempfile::tempdir().unwrap();
    // Each run has a cluster of its own, as on Kubernetes.
    for (number, digit) in ('1'..='6').enumerate() {
        let end = 1_000_000 + i64::try_from(number).unwrap() * 1_000;
        let jobs = if digit == '6' { vec!["a".repeat(32), "b".repeat(32)] } else { vec![id(digit)] };
        let jobs: Vec<&str> = jobs.iter().map(String::as_str).collect();
        crate::support::archives::write_application(root.path(), &format!("run-{digit}"), &id(digit), "nightly", end, &jobs);
    }
    let server = Served::over(&[root.path().to_path_buf()]).await;
    let plain = server.json("/api/v1/applications").await;
    assert!(plain["items"].as_array().unwrap().iter().all(|item| item["run_facts"].is_null()));
    let list = server.json("/api/v1/applications?run_facts=true").await;
    let facts: Vec<Value> = list["items"].as_array().unwrap().iter().map(|item| item["run_facts"].clone()).collect();
    let usual: Vec<&Value> = facts.iter().map(|facts| &facts["usual_duration"]).collect();
    assert_eq!(usual, [&json!(1_000), &json!(1_000), &json!(1_000), &Value::Null, &Value::Null, &Value::Null]);
    let only: Vec<&Value> = facts.iter().map(|facts| &facts["only_job"]).collect();
    assert_eq!(only, [&Value::Null, &json!(id('5')), &json!(id('4')), &json!(id('3')), &json!(id('2')), &json!(id('1'))]);
    server.stop().await;
    let samples = Served::over(&samples()).await;
    let failed = samples.json("/api/v1/jobs?run_facts=true&status=FAILED&limit=1000").await;
    for item in failed["items"].as_array().unwrap() {
        let exception = samples.json(&format!("/api/v1/jobs/{}", item["id"].as_str().unwrap())).await["facts"]["root_exception"].clone();
        let cause = if exception["cause_class"].is_null() { &exception["class"] } else { &exception["cause_class"] };
        assert_eq!(item["run_facts"]["root_cause_class"], *cause);
    }
    samples.stop().await;
}
