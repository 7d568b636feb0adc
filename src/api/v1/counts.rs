//! Facets of lists and statistics over time.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;

use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::filters::{self, ApplicationFilterParameters, JobFilterParameters};
use crate::api::v1::words::words;
use crate::clock::Millis;
use crate::index::query::calendar::{Bucket, edges};
use crate::index::query::{FacetKey, FacetQuery, Facets, ListKind, Statistics, StatisticsQuery};

const FACETS: &[(&str, FacetKey)] = &[
    ("status", FacetKey::Status),
    ("cluster", FacetKey::Cluster),
    ("directory", FacetKey::Directory),
    ("day", FacetKey::Day),
    ("job_type", FacetKey::JobType),
];

words!(
    /// What rows are counted by.
    Facet,
    FACETS.iter().map(|(word, _)| *word)
);

const LISTS: &[(&str, ListKind)] = &[("applications", ListKind::Applications), ("jobs", ListKind::Jobs)];

words!(
    /// A list.
    List,
    LISTS.iter().map(|(word, _)| *word)
);

const BUCKETS: &[(&str, Bucket)] = &[("day", Bucket::Day), ("hour", Bucket::Hour)];

words!(
    /// What statistics are counted in.
    BucketLength,
    BUCKETS.iter().map(|(word, _)| *word)
);

/// Buckets of statistics, at most.
const MOST_BUCKETS: usize = 1_000;
const DAY: Millis = 86_400_000;

/// Parameters of facets beside the filter, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct FacetParameters {
    /// Which counts, repeated or separated by commas; usually all.
    #[param(inline)]
    by: Option<Vec<Facet>>,
    /// IANA name of the time zone that days are of; usually UTC.
    time_zone: Option<String>,
}

/// How many applications there are by state, cluster, directory, day and job type
#[utoipa::path(
    get, path = "/api/v1/applications/facets", tag = "lists", params(ApplicationFilterParameters, FacetParameters),
    responses((status = 200, body = Facets))
)]
pub(in crate::api) async fn application_facets(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    facets(&shared, ListKind::Applications, request.uri()).await
}

/// How many jobs there are by state, cluster, directory, day and job type
#[utoipa::path(
    get, path = "/api/v1/jobs/facets", tag = "lists", params(JobFilterParameters, FacetParameters),
    responses((status = 200, body = Facets))
)]
pub(in crate::api) async fn job_facets(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    facets(&shared, ListKind::Jobs, request.uri()).await
}

async fn facets(shared: &Shared, kind: ListKind, uri: &Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(uri, &filters::names(kind, &["by", "time_zone"]))?;
    let mut by = parameters.choices("by", FACETS)?;
    if by.is_empty() {
        by = FACETS.iter().map(|(_, facet)| *facet).collect();
    }
    let query = FacetQuery { kind, filter: filters::filter(kind, &parameters)?, by, zone: parameters.zone("time_zone")? };
    response::json_now(StatusCode::OK, &shared.scoped().facets(query).await?)
}

/// Parameters of statistics, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct StatisticsParameters {
    /// Of what; usually jobs.
    #[param(inline)]
    kind: Option<List>,
    /// Ended at this time or later: milliseconds since 1970 or ISO 8601; usually 30 days (of hours: 2 days) before `to`.
    from: Option<String>,
    /// Ended before this time; usually now.
    to: Option<String>,
    /// Usually `day`.
    #[param(inline)]
    bucket: Option<BucketLength>,
    /// IANA name of the time zone that days and hours are of; usually UTC.
    time_zone: Option<String>,
    /// Of applications: least number of jobs that failed.
    #[param(minimum = 0)]
    min_failed_jobs: Option<i64>,
    /// Of applications: greatest number of jobs that failed.
    #[param(minimum = 0)]
    max_failed_jobs: Option<i64>,
}

/// How many ended per day or hour, how, how long they took, and what fails most
///
/// Whole days and hours are counted: the first one holds `from`, the last one the moment before `to`.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "lists", params(StatisticsParameters, JobFilterParameters),
    responses((status = 200, body = Statistics))
)]
pub(in crate::api) async fn statistics(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let query = statistics_query(request.uri(), shared.clock.now())?;
    response::json_now(StatusCode::OK, &shared.scoped().statistics(query).await?)
}

fn statistics_query(uri: &Uri, now: Millis) -> Result<StatisticsQuery, ApiError> {
    let own = ["kind", "from", "to", "bucket", "time_zone"];
    // Which filters there are depends on the list.
    let all: Vec<&str> = filters::names(ListKind::Applications, &own).into_iter().chain(filters::names(ListKind::Jobs, &[])).collect();
    let kind = Parameters::of(uri, &all)?.choice("kind", LISTS)?;
    let kind = kind.unwrap_or(ListKind::Jobs);
    let parameters = Parameters::of(uri, &filters::names(kind, &own))?;
    let bucket = parameters.choice("bucket", BUCKETS)?.unwrap_or(Bucket::Day);
    let usual = match bucket {
        Bucket::Day => 30 * DAY,
        Bucket::Hour => 2 * DAY,
    };
    let filter = filters::filter(kind, &parameters)?;
    if !filter.end.is_open() {
        return Err(ApiError::bad_request("`end_from` and `end_to` are `from` and `to` here."));
    }
    let to = parameters.time("to")?.unwrap_or(now);
    let from = parameters.time("from")?.unwrap_or(to.saturating_sub(usual));
    if from >= to {
        return Err(invalid("from", "a time before `to`"));
    }
    let edges = edges(parameters.zone("time_zone")?, bucket, from, to, MOST_BUCKETS)
        .ok_or_else(|| invalid("from", &format!("a time at most {MOST_BUCKETS} days (hours) before `to`")))?;
    Ok(StatisticsQuery { kind, filter, edges })
}
