//! `/api/v1/statistics`: counts, durations and failures over time.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use chrono_tz::Tz;
use serde::Deserialize;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::v1::filters::{ApplicationFilterParameters, FilterParameters, JobFilterParameters};
use crate::clock::Timestamp;
use crate::index::query::calendar::{Bucket, edges};
use crate::index::query::{Filter, ListKind, Statistics, StatisticsQuery};

/// Maximum number of buckets.
const MAX_BUCKETS: usize = 1_000;
const DAY: Duration = Duration::from_hours(24);

/// The list, the range of time and the buckets of statistics.
#[derive(Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct StatisticsParameters {
    /// The list; default `jobs`.
    #[param(inline)]
    kind: Option<ListKind>,
    /// Earliest end: milliseconds since 1970 or ISO 8601. Default 30 days before `to`, with `bucket=hour` 2 days before it.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Latest end, exclusive; default now.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// Length of a bucket; default `day`.
    #[param(inline)]
    bucket: Option<Bucket>,
    /// IANA name of the time zone of days and hours; default UTC.
    #[serde(deserialize_with = "read::zone")]
    #[param(value_type = Option<String>)]
    time_zone: Option<Tz>,
}

impl Parameters for StatisticsParameters {}

/// All parameters of statistics. The last two are filters of one list each.
type AllParameters = (StatisticsParameters, FilterParameters, ApplicationFilterParameters, JobFilterParameters);

/// Show statistics over time
///
/// How many applications or jobs ended per day or hour and in which state, how long they took, and what failed most often. Days and hours
/// are counted completely: the first bucket contains `from`, the last one the moment before `to`. The range takes the place of `end_from`
/// and `end_to`. `min_failed_jobs` and `max_failed_jobs` are filters of applications, `application` is a filter of jobs.
#[utoipa::path(
    get, path = "/api/v1/statistics", tag = "lists",
    params(StatisticsParameters, FilterParameters, ApplicationFilterParameters, JobFilterParameters),
    responses((status = 200, body = Statistics))
)]
pub(super) async fn statistics(Client(shared): Client, Query(parameters): Query<AllParameters>) -> Result<Response, ApiError> {
    let query = query(parameters, shared.clock.now())?;
    response::json_now(StatusCode::OK, &shared.scoped().statistics(query).await?)
}

fn query((statistics, filter, of_applications, of_jobs): AllParameters, now: Timestamp) -> Result<StatisticsQuery, ApiError> {
    let kind = statistics.kind.unwrap_or(ListKind::Jobs);
    let filter: Filter = match kind {
        ListKind::Applications if of_jobs.is_empty() => of_applications.narrow(filter),
        ListKind::Jobs if of_applications.is_empty() => of_jobs.narrow(filter),
        ListKind::Applications => {
            return Err(ApiError::bad_request("`application` is a filter of jobs: remove it, or set `kind=jobs`."));
        }
        ListKind::Jobs => {
            let message = "`min_failed_jobs` and `max_failed_jobs` are filters of applications: remove them, or set `kind=applications`.";
            return Err(ApiError::bad_request(message));
        }
    };
    if !filter.end.is_open() {
        return Err(ApiError::bad_request("`end_from` and `end_to` are not parameters of statistics: use `from` and `to`."));
    }
    let bucket = statistics.bucket.unwrap_or(Bucket::Day);
    let default_range = match bucket {
        Bucket::Day => 30 * DAY,
        Bucket::Hour => 2 * DAY,
    };
    let to = statistics.to.unwrap_or(now);
    let from = statistics.from.unwrap_or(to - default_range);
    if from >= to {
        return Err(ApiError::bad_request("`from` must be a time before `to`."));
    }
    let edges = edges(statistics.time_zone.unwrap_or_default(), bucket, from, to, MAX_BUCKETS).ok_or_else(|| {
        ApiError::bad_request(format!("`from` must be at most {MAX_BUCKETS} days (with `bucket=hour`: hours) before `to`."))
    })?;
    Ok(StatisticsQuery { kind, filter, edges })
}
