//! `/api/v1/applications` and `/api/v1/jobs`, and the history of a name.

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
use crate::api::v1::filters::{self, ApplicationFilterParameters, ApplicationSortParameter, JobFilterParameters, JobSortParameter};
use crate::api::v1::items::{ApplicationItem, JobItem, ListTotal};
use crate::api::v1::page::PageParameters;
use crate::api::v1::runs::{ApplicationRun, JobRun};
use crate::index::query::{Filter, ListKind, ListPage, ListQuery, NameMatch, RunFigures, Sort, SortKey};

/// Rows of a page: when none are asked for, of a history then, and at most.
const USUAL: usize = 100;
const USUAL_OF_HISTORY: usize = 200;
const MOST: usize = 1_000;

/// A page of applications. It may hold fewer than asked for, even none, and still lead on: follow `next` until it is null.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ApplicationPage {
    items: Vec<ApplicationItem>,
    /// `cursor` of the next page; null: this is the last.
    next: Option<String>,
    total: ListTotal,
}

/// A page of jobs. It may hold fewer than asked for, even none, and still lead on: follow `next` until it is null.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobPage {
    items: Vec<JobItem>,
    /// `cursor` of the next page; null: this is the last.
    next: Option<String>,
    total: ListTotal,
}

/// A page of runs of applications. It may hold fewer than asked for, even none, and still lead on: follow `next` until it is null.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ApplicationRunPage {
    items: Vec<ApplicationRun>,
    /// `cursor` of the next page; null: this is the last.
    next: Option<String>,
    total: ListTotal,
}

/// A page of runs of jobs. It may hold fewer than asked for, even none, and still lead on: follow `next` until it is null.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobRunPage {
    items: Vec<JobRun>,
    /// `cursor` of the next page; null: this is the last.
    next: Option<String>,
    total: ListTotal,
}

impl From<ListPage> for ApplicationPage {
    fn from(page: ListPage) -> Self {
        Self { items: page.items.into_iter().map(Into::into).collect(), next: page.next, total: page.total.into() }
    }
}

impl From<ListPage> for JobPage {
    fn from(page: ListPage) -> Self {
        Self { items: page.items.into_iter().map(Into::into).collect(), next: page.next, total: page.total.into() }
    }
}

/// Applications, filtered, sorted and paged
///
/// All copies are listed; `shown` marks the one that Flink's paths show.
#[utoipa::path(
    get, path = "/api/v1/applications", tag = "lists", params(ApplicationFilterParameters, ApplicationSortParameter, PageParameters),
    responses((status = 200, body = ApplicationPage))
)]
pub(in crate::api) async fn applications(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let page = page(&shared, ListKind::Applications, request.uri()).await?;
    response::json_now(StatusCode::OK, &ApplicationPage::from(page))
}

/// Jobs, filtered, sorted and paged
///
/// All copies are listed; `shown` marks the one that Flink's paths show.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "lists", params(JobFilterParameters, JobSortParameter, PageParameters),
    responses((status = 200, body = JobPage))
)]
pub(in crate::api) async fn jobs(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let page = page(&shared, ListKind::Jobs, request.uri()).await?;
    response::json_now(StatusCode::OK, &JobPage::from(page))
}

/// Parameters of a history, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct HistoryParameters {
    /// The name, compared without case.
    #[param(min_length = 1)]
    name: String,
    /// Clusters, repeated or separated by commas.
    cluster: Option<Vec<String>>,
    /// URLs of archive directories, repeated or separated by commas.
    directory: Option<Vec<String>>,
    /// Rows of a page, at most.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// Runs of the applications of one name, newest first, with figures
#[utoipa::path(
    get, path = "/api/v1/applications/history", tag = "lists", params(HistoryParameters),
    responses((status = 200, body = ApplicationRunPage))
)]
pub(in crate::api) async fn application_history(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let (page, figures) = history(&shared, ListKind::Applications, request.uri()).await?;
    let items = page.items.into_iter().zip(figures).map(Into::into).collect();
    response::json_now(StatusCode::OK, &ApplicationRunPage { items, next: page.next, total: page.total.into() })
}

/// Runs of the jobs of one name, newest first, with figures
#[utoipa::path(
    get, path = "/api/v1/jobs/history", tag = "lists", params(HistoryParameters), responses((status = 200, body = JobRunPage))
)]
pub(in crate::api) async fn job_history(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let (page, figures) = history(&shared, ListKind::Jobs, request.uri()).await?;
    let items = page.items.into_iter().zip(figures).map(Into::into).collect();
    response::json_now(StatusCode::OK, &JobRunPage { items, next: page.next, total: page.total.into() })
}

async fn page(shared: &Shared, kind: ListKind, uri: &Uri) -> Result<ListPage, ApiError> {
    let parameters = Parameters::of(uri, &filters::names(kind, &["sort", "limit", "cursor"]))?;
    let query = ListQuery {
        kind,
        filter: filters::filter(kind, &parameters)?,
        sort: filters::sort(kind, &parameters)?,
        limit: parameters.limit(USUAL, MOST)?,
        cursor: parameters.text("cursor")?.map(str::to_owned),
    };
    Ok(shared.scoped().page(query).await?)
}

async fn history(shared: &Shared, kind: ListKind, uri: &Uri) -> Result<(ListPage, Vec<RunFigures>), ApiError> {
    let parameters = Parameters::of(uri, &["name", "cluster", "directory", "limit", "cursor"])?;
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect();
    let name = parameters.text("name")?.ok_or_else(|| invalid("name", "needed: the name whose runs are asked for"))?;
    let filter = Filter {
        name: Some((name.to_owned(), NameMatch::Exact)),
        cluster: owned(parameters.names("cluster")?),
        directory: owned(parameters.names("directory")?),
        ..Filter::default()
    };
    let query = ListQuery {
        kind,
        filter,
        sort: Sort { key: SortKey::End, descending: true },
        limit: parameters.limit(USUAL_OF_HISTORY, MOST)?,
        cursor: parameters.text("cursor")?.map(str::to_owned),
    };
    Ok(shared.scoped().runs(query).await?)
}
