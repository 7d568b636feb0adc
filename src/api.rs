//! The HTTP API: Flink's paths at the root and under `/v1`, our own under `/api/v1`, health and metrics.
//!
//! Handlers read the index, and can request that ingest restores an evicted archive. They never list or delete.
//!
//! - `http`: connections, requests, parameters, representations and errors, whatever the path.
//! - `flink`: Flink's paths.
//! - `v1`: the API below `/api/v1`, with its OpenAPI document.
//! - `operations`: health, readiness and metrics.
//! - `state`: the handles and options that handlers share. `permission`: the clients that may send changing requests.
//!
//! Documents are never file paths. Only `POST /api/v1/refresh` and `POST /api/v1/cleanup` read a request body. A 500 is a fixed
//! sentence: its cause is logged once, with the request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::api::flink::document_cache::DocumentCache;
use crate::api::flink::list_cache::Lists;
use crate::api::http::client::Client;
use crate::api::http::turns::Turns;
use crate::api::http::{authentication, cross_origin, error, fairness, observe, path, response};
use crate::api::state::{Base, Shared};
use crate::api::v1::{actions, openapi};

mod flink;
pub(crate) mod http;
mod operations;
mod permission;
mod state;
mod v1;

pub use flink::log_url::{LogUrlPattern, LogUrls, SchemeRefused};
pub use flink::routes as flink_routes;
pub use http::budget::Budget;
pub use http::hosts::Hosts;
pub use http::observe::{DURATION_BUCKETS, DURATION_METRIC, REQUESTS_METRIC};
pub use http::serve::{Drained, ServeOptions, serve};
pub use permission::{Actions, FromOwner, Permission};
pub use state::{ApiOptions, ApiState, Pages};
pub use v1::openapi_json;
pub use v1::retention::preview_page;

/// The routers. Each is passed to [`serve()`], which owns the connections.
pub struct Routers {
    /// All routes.
    pub all: Router,
    /// Health and metrics only, for a separate address.
    pub operations: Router,
}

/// All routes.
pub fn router(state: ApiState) -> Router {
    routers(state).all
}

/// All routes, and those for operators only.
pub fn routers(state: ApiState) -> Routers {
    observe::describe();
    operations::describe();
    http::serve::closed::describe();
    let shared = Arc::new(Shared::new(Base {
        lists: Lists::default(),
        documents: DocumentCache::new(state.options.document_memory),
        turns: Arc::new(Turns::new(state.options.expensive_requests_per_client)),
        requests: AtomicU64::new(0),
        content_security_policy: cross_origin::content_security_policy(&state.options.frame_ancestors),
        misdirected: AtomicBool::new(false),
        state,
    }));
    let observed = |routes: Router<Arc<Shared>>| {
        routes.layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), observe::observe)).with_state(Arc::clone(&shared))
    };
    let all = probes()
        .route("/api/v1", get(openapi::with_slash))
        .merge(v1::router().layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), fairness::wait)))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(fallback);
    let operations = probes().method_not_allowed_fallback(method_not_allowed).fallback(async || error::ApiError::no_such_path());
    let all = all.layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), authentication::authenticate));
    Routers { all: observed(all), operations: observed(operations) }
}

/// Health and metrics, on every address.
fn probes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
}

/// The methods that every path supports, for `Allow`.
const ALLOWED: &str = "GET, HEAD";

/// Answers all paths but our own: the pages and Flink's. Paths are decoded here, since axum does not take `%2F` for a separator.
async fn fallback(Client(shared): Client, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed(request).await;
    }
    let path = match path::decode(request.uri().path()) {
        Ok(path) => path,
        Err(error) => return error.into_response(),
    };
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(page) = (shared.pages)(request.uri().path(), &segments, request.headers()) {
        return page;
    }
    flink::answer(&shared, &segments, request.headers()).await
}

/// The answer to a method that a path does not support. `OPTIONS` gets the supported methods.
async fn method_not_allowed(request: Request) -> Response {
    let changing = actions::PATHS.contains(&request.uri().path());
    let allow = if changing { "POST" } else { ALLOWED };
    if request.method() == Method::OPTIONS {
        return response::options(allow);
    }
    if changing {
        return error::ApiError::takes_only_post().into_response();
    }
    error::ApiError::method_not_allowed(allow).into_response()
}
