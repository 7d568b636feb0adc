//! `/api/v1/applications/{id}` and `/api/v1/jobs/{id}`: one copy in full, and the others.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::http::error::ApiError;
use crate::api::http::parameters::Parameters;
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::facts::JobFacts;
use crate::api::v1::items::{ApplicationItem, JobItem};
use crate::api::v1::page::{self, CopyParameters, IdParameter};
use crate::archive::Owner;
use crate::clock::Millis;
use crate::ids::{ApplicationId, JobId};
use crate::index::query::{Copies, ListKind};
use crate::problem::Problem;

/// A problem of a copy.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct CopyProblem {
    /// What is wrong, for programs.
    code: String,
    /// The file below the archive directory, if one is meant.
    file: Option<String>,
    /// What is wrong and what to do.
    reason: String,
    /// Since when.
    since: Millis,
    /// When it is tried again.
    next_attempt: Option<Millis>,
}

impl From<Problem> for CopyProblem {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.code.to_string(),
            file: problem.subject.file.map(|file| file.as_str().to_owned()),
            reason: problem.reason,
            since: problem.since,
            next_attempt: problem.next_attempt,
        }
    }
}

/// An application.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ApplicationDetails {
    #[serde(flatten)]
    item: ApplicationItem,
    /// All copies, the one that Flink's paths show first.
    copies: Vec<ApplicationItem>,
    /// Problems of this copy, oldest first. Unlike the number of problems in lists, each in full.
    problem_details: Vec<CopyProblem>,
    /// Its jobs, newest first, at most 1,000; those that were not archived last.
    job_items: Vec<JobItem>,
}

/// A job.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobDetails {
    #[serde(flatten)]
    item: JobItem,
    /// All copies, the one that Flink's paths show first.
    copies: Vec<JobItem>,
    /// Problems of this copy, oldest first. Unlike the number of problems in lists, each in full.
    problem_details: Vec<CopyProblem>,
    /// What the archive of this copy tells. Null: it was not read, or by an older version and not derived yet (see the task `facts`).
    facts: Option<JobFacts>,
}

/// One application, its copies, problems and jobs
#[utoipa::path(
    get, path = "/api/v1/applications/{id}", tag = "lists", params(IdParameter, CopyParameters),
    responses((status = 200, body = ApplicationDetails))
)]
pub(in crate::api) async fn application(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let id: ApplicationId = page::id(request.uri())?;
    let found = copies(&shared, ListKind::Applications, *id.as_bytes(), request.uri()).await?;
    response::json_now(
        StatusCode::OK,
        &ApplicationDetails {
            item: found.item.into(),
            copies: found.copies.into_iter().map(Into::into).collect(),
            problem_details: found.problems.into_iter().map(Into::into).collect(),
            job_items: found.jobs.into_iter().map(Into::into).collect(),
        },
    )
}

/// One job, its copies, problems and facts
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "lists", params(IdParameter, CopyParameters),
    responses((status = 200, body = JobDetails))
)]
pub(in crate::api) async fn job(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let id: JobId = page::id(request.uri())?;
    let found = copies(&shared, ListKind::Jobs, *id.as_bytes(), request.uri()).await?;
    response::json_now(
        StatusCode::OK,
        &JobDetails {
            facts: found.facts.map(|facts| JobFacts::of(facts, &found.item)),
            item: found.item.into(),
            copies: found.copies.into_iter().map(Into::into).collect(),
            problem_details: found.problems.into_iter().map(Into::into).collect(),
        },
    )
}

async fn copies(shared: &Shared, kind: ListKind, id: [u8; 16], uri: &Uri) -> Result<Copies, ApiError> {
    let copy = page::copy(&Parameters::of(uri, &["cluster", "directory"])?)?;
    if let Some(found) = shared.scoped().copies(kind, id, copy.clone()).await? {
        return Ok(found);
    }
    let (owner, absent) = match kind {
        ListKind::Applications => {
            (Owner::Application(ApplicationId::from_bytes(id)), "There is no such application, or no such copy of it.")
        }
        ListKind::Jobs => (Owner::Job(JobId::from_bytes(id)), "There is no such job, or no such copy of it, or it was not archived."),
    };
    if document::ask_again(shared, owner, &copy).await?
        && let Some(found) = shared.scoped().copies(kind, id, copy.clone()).await?
    {
        return Ok(found);
    }
    Err(document::unread_or(shared, owner, &copy, ApiError::not_found(absent)).await)
}
