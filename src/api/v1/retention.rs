//! `/api/v1/retention/preview`: the removals of the next cleanup. `/api/v1/deletions`: the removals that were done.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::Query;
use crate::api::http::response;
use crate::api::v1::page::PageParameters;
use crate::clock::Timestamp;
use crate::index::{
    Deletion, HeldCleanup, IndexError, RecordedRemoval, RemovalAction, RemovalOutcome, RemovalState, ScopedReader, UnitKey,
};

/// Body of the preview. Times are milliseconds since 1970.
#[derive(Serialize, ToSchema)]
struct Preview {
    /// Cleanups on hold, by directory.
    held_back: Vec<HeldCleanup>,
    /// When the next cleanups run; empty: after every refresh.
    next_runs: Vec<Timestamp>,
    removals: Vec<Row>,
    /// `?cursor=` of the next page.
    next: Option<String>,
}

/// The removals that were done, newest first.
#[derive(Serialize, ToSchema)]
struct Record {
    deletions: Vec<RecordRow>,
    /// `?cursor=` of the next page.
    next: Option<String>,
}

/// The removed application or legacy job.
#[derive(Serialize, ToSchema)]
#[schema(as = RemovedUnit)]
struct Unit {
    directory: String,
    cluster: Option<String>,
    application: Option<String>,
    job: Option<String>,
    name: Option<String>,
}

/// The action of a cleanup.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = RemovalAction)]
enum Action {
    /// Delete the archive from its directory, and forget it.
    Delete,
    /// Forget it; the archive stays in its directory, or is missing there.
    Forget,
}

/// One application or legacy job that a cleanup removes.
#[derive(Serialize, ToSchema)]
#[schema(as = PendingRemoval)]
struct Row {
    #[serde(flatten)]
    unit: Unit,
    action: Action,
    /// `count`, `age`, `size` or `gone`.
    reason: String,
    detail: String,
    time: Timestamp,
    bytes: u64,
    judged: Timestamp,
    /// It is on hold.
    held_back: bool,
    /// Its deletion was begun.
    begun: bool,
    failed_attempts: u32,
    next_attempt: Option<Timestamp>,
    failure: Option<String>,
}

/// One application or legacy job that was removed.
#[derive(Serialize, ToSchema)]
#[schema(as = Removal)]
struct RecordRow {
    at: Timestamp,
    #[serde(flatten)]
    unit: Unit,
    status: Option<String>,
    /// `deleted`, `link-removed`, `already-gone` or `forgotten`.
    done: RemovalOutcome,
    reason: String,
    detail: String,
    time: Timestamp,
    bytes: u64,
}

/// Removals of the next cleanup
#[utoipa::path(get, path = "/api/v1/retention/preview", tag = "retention", params(PageParameters), responses((status = 200, body = Preview)))]
pub(in crate::api) async fn preview(Client(shared): Client, Query(page): Query<PageParameters>) -> Result<Response, ApiError> {
    let next_runs = shared.actions.as_ref().map(|actions| actions.cleaner.status().borrow().next.clone()).unwrap_or_default();
    let preview = preview_page(&shared.scoped(), next_runs, page.cursor.clone(), page.limit()).await?;
    response::json_now(StatusCode::OK, &preview)
}

/// A page of the preview, as it is answered.
///
/// # Errors
/// [`IndexError`].
pub async fn preview_page(
    reader: &ScopedReader,
    next_runs: Vec<Timestamp>,
    cursor: Option<String>,
    limit: usize,
) -> Result<impl Serialize + use<>, IndexError> {
    let page = reader.removals(cursor, limit).await?;
    let held_back = reader.held_cleanups().await?;
    Ok(Preview { held_back, next_runs, removals: page.rows.into_iter().map(row).collect(), next: page.next })
}

/// Removals
///
/// The record of deletions, newest first.
#[utoipa::path(get, path = "/api/v1/deletions", tag = "retention", params(PageParameters), responses((status = 200, body = Record)))]
pub(in crate::api) async fn deletions(Client(shared): Client, Query(page): Query<PageParameters>) -> Result<Response, ApiError> {
    let page = shared.scoped().deletions(page.cursor.clone(), page.limit()).await?;
    let record = Record { deletions: page.rows.into_iter().map(record_row).collect(), next: page.next };
    response::json_now(StatusCode::OK, &record)
}

fn unit(key: &UnitKey, name: Option<String>) -> Unit {
    let directory = key.directory().to_string();
    match key {
        UnitKey::Application(key) => {
            Unit { directory, cluster: Some(key.cluster.to_string()), application: Some(key.id.to_string()), job: None, name }
        }
        UnitKey::LegacyJob(_, job) => Unit { directory, cluster: None, application: None, job: Some(job.to_string()), name },
    }
}

fn row(each: RecordedRemoval) -> Row {
    let removal = each.removal;
    Row {
        unit: unit(&removal.key, each.name),
        action: match removal.action {
            RemovalAction::Delete => Action::Delete,
            RemovalAction::Forget | RemovalAction::ForgetMissing => Action::Forget,
        },
        reason: removal.reason,
        detail: removal.detail,
        time: removal.time,
        bytes: removal.bytes,
        judged: each.at,
        held_back: each.held,
        begun: each.state == RemovalState::Running,
        failed_attempts: each.attempts,
        next_attempt: each.next_attempt,
        failure: each.failure,
    }
}

fn record_row(deletion: Deletion) -> RecordRow {
    RecordRow {
        at: deletion.at,
        unit: unit(&deletion.key, deletion.name),
        status: deletion.status,
        done: deletion.done,
        reason: deletion.reason,
        detail: deletion.detail,
        time: deletion.time,
        bytes: deletion.bytes,
    }
}
