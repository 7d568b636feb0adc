//! `/api/v1/search`: full-text search in names, ids, vertices, exceptions and configurations.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::v1::filters::{self, Status};
use crate::api::v1::page;
use crate::archive::MASK;
use crate::clock::Timestamp;
use crate::index::query::{
    Bounds, Filter, FoundItem, Item, ListKind, MAX_TERMS, Match, MatchField, SearchField, SearchPage, SearchQuery, Segment, Total,
};

/// Items of a page by default.
const DEFAULT_ITEMS: usize = 20;

/// A kind of searched text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MatchedField {
    Name,
    Id,
    Vertex,
    ExceptionClass,
    ExceptionMessage,
    FailureLabel,
    StackTrace,
    Configuration,
}

/// A match of the search.
#[derive(Serialize, ToSchema)]
struct SearchMatch {
    field: MatchedField,
    /// The text around the match, in pieces. Of a label or a configuration, this is the entry `key: value`.
    excerpt: Vec<Segment>,
    /// Key of the failure label or of the configuration entry.
    key: Option<String>,
}

/// The kind of a found item.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum FoundKind {
    Application,
    Job,
}

/// A found application or job.
#[derive(Serialize, ToSchema)]
struct SearchItem {
    kind: FoundKind,
    id: String,
    /// Application of the job. Null: the job belongs to no application, or the item is an application.
    application: Option<String>,
    /// Cluster that ran it. Null: the job belongs to no application.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    /// Whether Flink's paths show this copy.
    shown: bool,
    /// The matches in its texts.
    matches: Vec<SearchMatch>,
    /// Route of the UI to the page with the first match. The UI shows the copy that `shown` marks.
    href: String,
    /// URL of this copy in `/api/v1`.
    copy: String,
}

/// A page of found items, newest end first. An application is left out if its only job is found too: both would be the same hit. A page may hold fewer items than requested, even none, and still have a next page: follow `next`
/// until it is null.
#[derive(Serialize, ToSchema)]
pub(super) struct SearchResults {
    items: Vec<SearchItem>,
    /// `cursor` of the next page; null: this is the last page.
    next: Option<String>,
    /// Whether the page is full or the last one. Otherwise the search stopped early to bound its time; continue with `next`.
    exact: bool,
    /// Number of items of all pages. Rows beyond the first page are counted up to 1,000; where not all were counted, `exact` is false, and
    /// there are more.
    total: Total,
    /// Number of applications and legacy job archives that are still to be read: their texts are not searched yet. 0: nothing is missing.
    queued: u64,
}

/// The search text, its filter and the page.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParameters {
    /// Search terms separated by spaces. An item matches if it contains all terms, each anywhere. A term matches any part of a name; of
    /// other texts it matches the beginning of a word, or of a part of a word in camel case. Case does not matter. A phrase in quotation
    /// marks matches whole words next to each other.
    #[serde(default)]
    #[param(required = true)]
    q: String,
    /// Kinds of text to search, repeated or separated by commas; default all.
    #[serde(rename = "in", default)]
    #[param(inline)]
    fields: Vec<SearchField>,
    /// States, repeated or separated by commas.
    #[serde(default)]
    #[param(inline)]
    status: Vec<Status>,
    /// Clusters, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    cluster: Vec<String>,
    /// Earliest end: milliseconds since 1970 or ISO 8601.
    #[serde(default, deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    end_from: Option<Timestamp>,
    /// Latest end, exclusive.
    #[serde(default, deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    end_to: Option<Timestamp>,
    /// URLs of archive directories, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    directory: Vec<String>,
    /// Maximum number of items of a page; default 20.
    #[serde(default, deserialize_with = "read::number::<_, 1, 100>")]
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `next` of the page before, with the same search text and filter.
    cursor: Option<String>,
}

impl Parameters for SearchParameters {}

/// Search applications and jobs
///
/// By name, beginning of the id, vertices, exceptions and configuration.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "lists", params(SearchParameters), responses((status = 200, body = SearchResults))
)]
pub(super) async fn search(Client(shared): Client, Query(parameters): Query<SearchParameters>) -> Result<Response, ApiError> {
    let mut page = shared.scoped().search(query(parameters)?).await?;
    let sensitive = shared.options.rights.sensitive();
    for found in page.items.iter_mut().flat_map(|found| &mut found.matches) {
        if let Some(key) = found.key.as_ref().filter(|key| sensitive.has(key)) {
            found.excerpt = vec![Segment { text: format!("{key}: {MASK}"), hit: false }];
        }
    }
    response::json_now(StatusCode::OK, &SearchResults::from(page))
}

fn query(parameters: SearchParameters) -> Result<SearchQuery, ApiError> {
    let SearchParameters { q: text, fields, status, cluster, end_from, end_to, directory, limit, cursor } = parameters;
    let end = Bounds::of_times(end_from, end_to);
    let filter = Filter { status: filters::words(status), cluster, directory, end, ..Filter::default() };
    let query = SearchQuery { text, fields, filter, limit: page::rows(limit, DEFAULT_ITEMS), cursor };
    match query.terms() {
        0 => Err(ApiError::bad_request("`q` is missing: it takes the terms to search for.")),
        1..=MAX_TERMS => Ok(query),
        _ => Err(ApiError::bad_request(format!("`q` must have at most {MAX_TERMS} terms separated by spaces."))),
    }
}

impl From<SearchPage> for SearchResults {
    fn from(page: SearchPage) -> Self {
        let SearchPage { items, next, exact, total, queued } = page;
        Self { items: items.into_iter().map(Into::into).collect(), next, exact, total, queued }
    }
}

impl From<FoundItem> for SearchItem {
    fn from(found: FoundItem) -> Self {
        let FoundItem { kind, item, matches } = found;
        let href = href(kind, &item.id, matches.first().map(|first| first.field));
        let copy = copy(kind, &item);
        Self {
            kind: match kind {
                ListKind::Applications => FoundKind::Application,
                ListKind::Jobs => FoundKind::Job,
            },
            id: item.id,
            application: item.application,
            cluster: item.cluster,
            directory: item.directory,
            name: item.name,
            status: item.status,
            start: item.start,
            end: item.end,
            shown: item.shown,
            matches: matches.into_iter().map(Into::into).collect(),
            href,
            copy,
        }
    }
}

impl From<Match> for SearchMatch {
    fn from(found: Match) -> Self {
        let field = match found.field {
            MatchField::Name => MatchedField::Name,
            MatchField::Id => MatchedField::Id,
            MatchField::Vertex => MatchedField::Vertex,
            MatchField::ExceptionClass => MatchedField::ExceptionClass,
            MatchField::ExceptionMessage => MatchedField::ExceptionMessage,
            MatchField::FailureLabel => MatchedField::FailureLabel,
            MatchField::StackTrace => MatchedField::StackTrace,
            MatchField::Configuration | MatchField::ClusterConfiguration => MatchedField::Configuration,
        };
        Self { field, excerpt: found.excerpt, key: found.key }
    }
}

/// The URL of a copy.
fn copy(kind: ListKind, item: &Item) -> String {
    let list: &'static str = kind.into();
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    page::append_copy(&mut query, &item.directory, item.cluster.as_deref());
    format!("/api/v1/{list}/{}?{}", item.id, query.finish())
}

/// The route of the UI that shows a match. Ids are hexadecimal, so nothing needs to be escaped.
fn href(kind: ListKind, id: &str, field: Option<MatchField>) -> String {
    let tab = match (field, kind) {
        (Some(MatchField::ExceptionClass | MatchField::ExceptionMessage | MatchField::FailureLabel | MatchField::StackTrace), _) => {
            "exceptions"
        }
        (Some(MatchField::ClusterConfiguration), ListKind::Jobs) => "cluster_configuration",
        (Some(MatchField::Configuration | MatchField::ClusterConfiguration), _) => "configuration",
        _ => "overview",
    };
    let page = match kind {
        ListKind::Applications => "application",
        ListKind::Jobs => "job",
    };
    format!("#/{page}/completed/{id}/{tab}")
}
