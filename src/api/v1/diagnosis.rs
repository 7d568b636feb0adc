//! `/api/v1/jobs/{id}/diagnosis`: findings about one job.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Path, Query};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::details;
use crate::api::v1::page::{CopyParameters, JobPath};
use crate::api::v1::sort::NEWEST_FIRST;
use crate::archive::Owner;
use crate::diagnosis::{Diagnosis, EarlierRun, Evidence, VertexSubtasks, diagnose};
use crate::ids::JobId;
use crate::index::CopySelector;
use crate::index::query::{Bounds, Filter, Item, JobFacts, ListKind, ListQuery, NameMatch};
use crate::tasks;

/// Earlier runs that a run is compared with.
const MAX_RUNS: usize = 30;

/// Vertices whose subtasks are read.
const MAX_VERTICES: usize = 200;

/// Maximum size of a document in bytes.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The findings of a job.
#[derive(Serialize, ToSchema)]
pub(super) struct JobDiagnosis {
    /// Id of the job.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    id: String,
    /// Number of earlier runs of the same name that it was compared with.
    earlier_runs: u64,
    #[serde(flatten)]
    diagnosis: Diagnosis,
}

/// Diagnose a job
///
/// What was wrong, where, and what to do, by its archive and its earlier runs. `not_assessed` lists what its archive does not contain enough
/// for.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/diagnosis", tag = "lists", params(JobPath, CopyParameters), responses((status = 200, body = JobDiagnosis))
)]
pub(super) async fn diagnosis(
    Client(shared): Client,
    Path(JobPath { id }): Path<JobPath>,
    Query(copy): Query<CopyParameters>,
) -> Result<Response, ApiError> {
    let found = details::find(&shared, Owner::Job(id), copy.into()).await?;
    let (job, facts) = (found.item, found.facts);
    if !job.archived {
        return Err(document::not_archived());
    }
    let Some(facts) = facts else {
        return Err(ApiError::not_found("The archive of this job was not read yet, or its facts are not derived yet: try again later."));
    };
    let documents = Documents { shared: &shared, id, copy: exactly(&job) };
    let checkpoints = documents.json("checkpoints").await?;
    let checkpoint_configuration = documents.json("checkpoints/config").await?;
    let vertices = documents.vertices(&facts).await?;
    let runs = earlier_runs(&shared, &job).await?;
    let earlier = runs.len() as u64;
    let diagnosis = diagnose(&Evidence { job: &job, facts: &facts, checkpoints, checkpoint_configuration, vertices, runs });
    response::json_now(StatusCode::OK, &JobDiagnosis { id: id.to_string(), earlier_runs: earlier, diagnosis })
}

/// This copy of a job.
fn exactly(job: &Item) -> CopySelector {
    CopySelector { directory: Some(job.directory.clone()), cluster: Some(job.cluster.clone().unwrap_or_default()) }
}

/// The documents of one copy of a job.
struct Documents<'s> {
    shared: &'s Arc<Shared>,
    id: JobId,
    copy: CopySelector,
}

impl Documents<'_> {
    /// The text of a document; `None`: the archive does not contain it, or it is too large to be judged.
    async fn text(&self, below: &str) -> Result<Option<String>, ApiError> {
        let path = format!("/jobs/{}/{below}", self.id);
        match document::whole_in(self.shared, Owner::Job(self.id), &path, self.copy.clone(), MAX_DOCUMENT).await {
            Ok(text) => Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned())),
            Err(error) if error.status() == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn json(&self, below: &str) -> Result<Option<Value>, ApiError> {
        let Some(text) = self.text(below).await? else { return Ok(None) };
        Ok(tasks::spawn_blocking(move || serde_json::from_str(&text).ok()).await)
    }

    async fn vertices(&self, facts: &JobFacts) -> Result<Vec<VertexSubtasks>, ApiError> {
        let mut vertices = Vec::new();
        for vertex in facts.vertices.iter().take(MAX_VERTICES) {
            let Some(text) = self.text(&format!("vertices/{}", vertex.id)).await? else { continue };
            let (id, name) = (vertex.id.clone(), vertex.name.clone());
            vertices.push(tasks::spawn_blocking(move || VertexSubtasks::read(id, name, &text)).await);
        }
        Ok(vertices)
    }
}

/// The runs of the same name that ended before this one, each in one copy.
async fn earlier_runs(shared: &Shared, job: &Item) -> Result<Vec<EarlierRun>, ApiError> {
    let (Some(name), Some(end)) = (&job.name, job.end) else { return Ok(Vec::new()) };
    let filter = Filter { name: Some((name.clone(), NameMatch::Exact)), end: Bounds::of_times(None, Some(end)), ..Filter::default() };
    let query = ListQuery { kind: ListKind::Jobs, filter, sort: NEWEST_FIRST, limit: MAX_RUNS, cursor: None };
    let (page, figures) = shared.scoped().runs(query).await?;
    let mut runs: Vec<EarlierRun> = Vec::new();
    for (item, figures) in page.items.into_iter().zip(figures) {
        if item.id != job.id && runs.iter().all(|run| run.item.id != item.id) {
            runs.push(EarlierRun { item, figures });
        }
    }
    Ok(runs)
}
