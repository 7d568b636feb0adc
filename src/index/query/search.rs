//! Queries of the search and their answers.

pub(in crate::index) mod excerpt;
pub(in crate::index) mod terms;
pub(in crate::index) mod words;

pub use excerpt::Segment;
pub use terms::MAX_TERMS;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Filter, Item, ListKind, Total};

/// A field that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchField {
    /// Names of applications and jobs.
    Name,
    /// Prefixes of their ids.
    Id,
    /// Names of vertices.
    Vertex,
    /// Classes, messages, labels and stack traces.
    Exception,
    /// Keys and values of configurations.
    Configuration,
}

/// The field of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchField {
    /// The name of an application or a job.
    Name,
    /// The id of an application or a job.
    Id,
    /// The name of a vertex.
    Vertex,
    /// The class of an exception.
    ExceptionClass,
    /// The message of an exception or of its cause.
    ExceptionMessage,
    /// A label of an exception from a failure enricher.
    FailureLabel,
    /// A line of a stack trace.
    StackTrace,
    /// The configuration of the job.
    Configuration,
    /// The configuration of its cluster.
    ClusterConfiguration,
}

/// A query of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// The text as typed. An application or a job is found if it contains all terms, in any fields.
    pub text: String,
    /// Fields that are searched; empty: all.
    pub fields: Vec<SearchField>,
    /// Filter of the applications and jobs. Only its states, clusters, directories and range of ends count.
    pub filter: Filter,
    /// Maximum number of items.
    pub limit: usize,
    /// The `next` cursor of the previous page; `None`: the first page.
    pub cursor: Option<String>,
}

impl SearchQuery {
    /// Number of terms. Without terms, nothing is found.
    #[must_use]
    pub fn terms(&self) -> usize {
        terms::parse(&self.text).len()
    }

    /// Whether a field is searched.
    pub(in crate::index) fn includes(&self, field: SearchField) -> bool {
        self.fields.is_empty() || self.fields.contains(&field)
    }
}

/// A match within an application or a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Field.
    pub field: MatchField,
    /// Excerpt of the text.
    pub excerpt: Vec<Segment>,
    /// Key of the configuration entry.
    pub key: Option<String>,
}

/// A found application or job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundItem {
    /// Application or job.
    pub kind: ListKind,
    /// The item as in lists.
    pub item: Item,
    /// The matches.
    pub matches: Vec<Match>,
}

/// A page of found items, newest end first. An application is left out if its only job is found too: both would be the same hit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The items. A page may have fewer items than requested, or no items, and still have a `next` page.
    pub items: Vec<FoundItem>,
    /// Cursor of the next page; `None`: this is the last page.
    pub next: Option<String>,
    /// Whether the page is full or the last one: the search did not end early.
    pub exact: bool,
    /// The number of items of all pages, counted with the first page.
    pub total: Total,
    /// Number of units whose archives are still to be read.
    pub queued: u64,
}
