//! Checkpoints of a job, from `/jobs/<id>/checkpoints`.

use super::super::members::Members;
use super::{CheckpointFacts, CompletedCheckpoint, figure, time};

/// Reads the statistics. `None` where checkpointing was off: Flink then archives an error instead of them.
pub(super) fn read(json: &str) -> Option<CheckpointFacts> {
    let members = Members::parse(json)?;
    let counts = object(&members, "counts")?;
    let completed = figure(&counts, "completed");
    let latest = object(&members, "latest");
    let latest = |kind| latest.as_ref().and_then(|latest| object(latest, kind));
    let last = [latest("completed"), latest("savepoint")].into_iter().flatten().map(|checkpoint| completed_checkpoint(&checkpoint));
    let summary = object(&members, "summary");
    // Without a completed checkpoint Flink writes zeros.
    let max = |figure_of: &str| {
        completed.filter(|completed| *completed > 0)?;
        figure(&object(summary.as_ref()?, figure_of)?, "max")
    };
    Some(CheckpointFacts {
        total: figure(&counts, "total"),
        completed,
        failed: figure(&counts, "failed"),
        in_progress: figure(&counts, "in_progress"),
        restored: figure(&counts, "restored"),
        last: last.max_by_key(|checkpoint| checkpoint.id),
        longest_duration: max("end_to_end_duration"),
        largest_state_size: max("state_size"),
        largest_written: max("checkpointed_size"),
    })
}

fn completed_checkpoint(checkpoint: &Members<'_>) -> CompletedCheckpoint {
    CompletedCheckpoint {
        id: figure(checkpoint, "id"),
        savepoint: checkpoint.get("is_savepoint").is_some_and(|value| value.get() == "true"),
        triggered: time(checkpoint, "trigger_timestamp"),
        duration: figure(checkpoint, "end_to_end_duration"),
        state_size: figure(checkpoint, "state_size"),
        written: figure(checkpoint, "checkpointed_size"),
    }
}

fn object<'a>(members: &Members<'a>, name: &str) -> Option<Members<'a>> {
    Members::parse(members.get(name)?.get())
}
