//! `/api/v1/problems`: all problems, in pages.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::v1::page::{Page, PageParameters};
use crate::ids::ApplicationId;
use crate::index::ProblemFilter;
use crate::problem::{Problem, ProblemCode};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct ProblemParameters {
    /// With one of these codes: repeated, or separated by commas.
    #[serde(default)]
    #[param(explode = false)]
    code: Vec<ProblemCode>,
    /// Of one of these archive directories.
    #[serde(default, deserialize_with = "read::names")]
    directory: Vec<String>,
    /// Of one of these clusters.
    #[serde(default, deserialize_with = "read::names")]
    cluster: Vec<String>,
    /// Of this application.
    #[param(value_type = Option<String>, pattern = "^[0-9a-fA-F]{32}$")]
    application: Option<ApplicationId>,
}

impl Parameters for ProblemParameters {}

/// A page of problems, oldest first.
type ProblemPage = Page<Problem>;

/// Problems
///
/// The recorded problems, oldest first, each kept until it is resolved.
#[utoipa::path(get, path = "/api/v1/problems", tag = "server", params(ProblemParameters, PageParameters), responses((status = 200, body = ProblemPage)))]
pub(in crate::api) async fn problems(
    Client(shared): Client,
    Query((wanted, page)): Query<(ProblemParameters, PageParameters)>,
) -> Result<Response, ApiError> {
    let filter =
        ProblemFilter { codes: wanted.code, directories: wanted.directory, clusters: wanted.cluster, application: wanted.application };
    let (limit, cursor) = (page.limit(), page.cursor);
    // Problems that could not be recorded are on the first page.
    let unstored: Vec<Problem> = shared
        .refresh
        .borrow()
        .unstored()
        .filter(|problem| filter.takes(problem) && shared.scope().admits_problem(problem))
        .cloned()
        .collect();
    let ahead = if cursor.is_none() { unstored.len().min(limit - 1) } else { 0 };
    let (page, mut total) = shared.scoped().problem_page(filter, cursor, limit - ahead).await?;
    total.count += unstored.len() as u64;
    let items = unstored.into_iter().take(ahead).chain(page.rows).collect();
    response::json_now(StatusCode::OK, &ProblemPage { items, next: page.next, total })
}
