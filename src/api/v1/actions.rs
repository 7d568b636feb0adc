//! Changing requests: `POST /api/v1/refresh` and `POST /api/v1/cleanup`. They only ask; what is done is seen in the status.
//!
//! A page of another site must not be able to send them: they need an `application/json` body, which browsers do not send there
//! without asking first; a name that this server is known to have; and, from a browser, a page of this server. What a guard holds
//! back is confirmed by the socket in the data directory alone.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::hosts::{self, Asked, Hosts};
use crate::api::http::response;
use crate::api::permission::{Actions, FromOwner, Who};
use crate::api::state::Shared;

/// Paths of changing requests.
pub(in crate::api) const PATHS: [&str; 2] = ["/api/v1/refresh", "/api/v1/cleanup"];

/// Shortest time between two changing requests.
const PAUSE: Duration = Duration::from_secs(5);

/// Largest body of a changing request.
const LARGEST_BODY: usize = 4 << 10;

/// Body of `POST /api/v1/cleanup`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct CleanupRequest {
    /// Plan of a cleanup that the guard holds back. Only taken by the socket in the data directory, which `historyserver cleanup
    /// --confirm` uses.
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
pub(in crate::api) async fn cleanup(
    State(shared): State<Arc<Shared>>,
    Query(NoParameters {}): Query<NoParameters>,
    request: Request,
) -> Result<Response, ApiError> {
    let owner = is_owner(&request);
    let (actions, body) = admit(&shared, request).await?;
    let wanted: CleanupRequest = parse(&body)?;
    if wanted.confirm.is_some() && !owner {
        return Err(ApiError::forbidden(
            "A cleanup that is held back is not confirmed over HTTP: run `historyserver cleanup --confirm PLAN-ID` on the server's machine.",
        ));
    }
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
pub(in crate::api) async fn refresh(
    State(shared): State<Arc<Shared>>,
    Query(NoParameters {}): Query<NoParameters>,
    request: Request,
) -> Result<Response, ApiError> {
    let (actions, body) = admit(&shared, request).await?;
    let RefreshRequest {} = parse(&body)?;
    tracing::info!("a refresh was asked for");
    response::json_now(StatusCode::ACCEPTED, &RefreshAccepted { run: actions.activator.request_full_scan() })
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
    let owner = is_owner(&request);
    let (parts, body) = request.into_parts();
    if !owner {
        let asked = hosts::asked(&parts.uri, parts.version, &parts.headers)?;
        may(actions.who, &shared.options.hosts, &asked, &parts.headers).map_err(ApiError::forbidden)?;
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

/// Whether a request came by the socket in the data directory.
fn is_owner(request: &Request) -> bool {
    request.extensions().get::<FromOwner>().is_some()
}

/// Whether this host may be asked for changes, and by whoever sends it; else why not.
fn may(who: Who, hosts: &Hosts, asked: &Asked, headers: &HeaderMap) -> Result<(), &'static str> {
    let named = |host: &Asked| match who {
        Who::Nobody => false,
        Who::ThisMachine => host.is_loopback(),
        Who::Everybody => hosts.acts_for(host),
    };
    if who == Who::Nobody || (who == Who::ThisMachine && !named(asked)) {
        return Err("Changing requests are not taken at this address: run `historyserver cleanup` on the server's machine, \
                    or set historyserver.web.allow-remote-actions.");
    }
    if !named(asked) {
        return Err("Changing requests are not taken under this name: add it to historyserver.web.hosts if it is one of this server.");
    }
    if !from_own_page(who, hosts, asked, headers) {
        return Err("Changing requests are not taken from pages of other servers.");
    }
    Ok(())
}

/// Whether a request is of no browser, or of a page of this server. A proxy that gives this server another name than browsers
/// know it by hides that: then the page's name must be in `historyserver.web.hosts`.
fn from_own_page(who: Who, hosts: &Hosts, asked: &Asked, headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if !sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none")) {
        return false;
    }
    headers.get_all(header::ORIGIN).iter().all(|origin| {
        let host = origin.to_str().ok().and_then(|origin| Asked::parse(origin.split_once("://")?.1));
        host.is_some_and(|host| {
            let same = host.name == asked.name && (asked.port.is_none() || asked.port == host.port);
            same || (who == Who::Everybody && hosts.lists(&host.name))
        })
    })
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
    use crate::names::HostPattern;

    fn asked(host: &str) -> Asked {
        Asked::parse(host).unwrap()
    }

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_this_machine_by_its_own_name_may_ask_on_a_loopback_address() {
        let hosts = Hosts::new([127, 0, 0, 1].into(), vec![HostPattern::Exactly("flink.example".to_owned())]);
        let may = |who, host| may(who, &hosts, &asked(host), &HeaderMap::new());
        for host in ["localhost", "LOCALHOST:8082", "127.0.0.1:8082", "127.1.2.3", "[::1]:8082"] {
            assert_eq!(may(Who::ThisMachine, host), Ok(()), "{host}");
            assert_eq!(may(Who::Everybody, host), Ok(()), "{host}");
            assert!(may(Who::Nobody, host).is_err(), "{host}");
        }
        for host in ["flink.example", "localhost.example:8082", "10.0.0.1", "127.0.0.1.example"] {
            assert!(may(Who::ThisMachine, host).is_err() && may(Who::Nobody, host).is_err(), "{host}");
        }
        assert_eq!(may(Who::Everybody, "flink.example:443"), Ok(()));
        assert!(may(Who::Everybody, "other.example").unwrap_err().contains("historyserver.web.hosts"));
    }

    #[test]
    fn a_browser_may_ask_from_a_page_of_this_server_alone() {
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
            assert_eq!(may(Who::Everybody, &hosts, &asked(host), &headers).is_ok(), taken, "{host} {headers:?}");
        }
    }

    #[test]
    fn only_json_is_taken() {
        let with = |kind: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
        assert!(is_json(&with("application/json")) && is_json(&with("Application/JSON; charset=utf-8")));
        assert!(!is_json(&with("text/plain")) && !is_json(&with("application/jsonp")) && !is_json(&HeaderMap::new()));
    }
}
