//! Findings about a finished job: what was wrong, where, and what to do. Pure functions over its documents, its facts and its earlier runs.
//!
//! Each rule is one file. A rule that lacks a document says so: a job without findings is healthy only in what was assessed. The thresholds
//! and their sources are in `docs/diagnosis.md`.

mod bottleneck;
mod checkpoints;
mod configuration;
mod failure;
mod regression;
mod restarts;
mod skew;
mod slow_start;
mod subtasks;

pub use self::subtasks::VertexSubtasks;

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use strum::{IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::clock::human_duration;
use crate::index::query::{Item, JobFacts, RunFigures};

/// The importance of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It ended the job, or endangers its results.
    Critical,
    /// It costs time or resources, or will become critical.
    Warning,
    /// Worth knowing.
    Notice,
}

/// The subject of a finding: stable, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema, IntoStaticStr, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FindingCode {
    /// The cause of the newest failure, by its class.
    RootCause,
    /// Many restarts.
    RestartStorm,
    /// Many checkpoints failed.
    CheckpointFailures,
    /// Checkpoints took nearly as long as they may.
    CheckpointNearTimeout,
    /// One subtask is the last one of most checkpoints.
    CheckpointLastSubtask,
    /// One subtask got many more records than the others.
    DataSkew,
    /// A busy vertex slows down the vertices before it.
    Bottleneck,
    /// Subtasks waited long before they ran.
    SlowStart,
    /// A streaming job without checkpoints.
    CheckpointingOff,
    /// A large state in the memory of the JVM.
    HeapStateLarge,
    /// The parallelism cannot grow much.
    ParallelismNearMaximum,
    /// Checkpoints were deleted when the job was canceled.
    CheckpointsDeleted,
    /// The run took longer than the earlier runs of its name.
    SlowerThanUsual,
    /// The state was larger than in the earlier runs of its name.
    LargerStateThanUsual,
}

/// Where a finding is. All members may be null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Place {
    /// Id of the vertex.
    pub vertex: Option<String>,
    /// Name of the vertex.
    pub vertex_name: Option<String>,
    /// Number of the subtask, from 0.
    pub subtask: Option<i64>,
    /// Id of the TaskManager.
    pub task_manager: Option<String>,
    /// Number of the checkpoint.
    pub checkpoint: Option<i64>,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Finding {
    /// Subject.
    pub code: FindingCode,
    /// Importance.
    pub severity: Severity,
    /// A sentence with the figures.
    pub text: String,
    /// A sentence: what to do.
    pub advice: String,
    /// Where it is.
    pub place: Place,
    /// Paths of the documents that it was read from, below `/jobs/<id>`; empty for the job itself.
    pub documents: Vec<String>,
}

/// A subject that was not assessed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NotAssessed {
    /// Subject.
    pub code: FindingCode,
    /// A sentence.
    pub reason: String,
}

/// The findings of a job, the most important first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diagnosis {
    /// Findings.
    pub findings: Vec<Finding>,
    /// Subjects that the archive does not contain enough for.
    pub not_assessed: Vec<NotAssessed>,
}

/// An earlier run of the same name.
#[derive(Debug, Clone)]
pub struct EarlierRun {
    /// Its row.
    pub item: Item,
    /// Its figures.
    pub figures: RunFigures,
}

/// All that a job is judged by. A document that the archive does not contain is `None`.
#[derive(Debug)]
pub struct Evidence<'e> {
    /// Its row.
    pub job: &'e Item,
    /// Its facts.
    pub facts: &'e JobFacts,
    /// `/jobs/<id>/checkpoints`.
    pub checkpoints: Option<Value>,
    /// `/jobs/<id>/checkpoints/config`.
    pub checkpoint_configuration: Option<Value>,
    /// Its vertices.
    pub vertices: Vec<VertexSubtasks>,
    /// Earlier runs of its name, newest first.
    pub runs: Vec<EarlierRun>,
}

impl Evidence<'_> {
    fn is_streaming(&self) -> bool {
        self.job.job_type.as_deref() == Some("STREAMING")
    }

    fn has_failed(&self) -> bool {
        self.job.status.as_deref() == Some("FAILED")
    }
}

/// The verdict of a rule.
type Verdict = Result<Vec<Finding>, NotAssessed>;

/// Judges a job by all rules.
#[must_use]
pub fn diagnose(evidence: &Evidence<'_>) -> Diagnosis {
    const RULES: &[fn(&Evidence<'_>) -> Verdict] = &[
        failure::root_cause,
        restarts::restart_storm,
        checkpoints::failures,
        checkpoints::near_timeout,
        checkpoints::last_subtask,
        skew::data_skew,
        bottleneck::bottleneck,
        slow_start::slow_start,
        configuration::checkpointing_off,
        configuration::heap_state,
        configuration::near_maximum,
        configuration::deleted_checkpoints,
        regression::duration,
        regression::state_size,
    ];
    let mut diagnosis = Diagnosis::default();
    for rule in RULES {
        match rule(evidence) {
            Ok(findings) => diagnosis.findings.extend(findings),
            Err(reason) => diagnosis.not_assessed.push(reason),
        }
    }
    diagnosis.findings.sort_by_key(|finding| finding.severity);
    diagnosis
}

fn not_assessed(code: FindingCode, reason: &str) -> NotAssessed {
    NotAssessed { code, reason: reason.to_owned() }
}

/// A figure of a document; `None`: it is missing, or Flink did not measure it (-1, `"NaN"`).
#[expect(clippy::cast_possible_truncation, reason = "figures of Flink are far below 2^53, and larger ones are left out")]
fn figure(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_f64().filter(|number| number.is_finite() && number.abs() < 9e15).map(|n| n as i64));
    number.filter(|number| *number >= 0)
}

/// Milliseconds for people.
fn length(millis: i64) -> String {
    human_duration(Duration::from_millis(millis.unsigned_abs()))
}

/// `37 %`.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The median of some numbers.
fn median(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

#[cfg(test)]
mod tests;
