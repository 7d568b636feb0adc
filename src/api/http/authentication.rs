//! Authentication of requests: puts the [`Identity`] into the extensions before a handler runs, or answers 401.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::access::{Authentication, Identity, Outcome, Peer, audit};
use crate::api::http::error::ApiError;
use crate::api::http::sign_in;
use crate::api::permission::FromOwner;
use crate::api::state::Shared;
use crate::api::v1::actions;

/// Paths that need no authentication: probes know no secret, and show no archive.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

const METRICS: &str = "/metrics";

/// The layer around all routes.
pub(in crate::api) async fn authenticate(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    if request.extensions().get::<FromOwner>().is_some() {
        request.extensions_mut().insert(Arc::new(Identity::owner()));
        return answer_audited(request, next, None).await;
    }
    let Some(authentication) = shared.options.authentication.as_deref() else {
        // Only this process can have named the client before.
        if request.extensions().get::<Arc<Identity>>().is_none() {
            request.extensions_mut().insert(Arc::new(Identity::anonymous()));
        }
        let from = request.extensions().get::<Peer>().map(|peer| peer.address);
        return answer_audited(request, next, from).await;
    };
    if authentication.sign_in_base().is_some() && request.uri().path().starts_with(sign_in::PREFIX) {
        return sign_in::answer(authentication, request).await;
    }
    let outcome = authentication.identify(request.headers(), request.extensions().get::<Peer>()).await;
    let from = authentication.client_address(request.headers(), request.extensions().get::<Peer>());
    authentication.strip(request.headers_mut());
    let path = request.uri().path();
    let is_open = OPEN.contains(&path) || (path == METRICS && authentication.has_open_metrics());
    let (identity, cookie) = match outcome {
        Outcome::Identified(identity, cookie) => (identity, cookie),
        _ if is_open => (Arc::new(Identity::anonymous()), None),
        Outcome::Anonymous => {
            let redirect = sign_in::redirect(authentication, &request);
            return redirect.unwrap_or_else(|| refuse(authentication, "This server needs an authentication"));
        }
        Outcome::Refused => return refuse(authentication, "The credentials of this request are not valid"),
        Outcome::Blocked(wait) => return blocked(wait),
    };
    request.extensions_mut().insert(identity);
    let mut answer = answer_audited(request, next, from).await;
    keep_from_shared_caches(answer.headers_mut());
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

/// The answer of the route. A changing request is written to the audit log with its result.
async fn answer_audited(request: Request, next: Next, from: Option<IpAddr>) -> Response {
    let action = actions::PATHS.into_iter().find(|path| request.method() == Method::POST && request.uri().path() == *path);
    let Some(action) = action else { return next.run(request).await };
    let who = request.extensions().get::<Arc<Identity>>().cloned().unwrap_or_else(|| Arc::new(Identity::anonymous()));
    let answer = next.run(request).await;
    let result = if answer.status().is_success() { "accepted" } else { answer.status().canonical_reason().unwrap_or("refused") };
    audit::action(&who, from, action, result);
    answer
}

/// 401.
fn refuse(authentication: &Authentication, fault: &str) -> Response {
    let remedy = if authentication.takes_tokens() {
        ": send a valid token in the header Authorization: Bearer."
    } else {
        ": open it through its proxy, or ask its operator."
    };
    let mut answer = ApiError::new(StatusCode::UNAUTHORIZED, format!("{fault}{remedy}")).into_response();
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"historyserver\""));
    answer
}

fn blocked(wait: Duration) -> Response {
    let message = "Too many sign-ins from this address failed: try again after a minute, with valid credentials.";
    ApiError::waiting(StatusCode::TOO_MANY_REQUESTS, message, wait).into_response()
}

/// What one client may see must not be answered to another by a cache between. Files of the pages that never change are the same for all.
fn keep_from_shared_caches(headers: &mut HeaderMap) {
    let shared = headers.get(header::CACHE_CONTROL).is_none_or(|control| control == "no-cache");
    if shared {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
}
