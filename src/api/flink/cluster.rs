//! Paths that clusters answer and no archive holds: `/overview` (counts) and `/jobs/:id/status`.

use std::sync::Arc;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::api::flink::dashboard::revision;
use crate::api::flink::document;
use crate::api::http::conditional::Tag;
use crate::api::http::encoding::Encoding;
use crate::api::http::error::ApiError;
use crate::api::http::represent::Representation;
use crate::api::state::Shared;
use crate::archive::Owner;
use crate::ids::JobId;
use crate::index::CopySelector;

/// Flink's `ClusterOverviewWithVersion`, of a cluster without task managers.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ClusterOverview<'a> {
    taskmanagers: u64,
    slots_total: u64,
    slots_available: u64,
    jobs_running: u64,
    jobs_finished: u64,
    jobs_cancelled: u64,
    jobs_failed: u64,
    flink_version: &'a str,
    flink_commit: &'a str,
}

/// `/overview`.
pub(in crate::api) async fn overview(shared: &Shared, request: &HeaderMap) -> Result<Representation, ApiError> {
    let reader = shared.scoped();
    let tag = Tag::of_generation("counts", reader.generation(), shared.scope());
    if let Some(unchanged) = Representation::unchanged(request, &tag, Encoding::Identity) {
        return Ok(unchanged);
    }
    let states = reader.job_states().await?;
    let text = json(&counts(&states, &shared.options.flink_version))?;
    Representation::of_text(request, tag, text.into()).await
}

/// Adds the states up as Flink's `JobsOverview` does, except that only states of a running job count as running.
fn counts<'a>(states: &[(String, u64)], flink_version: &'a str) -> ClusterOverview<'a> {
    let count = |wanted: &[&str]| states.iter().filter(|(state, _)| wanted.contains(&state.as_str())).map(|(_, jobs)| jobs).sum();
    ClusterOverview {
        taskmanagers: 0,
        slots_total: 0,
        slots_available: 0,
        jobs_running: count(&["INITIALIZING", "CREATED", "RUNNING", "FAILING", "CANCELLING", "RESTARTING", "RECONCILING"]),
        jobs_finished: count(&["FINISHED"]),
        jobs_cancelled: count(&["CANCELED"]),
        jobs_failed: count(&["FAILED"]),
        flink_version,
        flink_commit: revision(),
    }
}

/// `/jobs/:id/status`: the state in the overview of the job.
pub(in crate::api) async fn job_status(shared: &Arc<Shared>, job: JobId, request: &HeaderMap) -> Result<Representation, ApiError> {
    #[derive(Serialize)]
    struct Status {
        status: String,
    }
    let owner = Owner::Job(job);
    let mut state = state_of(shared, job).await?;
    if state.is_none() {
        // Tries an archive that is not listed yet, and answers with the right error. A later version of Flink may archive this path.
        if let Some(archived) = document::found(shared, owner, &format!("/jobs/{job}/status"), request).await? {
            return Ok(archived);
        }
        state = state_of(shared, job).await?;
    }
    match state {
        Some(status) => Representation::of_content(request, json(&Status { status })?).await,
        None => Err(document::not_in_archive(owner)),
    }
}

/// The state in the overview of a listed job.
async fn state_of(shared: &Shared, job: JobId) -> Result<Option<String>, ApiError> {
    #[derive(Deserialize)]
    struct Overview {
        state: String,
    }
    let overview = shared.scoped().overview_of(Owner::Job(job), &CopySelector::default()).await?;
    Ok(overview.and_then(|text| serde_json::from_str(&text).ok()).map(|Overview { state }| state))
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|error| ApiError::internal(format!("writing an answer as JSON failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_counted_under_flinks_names() {
        let states = [("FINISHED", 7), ("CANCELED", 2), ("FAILED", 1), ("RUNNING", 3), ("CREATED", 1), ("SUSPENDED", 5), ("NEW", 9)];
        let states = states.map(|(state, jobs)| (state.to_owned(), jobs));
        let text = serde_json::to_string(&counts(&states, "2.3.0")).unwrap();
        assert!(
            text.starts_with(
                r#"{"taskmanagers":0,"slots-total":0,"slots-available":0,"jobs-running":4,"jobs-finished":7,"jobs-cancelled":2,"jobs-failed":1,"flink-version":"2.3.0","flink-commit":""#
            ),
            "{text}"
        );
    }
}
