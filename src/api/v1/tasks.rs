//! `/api/v1/tasks`: the background tasks.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::response;
use crate::api::v1::page::Page;
use crate::api::v1::status::{visible_cleanup, visible_refresh};
use crate::clock::Timestamp;
use crate::index::Total;
use crate::ingest::BackfillStatus;

/// All background tasks, on one page.
type TaskPage = Page<Task>;

/// A background task.
#[derive(Serialize, ToSchema)]
struct Task {
    name: TaskName,
    /// The work of the task.
    description: &'static str,
    state: TaskState,
    /// When the current run began.
    running_since: Option<Timestamp>,
    /// Runs that ended since this server started.
    finished: u64,
    /// When the last run ended.
    last_finished: Option<Timestamp>,
    /// When the next run is due; null: not known, or after something else.
    next: Option<Timestamp>,
    /// Number of the last requested run that is done.
    requested: u64,
    /// The remaining work of the current run, as far as known.
    pending: Option<u64>,
    /// Why the last run ended early, if it did.
    error: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TaskName {
    Refresh,
    Cleanup,
    Facts,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum TaskState {
    /// A run is in progress.
    Running,
    /// It waits for its next run.
    Waiting,
}

fn state(running_since: Option<Timestamp>) -> TaskState {
    if running_since.is_some() { TaskState::Running } else { TaskState::Waiting }
}

/// Background tasks
///
/// `POST /api/v1/refresh` and `POST /api/v1/cleanup` answer with a number: the run is done when `requested` of the task has reached it.
#[utoipa::path(get, path = "/api/v1/tasks", tag = "server", responses((status = 200, body = TaskPage)))]
pub(in crate::api) async fn tasks(Client(shared): Client, Query(NoParameters {}): Query<NoParameters>) -> Result<Response, ApiError> {
    let scope = shared.scope();
    let refresh = visible_refresh(shared.refresh.borrow().clone(), scope);
    let mut items = vec![Task {
        name: TaskName::Refresh,
        description: "Lists the archive directories and reads new and changed archives.",
        state: state(refresh.running_since),
        running_since: refresh.running_since,
        finished: refresh.finished,
        last_finished: refresh.last_finished,
        next: refresh.next,
        requested: refresh.requested,
        pending: refresh.running_since.map(|_| refresh.pending),
        error: refresh.directories.into_iter().find_map(|directory| directory.reason),
    }];
    if let Some(actions) = &shared.actions {
        let cleanup = visible_cleanup(actions.cleaner.status().borrow().clone(), scope);
        items.push(Task {
            name: TaskName::Cleanup,
            description: "Deletes and forgets archives beyond the limits of retention.",
            state: state(cleanup.running_since),
            running_since: cleanup.running_since,
            finished: cleanup.finished,
            last_finished: cleanup.last.as_ref().map(|last| last.started + Duration::from_millis(last.took_ms)),
            next: cleanup.next.first().copied(),
            requested: cleanup.requested,
            pending: None,
            error: cleanup.last.and_then(|last| last.error),
        });
    }
    let backfill = if scope.is_everything() { shared.backfill.borrow().clone() } else { BackfillStatus::default() };
    items.push(Task {
        name: TaskName::Facts,
        description: "Derives facts from the documents of archives that an older version indexed, once after each start.",
        state: state(backfill.running_since),
        running_since: backfill.running_since,
        finished: u64::from(backfill.finished.is_some()),
        last_finished: backfill.finished,
        next: None,
        requested: 0,
        pending: backfill.running_since.map(|_| backfill.pending),
        error: backfill.error,
    });
    let total = Total { count: items.len() as u64, exact: true };
    response::json_now(StatusCode::OK, &TaskPage { items, next: None, total })
}
