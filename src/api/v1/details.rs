//! `/api/v1/applications/{id}` and `/api/v1/jobs/{id}`: one copy with all details, and the other copies.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{Path, Query};
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::facts::JobFacts;
use crate::api::v1::items::{ApplicationItem, JobItem};
use crate::api::v1::page::{ApplicationPath, CopyParameters, JobPath};
use crate::archive::Owner;
use crate::clock::Timestamp;
use crate::index::CopySelector;
use crate::index::query::{Copies, ListKind};
use crate::problem::Problem;

/// A problem of a copy.
#[derive(Serialize, ToSchema)]
pub(super) struct CopyProblem {
    /// Stable code of the problem, for programs.
    code: String,
    /// Path of the file below the archive directory, if the problem is about one file.
    file: Option<String>,
    /// What is wrong and what to do.
    reason: String,
    /// Time at which the problem was first seen.
    since: Timestamp,
    /// Time of the next attempt.
    next_attempt: Option<Timestamp>,
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
pub(super) struct ApplicationDetails {
    #[serde(flatten)]
    item: ApplicationItem,
    /// All copies; the first is the one that Flink's paths show.
    copies: Vec<ApplicationItem>,
    /// The problems of this copy, oldest first. Lists contain only their number.
    problem_details: Vec<CopyProblem>,
    /// Its jobs, newest first, at most 1,000; jobs that were not archived come last.
    job_items: Vec<JobItem>,
}

/// A job.
#[derive(Serialize, ToSchema)]
pub(super) struct JobDetails {
    #[serde(flatten)]
    item: JobItem,
    /// All copies; the first is the one that Flink's paths show.
    copies: Vec<JobItem>,
    /// The problems of this copy, oldest first. Lists contain only their number.
    problem_details: Vec<CopyProblem>,
    /// Facts from the archive of this copy. Null: the archive was not read, or an older version read it and the facts are not derived yet
    /// (see the task `facts`).
    facts: Option<JobFacts>,
}

/// Show an application
///
/// With its copies, problems and jobs.
#[utoipa::path(
    get, path = "/api/v1/applications/{id}", tag = "lists", params(ApplicationPath, CopyParameters),
    responses((status = 200, body = ApplicationDetails))
)]
pub(super) async fn application(
    Client(shared): Client,
    Path(ApplicationPath { id }): Path<ApplicationPath>,
    Query(copy): Query<CopyParameters>,
) -> Result<Response, ApiError> {
    let found = find(&shared, Owner::Application(id), copy.into()).await?;
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

/// Show a job
///
/// With its copies, problems and facts.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}", tag = "lists", params(JobPath, CopyParameters),
    responses((status = 200, body = JobDetails))
)]
pub(super) async fn job(
    Client(shared): Client,
    Path(JobPath { id }): Path<JobPath>,
    Query(copy): Query<CopyParameters>,
) -> Result<Response, ApiError> {
    let found = find(&shared, Owner::Job(id), copy.into()).await?;
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

/// Finds a copy. If it is not indexed, its archive may have appeared or become readable in the meantime: it is read again first.
pub(super) async fn find(shared: &Shared, owner: Owner, copy: CopySelector) -> Result<Copies, ApiError> {
    let (kind, id, absent) = match owner {
        Owner::Application(id) => {
            (ListKind::Applications, *id.as_bytes(), "There is no such application: check its id, `cluster` and `directory`.")
        }
        Owner::Job(id) => (
            ListKind::Jobs,
            *id.as_bytes(),
            "There is no such job: check its id, `cluster` and `directory`. A job that was not archived is not available.",
        ),
    };
    if let Some(found) = shared.scoped().copies(kind, id, copy.clone()).await? {
        return Ok(found);
    }
    if document::ask_again(shared, owner, &copy).await?
        && let Some(found) = shared.scoped().copies(kind, id, copy.clone()).await?
    {
        return Ok(found);
    }
    Err(document::unread_or(shared, owner, &copy, ApiError::not_found(absent)).await)
}
