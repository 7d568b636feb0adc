//! The number of restarts, in cases that no fixture has.

use super::*;

const DEFAULT: &str = "Default";

/// A vertex with these attempts, and how many ran beside each.
fn vertex(attempts: &[(u64, usize)]) -> Value {
    let subtask = |(attempt, others): &(u64, usize)| {
        let others: Vec<_> = (0..*others).map(|number| json!({ "attempt": number })).collect();
        json!({"attempt": attempt, "other-concurrent-attempts": others})
    };
    json!({"subtasks": attempts.iter().map(subtask).collect::<Vec<_>>()})
}

fn input(id: &str, strategy: &str, exchange: &str) -> Value {
    json!({"id": id, "ship_strategy": strategy, "exchange": exchange})
}

fn node(id: &str, parallelism: i64, inputs: Vec<Value>) -> Value {
    json!({"id": id, "parallelism": parallelism, "inputs": Value::from(inputs)})
}

/// Details of a job with this state, scheduler and graph.
fn details(state: &str, scheduler: &str, nodes: Vec<Value>) -> Value {
    json!({"state": state, "schedulerType": scheduler, "job-type": "STREAMING", "plan": {"type": "STREAMING", "nodes": Value::from(nodes)},
        "timestamps": {"CREATED": 1, "RUNNING": 2, "RESTARTING": 3, "FAILING": 90, "FAILED": 100}})
}

/// A history with this many failures, the newest at 100.
fn history(entries: usize, truncated: bool) -> Value {
    let entries: Vec<_> =
        (0..entries).map(|number| json!({"exceptionName": "a.B", "stacktrace": "a.B", "timestamp": 100 - number})).collect();
    json!({"exceptionHistory": {"entries": entries, "truncated": truncated}})
}

fn settings(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn count(documents: &[(&str, Value)]) -> (Option<u64>, u64) {
    let restarts = derive(documents).restarts;
    (restarts.count, restarts.min)
}

#[test]
fn a_whole_history_counts_and_the_failure_that_ended_the_job_does_not() {
    let of = |state, entries, truncated| count(&[("", details(state, DEFAULT, Vec::new())), ("/exceptions", history(entries, truncated))]);
    assert_eq!(of("FINISHED", 0, false), (Some(0), 0));
    assert_eq!(of("FINISHED", 2, false), (Some(2), 2));
    assert_eq!(of("CANCELED", 2, false), (Some(2), 2));
    assert_eq!(of("FAILED", 3, false), (Some(2), 2));
    assert_eq!(of("FAILED", 0, false), (Some(0), 0));
    assert_eq!(of("FINISHED", 2, true), (None, 2), "the truncated entries are not known");
}

#[test]
fn a_failure_after_which_the_job_was_started_again_did_not_end_it() {
    let mut details = details("FAILED", DEFAULT, Vec::new());
    details["timestamps"]["RUNNING"] = 101.into();
    assert_eq!(count(&[("", details), ("/exceptions", history(2, false))]), (Some(2), 2));
    let waited_in_vain = json!({"state": "FAILED", "timestamps": {"FAILED": 5_000}});
    assert_eq!(count(&[("", waited_in_vain), ("/exceptions", history(2, false))]), (Some(2), 2));
}

#[test]
fn a_history_at_its_limit_does_not_count_as_complete() {
    let of = |entries, size: &[(&str, &str)]| {
        let documents = [
            ("", details("FINISHED", DEFAULT, Vec::new())),
            ("/exceptions", history(entries, false)),
            ("/jobmanager/config", settings(size)),
        ];
        count(&documents)
    };
    assert_eq!(of(15, &[]), (Some(15), 15));
    assert_eq!(of(16, &[]), (None, 16));
    assert_eq!(of(3, &[("web.exception-history-size", "3")]), (None, 3));
    assert_eq!(of(19, &[("web.exception-history-size", "100")]), (Some(19), 19));
    assert_eq!(of(20, &[("web.exception-history-size", "100")]), (None, 20), "an archive never holds more");
    assert_eq!(of(16, &[("web.exception-history-size", "many")]), (None, 16));
}

#[test]
fn attempts_give_the_number_where_all_subtasks_restart_together() {
    let hash = vec![node("a", 2, Vec::new()), node("b", 2, vec![input("a", "HASH", "pipelined_bounded")])];
    let forward = vec![node("a", 2, Vec::new()), node("b", 2, vec![input("a", "FORWARD", "pipelined_bounded")])];
    let single = vec![node("a", 1, Vec::new()), node("b", 2, vec![input("a", "RESCALE", "PIPELINED")])];
    let blocking = vec![node("a", 1, Vec::new()), node("b", 1, vec![input("a", "HASH", "blocking")])];
    let of = |nodes: &[Value], a: &[(u64, usize)], b: &[(u64, usize)]| {
        count(&[
            ("", details("FINISHED", DEFAULT, nodes.to_vec())),
            ("/exceptions", history(16, false)),
            ("/vertices/a", vertex(a)),
            ("/vertices/b", vertex(b)),
        ])
    };
    assert_eq!(of(&hash, &[(25, 0), (25, 0)], &[(25, 0), (25, 0)]), (Some(25), 25));
    assert_eq!(of(&single, &[(25, 0)], &[(25, 0), (25, 0)]), (Some(25), 25));
    assert_eq!(of(&forward, &[(25, 0), (0, 0)], &[(25, 0), (0, 0)]), (None, 25), "each pair is a region of its own");
    assert_eq!(of(&blocking, &[(20, 0)], &[(21, 0)]), (None, 21), "two regions");
    assert_eq!(of(&[], &[(20, 0)], &[(20, 0)]), (None, 20), "no plan");
    assert_eq!(of(&blocking, &[(20, 0)], &[(0, 0)]), (Some(20), 20), "one of them was never restarted");
    assert_eq!(of(&hash, &[(9, 0), (9, 0)], &[(9, 0), (9, 0)]), (None, 16), "fewer than the history has cannot be all");
}

#[test]
fn all_regions_restart_together_where_that_is_set() {
    let documents = [
        ("", details("FINISHED", DEFAULT, vec![node("a", 2, Vec::new())])),
        ("/exceptions", history(16, true)),
        ("/vertices/a", vertex(&[(18, 0), (18, 0)])),
        ("/jobmanager/config", settings(&[("jobmanager.execution.failover-strategy", "full")])),
    ];
    assert_eq!(count(&documents), (Some(18), 18));
    assert_eq!(count(&documents[..3]), (None, 18));
}

#[test]
fn speculative_attempts_are_no_restarts() {
    let graph = || details("FINISHED", "AdaptiveBatch", vec![node("a", 1, Vec::new())]);
    assert_eq!(count(&[("", graph()), ("/vertices/a", vertex(&[(1, 1)]))]), (Some(0), 0), "without any history");
    assert_eq!(count(&[("", graph()), ("/vertices/a", vertex(&[(2, 1)]))]), (None, 0), "an earlier attempt may have been one too");
    let concurrent_is_higher = json!({"subtasks": [{"attempt": 0, "other-concurrent-attempts": [{"attempt": 1}]}]});
    assert_eq!(count(&[("", graph()), ("/vertices/a", concurrent_is_higher)]), (Some(0), 0));
}

#[test]
fn rescales_are_no_restarts() {
    let rescale = |cause: &str, ended: &str| json!({"triggerCause": cause, "terminalState": ended});
    let of = |counted: u64, entries: &[Value]| {
        let facts = derive(&[
            ("", details("FINISHED", "Adaptive", Vec::new())),
            ("/exceptions", history(16, true)),
            ("/vertices/a", vertex(&[(20, 0), (3, 0)])),
            ("/rescales/history", json!(entries)),
            ("/rescales/overview", json!({"rescalesCounts": {"completed": counted}})),
        ]);
        (facts.restarts.count, facts.restarts.rescales)
    };
    let all = [
        rescale("INITIAL_SCHEDULE", "COMPLETED"),
        rescale("RECOVERABLE_FAILOVER", "COMPLETED"),
        rescale("UPDATE_REQUIREMENT", "COMPLETED"),
        rescale("NEW_RESOURCE_AVAILABLE", "COMPLETED"),
        rescale("UPDATE_REQUIREMENT", "IGNORED"),
    ];
    assert_eq!(of(5, &all), (Some(18), Some(2)));
    assert_eq!(of(50, &all), (None, None), "not all rescales are kept");
}

#[test]
fn before_rescales_were_archived_the_scheduler_follows_from_settings_or_attempts() {
    let details = || json!({"state": "FINISHED", "plan": {"type": "STREAMING", "nodes": [node("a", 1, Vec::new())]}});
    let attempt = "/vertices/a/subtasks/0/attempts/2";
    let adaptive = settings(&[("jobmanager.scheduler", "Adaptive")]);
    let documents = [
        ("", details()),
        ("/vertices/a", vertex(&[(2, 0)])),
        (attempt, json!({})),
        ("/exceptions", history(1, false)),
        ("/jobmanager/config", adaptive),
    ];
    let restarts = derive(&documents).restarts;
    assert_eq!((restarts.count, restarts.rescales), (Some(1), Some(1)));
    let restarts = derive(&documents[..4]).restarts;
    assert_eq!((restarts.count, restarts.rescales), (Some(1), Some(1)), "the attempts before the last are not kept");
    let earlier = ("/vertices/a/subtasks/0/attempts/1", json!({}));
    let kept: Vec<_> = documents[..4].iter().cloned().chain([earlier]).collect();
    assert_eq!(derive(&kept).restarts.rescales, None);
}

#[test]
fn without_a_history_attempts_count_and_without_attempts_nothing_does() {
    let attempt = |number: &str| format!("/vertices/v/subtasks/3/attempts/{number}");
    for (below, restarts) in [
        (attempt("0"), (Some(0), 0)),
        (attempt("2"), (None, 0)),
        (attempt("2/accumulators"), (None, 0)),
        (attempt("x"), (None, 0)),
        (attempt("99999999999"), (None, 0)),
        ("/vertices/v/subtasks/3/other/2".to_owned(), (None, 0)),
        ("/vertices/attempts/5".to_owned(), (None, 0)),
    ] {
        assert_eq!(count(&[(&below, json!({}))]), restarts, "{below}");
    }
}

#[test]
fn a_failure_that_only_a_rescale_has() {
    let state = |trace: Value, at: i64| json!({"schedulerStates": [{"stringifiedException": null}, {"stringifiedException": trace, "leaveTimestampInMillis": at}]});
    let failed = |state: &str| ("", json!({"state": state, "timestamps": {"FAILED": 100}}));
    let rescales = [
        ("/rescales/details/1", state("x.Old: before".into(), 5)),
        ("/rescales/details/2", state("x.NoResources: none\n\tat a.B".into(), 100)),
        ("/rescales/details/3", state(Value::Null, 200)),
    ];
    let derived = |state: &str, history: Value| {
        let documents: Vec<_> = rescales.iter().cloned().chain([failed(state), ("/exceptions", history)]).collect();
        derive(&documents)
    };
    let facts = derived("FAILED", history(0, false));
    assert_eq!((facts.exceptions.len(), facts.from_rescale), (1, true));
    let root = &facts.exceptions[0];
    assert_eq!(
        (root.kind, root.class.as_str(), root.message.as_deref(), root.at.map(Timestamp::as_millis)),
        (ExceptionKind::Root, "x.NoResources", Some("none"), Some(100))
    );
    assert!(!derived("CANCELED", history(0, false)).from_rescale, "it did not fail");
    assert!(!derived("FAILED", history(1, false)).from_rescale, "its exceptions contain the reason");
    let earlier = json!({"exceptionHistory": {"entries": [{"exceptionName": "a.B", "stacktrace": "a.B", "timestamp": 50}]}});
    let facts = derived("FAILED", earlier);
    assert_eq!(facts.exceptions.iter().map(|each| each.kind).collect::<Vec<_>>(), [ExceptionKind::Root, ExceptionKind::Earlier]);
    assert!(facts.from_rescale, "it was restarted after that failure");
}

#[test]
fn labels_of_failures_are_kept_as_text() {
    let entry =
        json!({"exceptionName": "a.B", "stacktrace": "a.B", "failureLabels": {"type": "USER", "null": null, "empty": "", "n": 7, "o": {}}});
    let facts = derive(&[("/exceptions", json!({"exceptionHistory": {"entries": [entry]}}))]);
    let owned = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(facts.exceptions[0].labels, [owned("type", "USER"), owned("empty", ""), owned("n", "7")]);
}

#[test]
fn a_graph_of_any_size_is_processed_in_bounded_time() {
    let inputs: Vec<_> = (0..200_000).map(|number| input(&(number % 3_000).to_string(), "FORWARD", "pipelined")).collect();
    let mut nodes: Vec<_> = (0..3_000).map(|number| node(&number.to_string(), 2, Vec::new())).collect();
    nodes[0]["inputs"] = json!(inputs);
    let documents = [("", details("FINISHED", DEFAULT, nodes)), ("/vertices/1", vertex(&[(2, 0)])), ("/exceptions", history(16, true))];
    assert_eq!(count(&documents), (None, 16));
}
