//! `/api/v1/jobs/compare`: two jobs side by side.

mod configuration;
mod vertices;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::configuration::ConfigurationDifference;
use self::vertices::VertexDifference;
use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::facts::JobFacts;
use crate::api::v1::items::JobItem;
use crate::api::v1::page::cluster_name;
use crate::ids::JobId;
use crate::index::CopySelector;
use crate::index::query::{Copies, ListKind};

/// Two jobs side by side.
#[derive(Serialize, ToSchema)]
pub(super) struct JobComparison {
    left: JobItem,
    right: JobItem,
    left_facts: Option<JobFacts>,
    right_facts: Option<JobFacts>,
    /// The configuration keys with different values and those that one side lacks, sorted: of the jobs and of their clusters. Null: the
    /// documents of one of the jobs are lost, or the client may not see one of the configurations.
    configuration: Option<Vec<ConfigurationDifference>>,
    /// Number of configuration keys with equal values.
    configuration_equal: Option<u64>,
    /// In the order of the left job, then the vertices that only the right job has.
    vertices: Vec<VertexDifference>,
}

/// The two jobs of a comparison.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct CompareParameters {
    /// Id of a job.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    left: JobId,
    /// Id of the other job.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    right: JobId,
    /// Cluster of the copy of the left job; `/` for a job archive outside of clusters.
    left_cluster: Option<String>,
    /// URL of the archive directory of the copy of the left job.
    left_directory: Option<String>,
    /// Cluster of the copy of the right job; `/` for a job archive outside of clusters.
    right_cluster: Option<String>,
    /// URL of the archive directory of the copy of the right job.
    right_directory: Option<String>,
}

impl Parameters for CompareParameters {}

/// Compare two jobs
///
/// Their configurations, vertices, durations and I/O.
#[utoipa::path(
    get, path = "/api/v1/jobs/compare", tag = "lists", params(CompareParameters), responses((status = 200, body = JobComparison))
)]
pub(super) async fn compare(Client(shared): Client, Query(parameters): Query<CompareParameters>) -> Result<Response, ApiError> {
    let CompareParameters { left: left_id, right: right_id, .. } = parameters;
    let left_copy = CopySelector { directory: parameters.left_directory, cluster: parameters.left_cluster.map(cluster_name) };
    let right_copy = CopySelector { directory: parameters.right_directory, cluster: parameters.right_cluster.map(cluster_name) };
    let left = find(&shared, "left", left_id, left_copy).await?;
    let right = find(&shared, "right", right_id, right_copy).await?;
    let left_configuration = configuration::of(&shared, left_id, &left.item).await?;
    let right_configuration = configuration::of(&shared, right_id, &right.item).await?;
    let sensitive = shared.options.rights.sensitive();
    let (configuration, configuration_equal) =
        left_configuration.zip(right_configuration).map(|(left, right)| configuration::differences(&left, &right, &sensitive)).unzip();
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
        configuration_equal,
    };
    response::json_now(StatusCode::OK, &comparison)
}

/// Finds the job that the parameter `name` gives.
async fn find(shared: &Shared, name: &str, id: JobId, copy: CopySelector) -> Result<Copies, ApiError> {
    let found = shared.scoped().copies(ListKind::Jobs, *id.as_bytes(), copy).await?;
    let missing = || {
        ApiError::not_found(format!(
            "There is no such job: check `{name}`, `{name}_cluster` and `{name}_directory`. A job that was not archived is not available."
        ))
    };
    found.ok_or_else(missing)
}
