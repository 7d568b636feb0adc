//! Queries of the lists and their answers, as plain types: the rights of the client ([`Scope`]), the rows ([`Filter`], [`Sort`]) and
//! the pages.
//!
//! Every read of the query API goes through a [`Scope`], so access rules have one place.

mod answer;
pub mod calendar;
mod facts;
pub(in crate::index) mod folding;
mod scope;
pub(in crate::index) mod search;

pub use answer::{Copies, FacetCount, Facets, FailingName, Item, ListPage, Quantiles, RunFacts, Statistics, StatusCounts, Total};
pub use facts::{FailureClass, FailureSource, JobFacts, RootException, RunFigures};
pub use scope::{ConfigurationValue, Part, Scope, Selection};
pub use search::{FoundItem, MAX_TERMS, Match, MatchField, SearchField, SearchPage, SearchQuery, Segment};

use serde::Deserialize;
use strum::{IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::ids::ApplicationId;

/// The list of applications or of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ListKind {
    /// Applications whose summary has an overview.
    Applications,
    /// Jobs whose archive has an overview.
    Jobs,
}

/// The comparison of a name, always without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// The name contains the text.
    Contains,
    /// The name equals the text.
    Exact,
    /// The name begins with the text.
    Prefix,
}

/// A range of numbers, both ends inclusive; `None`: no limit. A missing value is only in the range without limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Smallest.
    pub min: Option<i64>,
    /// Largest.
    pub max: Option<i64>,
}

impl Bounds {
    /// Whether the range has no limits: then it also contains missing values.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// A range of times: `from` inclusive, `to` exclusive.
    #[must_use]
    pub fn of_times(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self { min: from.map(Timestamp::as_millis), max: to.map(|to| to.as_millis().saturating_sub(1)) }
    }
}

/// The conditions for a row. Several values of one field are alternatives; all fields must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// States, as Flink writes them.
    pub status: Vec<String>,
    /// Name and its comparison.
    pub name: Option<(String, NameMatch)>,
    /// Clusters.
    pub cluster: Vec<String>,
    /// Archive directories by URL.
    pub directory: Vec<String>,
    /// Job types. An application matches if one of its jobs does.
    pub job_type: Vec<String>,
    /// Start, milliseconds since 1970.
    pub start: Bounds,
    /// End, milliseconds since 1970.
    pub end: Bounds,
    /// Duration, milliseconds.
    pub duration: Bounds,
    /// Number of failed jobs (applications only).
    pub failed_jobs: Bounds,
    /// Number of failed tasks; of an application, of all its jobs together.
    pub failed_tasks: Bounds,
    /// Whether there are recorded problems.
    pub problems: Option<bool>,
    /// Only jobs of this application.
    pub application: Option<ApplicationId>,
    /// Only jobs that were archived without an application and that are in no summary.
    pub unclaimed: bool,
}

/// The sort key of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// Name, without case.
    Name,
    /// State.
    Status,
    /// Start.
    Start,
    /// End.
    End,
    /// Duration.
    Duration,
    /// Cluster.
    Cluster,
    /// URL of the archive directory.
    Directory,
    /// Number of jobs of an application, or of tasks of a job.
    Size,
    /// Number of failed jobs of an application, or of failed tasks of a job.
    Failed,
    /// Type of a job.
    JobType,
}

/// The order of a list. Missing values come last in both directions. Equal rows keep a stable order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    /// Sort key.
    pub key: SortKey,
    /// Whether the largest comes first.
    pub descending: bool,
}

/// A query of one page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// List.
    pub kind: ListKind,
    /// Filter of the rows.
    pub filter: Filter,
    /// Order.
    pub sort: Sort,
    /// Maximum number of rows.
    pub limit: usize,
    /// The `next` cursor of the previous page; `None`: the first page.
    pub cursor: Option<String>,
}

/// The field that rows are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema, VariantArray)]
#[serde(rename_all = "snake_case")]
pub enum FacetKey {
    /// State.
    Status,
    /// Cluster.
    Cluster,
    /// Archive directory.
    Directory,
    /// Day of the end, in a time zone.
    Day,
    /// Type of the job, or of any job of the application.
    JobType,
}

/// A query of counts of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetQuery {
    /// List.
    pub kind: ListKind,
    /// Filter of the rows. Each facet ignores its own part of the filter.
    pub filter: Filter,
    /// Requested counts.
    pub by: Vec<FacetKey>,
    /// Time zone of the days.
    pub zone: chrono_tz::Tz,
}

/// A query of statistics of the rows of a list that ended within a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsQuery {
    /// List.
    pub kind: ListKind,
    /// Filter of the rows. The buckets replace its range of ends.
    pub filter: Filter,
    /// Begin of each bucket, ascending, then the end of the last one: milliseconds since 1970.
    pub edges: Vec<Timestamp>,
}

/// Maximum number of names in the list of the most frequent failures.
pub const MAX_FAILING_NAMES: usize = 20;

/// Maximum number of classes in the list of the most frequent exceptions.
pub const MAX_FAILURE_CLASSES: usize = 20;
