//! Subtasks that waited long before they ran.

use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, length, not_assessed, percent};

/// Share of the time of a subtask before it ran that is long.
const SHARE: f64 = 0.2;
/// Milliseconds before it ran that are long.
const MIN_TIME: i64 = 60_000;

pub(super) fn slow_start(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::SlowStart;
    let mut known = false;
    let mut slowest: Option<(i64, f64, Finding)> = None;
    for vertex in &evidence.vertices {
        for subtask in &vertex.subtasks {
            let (Some(waiting), Some(running)) = (subtask.waiting, subtask.running) else { continue };
            known = true;
            let share = waiting as f64 / (waiting + running).max(1) as f64;
            if waiting < MIN_TIME || share < SHARE || slowest.as_ref().is_some_and(|(longest, ..)| *longest >= waiting) {
                continue;
            }
            let finding = Finding {
                code: CODE,
                severity: Severity::Notice,
                text: format!(
                    "{}: subtask {} waited {} before it ran, {} of its time.",
                    vertex.name,
                    subtask.number,
                    length(waiting),
                    percent(share)
                ),
                advice: "Long times in SCHEDULED mean missing slots, in DEPLOYING large jars, in INITIALIZING a large state to restore."
                    .to_owned(),
                place: Place {
                    vertex: Some(vertex.id.clone()),
                    vertex_name: Some(vertex.name.clone()),
                    subtask: Some(subtask.number),
                    task_manager: subtask.task_manager.clone(),
                    checkpoint: None,
                },
                documents: vec![format!("/vertices/{}", vertex.id)],
            };
            slowest = Some((waiting, share, finding));
        }
    }
    if !known {
        return Err(not_assessed(CODE, "The archive does not contain the times of subtasks by state."));
    }
    Ok(slowest.into_iter().map(|(_, _, finding)| finding).collect())
}
