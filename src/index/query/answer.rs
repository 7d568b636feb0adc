//! What the lists answer.

use std::collections::BTreeMap;

use super::{FailureClass, JobFacts};
use crate::clock::Millis;
use crate::problem::Problem;

/// A count that may be a lower bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Rows.
    pub count: u64,
    /// There are no more than that.
    pub exact: bool,
}

/// One copy of an application or a job. Times and durations are milliseconds; `None`: the archive does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Id, 32 hex digits.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// State.
    pub status: Option<String>,
    /// Start.
    pub start: Option<Millis>,
    /// End.
    pub end: Option<Millis>,
    /// Duration.
    pub duration: Option<Millis>,
    /// Jobs of an application or tasks of a job, by state.
    pub counts: BTreeMap<String, u64>,
    /// Type of a job.
    pub job_type: Option<String>,
    /// Application of a job; `None`: it belongs to none, or it is an application itself.
    pub application: Option<String>,
    /// Cluster; `None`: a job that belongs to no application.
    pub cluster: Option<String>,
    /// URL of the archive directory.
    pub directory: String,
    /// An application whose summary was read; a job whose application is complete.
    pub complete: bool,
    /// An archive of it was read. Otherwise a summary names it, and no more is known.
    pub archived: bool,
    /// Since when its archive is gone from the archive directory.
    pub gone_since: Option<Millis>,
    /// Problems on record.
    pub problems: u64,
    /// This copy is the one that Flink's paths show.
    pub shown: bool,
    /// The archive of this job lies beside the clusters.
    pub flat: bool,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The rows: fewer than asked for, even none, where many had to be looked at; `next` then leads on.
    pub items: Vec<Item>,
    /// Cursor of the next page; `None`: there is none.
    pub next: Option<String>,
    /// How many rows all pages have.
    pub total: Total,
}

/// One value of a facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetCount {
    /// The value; of days `2026-11-22`.
    pub value: String,
    /// Rows that have it.
    pub count: u64,
}

/// Counts of a list; of what was not asked for `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    /// By state, most frequent first.
    pub status: Option<Vec<FacetCount>>,
    /// By cluster, most frequent first, at most 1,000.
    pub cluster: Option<Vec<FacetCount>>,
    /// By archive directory, most frequent first.
    pub directory: Option<Vec<FacetCount>>,
    /// By day, newest first, at most 400.
    pub day: Option<Vec<FacetCount>>,
    /// By job type, most frequent first.
    pub job_type: Option<Vec<FacetCount>>,
    /// Every row was counted.
    pub exact: bool,
}

/// Durations in milliseconds; nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    /// Median.
    pub p50: i64,
    /// 90 of 100 are at most so long.
    pub p90: i64,
    /// 99 of 100 are at most so long.
    pub p99: i64,
    /// The longest.
    pub max: i64,
}

/// What ended within one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusCounts {
    /// Where it begins.
    pub start: Millis,
    /// Rows by state.
    pub counts: BTreeMap<String, u64>,
    /// Their durations, if any tells one.
    pub durations: Option<Quantiles>,
}

/// How often runs of one name failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingName {
    /// The name as one of its runs writes it.
    pub name: String,
    /// Runs that failed.
    pub failed: u64,
    /// Runs.
    pub runs: u64,
}

/// Statistics of a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// One per bucket, empty ones too, oldest first.
    pub buckets: Vec<StatusCounts>,
    /// Durations of all.
    pub durations: Option<Quantiles>,
    /// Names with the most failed runs, most first.
    pub failing_names: Vec<FailingName>,
    /// Classes of exceptions that most failed with, most first.
    pub exceptions: Vec<FailureClass>,
    /// Every row was looked at.
    pub exact: bool,
}

/// One application or job with all its copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The copy that was asked for.
    pub item: Item,
    /// All copies, by precedence.
    pub copies: Vec<Item>,
    /// Problems of that copy, oldest first.
    pub problems: Vec<Problem>,
    /// Jobs of an application, newest first, those only named by its summary last.
    pub jobs: Vec<Item>,
    /// Facts of that copy of a job; `None`: none are known, or it is an application.
    pub facts: Option<JobFacts>,
}
