//! `/api/v1/problems`: all that is wrong, in pages.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::page::{Page, PageParameters};
use crate::index::ProblemFilter;
use crate::problem::{Problem, ProblemCode};

const PARAMETERS: &[&str] = &["code", "directory", "cluster", "application", "limit", "cursor"];

#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "tells the document what the handler reads")]
struct ProblemParameters {
    /// With one of these codes: repeated, or separated by commas.
    #[param(explode = false)]
    code: Option<Vec<ProblemCode>>,
    /// Of one of these archive directories.
    directory: Option<Vec<String>>,
    /// Of one of these clusters.
    cluster: Option<Vec<String>>,
    /// Of this application.
    #[param(pattern = "^[0-9a-fA-F]{32}$")]
    application: Option<String>,
}

/// A page of problems, oldest first.
type ProblemPage = Page<Problem>;

/// What is wrong
///
/// Problems on record, oldest first, each kept until it is mended.
#[utoipa::path(get, path = "/api/v1/problems", tag = "server", params(ProblemParameters, PageParameters), responses((status = 200, body = ProblemPage)))]
pub(in crate::api) async fn problems(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let parameters = Parameters::of(request.uri(), PARAMETERS)?;
    let codes: Vec<(&str, ProblemCode)> = ProblemCode::ALL.iter().map(|code| (code.as_str(), *code)).collect();
    let names = |name| parameters.names(name).map(|values| values.into_iter().map(str::to_owned).collect());
    let application = parameters.text("application")?.map(|id| id.parse().map_err(|_| invalid("application", "an id of 32 hex digits")));
    let filter = ProblemFilter {
        codes: parameters.choices("code", &codes)?,
        directories: names("directory")?,
        clusters: names("cluster")?,
        application: application.transpose()?,
    };
    let limit = parameters.limit(100, 1_000)?;
    let cursor = parameters.text("cursor")?.map(str::to_owned);
    // What could not be put on record is told on the first page.
    let unstored: Vec<Problem> = shared.refresh.borrow().unstored().filter(|problem| filter.takes(problem)).cloned().collect();
    let ahead = if cursor.is_none() { unstored.len().min(limit - 1) } else { 0 };
    let (page, mut total) = shared.scoped().problem_page(filter, cursor, limit - ahead).await?;
    total.count += unstored.len() as u64;
    let items = unstored.into_iter().take(ahead).chain(page.rows).collect();
    response::json_now(StatusCode::OK, &ProblemPage { items, next: page.next, total })
}
