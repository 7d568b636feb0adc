//! `/api/v1/{applications,jobs}/facets`: counts of the rows of a list.

use axum::http::StatusCode;
use axum::response::Response;
use chrono_tz::Tz;
use serde::Deserialize;
use strum::VariantArray as _;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{ApplicationFilterParameters, FilterParameters, JobFilterParameters};
use crate::index::query::{FacetKey, FacetQuery, Facets, Filter, ListKind};

/// The facets of a list.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct FacetParameters {
    /// Facets, repeated or separated by commas; default all.
    #[param(inline)]
    by: Vec<FacetKey>,
    /// IANA name of the time zone of the days; default UTC.
    #[serde(deserialize_with = "read::zone")]
    #[param(value_type = Option<String>)]
    time_zone: Option<Tz>,
}

impl Parameters for FacetParameters {}

/// Count applications
///
/// By state, cluster, archive directory, day of the end and job type.
#[utoipa::path(
    get, path = "/api/v1/applications/facets", tag = "lists", params(FilterParameters, ApplicationFilterParameters, FacetParameters),
    responses((status = 200, body = Facets))
)]
pub(super) async fn application_facets(
    Client(shared): Client,
    Query((filter, own, facets)): Query<(FilterParameters, ApplicationFilterParameters, FacetParameters)>,
) -> Result<Response, ApiError> {
    count(&shared, ListKind::Applications, own.narrow(filter), facets).await
}

/// Count jobs
///
/// By state, cluster, archive directory, day of the end and job type.
#[utoipa::path(
    get, path = "/api/v1/jobs/facets", tag = "lists", params(FilterParameters, JobFilterParameters, FacetParameters),
    responses((status = 200, body = Facets))
)]
pub(super) async fn job_facets(
    Client(shared): Client,
    Query((filter, own, facets)): Query<(FilterParameters, JobFilterParameters, FacetParameters)>,
) -> Result<Response, ApiError> {
    count(&shared, ListKind::Jobs, own.narrow(filter), facets).await
}

async fn count(shared: &Shared, kind: ListKind, filter: Filter, facets: FacetParameters) -> Result<Response, ApiError> {
    let by = if facets.by.is_empty() { FacetKey::VARIANTS.to_vec() } else { facets.by };
    let query = FacetQuery { kind, filter, by, zone: facets.time_zone.unwrap_or_default() };
    response::json_now(StatusCode::OK, &shared.scoped().facets(query).await?)
}
