//! `/api/v1/status`: the state of the server, for people and monitors.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::response;
use crate::api::operations::readiness::Readiness;
use crate::api::state::Shared;
use crate::clock::{Timestamp, whole_millis};
use crate::index::{Figures, ProblemFilter};
use crate::ingest::BackfillStatus;
use crate::problem::Problem;
use crate::refresh::RefreshStatus;
use crate::retention::cleanup::CleanupStatus;

/// Problems that are shown; `total` counts all.
const PROBLEMS_SHOWN: usize = 100;

/// The body. Times are milliseconds since 1970, as everywhere in Flink's API.
#[derive(Serialize, ToSchema)]
struct Status {
    /// Of this server.
    version: &'static str,
    /// Of the Flink API that is answered.
    flink_version: String,
    /// The time of this server.
    now: Timestamp,
    /// When this server started.
    started: Timestamp,
    /// Milliseconds since then.
    uptime_ms: u64,
    readiness: Readiness,
    refresh: RefreshStatus,
    /// `null`: this server does no cleanups.
    cleanup: Option<CleanupStatus>,
    /// The backfill of facts for archives that an older version indexed.
    facts: BackfillStatus,
    figures: Figures,
    problems: Problems,
}

/// Recorded problems, oldest first.
#[derive(Serialize, ToSchema)]
struct Problems {
    /// The number of problems.
    total: u64,
    /// The oldest hundred; `/api/v1/problems` has all.
    shown: Vec<Problem>,
}

/// State of the server
///
/// For people and monitors. Times are milliseconds since 1970.
#[utoipa::path(get, path = "/api/v1/status", tag = "server", responses((status = 200, body = Status)))]
pub(in crate::api) async fn status(
    State(shared): State<Arc<Shared>>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Response, ApiError> {
    let reader = shared.scoped();
    let figures = reader.figures().await?;
    let (shown, _) = reader.problem_page(ProblemFilter::default(), None, PROBLEMS_SHOWN).await?;
    let refresh = shared.refresh.borrow().clone();
    let unstored: Vec<Problem> = refresh.unstored().cloned().collect();
    let total = figures.problems.max(shown.rows.len() as u64) + unstored.len() as u64;
    // Problems that could not be recorded come first: they may be why there are no others.
    let shown = unstored.into_iter().chain(shown.rows).take(PROBLEMS_SHOWN).collect();
    let now = shared.clock.now();
    let status = Status {
        version: env!("CARGO_PKG_VERSION"),
        flink_version: shared.options.flink_version.clone(),
        now,
        started: shared.started,
        uptime_ms: whole_millis(now.since(shared.started)),
        readiness: Readiness::of(&refresh, reader.listed(), shared.stopping.is_cancelled()),
        refresh,
        cleanup: shared.actions.as_ref().map(|actions| actions.cleaner.status().borrow().clone()),
        facts: shared.backfill.borrow().clone(),
        problems: Problems { total, shown },
        figures,
    };
    response::json_now(StatusCode::OK, &status)
}
