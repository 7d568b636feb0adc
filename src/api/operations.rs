//! Health and metrics: `/healthz`, `/readyz`, `/metrics`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};
use serde::Serialize;

use crate::problem::ProblemCode;
use crate::telemetry;

use self::readiness::Readiness;

pub(in crate::api) mod readiness;

use crate::api::http::error::ApiError;
use crate::api::http::response;
use crate::api::state::Shared;

const APPLICATIONS: &str = "historyserver_applications";
const JOBS: &str = "historyserver_jobs";
const PROBLEMS: &str = "historyserver_problems";
const PROBLEMS_BY_CODE: &str = "historyserver_problems_by_code";
const READY: &str = "historyserver_ready";
const COMPLETE: &str = "historyserver_complete";
const PACK_BYTES: &str = "historyserver_pack_bytes";
const GONE_PACK_BYTES: &str = "historyserver_gone_pack_bytes";
const INDEX_BYTES: &str = "historyserver_index_file_bytes";
const ANSWER_BYTES: &str = "historyserver_http_answer_bytes";
const CACHE_HITS: &str = "historyserver_memory_cache_hits_total";
const CACHE_MISSES: &str = "historyserver_memory_cache_misses_total";
const CACHE_BYTES: &str = "historyserver_memory_cache_bytes";

/// Describes the metrics that are set here.
pub(in crate::api) fn describe() {
    describe_gauge!(APPLICATIONS, Unit::Count, "Applications listed.");
    describe_gauge!(JOBS, Unit::Count, "Jobs listed.");
    describe_gauge!(PROBLEMS, Unit::Count, "Problems on record.");
    describe_gauge!(PROBLEMS_BY_CODE, Unit::Count, "Problems on record with a code.");
    describe_gauge!(READY, Unit::Count, "1 while the server can answer, as in /readyz.");
    describe_gauge!(COMPLETE, Unit::Count, "1 while the lists have all archives of the archive directories, as in /readyz.");
    describe_gauge!(PACK_BYTES, Unit::Bytes, "Bytes of all packs of documents.");
    describe_gauge!(GONE_PACK_BYTES, Unit::Bytes, "Bytes of packs whose archives are missing from their archive directory.");
    describe_gauge!(ANSWER_BYTES, Unit::Bytes, "Bytes of answers in memory that wait for their clients.");
    describe_counter!(CACHE_HITS, Unit::Count, "Requests for documents that were answered from the memory of historyserver.cache.memory.");
    describe_counter!(
        CACHE_MISSES,
        Unit::Count,
        "Requests for documents that were read from the index; with historyserver.cache.memory 0 none is counted."
    );
    describe_gauge!(CACHE_BYTES, Unit::Bytes, "Bytes of documents in the memory of historyserver.cache.memory.");
    describe_gauge!(INDEX_BYTES, Unit::Bytes, "Bytes of the index file, packs included.");
}

/// `/healthz`: the process answers.
pub(in crate::api) async fn healthz() -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }
    response::json_now(StatusCode::OK, &Health { status: "ok" })
}

/// `/readyz`: 503 while the server cannot answer. The body says whether the answers are complete.
pub(in crate::api) async fn readyz(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let listed = shared.of_server().scoped().listed();
    let readiness = Readiness::of(&shared.refresh.borrow(), listed, shared.stopping.is_cancelled());
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    response::json_now(status, &readiness)
}

/// `/metrics`, in Prometheus' text format.
pub(in crate::api) async fn metrics(State(shared): State<Arc<Shared>>) -> Result<Response, ApiError> {
    let reader = shared.of_server().scoped();
    let figures = reader.figures().await?;
    gauge!(APPLICATIONS).set(figures.applications as f64);
    gauge!(JOBS).set(figures.jobs as f64);
    let refresh = shared.refresh.borrow().clone();
    let readiness = Readiness::of(&refresh, reader.listed(), shared.stopping.is_cancelled());
    gauge!(READY).set(f64::from(u8::from(readiness.ready)));
    gauge!(COMPLETE).set(f64::from(u8::from(readiness.complete)));
    gauge!(PROBLEMS).set((figures.problems + refresh.unstored().count() as u64) as f64);
    gauge!(PACK_BYTES).set(figures.pack_bytes as f64);
    gauge!(GONE_PACK_BYTES).set(figures.gone_pack_bytes as f64);
    gauge!(INDEX_BYTES).set(figures.file_bytes as f64);
    gauge!(ANSWER_BYTES).set(shared.options.budget.used() as f64);
    let cached = shared.documents.figures();
    counter!(CACHE_HITS).absolute(cached.hits);
    counter!(CACHE_MISSES).absolute(cached.misses);
    gauge!(CACHE_BYTES).set(cached.bytes as f64);
    telemetry::evictions(figures.evictions);
    let mut problems: BTreeMap<String, u64> = refresh.directories.iter().map(|directory| (directory.url.to_string(), 0)).collect();
    let mut codes: BTreeMap<ProblemCode, u64> = ProblemCode::ALL.iter().map(|code| (*code, 0)).collect();
    let unstored = refresh.unstored().map(|problem| (problem.subject.directory.clone(), problem.code, 1));
    for (directory, code, count) in reader.problem_counts().await?.into_iter().chain(unstored) {
        *problems.entry(directory.to_string()).or_default() += count;
        *codes.entry(code).or_default() += count;
    }
    for (code, problems) in codes {
        gauge!(PROBLEMS_BY_CODE, "code" => code.as_str()).set(problems as f64);
    }
    for (directory, problems) in &problems {
        telemetry::problems(directory, *problems);
    }
    let mut answer = Response::new(Body::from(shared.prometheus.render()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, response::NO_STORE);
    // Monitors get an answer also when memory is short.
    Ok(response::counted(answer))
}
