//! `/jobs/:id/execution-result`, which clients request that wait for a job. Flink does not archive it, so it is built from archived
//! documents, in the form of Flink's `JobExecutionResultResponseBody`.
//!
//! The result of a failed job contains its exception as a serialized Java object, which no archive has. Then the answer is a 404, so
//! that clients do not take it for success.

use std::sync::Arc;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::flink::document;
use crate::api::http::error::ApiError;
use crate::api::http::represent::Representation;
use crate::api::state::Shared;
use crate::archive::Owner;
use crate::ids::JobId;

/// Largest document that is read for this, in bytes: accumulators are held in memory, once as archived and once in the answer.
const LARGEST_DOCUMENT: u64 = 16 << 20;

/// Of `/jobs/:id`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Details<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    state: String,
    start_time: i64,
    end_time: i64,
    duration: i64,
    #[serde(borrow)]
    application_id: Option<&'a RawValue>,
}

/// Of `/jobs/:id/accumulators`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Accumulators<'a> {
    /// Value by name, as a Java object in base64.
    #[serde(borrow)]
    serialized_user_task_accumulators: &'a RawValue,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ExecutionResult<'a> {
    status: QueueStatus,
    job_execution_result: JobResult<'a>,
}

#[derive(Serialize)]
struct QueueStatus {
    id: &'static str,
}

/// Members in the order in which Flink writes them. Times and the run time in milliseconds.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JobResult<'a> {
    id: JobId,
    name: &'a RawValue,
    application_status: &'static str,
    accumulator_results: &'a RawValue,
    net_runtime: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<&'a RawValue>,
    start_time: i64,
    end_time: i64,
}

/// `/jobs/:id/execution-result`.
pub(in crate::api) async fn answer(shared: &Arc<Shared>, job: JobId, request: &HeaderMap) -> Result<Representation, ApiError> {
    let owner = Owner::Job(job);
    // Should a later Flink archive it, here it is.
    if let Some(archived) = document::found(shared, owner, &format!("/jobs/{job}/execution-result"), request).await? {
        return Ok(archived);
    }
    let details = document::whole(shared, owner, &format!("/jobs/{job}"), LARGEST_DOCUMENT).await?;
    let accumulators = document::whole(shared, owner, &format!("/jobs/{job}/accumulators"), LARGEST_DOCUMENT).await?;
    let (Some(details), Some(accumulators)) = (details, accumulators) else { return Err(document::not_in_archive(owner)) };
    Representation::of_content(request, result(job, &details, &accumulators)?).await
}

fn result(job: JobId, details: &[u8], accumulators: &[u8]) -> Result<Vec<u8>, ApiError> {
    let incomplete = |_malformed| document::not_in_archive(Owner::Job(job));
    let details: Details<'_> = serde_json::from_slice(details).map_err(incomplete)?;
    let accumulators: Accumulators<'_> = serde_json::from_slice(accumulators).map_err(incomplete)?;
    let application_status = match details.state.as_str() {
        "FINISHED" => "SUCCEEDED",
        "CANCELED" => "CANCELED",
        "FAILED" => {
            return Err(ApiError::not_found(
                "This job failed, and Flink's answer to this path has the exception as a serialized Java object, which no archive has: \
                 /jobs/:jobid/exceptions has it as text.",
            ));
        }
        _ => return Err(ApiError::not_found("This job has no execution result: it had not ended when it was archived.")),
    };
    let result = ExecutionResult {
        status: QueueStatus { id: "COMPLETED" },
        job_execution_result: JobResult {
            id: job,
            name: details.name,
            application_status,
            accumulator_results: accumulators.serialized_user_task_accumulators,
            net_runtime: details.duration.max(0),
            application_id: details.application_id,
            start_time: details.start_time,
            end_time: details.end_time,
        },
    };
    serde_json::to_vec(&result).map_err(|error| ApiError::internal(format!("writing an answer as JSON failed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCUMULATORS: &str =
        r#"{"job-accumulators":[],"user-task-accumulators":[],"serialized-user-task-accumulators":{"rows \"seen\"":"rO0ABXNy"}}"#;

    fn details(state: &str) -> String {
        format!(
            r#"{{"jid":"x","name":"a \"b\"","isStoppable":false,"state":"{state}","start-time":1000,"end-time":3500,"duration":2500,"now":1}}"#
        )
    }

    fn id() -> JobId {
        "0d6f4f6e8da5b7e7a3551550ff16c873".parse().unwrap()
    }

    #[test]
    fn the_result_has_flinks_form() {
        let text = result(id(), details("FINISHED").as_bytes(), ACCUMULATORS.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"status":{"id":"COMPLETED"},"job-execution-result":{"id":"0d6f4f6e8da5b7e7a3551550ff16c873","name":"a \"b\"","application-status":"SUCCEEDED","accumulator-results":{"rows \"seen\"":"rO0ABXNy"},"net-runtime":2500,"start-time":1000,"end-time":3500}}"#
        );
    }

    #[test]
    fn a_job_that_failed_or_had_not_ended_has_none() {
        for state in ["FAILED", "RUNNING", "SUSPENDED"] {
            assert!(result(id(), details(state).as_bytes(), ACCUMULATORS.as_bytes()).is_err(), "{state}");
        }
        assert!(result(id(), b"{}", ACCUMULATORS.as_bytes()).is_err());
        assert!(result(id(), details("FINISHED").as_bytes(), b"[").is_err());
    }
}
