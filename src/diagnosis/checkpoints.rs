//! Checkpoints that failed or were slow.

use std::collections::HashMap;

use serde_json::Value;

use super::{Evidence, Finding, FindingCode, NotAssessed, Place, Severity, Verdict, figure, length, not_assessed, percent};

/// Share of failed checkpoints that is too high.
const FAILED_SHARE: f64 = 0.1;
/// Number of failed checkpoints from which a share means something.
const FAILED_COUNT: i64 = 3;
/// Share of the timeout that is near it.
const TIMEOUT_SHARE: f64 = 0.8;
/// Checkpoints of the history that must name their last subtask.
const LAST_COUNT: usize = 5;
/// Share of them with the same last subtask.
const LAST_SHARE: f64 = 0.7;

pub(super) fn failures(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::CheckpointFailures;
    let Some(facts) = &evidence.facts.checkpoints else { return off(evidence, CODE) };
    let (Some(total), Some(failed)) = (facts.total, facts.failed) else {
        return Err(not_assessed(CODE, "The archive does not contain the number of failed checkpoints."));
    };
    let share = failed as f64 / (total.max(1)) as f64;
    if failed < FAILED_COUNT || share < FAILED_SHARE {
        return Ok(Vec::new());
    }
    let reasons = reasons(evidence.checkpoints.as_ref());
    let reason = if reasons.is_empty() { String::new() } else { format!(" Reasons: {}.", reasons.join("; ")) };
    Ok(vec![Finding {
        code: CODE,
        severity: Severity::Warning,
        text: format!("{failed} of {total} checkpoints failed ({}).{reason}", percent(share)),
        advice: "Open the failed checkpoints: a checkpoint that expired needs more time or less backpressure, one that was declined names a task."
            .to_owned(),
        place: Place::default(),
        documents: vec!["/checkpoints".to_owned()],
    }])
}

pub(super) fn near_timeout(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::CheckpointNearTimeout;
    let Some(facts) = &evidence.facts.checkpoints else { return off(evidence, CODE) };
    let timeout = evidence.checkpoint_configuration.as_ref().and_then(|configuration| figure(&configuration["timeout"]));
    let Some(timeout) = timeout.filter(|timeout| *timeout > 0) else {
        return Err(not_assessed(CODE, "The archive does not contain the timeout of checkpoints."));
    };
    let Some(longest) = facts.longest_duration else { return Ok(Vec::new()) };
    let share = longest as f64 / timeout as f64;
    if share < TIMEOUT_SHARE {
        return Ok(Vec::new());
    }
    Ok(vec![Finding {
        code: CODE,
        severity: Severity::Warning,
        text: format!(
            "The longest completed checkpoint took {}, {} of the timeout of {}.",
            length(longest),
            percent(share),
            length(timeout)
        ),
        advice: "Raise execution.checkpointing.timeout, or use unaligned or incremental checkpoints.".to_owned(),
        place: Place::default(),
        documents: vec!["/checkpoints".to_owned(), "/checkpoints/config".to_owned()],
    }])
}

/// The subtask that acknowledges last in most checkpoints. Flink archives the times of subtasks only for checkpoints that were opened, so
/// this reads the last acknowledgement of each task in the history.
pub(super) fn last_subtask(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::CheckpointLastSubtask;
    if evidence.facts.checkpoints.is_none() {
        return off(evidence, CODE);
    }
    let Some(history) = evidence.checkpoints.as_ref().and_then(|checkpoints| checkpoints["history"].as_array()) else {
        return Err(not_assessed(CODE, "The archive does not contain the history of checkpoints."));
    };
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut assessed = 0;
    for tasks in
        history.iter().filter(|checkpoint| checkpoint["status"] == "COMPLETED").filter_map(|checkpoint| checkpoint["tasks"].as_object())
    {
        let times = tasks.iter().filter_map(|(vertex, task)| Some((vertex.as_str(), figure(&task["latest_ack_timestamp"])?)));
        if tasks.len() > 1
            && let Some((vertex, _)) = times.max_by_key(|(_, time)| *time)
        {
            *last.entry(vertex).or_default() += 1;
            assessed += 1;
        }
    }
    if assessed < LAST_COUNT {
        return Err(not_assessed(CODE, "The history contains too few checkpoints with the times of their tasks."));
    }
    let Some((vertex, count)) = last.into_iter().max_by_key(|(_, count)| *count) else { return Ok(Vec::new()) };
    let share = count as f64 / assessed as f64;
    // With two vertices, the last of the two is always the sink.
    if share < LAST_SHARE || evidence.facts.vertices.len() < 3 {
        return Ok(Vec::new());
    }
    let name = evidence.facts.vertices.iter().find(|other| other.id == vertex).map(|other| other.name.clone());
    Ok(vec![Finding {
        code: CODE,
        severity: Severity::Notice,
        text: format!("{} is the last to acknowledge in {count} of {assessed} checkpoints.", name.as_deref().unwrap_or(vertex)),
        advice: "Checkpoints become faster when this vertex does: look at its state size, alignment and backpressure.".to_owned(),
        place: Place { vertex: Some(vertex.to_owned()), vertex_name: name, ..Place::default() },
        documents: vec!["/checkpoints".to_owned()],
    }])
}

/// The reasons of failed checkpoints, each once.
fn reasons(checkpoints: Option<&Value>) -> Vec<String> {
    let history = checkpoints.and_then(|checkpoints| checkpoints["history"].as_array());
    let mut reasons = Vec::new();
    for reason in history.into_iter().flatten().filter_map(|checkpoint| checkpoint["failure_message"].as_str()) {
        let reason: String = reason.lines().next().unwrap_or_default().trim_end_matches('.').chars().take(120).collect();
        if !reason.is_empty() && !reasons.contains(&reason) && reasons.len() < 3 {
            reasons.push(reason);
        }
    }
    reasons
}

/// A job without checkpoints has none that failed. Without facts nothing is known.
fn off(evidence: &Evidence<'_>, code: FindingCode) -> Result<Vec<Finding>, NotAssessed> {
    if evidence.is_streaming() && evidence.checkpoints.is_none() {
        return Err(not_assessed(code, "The archive does not contain the checkpoints of the job."));
    }
    Ok(Vec::new())
}
