//! `/api/v1/jobs/compare`: two jobs side by side.

mod configuration;
mod vertices;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use self::configuration::ConfigurationDifference;
use self::vertices::VertexDifference;
use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::facts::JobFacts;
use crate::api::v1::items::JobItem;
use crate::api::v1::page;
use crate::ids::JobId;
use crate::index::query::{Copies, ListKind};

/// Two jobs side by side.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobComparison {
    left: JobItem,
    right: JobItem,
    left_facts: Option<JobFacts>,
    right_facts: Option<JobFacts>,
    /// Keys whose values differ, or that only one has, sorted: of the jobs' own configuration and of their clusters'. Null: the
    /// documents of one of them are no longer anywhere.
    configuration: Option<Vec<ConfigurationDifference>>,
    /// Keys whose values are equal.
    configuration_equal: Option<u64>,
    /// In the order of the left job, then those that only the right one has.
    vertices: Vec<VertexDifference>,
}

/// Parameters of a comparison, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct CompareParameters {
    /// Id of a job.
    #[param(pattern = "^[0-9a-fA-F]{32}$")]
    left: String,
    /// Id of the job that it is compared with.
    #[param(pattern = "^[0-9a-fA-F]{32}$")]
    right: String,
    /// The copy of this cluster; `/`: a legacy job archive, which is of no cluster.
    left_cluster: Option<String>,
    /// The copy in the archive directory with this URL.
    left_directory: Option<String>,
    /// The copy of this cluster; `/`: a legacy job archive, which is of no cluster.
    right_cluster: Option<String>,
    /// The copy in the archive directory with this URL.
    right_directory: Option<String>,
}

/// Two jobs side by side: configuration, plan, durations and io
#[utoipa::path(
    get, path = "/api/v1/jobs/compare", tag = "lists", params(CompareParameters), responses((status = 200, body = JobComparison))
)]
pub(in crate::api) async fn compare(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let names = ["left", "right", "left_cluster", "left_directory", "right_cluster", "right_directory"];
    let parameters = Parameters::of(request.uri(), &names)?;
    let (left_id, left) = side(&shared, &parameters, "left", "left_cluster", "left_directory").await?;
    let (right_id, right) = side(&shared, &parameters, "right", "right_cluster", "right_directory").await?;
    let left_configuration = configuration::of(&shared, left_id, &left.item).await?;
    let right_configuration = configuration::of(&shared, right_id, &right.item).await?;
    let (configuration, equal) = match (left_configuration, right_configuration) {
        (Some(left), Some(right)) => {
            let (differences, equal) = configuration::differences(&left, &right);
            (Some(differences), Some(equal))
        }
        _ => (None, None),
    };
    let left_facts = left.facts.map(|facts| JobFacts::of(facts, &left.item));
    let right_facts = right.facts.map(|facts| JobFacts::of(facts, &right.item));
    let vertices_of = |facts: &Option<JobFacts>| facts.as_ref().map_or(Vec::new(), |facts| facts.vertices.clone());
    let comparison = JobComparison {
        vertices: vertices::differences(vertices_of(&left_facts), vertices_of(&right_facts)),
        left: left.item.into(),
        right: right.item.into(),
        left_facts,
        right_facts,
        configuration,
        configuration_equal: equal,
    };
    response::json_now(StatusCode::OK, &comparison)
}

/// One of the two.
async fn side(shared: &Shared, parameters: &Parameters, name: &str, cluster: &str, directory: &str) -> Result<(JobId, Copies), ApiError> {
    let id = parameters.text(name)?.and_then(|id| id.parse().ok());
    let id: JobId = id.ok_or_else(|| invalid(name, "the id of a job: 32 hexadecimal digits, and must be given"))?;
    let copy = page::copy_named(parameters, directory, cluster)?;
    let found = shared.scoped().copies(ListKind::Jobs, *id.as_bytes(), copy).await?;
    let missing = || ApiError::not_found(format!("There is no job as `{name}` names it, or no such copy of it, or it was not archived."));
    Ok((id, found.ok_or_else(missing)?))
}
