//! What operators probe: `/healthz`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use metrics::{Unit, describe_gauge, gauge};
use serde::Serialize;

use crate::index::{HeldCleanup, Listed};
use crate::problem::ProblemCode;
use crate::refresh::{DirectoryState, RefreshStatus};
use crate::telemetry;

use super::error::ApiError;
use super::{Shared, query, response};

const APPLICATIONS: &str = "historyserver_applications";
const JOBS: &str = "historyserver_jobs";
const PROBLEMS: &str = "historyserver_problems";
const PROBLEMS_BY_CODE: &str = "historyserver_problems_by_code";
const PACK_BYTES: &str = "historyserver_pack_bytes";
const GONE_PACK_BYTES: &str = "historyserver_gone_pack_bytes";
const INDEX_BYTES: &str = "historyserver_index_file_bytes";

/// Describes the metrics that are set here.
pub(super) fn describe() {
    describe_gauge!(APPLICATIONS, Unit::Count, "Applications listed.");
    describe_gauge!(JOBS, Unit::Count, "Jobs listed.");
    describe_gauge!(PROBLEMS, Unit::Count, "Problems on record.");
    describe_gauge!(PROBLEMS_BY_CODE, Unit::Count, "Problems on record with a code.");
    describe_gauge!(PACK_BYTES, Unit::Bytes, "Bytes of all packs of documents.");
    describe_gauge!(GONE_PACK_BYTES, Unit::Bytes, "Bytes of packs whose archives are gone from their archive directory.");
    describe_gauge!(INDEX_BYTES, Unit::Bytes, "Bytes of the index file, packs included.");
}

/// `/healthz`: the process answers.
pub(super) async fn healthz() -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }
    response::json_now(StatusCode::OK, &Health { status: "ok" })
}

/// Whether requests should be sent here.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Readiness {
    /// Verdict.
    pub(super) ready: bool,
    /// A sentence, when it is not.
    pub(super) reason: Option<&'static str>,
    /// Refreshes finished since start.
    pub(super) refreshes_finished: u64,
    /// Applications listed.
    pub(super) applications: u64,
    /// Jobs listed.
    pub(super) jobs: u64,
    /// Cleanups that a guard holds back until they are confirmed; the server is ready all the same.
    pub(super) cleanups_held_back: Vec<HeldCleanup>,
}

/// Judges readiness: the index holds something or was filled once.
pub(super) fn readiness(refresh: &RefreshStatus, listed_now: Listed, stopping: bool) -> Readiness {
    let unlistable = |state| matches!(state, DirectoryState::Failed | DirectoryState::Vanished);
    let listed = refresh.finished > 0
        && (refresh.directories.is_empty() || !refresh.directories.iter().all(|directory| unlistable(directory.state)));
    let reason = if stopping {
        Some("The server is shutting down.")
    } else if listed_now.applications > 0 || listed_now.jobs > 0 || listed {
        None
    } else if refresh.finished > 0 {
        Some("No archive directory could be listed yet; /api/v1/status says why.")
    } else {
        Some("The first listing of the archive directories is still running.")
    };
    Readiness {
        ready: reason.is_none(),
        reason,
        refreshes_finished: refresh.finished,
        applications: listed_now.applications,
        jobs: listed_now.jobs,
        cleanups_held_back: refresh.directories.iter().filter_map(|directory| directory.held_back.clone()).collect(),
    }
}

/// `/readyz`. Answers from memory: a probe must not wait for whatever keeps the index busy.
pub(super) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let listed = query::reader(&shared).listed();
    let readiness = readiness(&shared.refresh.borrow(), listed, shared.stopping.is_cancelled());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    response::json_now(status, &readiness)
}

/// `/metrics`, in Prometheus' text format.
pub(super) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let reader = query::reader(&shared);
    let figures = reader.figures().await?;
    gauge!(APPLICATIONS).set(figures.applications as f64);
    gauge!(JOBS).set(figures.jobs as f64);
    gauge!(PROBLEMS).set(figures.problems as f64);
    gauge!(PACK_BYTES).set(figures.pack_bytes as f64);
    gauge!(GONE_PACK_BYTES).set(figures.gone_pack_bytes as f64);
    gauge!(INDEX_BYTES).set(figures.file_bytes as f64);
    telemetry::metrics::evictions(figures.evictions);
    let mut problems: BTreeMap<String, u64> =
        shared.refresh.borrow().directories.iter().map(|directory| (directory.url.to_string(), 0)).collect();
    let mut codes: BTreeMap<ProblemCode, u64> = ProblemCode::ALL.iter().map(|code| (*code, 0)).collect();
    for (directory, code, count) in reader.problem_counts().await? {
        *problems.entry(directory.to_string()).or_default() += count;
        *codes.entry(code).or_default() += count;
    }
    for (code, problems) in codes {
        gauge!(PROBLEMS_BY_CODE, "code" => code.as_str()).set(problems as f64);
    }
    for (directory, problems) in &problems {
        telemetry::metrics::problems(directory, *problems);
    }
    let mut answer = Response::new(Body::from(shared.prometheus.render()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, response::NO_STORE);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::DirectoryUrl;
    use crate::refresh::DirectoryStatus;

    fn refresh(finished: u64, states: &[DirectoryState]) -> RefreshStatus {
        let directories = states.iter().map(|state| DirectoryStatus {
            url: DirectoryUrl::new("file:///archives"),
            state: *state,
            reason: None,
            last_listed: None,
            look_ms: None,
            audit_ms: None,
            next_audit: None,
            units: 0,
            held_back: None,
        });
        RefreshStatus { finished, directories: directories.collect(), ..RefreshStatus::default() }
    }

    #[test]
    fn a_server_is_ready_with_something_to_show_or_after_a_first_listing() {
        let (nothing, something) = (Listed::default(), Listed { applications: 0, jobs: 1 });
        assert!(!readiness(&refresh(0, &[DirectoryState::Waiting]), nothing, false).ready);
        assert!(readiness(&refresh(0, &[DirectoryState::Waiting]), something, false).ready);
        assert!(readiness(&refresh(1, &[DirectoryState::Waiting]), nothing, false).ready);
        assert!(readiness(&refresh(1, &[DirectoryState::Failed, DirectoryState::Listed]), nothing, false).ready);
        assert!(!readiness(&refresh(1, &[DirectoryState::Failed]), nothing, false).ready);
        assert!(readiness(&refresh(1, &[DirectoryState::Failed]), something, false).ready);
        assert!(!readiness(&refresh(1, &[DirectoryState::Listed]), something, true).ready);
    }
}
