//! Checkpoints and savepoints that a job can be restored from, by its archived documents.
//!
//! Flink deletes the checkpoints of a job when the job ends, except where the job keeps them: `externalization` in
//! `/jobs/<id>/checkpoints/config`. It does so after it has written the archive, so `discarded` is still false there. Flink never deletes
//! a savepoint.

use serde::Serialize;
use utoipa::ToSchema;

use super::members::Members;
use crate::clock::Timestamp;

/// Path that Flink archives for a checkpoint in the memory of the JobManager.
const NOT_ADDRESSABLE: &str = "<checkpoint-not-externally-addressable>";

/// Bytes of a path that is believed.
const MAX_PATH_BYTES: usize = 4 << 10;

/// Whether the files of a checkpoint were kept when its job ended, by the archive. The files themselves were not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Retention {
    /// A savepoint, or the checkpoint of a job that kept its checkpoints at this end.
    Kept,
    /// The archive does not contain enough to know.
    Unknown,
    /// Flink deletes the checkpoints of such a job at this end.
    Deleted,
}

/// A completed checkpoint or savepoint that was not discarded while its job ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RestorePoint {
    /// Number of the checkpoint.
    pub checkpoint: Option<i64>,
    /// Whether it is a savepoint.
    pub savepoint: bool,
    /// `CHECKPOINT`, `SAVEPOINT`, `SYNC_SAVEPOINT` and so on, as archived. Null: the job was restored from it, and its kind is not archived.
    pub kind: Option<String>,
    /// Format of a savepoint, `CANONICAL` or `NATIVE` (Flink 1.15 and later).
    pub format: Option<String>,
    /// The path for `flink run -s`.
    pub path: String,
    /// Time of its trigger; of one that the job was restored from, the time of the restore.
    pub at: Option<Timestamp>,
    /// Bytes of the state.
    pub state_size: Option<i64>,
    /// Whether the job was restored from it and did not write it.
    pub restored: bool,
    /// Whether its files were kept.
    pub retention: Retention,
}

/// What a job does with its checkpoints when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Externalization {
    NotArchived,
    Never,
    OnFailure,
    OnCancellation,
}

/// The restore points of a job: the usable ones first, then those whose files may be missing, each group newest first.
///
/// `checkpoints` is `/jobs/<id>/checkpoints`, `configuration` is `/jobs/<id>/checkpoints/config`, `status` the state that the job ended in.
/// Invalid documents have no restore points.
#[must_use]
pub fn restore_points(checkpoints: &str, configuration: Option<&str>, status: Option<&str>) -> Vec<RestorePoint> {
    let Some(statistics) = Members::parse(checkpoints) else { return Vec::new() };
    let kept = retention(externalization(configuration), status);
    let latest = statistics.get("latest").and_then(|latest| Members::parse(latest.get()));
    let latest = |name: &str| latest.as_ref().and_then(|latest| Members::parse(latest.get(name)?.get()));
    let mut points: Vec<RestorePoint> = Vec::new();
    // The history of Flink is short: the newest savepoint may stand in `latest` only.
    let own = statistics.objects("history").into_iter().chain(latest("completed")).chain(latest("savepoint"));
    for checkpoint in own.filter_map(|checkpoint| written(&checkpoint, kept)) {
        add(&mut points, checkpoint);
    }
    if let Some(checkpoint) = latest("restored").and_then(|checkpoint| restored_from(&checkpoint)) {
        add(&mut points, checkpoint);
    }
    points.sort_by_key(|point| (point.retention, std::cmp::Reverse((point.at, point.checkpoint))));
    points
}

fn add(points: &mut Vec<RestorePoint>, point: RestorePoint) {
    if points.iter().all(|other| other.path != point.path) {
        points.push(point);
    }
}

fn written(checkpoint: &Members<'_>, kept: Retention) -> Option<RestorePoint> {
    let is = |name: &str| checkpoint.get(name).is_some_and(|value| value.get() == "true");
    if checkpoint.text("status").as_deref() != Some("COMPLETED") || is("discarded") {
        return None;
    }
    let savepoint = is("is_savepoint");
    Some(RestorePoint {
        checkpoint: figure(checkpoint, "id"),
        savepoint,
        kind: checkpoint.text("checkpoint_type"),
        format: checkpoint.text("savepointFormat"),
        path: path(checkpoint)?,
        at: figure(checkpoint, "trigger_timestamp").map(Timestamp::from_millis),
        state_size: figure(checkpoint, "state_size"),
        restored: false,
        retention: if savepoint { Retention::Kept } else { kept },
    })
}

/// A checkpoint of another job, or of this one: then it is known already, or was discarded later.
fn restored_from(checkpoint: &Members<'_>) -> Option<RestorePoint> {
    let savepoint = checkpoint.get("is_savepoint").is_some_and(|value| value.get() == "true");
    Some(RestorePoint {
        checkpoint: figure(checkpoint, "id"),
        savepoint,
        kind: None,
        format: None,
        path: path(checkpoint)?,
        at: figure(checkpoint, "restore_timestamp").map(Timestamp::from_millis),
        state_size: None,
        restored: true,
        retention: if savepoint { Retention::Kept } else { Retention::Unknown },
    })
}

fn figure(checkpoint: &Members<'_>, name: &str) -> Option<i64> {
    checkpoint.integer(name).filter(|figure| *figure >= 0)
}

fn path(checkpoint: &Members<'_>) -> Option<String> {
    checkpoint.text("external_path").filter(|path| !path.is_empty() && path != NOT_ADDRESSABLE && path.len() <= MAX_PATH_BYTES)
}

fn externalization(configuration: Option<&str>) -> Externalization {
    let members = configuration.and_then(Members::parse);
    let Some(externalization) = members.as_ref().and_then(|members| Members::parse(members.get("externalization")?.get())) else {
        return Externalization::NotArchived;
    };
    let flag = |name: &str| externalization.get(name).map(|value| value.get() == "true");
    match (flag("enabled"), flag("delete_on_cancellation")) {
        (Some(false), _) => Externalization::Never,
        (Some(true), Some(true)) => Externalization::OnFailure,
        (Some(true), Some(false)) => Externalization::OnCancellation,
        _ => Externalization::NotArchived,
    }
}

/// As `CheckpointProperties` of Flink decides. A suspended job keeps its checkpoints with high availability only.
fn retention(externalization: Externalization, status: Option<&str>) -> Retention {
    match (externalization, status) {
        (_, Some("FINISHED")) | (Externalization::Never, Some("FAILED" | "CANCELED")) | (Externalization::OnFailure, Some("CANCELED")) => {
            Retention::Deleted
        }
        (Externalization::OnFailure | Externalization::OnCancellation, Some("FAILED"))
        | (Externalization::OnCancellation, Some("CANCELED" | "SUSPENDED")) => Retention::Kept,
        _ => Retention::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completed(id: i64, path: &str, savepoint: bool, discarded: bool) -> serde_json::Value {
        json!({
            "id": id, "status": "COMPLETED", "is_savepoint": savepoint, "discarded": discarded, "external_path": path,
            "trigger_timestamp": 1_000 + id, "state_size": 7, "checkpoint_type": if savepoint { "SAVEPOINT" } else { "CHECKPOINT" },
        })
    }

    fn configuration(enabled: bool, delete_on_cancellation: bool) -> String {
        json!({"externalization": {"enabled": enabled, "delete_on_cancellation": delete_on_cancellation}}).to_string()
    }

    fn paths(points: &[RestorePoint]) -> Vec<&str> {
        points.iter().map(|point| point.path.as_str()).collect()
    }

    #[test]
    fn the_newest_comes_first_and_discarded_failed_and_unaddressable_ones_are_left_out() {
        let checkpoints = json!({
            "latest": {
                "completed": completed(4, "file:/ck/4", false, false), "savepoint": completed(2, "file:/sp/2", true, false),
                "restored": {"id": 1, "is_savepoint": true, "external_path": "file:/sp/1", "restore_timestamp": 900},
            },
            "history": [
                {"id": 5, "status": "FAILED", "external_path": null}, completed(4, "file:/ck/4", false, false),
                completed(3, "file:/ck/3", false, true), completed(6, NOT_ADDRESSABLE, false, false),
            ],
        });
        let points = restore_points(&checkpoints.to_string(), Some(&configuration(true, false)), Some("CANCELED"));
        assert_eq!(paths(&points), ["file:/ck/4", "file:/sp/2", "file:/sp/1"]);
        assert_eq!((points[0].checkpoint, points[0].at.map(Timestamp::as_millis), points[0].state_size), (Some(4), Some(1_004), Some(7)));
        assert!(points[2].restored && points.iter().all(|point| point.retention == Retention::Kept));
    }

    #[test]
    fn a_savepoint_comes_before_a_newer_checkpoint_that_flink_deletes() {
        let checkpoints =
            json!({"history": [completed(9, "file:/ck/9", false, false), completed(8, "file:/sp/8", true, false)]}).to_string();
        for (enabled, delete, status, kept) in [
            (false, true, "FAILED", Retention::Deleted),
            (false, true, "SUSPENDED", Retention::Unknown),
            (true, true, "FAILED", Retention::Kept),
            (true, true, "CANCELED", Retention::Deleted),
            (true, false, "CANCELED", Retention::Kept),
            (true, false, "FINISHED", Retention::Deleted),
            (true, false, "SUSPENDED", Retention::Kept),
            (true, false, "RUNNING", Retention::Unknown),
        ] {
            let points = restore_points(&checkpoints, Some(&configuration(enabled, delete)), Some(status));
            let expected: &[&str] = if kept == Retention::Kept { &["file:/ck/9", "file:/sp/8"] } else { &["file:/sp/8", "file:/ck/9"] };
            assert_eq!(paths(&points), expected, "{enabled} {delete} {status}");
            assert_eq!(points.iter().find(|point| !point.savepoint).unwrap().retention, kept, "{enabled} {delete} {status}");
        }
        let unknown = restore_points(&checkpoints, None, Some("FAILED"));
        assert_eq!(unknown[1].retention, Retention::Unknown);
    }

    #[test]
    fn invalid_documents_have_none() {
        for text in ["", "[]", "null", "{}", r#"{"history":{}}"#, r#"{"history":[null,1,{"status":"COMPLETED"}]}"#, r#"{"errors":["off"]}"#]
        {
            assert_eq!(restore_points(text, Some(text), Some(text)), [], "{text}");
        }
    }
}
