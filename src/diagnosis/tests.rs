//! Each rule with and without its fault.

use serde_json::json;

use super::*;
use crate::archive::facts::{CheckpointFacts, CompletedCheckpoint, VertexFacts};
use crate::clock::Timestamp;
use crate::index::query::{FailureSource, RootException};

fn job(status: &str, job_type: &str, duration: i64) -> Item {
    Item {
        id: "0".repeat(32),
        name: Some("orders".to_owned()),
        status: Some(status.to_owned()),
        start: Some(Timestamp::from_millis(1_000)),
        end: Some(Timestamp::from_millis(1_000 + duration)),
        duration: Some(duration),
        counts: std::collections::BTreeMap::new(),
        job_type: Some(job_type.to_owned()),
        application: None,
        cluster: None,
        directory: "file:/a".to_owned(),
        complete: true,
        archived: true,
        read: true,
        gone_since: None,
        problems: 0,
        shown: true,
        flat: false,
        run_facts: None,
    }
}

fn evidence<'e>(job: &'e Item, facts: &'e JobFacts) -> Evidence<'e> {
    Evidence { job, facts, checkpoints: None, checkpoint_configuration: None, vertices: Vec::new(), runs: Vec::new() }
}

fn codes(diagnosis: &Diagnosis) -> Vec<&'static str> {
    diagnosis.findings.iter().map(|finding| finding.code.into()).collect()
}

fn vertex(id: &str, subtasks: &[(i64, i64, i64, i64)]) -> VertexSubtasks {
    let subtasks: Vec<Value> = subtasks
        .iter()
        .enumerate()
        .map(|(number, (records, busy, backpressured, idle))| {
            json!({
                "subtask": number, "taskmanager-id": format!("tm-{number}"),
                "metrics": {
                    "read-records": records, "read-records-complete": true, "accumulated-busy-time": busy,
                    "accumulated-backpressured-time": backpressured, "accumulated-idle-time": idle,
                },
                "status-duration": {"CREATED": 10, "SCHEDULED": 20, "DEPLOYING": 30, "INITIALIZING": -1, "RUNNING": 100_000},
            })
        })
        .collect();
    VertexSubtasks::read(id.to_owned(), format!("vertex {id}"), &json!({"subtasks": subtasks}).to_string())
}

fn checkpointed(total: i64, failed: i64, longest: i64) -> JobFacts {
    let checkpoints = CheckpointFacts {
        total: Some(total),
        completed: Some(total - failed),
        failed: Some(failed),
        longest_duration: Some(longest),
        largest_state_size: Some(2 << 30),
        last: Some(CompletedCheckpoint { state_size: Some(2 << 30), ..CompletedCheckpoint::default() }),
        ..CheckpointFacts::default()
    };
    JobFacts { checkpoints: Some(checkpoints), restarts: Some(0), ..JobFacts::default() }
}

#[test]
fn a_failure_is_named_by_its_labels_then_by_its_innermost_cause() {
    let failed = job("FAILED", "BATCH", 5_000);
    for (class, message, words) in [
        ("java.lang.OutOfMemoryError", "Metaspace", "metaspace"),
        ("java.lang.OutOfMemoryError", "Java heap space", "the heap of a JVM was full"),
        ("org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException", "no slots", "too few slots"),
        ("java.util.concurrent.TimeoutException", "Heartbeat of TaskManager with id a timed out.", "a TaskManager was lost"),
        ("java.net.ConnectException", "refused", "reading or writing failed"),
        ("com.example.BadOrder", "order 7", "the code of the job threw an exception"),
    ] {
        let failure = RootException {
            class: Some("org.apache.flink.runtime.JobException".to_owned()),
            message: Some("Recovery is suppressed".to_owned()),
            at: None,
            cause_class: Some(class.to_owned()),
            cause_message: Some(message.to_owned()),
            labels: std::collections::BTreeMap::new(),
            source: FailureSource::Exceptions,
        };
        let facts = JobFacts { root_exception: Some(failure.clone()), restarts: Some(0), ..JobFacts::default() };
        let found = diagnose(&evidence(&failed, &facts));
        assert_eq!((codes(&found)[0], found.findings[0].severity), ("root-cause", Severity::Critical));
        assert!(found.findings[0].text.contains(words) && found.findings[0].text.contains(class), "{}", found.findings[0].text);
        // The job went on after the same failure.
        let recovered = diagnose(&evidence(&job("FINISHED", "BATCH", 5_000), &facts));
        assert_eq!(recovered.findings[0].severity, Severity::Notice);
        let labelled = RootException { labels: [("type".to_owned(), "USER".to_owned())].into(), ..failure };
        let facts = JobFacts { root_exception: Some(labelled), restarts: Some(0), ..JobFacts::default() };
        assert!(diagnose(&evidence(&failed, &facts)).findings[0].text.contains("type=USER"));
    }
    let silent = diagnose(&evidence(&failed, &JobFacts { restarts: Some(0), ..JobFacts::default() }));
    assert!(silent.not_assessed.iter().any(|missing| missing.code == FindingCode::RootCause), "{silent:?}");
}

#[test]
fn missing_documents_are_not_assessed_and_never_healthy() {
    let facts = JobFacts::default();
    let found = diagnose(&evidence(&job("FINISHED", "STREAMING", 3_600_000), &facts));
    assert_eq!(codes(&found), Vec::<&str>::new());
    let missing: Vec<&'static str> = found.not_assessed.iter().map(|missing| missing.code.into()).collect();
    for code in ["restart-storm", "checkpoint-failures", "data-skew", "bottleneck", "slow-start", "checkpointing-off"] {
        assert!(missing.contains(&code), "{code} {missing:?}");
    }
}

#[test]
fn restarts_checkpoints_and_settings() {
    let streaming = job("CANCELED", "STREAMING", 3_600_000);
    let configuration = |timeout: i64, backend: &str, keep: bool| {
        Some(json!({
            "timeout": timeout, "interval": 1_000, "state_backend": backend,
            "externalization": {"enabled": true, "delete_on_cancellation": !keep},
        }))
    };
    let healthy = checkpointed(100, 1, 1_000);
    let statistics = Some(json!({"counts": {}, "history": []}));
    let found = diagnose(&Evidence {
        checkpoints: statistics.clone(),
        checkpoint_configuration: configuration(600_000, "EmbeddedRocksDBStateBackend", true),
        ..evidence(&streaming, &healthy)
    });
    assert_eq!(codes(&found), Vec::<&str>::new(), "{found:#?}");

    let ill = JobFacts { restarts: Some(12), ..checkpointed(20, 5, 500_000) };
    let failed = json!({"status": "FAILED", "failure_message": "Checkpoint expired before completing."});
    let found = diagnose(&Evidence {
        checkpoints: Some(json!({"counts": {}, "history": [failed]})),
        checkpoint_configuration: configuration(600_000, "HashMapStateBackend", false),
        ..evidence(&streaming, &ill)
    });
    assert_eq!(
        codes(&found),
        ["restart-storm", "checkpoint-failures", "checkpoint-near-timeout", "heap-state-large", "checkpoints-deleted"],
        "{found:#?}"
    );
    let texts: Vec<&str> = found.findings.iter().map(|finding| finding.text.as_str()).collect();
    assert_eq!(texts[0], "The job was restarted 12 times, one every 5 min on average.");
    assert_eq!(texts[1], "5 of 20 checkpoints failed (25 %). Reasons: Checkpoint expired before completing.");
    assert!(texts[2].contains("83 % of the timeout of 10 min"), "{}", texts[2]);

    let off = JobFacts { restarts: Some(0), ..JobFacts::default() };
    let errors = Some(json!({"errors": ["Checkpointing is not enabled for this job."]}));
    let found = diagnose(&Evidence { checkpoints: errors.clone(), checkpoint_configuration: errors, ..evidence(&streaming, &off) });
    assert_eq!(codes(&found), ["checkpointing-off"]);
}

#[test]
fn skew_bottleneck_and_slow_start() {
    let batch = job("FINISHED", "BATCH", 100_000);
    let facts = JobFacts {
        restarts: Some(0),
        vertices: vec![VertexFacts { id: "b".to_owned(), name: "vertex b".to_owned(), ..VertexFacts::default() }],
        ..JobFacts::default()
    };
    let source = vertex("a", &[(0, 10_000, 80_000, 10_000), (0, 10_000, 80_000, 10_000)]);
    let even = vertex("b", &[(10_000, 10_000, 0, 90_000), (10_001, 10_000, 0, 90_000), (9_999, 10_000, 0, 90_000)]);
    let found = diagnose(&Evidence { vertices: vec![source.clone(), even], ..evidence(&batch, &facts) });
    assert_eq!(codes(&found), Vec::<&str>::new(), "{found:#?}");

    let skewed = vertex("b", &[(1_000, 5_000, 0, 95_000), (90_000, 95_000, 0, 5_000), (1_100, 5_000, 0, 95_000)]);
    let found = diagnose(&Evidence { vertices: vec![source, skewed], ..evidence(&batch, &facts) });
    assert_eq!(codes(&found), ["data-skew", "bottleneck"]);
    for finding in &found.findings {
        assert_eq!((finding.place.vertex.as_deref(), finding.place.subtask), (Some("b"), Some(1)));
        assert_eq!(finding.place.task_manager.as_deref(), Some("tm-1"));
        assert_eq!(finding.documents, ["/vertices/b"]);
    }
    assert!(found.findings[0].text.contains("90000 records, 81.8 times the median of 1100"), "{}", found.findings[0].text);

    let waiting = json!({"subtasks": [{"subtask": 0, "status-duration": {"SCHEDULED": 90_000, "RUNNING": 10_000}}]});
    let waiting = VertexSubtasks::read("b".to_owned(), "vertex b".to_owned(), &waiting.to_string());
    let found = diagnose(&Evidence { vertices: vec![waiting], ..evidence(&batch, &facts) });
    assert_eq!(codes(&found), ["slow-start"]);
}

#[test]
fn a_run_is_slow_only_beside_enough_finished_runs_with_a_small_spread() {
    let run = |status: &str, duration: i64| EarlierRun { item: job(status, "BATCH", duration), figures: RunFigures::default() };
    let facts = JobFacts { restarts: Some(0), ..JobFacts::default() };
    let slow = job("FINISHED", "BATCH", 2_520_000);
    let steady: Vec<EarlierRun> = [1_380, 1_400, 1_390, 1_370, 1_385].map(|seconds| run("FINISHED", seconds * 1_000)).into();
    let found = diagnose(&Evidence { runs: steady.clone(), ..evidence(&slow, &facts) });
    assert_eq!(codes(&found), ["slower-than-usual"]);
    assert_eq!(found.findings[0].text, "The run took 42 min, 1.8 times the median of 23 min 5 s over 5 earlier finished runs.");

    let usual = job("FINISHED", "BATCH", 1_395_000);
    assert_eq!(codes(&diagnose(&Evidence { runs: steady.clone(), ..evidence(&usual, &facts) })), Vec::<&str>::new());
    let spread: Vec<EarlierRun> = [200, 900, 1_390, 2_300, 4_000].map(|seconds| run("FINISHED", seconds * 1_000)).into();
    assert_eq!(codes(&diagnose(&Evidence { runs: spread, ..evidence(&slow, &facts) })), Vec::<&str>::new());
    let failed: Vec<EarlierRun> = steady.into_iter().map(|earlier| run("FAILED", earlier.item.duration.unwrap())).collect();
    let found = diagnose(&Evidence { runs: failed, ..evidence(&slow, &facts) });
    assert!(found.not_assessed.iter().any(|missing| missing.code == FindingCode::SlowerThanUsual), "{found:?}");
}
