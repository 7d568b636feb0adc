//! One subtask that gets many more records than the others.

use super::subtasks::Subtask;
use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, median, not_assessed};

/// Records of the largest subtask over the median from which a vertex is skewed.
const RATIO: f64 = 3.0;
/// Records of the largest subtask from which a ratio means something.
const MIN_RECORDS: i64 = 10_000;
/// Subtasks from which a median means something.
const MIN_SUBTASKS: usize = 3;

pub(super) fn data_skew(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::DataSkew;
    if evidence.vertices.is_empty() {
        return Err(not_assessed(CODE, "The archive does not contain the subtasks of the job."));
    }
    let mut findings = Vec::new();
    for vertex in &evidence.vertices {
        let subtasks: Vec<&Subtask> = vertex.subtasks.iter().filter(|subtask| subtask.read_records.is_some()).collect();
        let records = |subtask: &Subtask| subtask.read_records.unwrap_or_default();
        let (Some(largest), Some(middle)) =
            (subtasks.iter().max_by_key(|subtask| records(subtask)), median(subtasks.iter().map(|subtask| records(subtask)).collect()))
        else {
            continue;
        };
        let ratio = records(largest) as f64 / (middle.max(1)) as f64;
        if subtasks.len() < MIN_SUBTASKS || records(largest) < MIN_RECORDS || ratio < RATIO {
            continue;
        }
        findings.push(Finding {
            code: CODE,
            severity: Severity::Warning,
            text: format!(
                "{}: subtask {} read {} records, {ratio:.1} times the median of {middle} over {} subtasks.",
                vertex.name,
                largest.number,
                records(largest),
                subtasks.len()
            ),
            advice: "Spread the keys: choose a key with more values, add a salt, or aggregate in two phases.".to_owned(),
            place: Place {
                vertex: Some(vertex.id.clone()),
                vertex_name: Some(vertex.name.clone()),
                subtask: Some(largest.number),
                task_manager: largest.task_manager.clone(),
                checkpoint: None,
            },
            documents: vec![format!("/vertices/{}", vertex.id)],
        });
    }
    Ok(findings)
}
