//! Changing requests: `POST /api/v1/refresh` and `POST /api/v1/cleanup`. They only ask; what is done is seen in the status.
//!
//! A page of another site must not be able to send them: they need an `application/json` body, which browsers do not send there
//! without asking first, and on a loopback address a `Host` that is one, whatever name a foreign site gives it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::ApiError;
use super::query::parameters::Parameters;
use super::{Shared, response};
use crate::schedule::cleanups::Cleaner;
use crate::schedule::periodic::Activator;

/// Paths of changing requests.
pub(super) const PATHS: [&str; 2] = ["/api/v1/refresh", "/api/v1/cleanup"];

/// Shortest time between two changing requests.
const PAUSE: Duration = Duration::from_secs(5);

/// Largest body of a changing request.
const LARGEST_BODY: usize = 4 << 10;

/// What changing requests ask.
#[derive(Clone)]
pub struct Actions {
    /// For cleanups.
    pub cleaner: Cleaner,
    /// For refreshes.
    pub activator: Activator,
    /// Who may ask over HTTP.
    pub who: Who,
    /// When somebody was last let in.
    pub last: Arc<Mutex<Option<Instant>>>,
}

/// Who may send changing requests over HTTP. By the socket in the data directory its user always may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Nobody: the server listens on an address that others reach.
    Nobody,
    /// Whoever is on this machine: the server listens on a loopback address.
    ThisMachine,
    /// Everybody (`historyserver.web.allow-remote-actions`).
    Everybody,
}

/// Marks requests that came by the socket in the data directory.
#[derive(Debug, Clone, Copy)]
pub struct FromOwner;

/// Body of `POST /api/v1/cleanup`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CleanupRequest {
    /// Plan of a cleanup that the guard holds back.
    confirm: Option<String>,
}

/// Body of `POST /api/v1/refresh`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {}

/// Answer to `POST /api/v1/cleanup`.
#[derive(Serialize, ToSchema)]
#[schema(as = CleanupAccepted)]
struct Accepted {
    /// It is done when `cleanup.requested` of `/api/v1/status` has reached this.
    request: u64,
}

/// Ask for a cleanup
///
/// It runs after a refresh; `cleanup` of `/api/v1/status` tells when it is done, and what it did.
#[utoipa::path(
    post, path = "/api/v1/cleanup", tag = "server", request_body = CleanupRequest, responses((status = 202, body = Accepted))
)]
pub(super) async fn cleanup(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let (actions, body) = admit(&shared, request).await?;
    let wanted: CleanupRequest = parse(&body)?;
    if let Some(plan) = &wanted.confirm
        && !actions.cleaner.confirm(plan).await?
    {
        return Err(ApiError::conflict(
            "There is no cleanup with this plan to confirm: it has changed, or nothing is held back. \
             /api/v1/retention/preview and `historyserver cleanup --dry-run` show what there is.",
        ));
    }
    tracing::info!(confirmed = wanted.confirm.is_some(), "a cleanup was asked for");
    response::json_now(StatusCode::ACCEPTED, &Accepted { request: actions.cleaner.request() })
}

/// Ask for a refresh
///
/// Every archive directory is listed whole, now. `/api/v1/tasks` tells when it is done.
#[utoipa::path(
    post, path = "/api/v1/refresh", tag = "server", request_body = RefreshRequest, responses((status = 202, body = RefreshAccepted))
)]
pub(super) async fn refresh(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let (actions, body) = admit(&shared, request).await?;
    let RefreshRequest {} = parse(&body)?;
    tracing::info!("a refresh was asked for");
    response::json_now(StatusCode::ACCEPTED, &RefreshAccepted { run: actions.activator.request_audit() })
}

/// Answer to `POST /api/v1/refresh`.
#[derive(Serialize, ToSchema)]
struct RefreshAccepted {
    /// It is done when `requested` of the task `refresh` of `/api/v1/tasks` (`refresh.requested` of `/api/v1/status`) has reached this.
    run: u64,
}

/// Lets a changing request in, or says why not.
async fn admit(shared: &Shared, request: Request) -> Result<(Actions, Vec<u8>), ApiError> {
    let Some(actions) = shared.actions.clone() else { return Err(ApiError::no_such_path()) };
    Parameters::of(request.uri(), &[])?;
    let (parts, body) = request.into_parts();
    let owner = parts.extensions.get::<FromOwner>().is_some();
    if !(owner || may(actions.who, &parts.headers)) {
        return Err(ApiError::forbidden(
            "Changing requests are not taken at this address: run `historyserver cleanup` on the server's machine, \
             or set historyserver.web.allow-remote-actions.",
        ));
    }
    if !is_json(&parts.headers) {
        return Err(ApiError::unsupported_media_type("Changing requests need a body with Content-Type: application/json; {} will do."));
    }
    let body = read(body).await?;
    if !owner {
        let now = Instant::now();
        let mut last = actions.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(left) = last.and_then(|last| PAUSE.checked_sub(now - last)) {
            return Err(ApiError::too_many_requests(left));
        }
        *last = Some(now);
    }
    Ok((actions, body))
}

fn may(who: Who, headers: &HeaderMap) -> bool {
    match who {
        Who::Nobody => false,
        Who::Everybody => true,
        Who::ThisMachine => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).and_then(|host| host.parse().ok());
            host.is_some_and(|host: http::uri::Authority| is_loopback(host.host()))
        }
    }
}

/// Whether a host is this machine by its own word, not by a name that somebody else gives it.
fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let bytes = to_bytes(body, LARGEST_BODY).await.map_err(|_too_large| ApiError::body_too_large(LARGEST_BODY as u64))?;
    Ok(bytes.to_vec())
}

fn parse<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("The body is not what this request takes: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_by_its_own_name_may_ask_on_a_loopback_address() {
        let with = |host: &str| HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
        for host in ["localhost", "LOCALHOST:8082", "127.0.0.1:8082", "127.1.2.3", "[::1]:8082"] {
            assert!(may(Who::ThisMachine, &with(host)), "{host}");
        }
        for host in ["flink.example", "localhost.example:8082", "10.0.0.1", "127.0.0.1.example", ""] {
            assert!(!may(Who::ThisMachine, &with(host)), "{host}");
            assert!(may(Who::Everybody, &with(host)) && !may(Who::Nobody, &with(host)), "{host}");
        }
        assert!(!may(Who::ThisMachine, &HeaderMap::new()));
    }

    #[test]
    fn only_json_is_taken() {
        let with = |kind: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        assert!(is_json(&with("application/json")) && is_json(&with("Application/JSON; charset=utf-8")));
        assert!(!is_json(&with("text/plain")) && !is_json(&with("application/jsonp")) && !is_json(&HeaderMap::new()));
    }
}
