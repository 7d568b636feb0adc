//! A run beside the earlier runs of its name.

use super::{Evidence, Finding, FindingCode, Place, Severity, Verdict, length, median, not_assessed};

/// Earlier runs that a comparison needs.
const MIN_RUNS: usize = 5;
/// Ratio to the median from which a run differs.
const RATIO: f64 = 1.5;
/// Times the spread (the median distance from the median) that a run must be away from the median.
const SPREADS: i64 = 5;
/// Milliseconds below which a difference is noise.
const MIN_DIFFERENCE: i64 = 10_000;

pub(super) fn duration(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::SlowerThanUsual;
    if evidence.is_streaming() {
        return Ok(Vec::new());
    }
    let Some(own) = evidence.job.duration else { return Err(not_assessed(CODE, "The archive does not contain the duration of the job.")) };
    // A run that failed early is not fast, so only finished runs are usual.
    let earlier: Vec<i64> = finished(evidence).filter_map(|run| run.item.duration).collect();
    let Some(usual) = usual(CODE, &earlier)? else { return Ok(Vec::new()) };
    if !usual.is_exceeded_by(own) || own - usual.median < MIN_DIFFERENCE {
        return Ok(Vec::new());
    }
    Ok(vec![finding(
        CODE,
        format!(
            "The run took {}, {:.1} times the median of {} over {} earlier finished runs.",
            length(own),
            own as f64 / usual.median.max(1) as f64,
            length(usual.median),
            usual.runs
        ),
        "Compare it with the last usual run: records read, parallelism, configuration and skew.",
    )])
}

pub(super) fn state_size(evidence: &Evidence<'_>) -> Verdict {
    const CODE: FindingCode = FindingCode::LargerStateThanUsual;
    let Some(own) = evidence.facts.checkpoints.as_ref().and_then(|facts| facts.last.as_ref()?.state_size) else { return Ok(Vec::new()) };
    let earlier: Vec<i64> = evidence.runs.iter().filter_map(|run| run.figures.last_checkpoint_size).collect();
    let Some(usual) = usual(CODE, &earlier)? else { return Ok(Vec::new()) };
    // Less than a mebibyte more is no matter.
    if !usual.is_exceeded_by(own) || own - usual.median < 1 << 20 {
        return Ok(Vec::new());
    }
    Ok(vec![finding(
        CODE,
        format!(
            "The state in the last checkpoint has {own} bytes, {:.1} times the median of {} bytes over {} earlier runs.",
            own as f64 / usual.median.max(1) as f64,
            usual.median,
            usual.runs
        ),
        "Look for keys that are never removed: a time to live of state, or timers that are not set.",
    )])
}

fn finished<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = &'e super::EarlierRun> {
    evidence.runs.iter().filter(|run| run.item.status.as_deref() == Some("FINISHED"))
}

/// The usual value of earlier runs.
struct Usual {
    median: i64,
    spread: i64,
    runs: usize,
}

impl Usual {
    fn is_exceeded_by(&self, value: i64) -> bool {
        value as f64 >= self.median as f64 * RATIO && value.saturating_sub(self.median) > self.spread.saturating_mul(SPREADS)
    }
}

/// `None`: there is nothing to compare with, since the name has no earlier run.
fn usual(code: FindingCode, earlier: &[i64]) -> Result<Option<Usual>, super::NotAssessed> {
    let runs = earlier.len();
    if runs < MIN_RUNS {
        return Err(not_assessed(code, &format!("Only {runs} earlier runs of this name can be compared; {MIN_RUNS} are needed.")));
    }
    let Some(middle) = median(earlier.to_vec()) else { return Ok(None) };
    let spread = median(earlier.iter().map(|value| (value - middle).abs()).collect()).unwrap_or_default();
    Ok(Some(Usual { median: middle, spread, runs }))
}

fn finding(code: FindingCode, text: String, advice: &str) -> Finding {
    let documents = vec![String::new()];
    Finding { code, severity: Severity::Warning, text, advice: advice.to_owned(), place: Place::default(), documents }
}
