//! Facts of a job by an independent reading of its documents, in the form in which they are to be answered.

use serde_json::{Value, json};

/// Null for values that were not measured or did not happen: -1, `"NaN"` and 2^63-1.
fn figure(value: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "Flink writes some whole figures with a fraction of zero")]
    let number = value.as_i64().or_else(|| value.as_f64().map(|number| number as i64));
    number.filter(|number| *number >= 0 && *number < i64::MAX).map_or(Value::Null, Value::from)
}

fn above_zero(value: &Value) -> Value {
    if value.as_i64().is_some_and(|number| number > 0) { value.clone() } else { Value::Null }
}

/// Zeros that no subtask reported are null.
fn counted(metrics: &Value, name: &str) -> Value {
    let count = figure(&metrics[name]);
    if count == 0 && metrics[format!("{name}-complete")] == false { Value::Null } else { count }
}

fn vertex(vertex: &Value) -> Value {
    let metrics = &vertex["metrics"];
    json!({
        "id": vertex["id"], "name": vertex["name"], "status": vertex["status"],
        "parallelism": above_zero(&vertex["parallelism"]), "max_parallelism": above_zero(&vertex["maxParallelism"]),
        "start": above_zero(&vertex["start-time"]), "end": above_zero(&vertex["end-time"]), "duration": figure(&vertex["duration"]),
        "read_bytes": counted(metrics, "read-bytes"), "write_bytes": counted(metrics, "write-bytes"),
        "read_records": counted(metrics, "read-records"), "write_records": counted(metrics, "write-records"),
        "busy": figure(&metrics["accumulated-busy-time"]), "idle": figure(&metrics["accumulated-idle-time"]),
        "backpressured": figure(&metrics["accumulated-backpressured-time"]),
    })
}

/// Sum of the values that are present; null without any.
pub(crate) fn sum<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    values.filter_map(Value::as_i64).reduce(|sum, each| sum + each).map_or(Value::Null, Value::from)
}

/// Largest value that is present; null without any.
pub(crate) fn largest<'v>(values: impl Iterator<Item = &'v Value>) -> Value {
    values.filter_map(Value::as_i64).max().map_or(Value::Null, Value::from)
}

fn checkpoints(archived: &Value) -> Value {
    if !archived["counts"].is_object() {
        return Value::Null;
    }
    let latest = &archived["latest"];
    let last = [&latest["completed"], &latest["savepoint"]].into_iter().filter(|each| each.is_object());
    let last = last.max_by_key(|each| each["id"].as_i64()).map(|last| {
        json!({
            "id": last["id"], "savepoint": last["is_savepoint"], "triggered": last["trigger_timestamp"],
            "duration": figure(&last["end_to_end_duration"]), "state_size": figure(&last["state_size"]),
            "written": figure(&last["checkpointed_size"]),
        })
    });
    let counts = &archived["counts"];
    let none = counts["completed"] == 0;
    let most = |name: &str| if none { Value::Null } else { figure(&archived["summary"][name]["max"]) };
    json!({
        "total": counts["total"], "completed": counts["completed"], "failed": counts["failed"], "in_progress": counts["in_progress"],
        "restored": counts["restored"], "last": last, "longest_duration": most("end_to_end_duration"),
        "largest_state_size": most("state_size"), "largest_written": most("checkpointed_size"),
    })
}

/// Class and message at the beginning of a trace.
fn head(trace: &str) -> (Value, Value) {
    // Frames, and how many more there are, are indented.
    let head = trace.split("\n\t").next().unwrap().trim_end();
    match head.split_once(": ") {
        Some((class, message)) => (class.into(), message.into()),
        None => (head.into(), Value::Null),
    }
}

/// The newest failure in an `exceptions` document.
pub(crate) fn root_exception(archived: &Value) -> Value {
    let newest = &archived["exceptionHistory"]["entries"][0];
    let Some(trace) = newest["stacktrace"].as_str() else { return Value::Null };
    let cause = trace.rsplit_once("\nCaused by: ").map_or((Value::Null, Value::Null), |(_, cause)| head(cause));
    json!({
        "class": newest["exceptionName"], "message": head(trace).1, "at": newest["timestamp"],
        "cause_class": cause.0, "cause_message": cause.1,
        "labels": newest["failureLabels"].as_object().cloned().unwrap_or_default(), "source": "exceptions",
    })
}

/// Facts of the job with this id, from the documents of its archive.
pub(crate) fn of_job(id: &str, documents: &[(String, String)]) -> Value {
    let document = |below: &str| {
        let path = format!("/jobs/{id}{below}");
        let found = documents.iter().rev().find(|(each, _)| *each == path);
        found.map_or(Value::Null, |(_, text)| serde_json::from_str(text).unwrap())
    };
    let details = document("");
    let vertices: Vec<Value> = details["vertices"].as_array().unwrap().iter().map(vertex).collect();
    let failures = document("/exceptions")["exceptionHistory"]["entries"].as_array().unwrap().len();
    // The last failure of a failed job is followed by no restart.
    let restarts = failures - usize::from(details["state"] == "FAILED");
    let rescales = document("/rescales/history");
    let intended = |rescale: &&Value| rescale["triggerCause"] != "INITIAL_SCHEDULE" && rescale["triggerCause"] != "RECOVERABLE_FAILOVER";
    let rescales = rescales.as_array().map(|rescales| rescales.iter().filter(intended).count());
    let jars = document("/jobmanager/environment")["classpath"].as_array().cloned().unwrap_or_default();
    let version = jars.iter().find_map(|jar| {
        let (_, file) = jar.as_str()?.rsplit_once("flink-dist-")?;
        file.strip_suffix(".jar").map(str::to_owned)
    });
    let total = |name: &str| sum(vertices.iter().map(|vertex| &vertex[name]));
    json!({
        "parallelism": above_zero(&document("/config")["execution-config"]["job-parallelism"]),
        "max_parallelism": above_zero(&details["maxParallelism"]),
        "scheduler": details["schedulerType"],
        "flink_version": version,
        "restarts": restarts,
        "restarts_at_least": restarts,
        "rescales": rescales,
        "notes": [],
        "root_exception": root_exception(&document("/exceptions")),
        "checkpoints": checkpoints(&document("/checkpoints")),
        "io": {
            "read_bytes": total("read_bytes"), "write_bytes": total("write_bytes"),
            "read_records": total("read_records"), "write_records": total("write_records"),
        },
        "vertices": vertices,
    })
}

/// Configuration of a job, its own before that of its cluster, from the documents of its archive.
pub(crate) fn configuration(id: &str, documents: &[(String, String)]) -> std::collections::BTreeMap<String, String> {
    let document = |below: &str| {
        let path = format!("/jobs/{id}{below}");
        documents.iter().find(|(each, _)| *each == path).map_or(Value::Null, |(_, text)| serde_json::from_str(text).unwrap())
    };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    };
    let mut entries = std::collections::BTreeMap::new();
    for pair in document("/jobmanager/config").as_array().unwrap() {
        entries.insert(pair["key"].as_str().unwrap().to_owned(), text(&pair["value"]).unwrap());
    }
    let execution = document("/config")["execution-config"].clone();
    for (key, value) in execution["user-config"].as_object().unwrap().iter().chain(execution.as_object().unwrap()) {
        entries.extend(text(value).map(|value| (key.clone(), value)));
    }
    entries
}
