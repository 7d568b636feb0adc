//! `/api/v1/jobs/restore-point`: the checkpoint or savepoint to restore the next run of a job from.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Parameters, Query, read};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::items::JobItem;
use crate::api::v1::sort::NEWEST_FIRST;
use crate::archive::Owner;
use crate::archive::restore_points::{RestorePoint, Retention, restore_points};
use crate::ids::JobId;
use crate::index::CopySelector;
use crate::index::query::{Filter, Item, ListKind, ListQuery, NameMatch};

/// Rows of the list that are looked at: all copies of runs.
const MAX_ROWS: usize = 50;

/// Runs whose documents are read.
const MAX_READ: usize = 10;

/// Points that are answered.
const MAX_POINTS: usize = 100;

/// Maximum size of the documents in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The name of a job.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct RestorePointParameters {
    /// The name, compared without regard to case.
    #[param(min_length = 1)]
    name: String,
    /// Clusters, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    cluster: Vec<String>,
    /// URLs of archive directories, repeated or separated by commas.
    #[serde(default, deserialize_with = "read::names")]
    directory: Vec<String>,
}

impl Parameters for RestorePointParameters {}

/// A remark on the answer.
#[derive(Serialize, ToSchema)]
struct RestoreNote {
    code: RestoreNoteCode,
    /// A sentence.
    text: String,
}

/// The subject of a remark.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RestoreNoteCode {
    /// A run was not archived, or its documents cannot be read.
    RunNotRead,
    /// No point was kept.
    NoPoint,
    /// The newest point is not of the newest run.
    OlderRun,
    /// It is not known whether the point was kept.
    RetentionUnknown,
    /// The files of the point were not looked at.
    FilesNotChecked,
}

/// A restore point and the run that it comes from.
#[derive(Clone, Serialize, ToSchema)]
struct RestorePointOfRun {
    #[serde(flatten)]
    point: RestorePoint,
    /// The id of the job in this run.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    job: String,
    /// Cluster that ran it. Null: the job belongs to no application.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    /// State that the run ended in.
    status: Option<String>,
}

/// The restore points of a name.
#[derive(Serialize, ToSchema)]
pub(super) struct RestorePoints {
    /// The name that was asked for.
    name: String,
    /// The point to restore from: the newest one of the newest run that has one that was not deleted. Null: no such point is archived.
    /// This server did not look at its files.
    newest: Option<RestorePointOfRun>,
    /// All points, by run, newest run first. In each run those that were kept come first.
    items: Vec<RestorePointOfRun>,
    /// Remarks on the answer, for people.
    notes: Vec<RestoreNote>,
    /// The newest run.
    newest_run: JobItem,
    /// Number of runs whose archives were read for this answer.
    runs_read: u64,
}

/// Find the restore point of a job by name
///
/// The newest checkpoint or savepoint that was not discarded, over the newest ten runs with this name, and the older ones.
#[utoipa::path(
    get, path = "/api/v1/jobs/restore-point", tag = "lists", params(RestorePointParameters), responses((status = 200, body = RestorePoints))
)]
pub(super) async fn restore_point(Client(shared): Client, Query(parameters): Query<RestorePointParameters>) -> Result<Response, ApiError> {
    let RestorePointParameters { name, cluster, directory } = parameters;
    let filter = Filter { name: Some((name.clone(), NameMatch::Exact)), cluster, directory, ..Filter::default() };
    let runs = newest_runs(&shared, filter).await?;
    let Some(newest_run) = runs.first().cloned() else {
        return Err(ApiError::not_found("There is no job with this name. Give the complete name, and check `cluster` and `directory`."));
    };
    let mut found = Found::default();
    for run in runs.iter().take(MAX_READ) {
        found.read(&shared, run).await?;
    }
    let newest = found.items.iter().find(|item| item.point.retention != Retention::Deleted).cloned();
    found.explain(newest.as_ref(), &newest_run);
    found.items.truncate(MAX_POINTS);
    let answer =
        RestorePoints { name, newest, items: found.items, notes: found.notes, newest_run: newest_run.into(), runs_read: found.runs_read };
    response::json_now(StatusCode::OK, &answer)
}

/// The newest runs, each in one copy.
async fn newest_runs(shared: &Shared, filter: Filter) -> Result<Vec<Item>, ApiError> {
    let mut runs: Vec<Item> = Vec::new();
    let mut cursor = None;
    loop {
        let query = ListQuery { kind: ListKind::Jobs, filter: filter.clone(), sort: NEWEST_FIRST, limit: MAX_ROWS, cursor };
        let page = shared.scoped().page(query).await?;
        for run in page.items {
            if runs.iter().all(|other| other.id != run.id) {
                runs.push(run);
            }
        }
        // A page may be empty and not the last one.
        match page.next {
            Some(next) if runs.is_empty() => cursor = Some(next),
            _ => return Ok(runs),
        }
    }
}

/// The points found so far.
#[derive(Default)]
struct Found {
    items: Vec<RestorePointOfRun>,
    notes: Vec<RestoreNote>,
    runs_read: u64,
}

impl Found {
    /// Adds the points of a run.
    async fn read(&mut self, shared: &Arc<Shared>, run: &Item) -> Result<(), ApiError> {
        let Ok(id) = JobId::from_name(run.id.as_bytes()) else { return Ok(()) };
        if !run.archived {
            self.note(RestoreNoteCode::RunNotRead, format!("Run {id} was not archived: its checkpoints are not known."));
            return Ok(());
        }
        let checkpoints = match text(shared, id, run, "checkpoints").await {
            Ok(text) => text,
            Err(error) if error.status().is_server_error() && error.status() != StatusCode::SERVICE_UNAVAILABLE => return Err(error),
            Err(error) => {
                self.note(RestoreNoteCode::RunNotRead, format!("The checkpoints of run {id} cannot be read: {}", error.message()));
                return Ok(());
            }
        };
        self.runs_read += 1;
        let Some(checkpoints) = checkpoints else { return Ok(()) };
        let configuration = text(shared, id, run, "checkpoints/config").await.ok().flatten();
        let points = restore_points(&checkpoints, configuration.as_deref(), run.status.as_deref());
        self.items.extend(points.into_iter().map(|point| RestorePointOfRun {
            point,
            job: run.id.clone(),
            cluster: run.cluster.clone(),
            directory: run.directory.clone(),
            status: run.status.clone(),
        }));
        Ok(())
    }

    /// Adds the conditions under which the newest point can be used.
    fn explain(&mut self, newest: Option<&RestorePointOfRun>, newest_run: &Item) {
        let Some(newest) = newest else {
            let deleted = if self.items.is_empty() { "" } else { " Flink deletes the checkpoints of such a job when it ends." };
            self.note(
                RestoreNoteCode::NoPoint,
                format!("The archives of the newest {} runs contain no checkpoint or savepoint that was kept.{deleted}", self.runs_read),
            );
            return;
        };
        if newest.job != newest_run.id {
            self.note(
                RestoreNoteCode::OlderRun,
                format!(
                    "The newest run {} left no restore point that was kept. This one is of run {}: what was processed after it is processed again.",
                    newest_run.id, newest.job
                ),
            );
        }
        if newest.point.retention == Retention::Unknown {
            self.note(
                RestoreNoteCode::RetentionUnknown,
                "The archive does not contain whether this checkpoint was kept when its job ended.".to_owned(),
            );
        }
        self.note(
            RestoreNoteCode::FilesNotChecked,
            "This server did not look at the files of the checkpoint: check that the path exists before you restore from it.".to_owned(),
        );
    }

    fn note(&mut self, code: RestoreNoteCode, text: String) {
        self.notes.push(RestoreNote { code, text });
    }
}

/// The text of a document of this copy of a run; `None`: its archive does not contain the document.
async fn text(shared: &Arc<Shared>, id: JobId, run: &Item, below: &str) -> Result<Option<String>, ApiError> {
    let copy = CopySelector { directory: Some(run.directory.clone()), cluster: Some(run.cluster.clone().unwrap_or_default()) };
    let text = document::whole_in(shared, Owner::Job(id), &format!("/jobs/{id}/{below}"), copy, MAX_DOCUMENT).await?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}
