//! Facets of lists and statistics over time.

use std::collections::BTreeMap;
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
use crate::api::v1::filters::{self, ApplicationFilterParameters, JobFilterParameters};
use crate::api::v1::words::words;
use crate::clock::Millis;
use crate::index::query::calendar::{Bucket, edges};
use crate::index::query::{self, FacetKey, FacetQuery, ListKind, StatisticsQuery};

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

/// One value and how many rows have it.
#[derive(Serialize, ToSchema)]
struct FacetValue {
    value: String,
    count: u64,
}

/// Counts of a list; null where they were not asked for. Each counts under all parts of the filter but its own.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct FacetCounts {
    /// By state, most frequent first.
    status: Option<Vec<FacetValue>>,
    /// By cluster, the 1,000 most frequent.
    cluster: Option<Vec<FacetValue>>,
    /// By archive directory, most frequent first.
    directory: Option<Vec<FacetValue>>,
    /// By day of the end in the time zone, newest first, at most 400.
    day: Option<Vec<FacetValue>>,
    /// By job type; of applications: with a job of that type.
    job_type: Option<Vec<FacetValue>>,
    /// Whether every row was counted.
    exact: bool,
}

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
    responses((status = 200, body = FacetCounts))
)]
pub(in crate::api) async fn application_facets(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    facets(&shared, ListKind::Applications, request.uri()).await
}

/// How many jobs there are by state, cluster, directory, day and job type
#[utoipa::path(
    get, path = "/api/v1/jobs/facets", tag = "lists", params(JobFilterParameters, FacetParameters),
    responses((status = 200, body = FacetCounts))
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
    let found = shared.scoped().facets(query).await?;
    let values = |counts: Option<Vec<query::FacetCount>>| {
        counts.map(|counts| counts.into_iter().map(|each| FacetValue { value: each.value, count: each.count }).collect())
    };
    response::json_now(
        StatusCode::OK,
        &FacetCounts {
            status: values(found.status),
            cluster: values(found.cluster),
            directory: values(found.directory),
            day: values(found.day),
            job_type: values(found.job_type),
            exact: found.exact,
        },
    )
}

/// Durations in milliseconds.
#[derive(Serialize, ToSchema)]
struct DurationQuantiles {
    p50: i64,
    p90: i64,
    p99: i64,
    max: i64,
}

impl From<query::Quantiles> for DurationQuantiles {
    fn from(found: query::Quantiles) -> Self {
        Self { p50: found.p50, p90: found.p90, p99: found.p99, max: found.max }
    }
}

/// What ended within one day or hour.
#[derive(Serialize, ToSchema)]
struct StatisticsBucket {
    /// Where it begins, milliseconds since 1970.
    start: Millis,
    /// How many ended, by state.
    counts: BTreeMap<String, u64>,
    durations: Option<DurationQuantiles>,
}

/// A name and how often its runs failed.
#[derive(Serialize, ToSchema)]
struct FailingRuns {
    name: String,
    failed: u64,
    runs: u64,
}

/// A class of exceptions and how many failed with it.
#[derive(Serialize, ToSchema)]
struct FailureClass {
    /// Of the innermost cause: Flink wraps most failures in a few classes of its own.
    class: String,
    /// Jobs that failed with it; applications, where these are asked for.
    jobs: u64,
}

/// Statistics of what ended within a range of time.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct TimeStatistics {
    /// Days or hours, oldest first, empty ones too.
    buckets: Vec<StatisticsBucket>,
    /// Durations of all.
    durations: Option<DurationQuantiles>,
    /// The 20 names with the most failed runs.
    failing_names: Vec<FailingRuns>,
    /// The 20 classes of exceptions that most failed with.
    exceptions: Vec<FailureClass>,
    /// Whether every row was looked at.
    exact: bool,
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
    responses((status = 200, body = TimeStatistics))
)]
pub(in crate::api) async fn statistics(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let query = statistics_query(request.uri(), shared.clock.now())?;
    let found = shared.scoped().statistics(query).await?;
    let bucket =
        |each: query::StatusCounts| StatisticsBucket { start: each.start, counts: each.counts, durations: each.durations.map(Into::into) };
    let failing = |each: query::FailingName| FailingRuns { name: each.name, failed: each.failed, runs: each.runs };
    response::json_now(
        StatusCode::OK,
        &TimeStatistics {
            buckets: found.buckets.into_iter().map(bucket).collect(),
            durations: found.durations.map(Into::into),
            failing_names: found.failing_names.into_iter().map(failing).collect(),
            exceptions: found.exceptions.into_iter().map(|each| FailureClass { class: each.class, jobs: each.count }).collect(),
            exact: found.exact,
        },
    )
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
