//! HTTP: Flink's paths at the root and under `/v1`, our own under `/api/v1`, and what operators probe.
//!
//! Handlers read the index and may ask ingest to bring an evicted archive back; they never list or delete.
//!
//! # Absent on purpose
//! No document is ever a file path. No handler takes a request body. No answer quotes the cause of a failure:
//! a 500 is a fixed sentence, its cause goes to the log, once, with the request.
//!
//! # Which module does what
//! [`serve()`] owns connections; `observe` wraps every request (names, time limit, panics, headers, log, metrics), with `hosts` and
//! `cross_origin`; `flink_path` decodes
//! paths and `flink` says what they mean; `document`, `overview`, `cluster`, `dashboard` and `log_url` answer them;
//! `ops` and `status` are ours; `openapi` describes the routes below `/api/v1`; `response`, `conditional` and `encoding` are shared by all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::archive::OverviewForm;
use crate::clock::{Clock, Millis, SystemZone};
use crate::index::IndexReader;
use crate::ingest::{BackfillStatus, Ingest};
use crate::refresh::RefreshStatus;
use crate::web;

mod actions;
mod budget;
mod cluster;
mod conditional;
mod cross_origin;
mod dashboard;
mod deflate;
mod document;
mod documents;
mod download;
mod encoding;
mod error;
mod execution_result;
mod flink;
mod flink_path;
mod gzip;
mod hosts;
mod log_url;
mod observe;
mod openapi;
mod ops;
mod overview;
mod page;
mod problems;
mod query;
mod readiness;
mod response;
mod retention;
mod serve;
mod status;
mod tasks;

pub(crate) use conditional::is_match;
pub(crate) use encoding::{Encoding, negotiate};
pub(crate) use response::{RouteTemplate, counted, not_modified};

pub use actions::{Actions, FromOwner, Who};
pub use budget::Budget;
pub use hosts::Hosts;
pub use log_url::{LogUrlPattern, LogUrls, SchemeRefused};
pub use observe::{DURATION_BUCKETS, DURATION_METRIC, REQUESTS_METRIC};
pub use openapi::openapi_json;
pub use retention::preview_page;
pub use serve::{Drained, ServeOptions, serve};

/// What `/config` and the log URL routes tell, from the configuration.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Version of the Flink API that is answered (`historyserver.web.flink-version`).
    pub flink_version: String,
    /// Form of `/jobs/overview`, by that version. `None`: as archived while no archive is of Flink 2, else that of Flink 2.
    pub job_overview: Option<OverviewForm>,
    /// How often the page asks again (`historyserver.web.refresh-interval`).
    pub web_refresh_interval: Duration,
    /// The time zone of this machine.
    pub time_zone: SystemZone,
    /// Where logs are kept (`historyserver.log.*.url-pattern`).
    pub log_urls: LogUrls,
    /// How long a handler may take until its answer begins; after that the client gets a 503.
    pub request_timeout: Duration,
    /// Largest request body that is let in, in bytes.
    pub max_request_body: u64,
    /// Names under which requests are answered.
    pub hosts: Hosts,
    /// Who may frame the pages, as sources of a Content-Security-Policy; empty: nobody.
    pub frame_ancestors: Vec<String>,
    /// Origins whose scripts may read, or `*`; empty: none.
    pub cors_origins: Vec<String>,
    /// Memory for answers (`historyserver.web.answer-memory`); to be that of [`ServeOptions`], too.
    pub budget: Budget,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            flink_version: "2.3.0".to_owned(),
            job_overview: None,
            web_refresh_interval: Duration::from_secs(10),
            time_zone: SystemZone::of_process(),
            log_urls: LogUrls::default(),
            request_timeout: Duration::from_mins(1),
            max_request_body: 64 << 10,
            hosts: Hosts::default(),
            frame_ancestors: Vec::new(),
            cors_origins: Vec::new(),
            budget: Budget::default(),
        }
    }
}

/// All that handlers need.
#[derive(Clone)]
pub struct ApiState {
    /// What is known.
    pub reader: IndexReader,
    /// Brings evicted archives back.
    pub ingest: Ingest,
    /// State of the refreshes.
    pub refresh: watch::Receiver<RefreshStatus>,
    /// How the backfill of an older index stands.
    pub backfill: watch::Receiver<BackfillStatus>,
    /// The time.
    pub clock: Clock,
    /// When this server started, by that clock.
    pub started: Millis,
    /// From the configuration.
    pub options: ApiOptions,
    /// For changing requests; `None`: there are none.
    pub actions: Option<Actions>,
    /// Renders `/metrics`.
    pub prometheus: PrometheusHandle,
    /// Cancelled as soon as the server is asked to stop: `/readyz` then says so.
    pub stopping: CancellationToken,
}

/// What is shared by all requests.
struct Shared {
    state: ApiState,
    lists: overview::Lists,
    /// Requests since start.
    requests: AtomicU64,
    /// Of every answer.
    content_security_policy: HeaderValue,
    /// Whether a request under a name that is not answered was logged.
    misdirected: AtomicBool,
}

impl std::ops::Deref for Shared {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.state
    }
}

/// What is served. Each to be given to [`serve()`], which owns the connections.
pub struct Routers {
    /// All routes.
    pub all: Router,
    /// Only what operators probe: for an address of its own.
    pub operations: Router,
}

/// All routes.
pub fn router(state: ApiState) -> Router {
    routers(state).all
}

/// All routes, and those for operators alone.
pub fn routers(state: ApiState) -> Routers {
    observe::describe();
    ops::describe();
    serve::describe();
    let shared = Arc::new(Shared {
        lists: overview::Lists::default(),
        requests: AtomicU64::new(0),
        content_security_policy: cross_origin::content_security_policy(&state.options.frame_ancestors),
        misdirected: AtomicBool::new(false),
        state,
    });
    let observed = |routes: Router<Arc<Shared>>| {
        routes.layer(axum::middleware::from_fn_with_state(Arc::clone(&shared), observe::observe)).with_state(Arc::clone(&shared))
    };
    let all = probes()
        .route("/api/v1", get(openapi::with_slash))
        .merge(Router::from(documented()))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(fallback);
    let operations = probes().method_not_allowed_fallback(method_not_allowed).fallback(async || error::ApiError::no_such_path());
    Routers { all: observed(all), operations: observed(operations) }
}

/// What operators probe, on every address.
fn probes() -> Router<Arc<Shared>> {
    Router::new().route("/healthz", get(ops::healthz)).route("/readyz", get(ops::readyz)).route("/metrics", get(ops::metrics))
}

/// Our own routes below `/api/v1`: each is here with its documentation, or not at all.
fn documented() -> OpenApiRouter<Arc<Shared>> {
    openapi::begin()
        .routes(routes!(status::status))
        .routes(routes!(retention::preview))
        .routes(routes!(retention::deletions))
        .routes(routes!(actions::cleanup))
        .routes(routes!(actions::refresh))
        .routes(routes!(problems::problems))
        .routes(routes!(tasks::tasks))
        .routes(routes!(documents::of_application))
        .routes(routes!(documents::one_of_application))
        .routes(routes!(documents::of_job))
        .routes(routes!(documents::one_of_job))
        .routes(routes!(download::of_application))
        .routes(routes!(download::of_job))
        .routes(routes!(query::lists::applications))
        .routes(routes!(query::lists::jobs))
        .routes(routes!(query::counts::application_facets))
        .routes(routes!(query::counts::job_facets))
        .routes(routes!(query::export::applications))
        .routes(routes!(query::export::jobs))
        .routes(routes!(query::lists::application_history))
        .routes(routes!(query::lists::job_history))
        .routes(routes!(query::one::application))
        .routes(routes!(query::compare::compare))
        .routes(routes!(query::one::job))
        .routes(routes!(query::counts::statistics))
        .routes(routes!(query::search::search))
        .routes(routes!(openapi::document))
        .routes(routes!(openapi::page))
}

/// Methods that every path answers, for `Allow`.
const ALLOWED: &str = "GET, HEAD";

/// Everything but our own routes: Flink's paths and the page. Paths are decoded here, not by axum, which would not take `%2F` for a separator.
async fn fallback(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return method_not_allowed(request).await;
    }
    let path = match flink_path::decode(request.uri().path()) {
        Ok(path) => path,
        Err(error) => return error.into_response(),
    };
    let segments: Vec<&str> = path.iter().map(String::as_str).collect();
    if let Some(asset) = web::find(&segments) {
        return asset.answer(request.headers());
    }
    flink::answer(&shared, &segments, request.headers()).await
}

/// A method that a path does not answer. `OPTIONS` is told what it does answer.
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
