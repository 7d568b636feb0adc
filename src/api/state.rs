//! The state that all requests share: handles for reading, and options.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::rights::{Access, Rights};
use crate::access::{Authentication, Identity};
use crate::api::flink::document_cache::DocumentCache;
use crate::api::flink::list_cache::Lists;
use crate::api::flink::log_url::LogUrls;
use crate::api::http::budget::Budget;
use crate::api::http::hosts::Hosts;
use crate::api::http::turns::Turns;
use crate::api::permission::Actions;
use crate::archive::OverviewForm;
use crate::clock::{Clock, SystemZone, Timestamp};
use crate::index::query::Scope;
use crate::index::{IndexReader, ScopedReader};
use crate::ingest::{BackfillStatus, Ingest};
use crate::refresh::RefreshStatus;

/// Options of the API, from the configuration.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    /// Version of the Flink API that is answered (`historyserver.web.flink-version`).
    pub flink_version: String,
    /// Form of `/jobs/overview`, by that version. `None`: as archived while no archive is of Flink 2, else that of Flink 2.
    pub job_overview: Option<OverviewForm>,
    /// Interval of the requests of the pages (`historyserver.web.refresh-interval`).
    pub web_refresh_interval: Duration,
    /// The time zone of this machine.
    pub time_zone: SystemZone,
    /// URLs of the logs of jobs (`historyserver.log.*.url-pattern`).
    pub log_urls: LogUrls,
    /// How long a handler may take until its answer begins; after that the client gets a 503.
    pub request_timeout: Duration,
    /// Largest request body that is accepted, in bytes.
    pub max_request_body: u64,
    /// Names under which requests are answered.
    pub hosts: Hosts,
    /// Origins whose pages may frame the pages, as sources of a Content-Security-Policy; empty: none.
    pub frame_ancestors: Vec<String>,
    /// Origins whose scripts may read, or `*`; empty: none.
    pub cors_origins: Vec<String>,
    /// Bytes of documents that are kept in memory (`historyserver.cache.memory`); 0: none.
    pub document_memory: u64,
    /// Expensive requests of one client at a time (`historyserver.web.expensive-requests-per-client`).
    pub expensive_requests_per_client: usize,
    /// The rights of the clients (`historyserver.security.rules`).
    pub rights: Rights,
    /// Memory for answers (`historyserver.web.answer-memory`); the same budget as in [`ServeOptions`](super::ServeOptions).
    pub budget: Budget,
    /// Authenticates clients; `None`: every client is anonymous.
    pub authentication: Option<Arc<Authentication>>,
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
            document_memory: 64 << 20,
            expensive_requests_per_client: 512,
            rights: Rights::default(),
            budget: Budget::default(),
            authentication: None,
        }
    }
}

/// Answers a GET of a path with a file of the pages, if there is one: from the path as sent, its decoded segments and the headers.
pub type Pages = fn(&str, &[&str], &HeaderMap) -> Option<Response>;

/// Everything that handlers need.
#[derive(Clone)]
pub struct ApiState {
    /// Reads the index.
    pub reader: IndexReader,
    /// Restores evicted archives.
    pub ingest: Ingest,
    /// The state of the refreshes.
    pub refresh: watch::Receiver<RefreshStatus>,
    /// The state of the backfill of an older index.
    pub backfill: watch::Receiver<BackfillStatus>,
    /// The time.
    pub clock: Clock,
    /// When this server started, by that clock.
    pub started: Timestamp,
    /// From the configuration.
    pub options: ApiOptions,
    /// The pages.
    pub pages: Pages,
    /// Carries out changing requests; `None`: this server accepts none.
    pub actions: Option<Actions>,
    /// Renders `/metrics`.
    pub prometheus: PrometheusHandle,
    /// Cancelled as soon as the server stops: `/readyz` then answers 503.
    pub stopping: CancellationToken,
}

/// The state that all requests share.
pub(in crate::api) struct Base {
    pub(in crate::api) state: ApiState,
    pub(in crate::api) lists: Lists,
    pub(in crate::api) documents: DocumentCache,
    pub(in crate::api) turns: Arc<Turns>,
    /// Requests since start.
    pub(in crate::api) requests: AtomicU64,
    /// The header of every answer.
    pub(in crate::api) content_security_policy: HeaderValue,
    /// Whether a request under a name that is not answered was logged.
    pub(in crate::api) misdirected: AtomicBool,
}

impl std::ops::Deref for Base {
    type Target = ApiState;

    fn deref(&self) -> &ApiState {
        &self.state
    }
}

/// The state that all requests share, and what the client of one request may do. The routes hold one that may do nothing: a handler that
/// does not name its client ([`Client`](crate::api::http::client::Client)) reads nothing.
pub(in crate::api) struct Shared {
    base: Arc<Base>,
    access: Arc<Access>,
}

impl std::ops::Deref for Shared {
    type Target = Base;

    fn deref(&self) -> &Base {
        &self.base
    }
}

impl Shared {
    /// For the routes.
    pub(in crate::api) fn new(base: Base) -> Self {
        let access = base.options.rights.nothing();
        Self { base: Arc::new(base), access }
    }

    /// For a request of this client.
    pub(in crate::api) fn of_client(&self, client: Option<&Identity>) -> Self {
        Self { base: Arc::clone(&self.base), access: self.options.rights.of(client) }
    }

    /// For the server's own figures.
    pub(in crate::api) fn of_server(&self) -> Self {
        Self { base: Arc::clone(&self.base), access: self.options.rights.of_server() }
    }

    /// What the client may see.
    pub(in crate::api) fn scope(&self) -> &Arc<Scope> {
        &self.access.scope
    }

    /// Whether the client may request refreshes and cleanups.
    pub(in crate::api) fn may_operate(&self) -> bool {
        self.access.operate
    }

    /// The reading handle for the client.
    pub(in crate::api) fn scoped(&self) -> ScopedReader {
        self.reader.scoped(Arc::clone(&self.access.scope))
    }
}
