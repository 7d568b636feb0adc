//! Changing requests: `POST /api/v1/refresh` and `POST /api/v1/cleanup`. They start a run; its result is in the status.
//!
//! Pages of other sites cannot send them: they need an `application/json` body, which browsers send to other sites only after a
//! preflight; a known name of this server; and, from a browser, a page of this server. A cleanup on hold is confirmed only by the
//! socket in the data directory.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::client::Client;
use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::hosts::{self, Hosts, RequestedHost};
use crate::api::http::response;
use crate::api::permission::{Actions, FromOwner, Permission};
use crate::api::state::Shared;

/// Paths of changing requests.
pub(in crate::api) const PATHS: [&str; 2] = ["/api/v1/refresh", "/api/v1/cleanup"];

/// Shortest time between two changing requests.
const PAUSE: Duration = Duration::from_secs(5);

/// Largest body of a changing request, in bytes.
const MAX_BODY: usize = 4 << 10;

/// Body of `POST /api/v1/cleanup`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CleanupRequest {
    /// Plan id of a cleanup on hold. Only accepted by the socket in the data directory, which `historyserver cleanup --confirm`
    /// uses.
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

/// Request a cleanup
///
/// It runs after a refresh. `cleanup` in `/api/v1/status` shows when it is done, and its result.
#[utoipa::path(
    post, path = "/api/v1/cleanup", tag = "server", request_body = CleanupRequest, responses((status = 202, body = Accepted))
)]
pub(in crate::api) async fn cleanup(
    Client(shared): Client,
    Query(NoParameters {}): Query<NoParameters>,
    request: Request,
) -> Result<Response, ApiError> {
    let owner = is_owner(&request);
    let (actions, body) = admit(&shared, request).await?;
    let wanted: CleanupRequest = parse(&body)?;
    if wanted.confirm.is_some() && !owner {
        return Err(ApiError::forbidden(
            "A cleanup on hold cannot be confirmed over HTTP: run `historyserver cleanup --confirm PLAN-ID` on the machine of the server.",
        ));
    }
    if let Some(plan) = &wanted.confirm
        && !actions.cleaner.confirm(plan).await?
    {
        return Err(ApiError::conflict(
            "No cleanup with this plan id is on hold: the plan has changed, or it was confirmed before. \
             /api/v1/retention/preview and `historyserver cleanup --dry-run` show the current plan.",
        ));
    }
    tracing::info!(confirmed = wanted.confirm.is_some(), "a cleanup was requested");
    response::json_now(StatusCode::ACCEPTED, &Accepted { request: actions.cleaner.request() })
}

/// Request a refresh
///
/// It starts with a full scan of every archive directory, at once. `/api/v1/tasks` shows when it is done.
#[utoipa::path(
    post, path = "/api/v1/refresh", tag = "server", request_body = RefreshRequest, responses((status = 202, body = RefreshAccepted))
)]
pub(in crate::api) async fn refresh(
    Client(shared): Client,
    Query(NoParameters {}): Query<NoParameters>,
    request: Request,
) -> Result<Response, ApiError> {
    let (actions, body) = admit(&shared, request).await?;
    let RefreshRequest {} = parse(&body)?;
    tracing::info!("a refresh was requested");
    response::json_now(StatusCode::ACCEPTED, &RefreshAccepted { run: actions.activator.request_full_scan() })
}

/// Answer to `POST /api/v1/refresh`.
#[derive(Serialize, ToSchema)]
struct RefreshAccepted {
    /// It is done when `requested` of the task `refresh` of `/api/v1/tasks` (`refresh.requested` of `/api/v1/status`) has reached this.
    run: u64,
}

/// Accepts a changing request, or returns why it is refused.
async fn admit(shared: &Shared, request: Request) -> Result<(Actions, Vec<u8>), ApiError> {
    let owner = is_owner(&request);
    if !owner && !shared.may_operate() {
        return Err(ApiError::forbidden(
            "Your rights do not include `operate`, which refreshes and cleanups need: a rule of historyserver.security.rules gives it.",
        ));
    }
    let Some(actions) = shared.actions.clone() else { return Err(ApiError::no_such_path()) };
    let (parts, body) = request.into_parts();
    if !owner {
        let host = hosts::requested_host(&parts.uri, parts.version, &parts.headers)?;
        // The right takes the place of the address.
        let permission = if shared.options.rights.is_enforced() { Permission::AllClients } else { actions.permission };
        may(permission, &shared.options.hosts, &host, &parts.headers).map_err(ApiError::forbidden)?;
    }
    if !is_json(&parts.headers) {
        return Err(ApiError::unsupported_media_type(
            "Changing requests need a body with the header Content-Type: application/json; the body {} is enough.",
        ));
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

/// Whether a request came by the socket in the data directory.
fn is_owner(request: &Request) -> bool {
    request.extensions().get::<FromOwner>().is_some()
}

/// Whether the client may send changing requests to this host; else the reason.
fn may(permission: Permission, hosts: &Hosts, host: &RequestedHost, headers: &HeaderMap) -> Result<(), &'static str> {
    let named = |host: &RequestedHost| match permission {
        Permission::NoClient => false,
        Permission::ThisMachine => host.is_loopback(),
        Permission::AllClients => hosts.acts_for(host),
    };
    if permission == Permission::NoClient || (permission == Permission::ThisMachine && !named(host)) {
        return Err("Changing requests are not accepted at this address: run `historyserver cleanup` on the machine of the server, \
                    or set historyserver.web.allow-remote-actions.");
    }
    if !named(host) {
        return Err(
            "Changing requests are not accepted under this name: if it is a name of this server, add it to historyserver.web.hosts.",
        );
    }
    if !from_own_page(permission, hosts, host, headers) {
        return Err("Changing requests are not accepted from pages of other servers.");
    }
    Ok(())
}

/// Whether a request comes from a page of this server, or not from a browser. If a proxy replaces the name that browsers use, that
/// name must be in `historyserver.web.hosts`.
fn from_own_page(permission: Permission, hosts: &Hosts, host: &RequestedHost, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if !sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return false;
    }
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let page = origin.to_str().ok().and_then(|origin| RequestedHost::parse(origin.split_once("://")?.1));
        page.is_some_and(|page| {
            let same = page.name == host.name && (host.port.is_none() || host.port == page.port);
            same || (permission == Permission::AllClients && hosts.lists(&page.name))
        })
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    let bytes = to_bytes(body, MAX_BODY).await.map_err(|_too_large| ApiError::body_too_large(MAX_BODY as u64))?;
    Ok(bytes.to_vec())
}

fn parse<'body, T: Deserialize<'body>>(body: &'body [u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(format!("The body of this request is not valid: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::HostPattern;

    fn requested(host: &str) -> RequestedHost {
        RequestedHost::parse(host).unwrap()
    }

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_this_machine_by_its_own_name_may_send_changes_to_a_loopback_address() {
        let hosts = Hosts::new([127, 0, 0, 1].into(), vec![HostPattern::Exactly("flink.example".to_owned())]);
        let may = |permission, host| may(permission, &hosts, &requested(host), &HeaderMap::new());
        for host in ["localhost", "LOCALHOST:8082", "127.0.0.1:8082", "127.1.2.3", "[::1]:8082"] {
            assert_eq!(may(Permission::ThisMachine, host), Ok(()), "{host}");
            assert_eq!(may(Permission::AllClients, host), Ok(()), "{host}");
            assert!(may(Permission::NoClient, host).is_err(), "{host}");
        }
        for host in ["flink.example", "localhost.example:8082", "10.0.0.1", "127.0.0.1.example"] {
            assert!(may(Permission::ThisMachine, host).is_err() && may(Permission::NoClient, host).is_err(), "{host}");
        }
        assert_eq!(may(Permission::AllClients, "flink.example:443"), Ok(()));
        assert!(may(Permission::AllClients, "other.example").unwrap_err().contains("historyserver.web.hosts"));
    }

    #[test]
    fn a_browser_may_send_changes_only_from_a_page_of_this_server() {
        let hosts = Hosts::new([0, 0, 0, 0].into(), vec![HostPattern::Exactly("flink.example".to_owned())]);
        for (host, headers, taken) in [
            ("localhost:8082", with(&[]), true),
            ("localhost:8082", with(&[("origin", "http://localhost:8082"), ("sec-fetch-site", "same-origin")]), true),
            ("localhost:8082", with(&[("origin", "http://localhost:3000")]), false),
            ("localhost:8082", with(&[("origin", "http://localhost:8082"), ("sec-fetch-site", "same-site")]), false),
            ("localhost:8082", with(&[("sec-fetch-site", "cross-site")]), false),
            ("localhost:8082", with(&[("sec-fetch-site", "none")]), true),
            ("localhost:8082", with(&[("origin", "null")]), false),
            ("localhost:8082", with(&[("origin", "http://rebound.example:8082")]), false),
            ("[::1]:8082", with(&[("origin", "http://[::1]:8082")]), true),
            ("flink.example", with(&[("origin", "https://flink.example")]), true),
            ("flink.example", with(&[("origin", "https://flink.example:8443")]), true),
            ("10.0.0.7:8082", with(&[("origin", "https://flink.example")]), true),
            ("10.0.0.7:8082", with(&[("origin", "https://other.example")]), false),
        ] {
            assert_eq!(may(Permission::AllClients, &hosts, &requested(host), &headers).is_ok(), taken, "{host} {headers:?}");
        }
    }

    #[test]
    fn only_json_is_taken() {
        let with = |kind: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        assert!(is_json(&with("application/json")) && is_json(&with("Application/JSON; charset=utf-8")));
        assert!(!is_json(&with("text/plain")) && !is_json(&with("application/jsonp")) && !is_json(&HeaderMap::new()));
    }
}
