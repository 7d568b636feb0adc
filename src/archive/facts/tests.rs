//! Facts, compared with an independent reading of real archives, and facts of documents that Flink never writes.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod restarts;
mod versions;

const JOB: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

fn derive(documents: &[(&str, Value)]) -> Facts {
    let mut deriver = Deriver::new(Owner::Job(JOB.parse().unwrap()));
    for (below, document) in documents {
        deriver.document(&format!("/jobs/{JOB}{below}"), &document.to_string());
    }
    deriver.finish()
}

/// Facts of an archive, its documents by the rest of their path, and whether it is a job's.
type Check<'test> = dyn FnMut(&Facts, &dyn Fn(&str) -> Value, bool) + 'test;

/// Reads real archives with another parser and passes each to `check`, with its documents by the rest of their path.
fn each_fixture(folder: &Path, check: &mut Check<'_>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_fixture(&path, check);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let whole: Value = serde_json::from_str(&text).unwrap();
        let is_job = path.file_name().unwrap() != "application-summary";
        let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
        let (owner, prefix) = if is_job {
            (Owner::Job(name(&path).parse().unwrap()), format!("/jobs/{}", name(&path)))
        } else {
            let id = name(path.parent().unwrap());
            (Owner::Application(id.parse().unwrap()), format!("/applications/{id}"))
        };
        let mut deriver = Deriver::new(owner);
        for entry in whole["archive"].as_array().unwrap() {
            deriver.document(entry["path"].as_str().unwrap(), entry["json"].as_str().unwrap());
        }
        let document = |below: &str| {
            let wanted = format!("{prefix}{below}");
            let entry = whole["archive"].as_array().unwrap().iter().find(|entry| entry["path"] == wanted.as_str());
            entry.map_or(Value::Null, |entry| serde_json::from_str(entry["json"].as_str().unwrap()).unwrap())
        };
        check(&deriver.finish(), &document, is_job);
    }
}

/// A figure. Flink writes a placeholder for one that was not measured: it counts as none.
fn measured(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "as the figures are whole")]
    let number = value.as_i64().or_else(|| value.as_f64().map(|number| number as i64));
    number.filter(|number| *number >= 0)
}

fn counted(metrics: &Value, name: &str) -> Option<i64> {
    let complete = metrics[format!("{name}-complete")].as_bool().unwrap();
    measured(&metrics[name]).filter(|count| complete || *count > 0)
}

#[test]
fn vertices_and_figures_are_those_of_real_archives() {
    let (mut jobs, mut vertices) = (0, 0);
    each_fixture(Path::new("tests/fixtures/archives"), &mut |facts, document, is_job| {
        let details = document("");
        if !is_job {
            assert_eq!(facts.vertices, []);
            return;
        }
        jobs += 1;
        let archived = details["vertices"].as_array().unwrap();
        assert_eq!(facts.vertices.len(), archived.len());
        let mut written = None;
        for (fact, vertex) in facts.vertices.iter().zip(archived) {
            vertices += 1;
            assert_eq!(fact.id, vertex["id"].as_str().unwrap());
            assert_eq!(fact.name, vertex["name"].as_str().unwrap());
            assert_eq!(fact.status.as_deref(), vertex["status"].as_str());
            assert_eq!(fact.parallelism, vertex["parallelism"].as_i64());
            assert_eq!(fact.max_parallelism, vertex["maxParallelism"].as_i64());
            assert_eq!(fact.start.map(Timestamp::as_millis), vertex["start-time"].as_i64().filter(|time| *time > 0));
            assert_eq!(fact.end.map(Timestamp::as_millis), vertex["end-time"].as_i64().filter(|time| *time > 0));
            assert_eq!(fact.duration, measured(&vertex["duration"]));
            let metrics = &vertex["metrics"];
            assert_eq!(fact.io.read_bytes, counted(metrics, "read-bytes"));
            assert_eq!(fact.io.write_bytes, counted(metrics, "write-bytes"));
            assert_eq!(fact.io.read_records, counted(metrics, "read-records"));
            assert_eq!(fact.io.write_records, counted(metrics, "write-records"));
            assert_eq!(fact.busy, measured(&metrics["accumulated-busy-time"]));
            assert_eq!(fact.idle, measured(&metrics["accumulated-idle-time"]));
            assert_eq!(fact.backpressured, measured(&metrics["accumulated-backpressured-time"]));
            written = match (written, fact.io.write_records) {
                (None, figure) => figure,
                (sum, figure) => sum.map(|sum: i64| sum + figure.unwrap_or(0)),
            };
        }
        assert_eq!(facts.io.write_records, written);
        assert_eq!(facts.scheduler.as_deref(), details["schedulerType"].as_str());
        assert_eq!(facts.max_parallelism, details["maxParallelism"].as_i64().filter(|number| *number > 0));
        let config = document("/config");
        assert_eq!(facts.parallelism, config["execution-config"]["job-parallelism"].as_i64().filter(|number| *number > 0));
    });
    assert_eq!((jobs, vertices), (22, 57));
}

#[test]
fn checkpoints_are_those_of_real_archives() {
    let (mut with, mut without, mut completed) = (0, 0, 0);
    each_fixture(Path::new("tests/fixtures/archives"), &mut |facts, document, is_job| {
        let archived = document("/checkpoints");
        let Some(found) = &facts.checkpoints else {
            assert!(!is_job || archived["counts"].is_null());
            without += u32::from(is_job);
            return;
        };
        with += 1;
        for (fact, name) in [
            (found.total, "total"),
            (found.completed, "completed"),
            (found.failed, "failed"),
            (found.in_progress, "in_progress"),
            (found.restored, "restored"),
        ] {
            assert_eq!(fact, archived["counts"][name].as_i64(), "{name}");
        }
        let history = archived["history"].as_array().unwrap();
        let newest = history.iter().filter(|each| each["status"] == "COMPLETED").max_by_key(|each| each["id"].as_i64());
        if found.completed == Some(0) {
            assert_eq!((&found.last, found.longest_duration, found.largest_state_size), (&None, None, None));
            return;
        }
        completed += 1;
        let (last, newest) = (found.last.as_ref().unwrap(), newest.unwrap());
        assert_eq!(last.id, newest["id"].as_i64());
        assert_eq!(last.savepoint, newest["is_savepoint"]);
        assert_eq!(last.triggered.map(Timestamp::as_millis), newest["trigger_timestamp"].as_i64());
        assert_eq!(last.duration, newest["end_to_end_duration"].as_i64());
        assert_eq!(last.state_size, newest["state_size"].as_i64());
        assert_eq!(last.written, newest["checkpointed_size"].as_i64());
        assert_eq!(found.longest_duration, archived["summary"]["end_to_end_duration"]["max"].as_i64());
        assert_eq!(found.largest_state_size, archived["summary"]["state_size"]["max"].as_i64());
        assert_eq!(found.largest_written, archived["summary"]["checkpointed_size"]["max"].as_i64());
    });
    assert!(with > 0 && without > 0 && completed > 2, "{with} {without} {completed}");
}

#[test]
fn exceptions_are_those_of_real_archives() {
    let (mut of_jobs, mut of_applications, mut caused) = (0, 0, 0);
    each_fixture(Path::new("tests/fixtures/archives"), &mut |facts, document, is_job| {
        let archived = document("/exceptions");
        let mut expected = Vec::new();
        for entry in archived["exceptionHistory"]["entries"].as_array().unwrap() {
            expected.push(entry.clone());
            expected.extend(entry["concurrentExceptions"].as_array().cloned().unwrap_or_default());
        }
        assert_eq!(facts.exceptions.len(), expected.len());
        for (number, (fact, entry)) in facts.exceptions.iter().zip(&expected).enumerate() {
            assert_eq!(fact.kind == ExceptionKind::Root, number == 0);
            assert_eq!(fact.class, entry["exceptionName"].as_str().unwrap());
            let trace = entry["stacktrace"].as_str().unwrap();
            assert_eq!(fact.stack_trace, trace);
            assert_eq!(fact.at.map(Timestamp::as_millis), entry["timestamp"].as_i64());
            assert_eq!(fact.task.as_deref(), entry["taskName"].as_str());
            if let Some(message) = &fact.message {
                assert!(trace.starts_with(&format!("{}: {message}", fact.class)));
            }
            if let Some(last) = trace.lines().rfind(|line| line.starts_with("Caused by: ")) {
                caused += 1;
                let cause = match &fact.cause_message {
                    Some(message) => format!("{}: {}", fact.cause_class.as_ref().unwrap(), message.lines().next().unwrap()),
                    None => fact.cause_class.clone().unwrap(),
                };
                assert_eq!(last, format!("Caused by: {cause}"));
            } else {
                assert_eq!(fact.cause_class, None);
            }
            *(if is_job { &mut of_jobs } else { &mut of_applications }) += 1;
        }
    });
    assert!(of_jobs > 5 && of_applications > 0 && caused > 0, "{of_jobs} {of_applications} {caused}");
}

#[test]
fn configurations_versions_and_restarts_are_those_of_real_archives() {
    let mut versions = std::collections::BTreeSet::new();
    let mut most_restarts = 0;
    each_fixture(Path::new("tests/fixtures/archives"), &mut |facts, document, is_job| {
        let cluster = document("/jobmanager/config");
        let setting = |key: &str| facts.configuration.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
        for entry in cluster.as_array().unwrap() {
            assert_eq!(setting(entry["key"].as_str().unwrap()), entry["value"].as_str());
        }
        if !is_job {
            assert_eq!(facts.configuration.len(), cluster.as_array().unwrap().len());
            return;
        }
        let execution = &document("/config")["execution-config"];
        assert_eq!(setting("restart-strategy"), execution["restart-strategy"].as_str());
        for (key, value) in execution["user-config"].as_object().unwrap() {
            assert_eq!(setting(key), value.as_str());
        }
        let environment = document("/jobmanager/environment").to_string();
        let version = facts.flink_version.clone().unwrap();
        assert!(environment.contains(&format!("/flink-dist-{version}.jar")));
        versions.insert(version);
        most_restarts = most_restarts.max(facts.restarts.count.unwrap());
    });
    assert_eq!(versions.into_iter().collect::<Vec<_>>(), ["1.20.5", "2.2.1", "2.3.0"]);
    assert!(most_restarts > 0, "a fixture was restarted");
}

#[test]
fn figures_that_were_not_measured_are_missing() {
    let vertex = json!({"id": "v", "name": "n", "parallelism": -1, "maxParallelism": -1, "start-time": -1, "end-time": 0, "duration": -1,
        "metrics": {"read-bytes": 0, "read-bytes-complete": false, "write-bytes": 5, "write-bytes-complete": false, "read-records": 0,
        "read-records-complete": true, "accumulated-busy-time": "NaN", "accumulated-idle-time": i64::MAX}});
    let facts = derive(&[
        ("", json!({"maxParallelism": -1, "vertices": [vertex, 7, {"name": "without id"}]})),
        ("/checkpoints", json!({"errors": ["Checkpointing has not been enabled."]})),
        ("/config", json!({"execution-config": {"job-parallelism": -1}})),
    ]);
    assert_eq!((facts.parallelism, facts.max_parallelism, facts.restarts.count, &facts.checkpoints), (None, None, None, &None));
    let io = IoFacts { read_bytes: None, write_bytes: Some(5), read_records: Some(0), write_records: None };
    assert_eq!(facts.vertices, [VertexFacts { id: "v".to_owned(), name: "n".to_owned(), io, ..VertexFacts::default() }]);
    assert_eq!(facts.io, io);
}

#[test]
fn the_last_of_documents_with_one_path_counts() {
    let vertices = |name: &str| json!({"vertices": [{"id": "v", "name": name, "metrics": {"write-records": 1}}]});
    let facts = derive(&[("", vertices("first")), ("", vertices("second"))]);
    assert_eq!(facts.vertices.len(), 1);
    assert_eq!((facts.vertices[0].name.as_str(), facts.io.write_records), ("second", Some(1)));
    for nothing in [json!([]), json!("x"), json!(null)] {
        assert_eq!(derive(&[("", vertices("first")), ("", nothing)]), Facts::default(), "the served document has no facts");
    }
}

#[test]
fn class_message_and_innermost_cause_come_from_the_trace() {
    let trace =
        "a.B: several\nlines: of it\n\tat x.Y(Z.java:1)\nCaused by: c.D\n\tat x.Y\nCaused by: e.F: deep: down\n\tat x.Y\n\t... 3 more\n";
    let parsed = |trace: &str| {
        let facts = derive(&[("/exceptions", json!({"root-exception": trace, "timestamp": 7, "all-exceptions": []}))]);
        facts.exceptions.into_iter().next().unwrap()
    };
    let found = parsed(trace);
    assert_eq!(
        (found.class.as_str(), found.message.as_deref(), found.at.map(Timestamp::as_millis)),
        ("a.B", Some("several\nlines: of it"), Some(7))
    );
    assert_eq!((found.cause_class.as_deref(), found.cause_message.as_deref()), (Some("e.F"), Some("deep: down")));
    assert_eq!((parsed("a.B\n\tat x").class.as_str(), parsed("a.B\n\tat x").message), ("a.B", None));
    let plain = parsed("no class here at all");
    assert_eq!((plain.class.as_str(), plain.message.as_deref()), ("", Some("no class here at all")));
    let suppressed = parsed("a.B: x\n\tat x\nCaused by: c.D: y\n\tat x\n\tSuppressed: e.F\n\t\tat x\n\tCaused by: g.H: z\n\t\tat x\n");
    assert_eq!((suppressed.cause_class.as_deref(), suppressed.cause_message.as_deref()), (Some("c.D"), Some("y")));
    let quoted = parsed("a.B: it said Caused by: nothing\n\tat x");
    assert_eq!((quoted.cause_class, quoted.message.as_deref()), (None, Some("it said Caused by: nothing")));
}

#[test]
fn exceptions_of_versions_without_a_history() {
    let before = json!({"root-exception": "a.B: x", "timestamp": 5, "all-exceptions":
        [{"exception": "a.C: y", "task": "map (1/2)", "timestamp": 4}, {"task": "none"}], "truncated": false});
    let found = derive(&[("/exceptions", before)]).exceptions;
    let parsed: Vec<_> =
        found.iter().map(|each| (each.kind, each.class.as_str(), each.task.as_deref(), each.at.map(Timestamp::as_millis))).collect();
    assert_eq!(parsed, [(ExceptionKind::Root, "a.B", None, Some(5)), (ExceptionKind::Concurrent, "a.C", Some("map (1/2)"), Some(4))]);
}

#[test]
fn large_documents_have_no_facts_and_long_arrays_are_not_kept() {
    let padded = |bytes: usize| json!({"maxParallelism": 7, "pad": "x".repeat(bytes)});
    assert_eq!(derive(&[("", padded(MAX_DOCUMENT_BYTES - 100))]).max_parallelism, Some(7));
    assert_eq!(derive(&[("", padded(10)), ("", padded(MAX_DOCUMENT_BYTES))]).max_parallelism, None, "the last of them is too large");
    let many = "{},".repeat(1_000_000) + r#"{"id":"v","key":"k","value":1,"exceptionName":"a.B","stacktrace":"a.B: x"}"#;
    for (below, document) in [
        ("", format!(r#"{{"vertices":[{many}]}}"#)),
        ("/exceptions", format!(r#"{{"exceptionHistory":{{"entries":[{many}]}}}}"#)),
        ("/jobmanager/config", format!("[{many}]")),
    ] {
        let mut deriver = Deriver::new(Owner::Job(JOB.parse().unwrap()));
        deriver.document(&format!("/jobs/{JOB}{below}"), &document);
        let facts = deriver.finish();
        assert_eq!(facts.vertices.len() + facts.exceptions.len() + facts.configuration.len(), 1, "{below}");
    }
}

#[test]
fn all_sizes_are_limited() {
    let long = "ü".repeat(TRACE_BYTES);
    let entries: Vec<_> =
        (0..MAX_CONFIGURATION_ENTRIES + 5).map(|number| json!({"key": format!("{number}{long}"), "value": long})).take(3).collect();
    let vertices: Vec<_> = (0..MAX_VERTICES + 5).map(|id| json!({"id": id, "name": "v", "metrics": {"write-records": 1}})).collect();
    let exceptions: Vec<_> = (0..MAX_EXCEPTIONS + 5).map(|_| json!({"exceptionName": long, "stacktrace": long})).collect();
    let facts = derive(&[
        ("", json!({ "vertices": vertices })),
        ("/exceptions", json!({"exceptionHistory": {"entries": exceptions}})),
        ("/jobmanager/config", json!(entries)),
        (
            "/config",
            json!({"execution-config": {"user-config": (0..MAX_CONFIGURATION_ENTRIES + 5).map(|n| (n.to_string(), json!(1))).collect::<serde_json::Map<_, _>>()}}),
        ),
    ]);
    assert_eq!(facts.vertices.len(), MAX_VERTICES);
    assert_eq!(facts.io.write_records, i64::try_from(MAX_VERTICES + 5).ok(), "all are summed up");
    assert_eq!(facts.exceptions.len(), MAX_EXCEPTIONS);
    assert_eq!((facts.exceptions[0].class.len(), facts.exceptions[0].stack_trace.len()), (NAME_BYTES, TRACE_BYTES));
    assert_eq!(facts.configuration.len(), MAX_CONFIGURATION_ENTRIES);
}

/// JSON in which the member names of facts are frequent.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "(NaN|Caused by: |\\tat |\n|: |flink-dist-1|.jar|é){0,6}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "vertices",
        "id",
        "name",
        "metrics",
        "read-bytes",
        "exceptionHistory",
        "entries",
        "stacktrace",
        "exceptionName",
        "concurrentExceptions",
        "root-exception",
        "all-exceptions",
        "exception",
        "counts",
        "completed",
        "latest",
        "savepoint",
        "summary",
        "state_size",
        "max",
        "execution-config",
        "user-config",
        "job-parallelism",
        "key",
        "value",
        "classpath",
        "plan",
        "nodes",
        "inputs",
        "parallelism",
        "exchange",
        "timestamps",
        "subtasks",
        "attempt",
        "other-concurrent-attempts",
        "schedulerStates",
        "stringifiedException",
        "failureLabels",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_documents_hold_nothing_panics(value in values(), text in ".{0,80}", cut_at in 0_usize..40) {
        for owner in [Owner::Job(JOB.parse().unwrap()), Owner::Application(JOB.parse().unwrap())] {
            let mut deriver = Deriver::new(owner);
            let collection = if deriver.is_job { "jobs" } else { "applications" };
            for below in [
                "",
                "/config",
                "/checkpoints",
                "/exceptions",
                "/jobmanager/config",
                "/jobmanager/environment",
                "/vertices/a",
                "/vertices/a/subtasks/b",
                "/rescales/history",
                "/rescales/overview",
                "/rescales/details/a",
            ] {
                let path = format!("/{collection}/{JOB}{below}");
                let json = value.to_string();
                deriver.document(&path, &json);
                deriver.document(&path, json.get(..cut_at).unwrap_or_default());
                deriver.document(&path, &text);
                deriver.document(&text, &json);
                deriver.document(&path, &json);
            }
            prop_assert!(deriver.finish().exceptions.len() <= MAX_EXCEPTIONS);
        }
    }
}
