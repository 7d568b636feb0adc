//! `/api/v1/search`: one text, looked for in names, ids, vertices, exceptions and configurations.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{STATES, State as Status};
use crate::api::v1::page;
use crate::api::v1::words::words;
use crate::clock::Millis;
use crate::index::query::{Filter, FoundItem, Item, ListKind, MAX_TERMS, Match, MatchField, SearchField, SearchPage, SearchQuery, Segment};

/// Items of a page: when none are asked for, and at most.
const USUAL: usize = 20;
const MOST: usize = 100;

const FIELDS: &[(&str, SearchField)] = &[
    ("name", SearchField::Name),
    ("id", SearchField::Id),
    ("vertex", SearchField::Vertex),
    ("exception", SearchField::Exception),
    ("configuration", SearchField::Configuration),
];

words!(
    /// Where is searched.
    Field,
    FIELDS.iter().map(|(word, _)| *word)
);

/// A kind of text.
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

/// Where something was found.
#[derive(Serialize, ToSchema)]
struct SearchMatch {
    field: MatchedField,
    /// The text around it, in pieces; of a label or a configuration the entry, `key: value`.
    excerpt: Vec<Segment>,
    /// Key of the label of a failure, or of the entry of a configuration.
    key: Option<String>,
}

/// What was found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum FoundKind {
    Application,
    Job,
}

/// An application or a job that was found.
#[derive(Serialize, ToSchema)]
struct SearchItem {
    kind: FoundKind,
    id: String,
    /// Application of a job; null: a legacy job archive, or an application itself.
    application: Option<String>,
    /// Cluster that ran it; null: a legacy job archive.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Millis>,
    end: Option<Millis>,
    /// This copy is the one that Flink's paths show.
    shown: bool,
    /// Why it was found.
    matches: Vec<SearchMatch>,
    /// The page that shows the first match, as a route of the UI; its pages are of the copy that `shown` marks.
    href: String,
    /// Where this copy is answered, which need not be that one.
    copy: String,
}

/// What was found, newest end first. It may hold fewer than asked for, even none, and still lead on: follow `next` until it is null.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct SearchResults {
    items: Vec<SearchItem>,
    /// `cursor` of the next page; null: this is the last.
    next: Option<String>,
    /// Whether the page is full or the last; otherwise looking ended early, and `next` leads on.
    exact: bool,
}

/// Parameters of a search, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct SearchParameters {
    /// What is looked for: terms separated by blanks, all of which must be found, each anywhere. Of a name any part is found, of other
    /// texts the beginning of a word or of a hump of camel case, without case. Between quotation marks: whole words, side by side.
    q: String,
    /// Where, repeated or separated by commas; usually everywhere.
    #[param(rename = "in", inline)]
    fields: Option<Vec<Field>>,
    /// States, repeated or separated by commas.
    #[param(inline)]
    status: Option<Vec<Status>>,
    /// Clusters, repeated or separated by commas.
    cluster: Option<Vec<String>>,
    /// URLs of archive directories, repeated or separated by commas.
    directory: Option<Vec<String>>,
    /// Items of a page, at most.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Applications and jobs by name, beginning of an id, vertex, exception and configuration
#[utoipa::path(
    get, path = "/api/v1/search", tag = "lists", params(SearchParameters), responses((status = 200, body = SearchResults))
)]
pub(in crate::api) async fn search(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let page = shared.scoped().search(query(request.uri())?).await?;
    response::json_now(StatusCode::OK, &SearchResults::from(page))
}

fn query(uri: &Uri) -> Result<SearchQuery, ApiError> {
    let parameters = Parameters::of(uri, &["q", "in", "status", "cluster", "directory", "limit", "cursor"])?;
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let query = SearchQuery {
        text: parameters.text("q")?.unwrap_or_default().to_owned(),
        fields: parameters.choices("in", FIELDS)?,
        filter: Filter {
            status: parameters.words("status", STATES)?,
            cluster: owned(parameters.names("cluster")?),
            directory: owned(parameters.names("directory")?),
            ..Filter::default()
        },
        limit: parameters.limit(USUAL, MOST)?,
        cursor: parameters.text("cursor")?.map(str::to_owned),
    };
    match query.terms() {
        0 => Err(invalid("q", "needed: what is looked for")),
        1..=MAX_TERMS => Ok(query),
        _ => Err(invalid("q", &format!("a text of at most {MAX_TERMS} terms separated by blanks"))),
    }
}

impl From<SearchPage> for SearchResults {
    fn from(page: SearchPage) -> Self {
        Self { items: page.items.into_iter().map(Into::into).collect(), next: page.next, exact: page.exact }
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

/// Where one copy is answered.
fn copy(kind: ListKind, item: &Item) -> String {
    let list = match kind {
        ListKind::Applications => "applications",
        ListKind::Jobs => "jobs",
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    page::name_copy(&mut query, &item.directory, item.cluster.as_deref());
    format!("/api/v1/{list}/{}?{}", item.id, query.finish())
}

/// The page of the UI that shows a match: ids are hexadecimal, so nothing needs to be escaped.
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
