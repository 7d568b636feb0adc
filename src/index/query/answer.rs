//! The answers of lists.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{FailureClass, JobFacts};
use crate::clock::Timestamp;
use crate::problem::Problem;

/// The number of rows of all pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ListTotal)]
pub struct Total {
    /// Number of rows; a lower bound where it is not exact.
    pub count: u64,
    /// Whether all rows were counted.
    pub exact: bool,
}

/// One copy of an application or a job. Times and durations are milliseconds; `None`: the archive has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Id, 32 hex digits.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// State.
    pub status: Option<String>,
    /// Start.
    pub start: Option<Timestamp>,
    /// End.
    pub end: Option<Timestamp>,
    /// Duration.
    pub duration: Option<i64>,
    /// Number of jobs of an application, or of tasks of a job, by state.
    pub counts: BTreeMap<String, u64>,
    /// Type of a job.
    pub job_type: Option<String>,
    /// Application of a job; `None`: the job has no application, or the item is an application.
    pub application: Option<String>,
    /// Cluster; `None`: a job without an application.
    pub cluster: Option<String>,
    /// URL of the archive directory.
    pub directory: String,
    /// Whether the summary of the application was read. A job is complete if its application is.
    pub complete: bool,
    /// Whether it has an archive. Otherwise only a summary contains it.
    pub archived: bool,
    /// Whether its archive was read, as far as that is possible. Otherwise the row shows what a summary says.
    pub read: bool,
    /// Time since when its archive is missing from the archive directory.
    pub gone_since: Option<Timestamp>,
    /// Number of recorded problems.
    pub problems: u64,
    /// Whether Flink's paths show this copy.
    pub shown: bool,
    /// Whether the archive of this job is beside the folders of the clusters.
    pub flat: bool,
    /// Facts of the run; `None`: not requested.
    pub run_facts: Option<RunFacts>,
}

/// Facts of a run that a list shows beside its overview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunFacts {
    /// Class of the innermost cause of its newest failure. Null: no failure is known.
    pub root_cause_class: Option<String>,
    /// How often it was restarted after failures; of an application the sum over its jobs. Null: the number cannot be known.
    pub restarts: Option<i64>,
    /// Median duration in milliseconds of those of the 20 runs of the same name before it that finished. Null: fewer than three did.
    pub usual_duration: Option<i64>,
    /// Id of the job of an application that has exactly one. Null: it has none or several, or the item is a job.
    pub only_job: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The rows. A page may have fewer rows than requested, or no rows, and still have a `next` page.
    pub items: Vec<Item>,
    /// Cursor of the next page; `None`: this is the last page.
    pub next: Option<String>,
    /// Number of rows of all pages.
    pub total: Total,
    /// Number of units whose archives are still to be read.
    pub queued: u64,
}

/// One value and the number of rows that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FacetValue)]
pub struct FacetCount {
    /// The value; a day is written as `2026-11-22`.
    pub value: String,
    /// Number of rows.
    pub count: u64,
}

/// Counts of a list; null for a count that was not requested. Each counts under all parts of the filter but its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FacetCounts)]
pub struct Facets {
    /// By state, most frequent first.
    pub status: Option<Vec<FacetCount>>,
    /// By cluster, the 1,000 most frequent.
    pub cluster: Option<Vec<FacetCount>>,
    /// By archive directory, most frequent first.
    pub directory: Option<Vec<FacetCount>>,
    /// By day of the end in the time zone, newest first, at most 400.
    pub day: Option<Vec<FacetCount>>,
    /// By job type; of applications: the number that have a job of that type.
    pub job_type: Option<Vec<FacetCount>>,
    /// Whether every row was counted.
    pub exact: bool,
}

/// Quantiles of durations in milliseconds, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = DurationQuantiles)]
pub struct Quantiles {
    /// Median.
    pub p50: i64,
    /// 90th percentile.
    pub p90: i64,
    /// 99th percentile.
    pub p99: i64,
    /// Maximum.
    pub max: i64,
}

/// Counts of the rows that ended within one day or hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StatisticsBucket)]
pub struct StatusCounts {
    /// Begin of the bucket, milliseconds since 1970.
    pub start: Timestamp,
    /// Number of rows by state.
    pub counts: BTreeMap<String, u64>,
    /// Durations; null where no row has one.
    pub durations: Option<Quantiles>,
}

/// A name and how often its runs failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FailingRuns)]
pub struct FailingName {
    /// The name, as its newest run writes it.
    pub name: String,
    /// Number of failed runs.
    pub failed: u64,
    /// Number of runs.
    pub runs: u64,
}

/// Statistics of the rows that ended within a range of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TimeStatistics)]
pub struct Statistics {
    /// Days or hours, oldest first, empty ones included.
    pub buckets: Vec<StatusCounts>,
    /// Durations of all rows.
    pub durations: Option<Quantiles>,
    /// The 20 names with the most failed runs.
    pub failing_names: Vec<FailingName>,
    /// The 20 most frequent classes of exceptions of failed rows.
    pub exceptions: Vec<FailureClass>,
    /// Whether every row was counted.
    pub exact: bool,
    /// Number of applications and legacy job archives that are still to be read: their failures are missing here. 0: nothing is missing.
    pub queued: u64,
}

/// One application or job with all its copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The requested copy.
    pub item: Item,
    /// All copies, by precedence.
    pub copies: Vec<Item>,
    /// Problems of that copy, oldest first.
    pub problems: Vec<Problem>,
    /// Jobs of an application, newest first. Jobs that only its summary contains come last.
    pub jobs: Vec<Item>,
    /// Facts of that copy of a job; `None`: there are no facts, or the copy is of an application.
    pub facts: Option<JobFacts>,
}
