//! Many restarts.

use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, length, not_assessed};

/// Restarts that are many.
const MANY: i64 = 5;

pub(super) fn restart_storm(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::RestartStorm;
    let (count, exact) = match evidence.facts.restarts {
        Some(count) => (count, true),
        None if evidence.facts.min_restarts >= MANY => (evidence.facts.min_restarts, false),
        None => return Err(not_assessed(CODE, "The archive does not contain the number of restarts.")),
    };
    if count < MANY {
        return Ok(Vec::new());
    }
    let at_least = if exact { "" } else { "at least " };
    let every = match evidence.job.duration.filter(|duration| *duration > 0) {
        Some(duration) => format!(", one every {} on average", length(duration / count)),
        None => String::new(),
    };
    Ok(vec![Finding {
        code: CODE,
        severity: Severity::Warning,
        text: format!("The job was restarted {at_least}{count} times{every}."),
        advice: "Compare the exceptions: the same cause each time is a fault of the job or of one machine. A restart strategy with a limit ends \
                 such a job."
            .to_owned(),
        place: Place::default(),
        documents: vec!["/exceptions".to_owned()],
    }])
}
