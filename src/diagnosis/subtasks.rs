//! The subtasks of a vertex, from `/jobs/<id>/vertices/<vertex>`.

use serde_json::Value;

use super::figure;

/// A vertex and the figures of its subtasks.
#[derive(Debug, Clone)]
pub struct VertexSubtasks {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// In order.
    pub(super) subtasks: Vec<Subtask>,
}

/// A subtask. `None`: the figure was not measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Subtask {
    pub(super) number: i64,
    pub(super) task_manager: Option<String>,
    pub(super) read_records: Option<i64>,
    /// Milliseconds in which it worked.
    pub(super) busy: Option<i64>,
    /// Milliseconds in which it waited for the subtasks that it sends to.
    pub(super) backpressured: Option<i64>,
    /// Milliseconds in which it waited for input.
    pub(super) idle: Option<i64>,
    /// Milliseconds from its creation until it ran.
    pub(super) waiting: Option<i64>,
    /// Milliseconds in which it ran.
    pub(super) running: Option<i64>,
}

impl VertexSubtasks {
    /// Reads the document of a vertex. An invalid document has no subtasks.
    #[must_use]
    pub fn read(id: String, name: String, document: &str) -> Self {
        let document: Value = serde_json::from_str(document).unwrap_or_default();
        let subtasks = document["subtasks"].as_array().into_iter().flatten().map(subtask).collect();
        Self { id, name, subtasks }
    }
}

fn subtask(value: &Value) -> Subtask {
    let (metrics, durations) = (&value["metrics"], &value["status-duration"]);
    let complete = |name: &str| metrics[format!("{name}-complete")] != false;
    let waiting = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING"];
    Subtask {
        number: value["subtask"].as_i64().unwrap_or_default(),
        task_manager: value["taskmanager-id"].as_str().map(str::to_owned),
        read_records: figure(&metrics["read-records"]).filter(|_| complete("read-records")),
        busy: figure(&metrics["accumulated-busy-time"]),
        backpressured: figure(&metrics["accumulated-backpressured-time"]),
        idle: figure(&metrics["accumulated-idle-time"]),
        // Flink writes -1 for a state that the subtask was not in.
        waiting: durations.is_object().then(|| waiting.iter().filter_map(|state| figure(&durations[*state])).sum()),
        running: figure(&durations["RUNNING"]),
    }
}
