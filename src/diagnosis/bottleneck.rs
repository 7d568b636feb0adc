//! A busy vertex that slows down the vertices before it.

use super::subtasks::Subtask;
use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, VertexSubtasks, not_assessed, percent};

/// Share of its time in which the busiest subtask of a bottleneck works.
const BUSY: f64 = 0.8;
/// Share of its time in which a subtask before a bottleneck waits for it.
const BACKPRESSURED: f64 = 0.3;
/// Milliseconds of measured time from which a share means something.
const MIN_TIME: i64 = 10_000;

pub(super) fn bottleneck(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::Bottleneck;
    let measured: Vec<(&VertexSubtasks, Vec<&Subtask>)> =
        evidence.vertices.iter().map(|vertex| (vertex, vertex.subtasks.iter().filter(|subtask| is_measured(subtask)).collect())).collect();
    if measured.iter().all(|(_, subtasks)| subtasks.is_empty()) {
        return Err(not_assessed(CODE, "The archive contains no busy and backpressured times, or its subtasks ran for less than 10 s."));
    }
    // Vertices are archived in the order of the data.
    let waiting = |at: usize| {
        measured[..at].iter().any(|(_, subtasks)| subtasks.iter().any(|subtask| share(subtask, subtask.backpressured) >= BACKPRESSURED))
    };
    let mut slowest = measured.iter().enumerate().filter(|(at, _)| waiting(*at)).filter_map(|(_, (vertex, subtasks))| {
        let busiest = subtasks.iter().max_by(|a, b| share(a, a.busy).total_cmp(&share(b, b.busy)))?;
        (share(busiest, busiest.busy) >= BUSY).then_some((vertex, busiest))
    });
    let Some((vertex, busiest)) = slowest.next_back() else { return Ok(Vec::new()) };
    Ok(vec![Finding {
        code: CODE,
        severity: Severity::Warning,
        text: format!(
            "{} is the bottleneck: its subtask {} was busy for {} of its time, and vertices before it waited for it.",
            vertex.name,
            busiest.number,
            percent(share(busiest, busiest.busy))
        ),
        advice: "Raise the parallelism of this vertex, or make its work cheaper. If only one subtask is busy, look for skewed keys."
            .to_owned(),
        place: Place {
            vertex: Some(vertex.id.clone()),
            vertex_name: Some(vertex.name.clone()),
            subtask: Some(busiest.number),
            task_manager: busiest.task_manager.clone(),
            checkpoint: None,
        },
        documents: vec![format!("/vertices/{}", vertex.id)],
    }])
}

fn total(subtask: &Subtask) -> i64 {
    [subtask.busy, subtask.backpressured, subtask.idle].into_iter().flatten().sum()
}

fn is_measured(subtask: &Subtask) -> bool {
    subtask.busy.is_some() && subtask.backpressured.is_some() && total(subtask) >= MIN_TIME
}

fn share(subtask: &Subtask, part: Option<i64>) -> f64 {
    part.unwrap_or_default() as f64 / total(subtask).max(1) as f64
}
