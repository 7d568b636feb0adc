//! `/api/v1/applications` and `/api/v1/jobs`, and the history of a name.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{self, ApplicationFilterParameters, ApplicationSortParameter, JobFilterParameters, JobSortParameter};
use crate::api::v1::items::{ApplicationItem, JobItem};
use crate::api::v1::page::{Page, PageParameters};
use crate::api::v1::runs::{ApplicationRun, JobRun};
use crate::index::query::{Filter, ListKind, ListPage, ListQuery, NameMatch, RunFigures, Sort, SortKey};

/// Rows of a page: when none are asked for, of a history then, and at most.
const USUAL: usize = 100;
const USUAL_OF_HISTORY: usize = 200;
const MOST: usize = 1_000;

/// A page of applications.
type ApplicationPage = Page<ApplicationItem>;

/// A page of jobs.
type JobPage = Page<JobItem>;

/// A page of runs of applications.
type ApplicationRunPage = Page<ApplicationRun>;

/// A page of runs of jobs.
type JobRunPage = Page<JobRun>;

/// Applications, filtered, sorted and paged
///
/// All copies are listed; `shown` marks the one that Flink's paths show.
#[utoipa::path(
    get, path = "/api/v1/applications", tag = "lists", params(ApplicationFilterParameters, ApplicationSortParameter, PageParameters),
    responses((status = 200, body = ApplicationPage))
)]
pub(in crate::api) async fn applications(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let page = page(&shared, ListKind::Applications, request.uri()).await?;
    let items = page.items.into_iter().map(Into::into).collect();
    response::json_now(StatusCode::OK, &ApplicationPage { items, next: page.next, total: page.total })
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
    let items = page.items.into_iter().map(Into::into).collect();
    response::json_now(StatusCode::OK, &JobPage { items, next: page.next, total: page.total })
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
    response::json_now(StatusCode::OK, &ApplicationRunPage { items, next: page.next, total: page.total })
}

/// Runs of the jobs of one name, newest first, with figures
#[utoipa::path(
    get, path = "/api/v1/jobs/history", tag = "lists", params(HistoryParameters), responses((status = 200, body = JobRunPage))
)]
pub(in crate::api) async fn job_history(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let (page, figures) = history(&shared, ListKind::Jobs, request.uri()).await?;
    let items = page.items.into_iter().zip(figures).map(Into::into).collect();
    response::json_now(StatusCode::OK, &JobRunPage { items, next: page.next, total: page.total })
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
