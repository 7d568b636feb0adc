//! What can be asked of the lists, in plain types: who asks ([`Scope`]), what is wanted ([`Filter`], [`Sort`]), and a page of it.
//!
//! Every read of the query API goes through a [`Scope`]: access rules have one place.

mod answer;
pub mod calendar;
mod facts;
pub(in crate::index) mod folding;
pub(in crate::index) mod search;

pub use answer::{Copies, FacetCount, Facets, FailingName, Item, ListPage, Quantiles, Statistics, StatusCounts, Total};
pub use facts::{FailureClass, FailureSource, JobFacts, RootException, RunFigures};
pub use search::{FoundItem, MAX_TERMS, Match, MatchField, SearchField, SearchPage, SearchQuery, Segment};

use serde::Deserialize;
use strum::{IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::ids::ApplicationId;

/// What the one who asks may see. Nothing outside of it is listed, counted or found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    directories: Option<Vec<String>>,
}

impl Scope {
    /// All that is configured.
    #[must_use]
    pub fn everything() -> Self {
        Self::default()
    }

    /// Only what is in these archive directories.
    #[must_use]
    pub fn of_directories(urls: impl IntoIterator<Item = String>) -> Self {
        Self { directories: Some(urls.into_iter().collect()) }
    }

    /// Whether nothing is outside of it.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.directories.is_none()
    }

    /// The archive directories within; `None`: all.
    pub(in crate::index) fn directories(&self) -> Option<&[String]> {
        self.directories.as_deref()
    }

    /// Those of the directories that are wanted which are within, all of them where none are named. `None`: there is none.
    pub(in crate::index) fn narrowed(&self, wanted: &[String]) -> Option<Vec<String>> {
        let Some(within) = &self.directories else { return Some(wanted.to_vec()) };
        let left: Vec<String> =
            if wanted.is_empty() { within.clone() } else { wanted.iter().filter(|url| within.contains(url)).cloned().collect() };
        (!left.is_empty()).then_some(left)
    }

    /// Whether an archive directory is within.
    #[must_use]
    pub fn admits(&self, directory: &str) -> bool {
        self.directories.as_ref().is_none_or(|urls| urls.iter().any(|url| url == directory))
    }
}

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ListKind {
    /// Applications whose summary tells an overview.
    Applications,
    /// Jobs whose archive tells an overview.
    Jobs,
}

/// How a name is compared, always without case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// The text is anywhere in it.
    Contains,
    /// It is the text.
    Exact,
    /// It begins with the text.
    Prefix,
}

/// A range of numbers, both ends inclusive; `None`: open. What is absent is in no range but the open one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Smallest.
    pub min: Option<i64>,
    /// Largest.
    pub max: Option<i64>,
}

impl Bounds {
    /// Whether everything is within, absent values too.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.min.is_none() && self.max.is_none()
    }

    /// A time range: from inclusive, to exclusive.
    #[must_use]
    pub fn of_times(from: Option<Millis>, to: Option<Millis>) -> Self {
        Self { min: from, max: to.map(|to| to.saturating_sub(1)) }
    }
}

/// What must hold of a row; several values of one field are alternatives, fields are joined with "and".
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// States, as Flink writes them.
    pub status: Vec<String>,
    /// Of the name.
    pub name: Option<(String, NameMatch)>,
    /// Clusters.
    pub cluster: Vec<String>,
    /// Archive directories by URL.
    pub directory: Vec<String>,
    /// Job types; of an application: that one of its jobs has.
    pub job_type: Vec<String>,
    /// Start, milliseconds since 1970.
    pub start: Bounds,
    /// End, milliseconds since 1970.
    pub end: Bounds,
    /// Duration, milliseconds.
    pub duration: Bounds,
    /// Jobs that failed (applications only).
    pub failed_jobs: Bounds,
    /// Tasks that failed; of an application: of all its jobs.
    pub failed_tasks: Bounds,
    /// Whether there are problems on record.
    pub problems: Option<bool>,
    /// Jobs of this application only.
    pub application: Option<ApplicationId>,
    /// Only jobs that were archived without their application, and that no summary names.
    pub unclaimed: bool,
}

/// What lists are sorted by.
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
    /// Jobs of an application that failed, or tasks of a job.
    Failed,
    /// Type of a job.
    JobType,
}

/// Order of a list. What is absent comes last both ways; equal rows keep one order throughout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Largest first.
    pub descending: bool,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Which list.
    pub kind: ListKind,
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// At most so many rows.
    pub limit: usize,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

/// What rows are counted by.
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
    /// Type of the job, or of one job of the application.
    JobType,
}

/// Counts of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetQuery {
    /// Which list.
    pub kind: ListKind,
    /// Which rows: each facet counts under all of it but its own part.
    pub filter: Filter,
    /// Which counts.
    pub by: Vec<FacetKey>,
    /// Where days begin.
    pub zone: chrono_tz::Tz,
}

/// Statistics of the rows of a list that ended within a range of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsQuery {
    /// Which list.
    pub kind: ListKind,
    /// Which rows; its range of ends is replaced by the buckets.
    pub filter: Filter,
    /// Where each bucket begins, ascending, and at last where the last one ends: milliseconds since 1970.
    pub edges: Vec<Millis>,
}

/// Names that fail most often: at most so many.
pub const MAX_FAILING_NAMES: usize = 20;

/// Classes of exceptions that most fail with: at most so many.
pub const MAX_FAILURE_CLASSES: usize = 20;
