//! `/api/v1/applications` and `/api/v1/jobs`, and the history of a name.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{ApplicationFilterParameters, FilterParameters, JobFilterParameters};
use crate::api::v1::items::{ApplicationItem, JobItem};
use crate::api::v1::page::{self, ItemPage, PageParameters, RunFactsParameters};
use crate::api::v1::runs::{ApplicationRun, JobRun};
use crate::api::v1::sort::{ApplicationSortParameters, JobSortParameters, NEWEST_FIRST};
use crate::index::query::{Filter, ListKind, ListPage, ListQuery, NameMatch, RunFigures, Sort};

/// Rows of a page of a history by default.
const DEFAULT_RUNS: usize = 200;

/// A page of applications.
type ApplicationPage = ItemPage<ApplicationItem>;

/// A page of jobs.
type JobPage = ItemPage<JobItem>;

/// A page of runs of applications.
type ApplicationRunPage = ItemPage<ApplicationRun>;

/// A page of runs of jobs.
type JobRunPage = ItemPage<JobRun>;

/// List applications
///
/// Filtered, sorted and in pages. The list contains all copies of an application; `shown` marks the copy that Flink's paths show.
#[utoipa::path(
    get, path = "/api/v1/applications", tag = "lists", params(FilterParameters, ApplicationFilterParameters, ApplicationSortParameters, RunFactsParameters, PageParameters),
    responses((status = 200, body = ApplicationPage))
)]
pub(super) async fn applications(
    Client(shared): Client,
    Query((filter, own, sort, facts, page)): Query<(
        FilterParameters,
        ApplicationFilterParameters,
        ApplicationSortParameters,
        RunFactsParameters,
        PageParameters,
    )>,
) -> Result<Response, ApiError> {
    let found = list(&shared, ListKind::Applications, own.narrow(filter), sort.into(), facts.run_facts, page).await?;
    response::json_now(StatusCode::OK, &ApplicationPage::of(found.items, found.next, found.total, found.queued))
}

/// List jobs
///
/// Filtered, sorted and in pages. The list contains all copies of a job; `shown` marks the copy that Flink's paths show.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "lists", params(FilterParameters, JobFilterParameters, JobSortParameters, RunFactsParameters, PageParameters),
    responses((status = 200, body = JobPage))
)]
pub(super) async fn jobs(
    Client(shared): Client,
    Query((filter, own, sort, facts, page)): Query<(
        FilterParameters,
        JobFilterParameters,
        JobSortParameters,
        RunFactsParameters,
        PageParameters,
    )>,
) -> Result<Response, ApiError> {
    let found = list(&shared, ListKind::Jobs, own.narrow(filter), sort.into(), facts.run_facts, page).await?;
    response::json_now(StatusCode::OK, &JobPage::of(found.items, found.next, found.total, found.queued))
}

async fn list(
    shared: &Shared,
    kind: ListKind,
    filter: Filter,
    sort: Sort,
    run_facts: bool,
    page: PageParameters,
) -> Result<ListPage, ApiError> {
    let query = ListQuery { kind, filter, sort, limit: page.limit(), cursor: page.cursor };
    let reader = shared.scoped();
    Ok(if run_facts { reader.page_with_run_facts(query).await? } else { reader.page(query).await? })
}

/// The name and the page of a history.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryParameters {
    /// The name, compared without regard to case.
    #[param(min_length = 1)]
    name: String,
    /// Clusters, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    cluster: Vec<String>,
    /// URLs of archive directories, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    directory: Vec<String>,
    /// Maximum number of rows of a page; default 200.
    #[serde(default, deserialize_with = "read::number::<_, 1, 1000>")]
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<i64>,
    /// `next` of the page before, with the same name, clusters and directories.
    cursor: Option<String>,
}

impl Parameters for HistoryParameters {}

/// List the runs of an application by name
///
/// All applications with this name, newest end first, with their figures.
#[utoipa::path(
    get, path = "/api/v1/applications/history", tag = "lists", params(HistoryParameters),
    responses((status = 200, body = ApplicationRunPage))
)]
pub(super) async fn application_history(Client(shared): Client, Query(parameters): Query<HistoryParameters>) -> Result<Response, ApiError> {
    let (page, figures) = history(&shared, ListKind::Applications, parameters).await?;
    let runs = page.items.into_iter().zip(figures);
    response::json_now(StatusCode::OK, &ApplicationRunPage::of(runs, page.next, page.total, page.queued))
}

/// List the runs of a job by name
///
/// All jobs with this name, newest end first, with their figures.
#[utoipa::path(
    get, path = "/api/v1/jobs/history", tag = "lists", params(HistoryParameters), responses((status = 200, body = JobRunPage))
)]
pub(super) async fn job_history(Client(shared): Client, Query(parameters): Query<HistoryParameters>) -> Result<Response, ApiError> {
    let (page, figures) = history(&shared, ListKind::Jobs, parameters).await?;
    let runs = page.items.into_iter().zip(figures);
    response::json_now(StatusCode::OK, &JobRunPage::of(runs, page.next, page.total, page.queued))
}

async fn history(shared: &Shared, kind: ListKind, parameters: HistoryParameters) -> Result<(ListPage, Vec<RunFigures>), ApiError> {
    let HistoryParameters { name, cluster, directory, limit, cursor } = parameters;
    let filter = Filter { name: Some((name, NameMatch::Exact)), cluster, directory, ..Filter::default() };
    let limit = page::rows(limit, DEFAULT_RUNS);
    Ok(shared.scoped().runs(ListQuery { kind, filter, sort: NEWEST_FIRST, limit, cursor }).await?)
}
