//! Search: what is looked for, what is found, and where.

pub(in crate::index) mod excerpt;
pub(in crate::index) mod terms;
pub(in crate::index) mod words;

pub use excerpt::Segment;
pub use terms::MAX_TERMS;

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Filter, Item, ListKind};

/// Where is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SearchField {
    /// Names of applications and jobs.
    Name,
    /// Beginnings of their ids.
    Id,
    /// Names of vertices.
    Vertex,
    /// Classes, messages, labels and stack traces.
    Exception,
    /// Keys and values of configurations.
    Configuration,
}

/// Where exactly something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MatchField {
    /// Its name.
    Name,
    /// Its id.
    Id,
    /// The name of a vertex.
    Vertex,
    /// The class of an exception.
    ExceptionClass,
    /// The message of an exception, or of one that caused it.
    ExceptionMessage,
    /// A label that a failure enricher gave to an exception.
    FailureLabel,
    /// A line of a stack trace.
    StackTrace,
    /// The configuration of the job.
    Configuration,
    /// The configuration of its cluster.
    ClusterConfiguration,
}

/// What is searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchQuery {
    /// As typed. All its terms must be found in one application or job, each anywhere.
    pub text: String,
    /// Where; empty: everywhere.
    pub fields: Vec<SearchField>,
    /// Which applications and jobs; only its states, clusters and directories count.
    pub filter: Filter,
    /// At most so many.
    pub limit: usize,
    /// Where the page begins: `next` of the page before.
    pub cursor: Option<String>,
}

impl SearchQuery {
    /// How many terms were typed. With none nothing is found.
    #[must_use]
    pub fn terms(&self) -> usize {
        terms::parse(&self.text).len()
    }

    pub(in crate::index) fn looks_in(&self, field: SearchField) -> bool {
        self.fields.is_empty() || self.fields.contains(&field)
    }
}

/// Something in an application or a job that was searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Where it is.
    pub field: MatchField,
    /// What stands there.
    pub excerpt: Vec<Segment>,
    /// Key of the entry of a configuration.
    pub key: Option<String>,
}

/// An application or a job that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundItem {
    /// Which of both.
    pub kind: ListKind,
    /// As in lists.
    pub item: Item,
    /// Why.
    pub matches: Vec<Match>,
}

/// A page of what was found, newest end first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// What was found: fewer than asked for, even none, where many had to be looked at; `next` then leads on.
    pub items: Vec<FoundItem>,
    /// Cursor of the next page; `None`: there is none.
    pub next: Option<String>,
    /// The page is full or the last: looking did not end early.
    pub exact: bool,
}
