//! `/api/v1/status`: the state of the server, for people and monitors.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::response;
use crate::api::operations::readiness::Readiness;
use crate::clock::{Timestamp, whole_millis};
use crate::index::query::Scope;
use crate::index::{Figures, Listed, ProblemFilter};
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
pub(in crate::api) async fn status(Client(shared): Client, Query(NoParameters {}): Query<NoParameters>) -> Result<Response, ApiError> {
    let reader = shared.scoped();
    let figures = reader.figures().await?;
    let (shown, _) = reader.problem_page(ProblemFilter::default(), None, PROBLEMS_SHOWN).await?;
    let scope = shared.scope();
    let refresh = visible_refresh(shared.refresh.borrow().clone(), scope);
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
        readiness: Readiness::of(
            &shared.refresh.borrow(),
            Listed { applications: figures.applications, jobs: figures.jobs },
            shared.stopping.is_cancelled(),
        ),
        refresh,
        cleanup: shared.actions.as_ref().map(|actions| visible_cleanup(actions.cleaner.status().borrow().clone(), scope)),
        facts: if scope.is_everything() { shared.backfill.borrow().clone() } else { BackfillStatus::default() },
        problems: Problems { total, shown },
        figures,
    };
    response::json_now(StatusCode::OK, &status)
}

/// The status of the refreshes for a client: of directories that it may see wholly, and without numbers of the others.
pub(super) fn visible_refresh(mut status: RefreshStatus, scope: &Scope) -> RefreshStatus {
    if !scope.is_everything() {
        status.pending = 0;
        status.directories.retain(|directory| scope.admits(directory.url.as_str()));
    }
    status
}

/// The status of the cleanups for a client: without reports of what was removed, unless it may see everything.
pub(super) fn visible_cleanup(mut status: CleanupStatus, scope: &Scope) -> CleanupStatus {
    if !scope.is_everything() {
        (status.last, status.last_requested) = (None, None);
    }
    status
}
