//! The paths of the sign-in in the browser, below `/auth/`: the only ones that need none.
//!
//! Addresses of the pages are behind `#`, which browsers do not send. So a page that needs a sign-in is redirected to `/auth/sign-in`, to
//! which browsers take that part along, and a script there passes it on as the address to return to.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::access::authentication::Redirect;
use crate::access::{Authentication, Identity, IdentityKind, Peer, audit};
use crate::api::http::error::ApiError;
use crate::api::http::response::{self, RouteTemplate};

/// Begins all paths of the sign-in.
pub(in crate::api) const PREFIX: &str = "/auth/";

const SIGN_IN_PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title><script src="sign-in.js"></script></head>
<body><noscript><a href="login">Sign in</a></noscript></body></html>
"#;

const SIGN_IN_SCRIPT: &str = r#"const back = new URLSearchParams(location.search).get("return") ?? "/";
location.replace("login?return=" + encodeURIComponent(back + location.hash));
"#;

const SIGN_OUT_PAGE: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign out</title><script src="sign-out.js" defer></script></head>
<body><button id="sign-out">Sign out</button><p id="failed" role="alert"></p></body></html>
"#;

const SIGN_OUT_SCRIPT: &str = r#"document.getElementById("sign-out").addEventListener("click", async () => {
  const answer = await fetch("logout", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  if (answer.ok) location.replace((await answer.json()).location);
  else document.getElementById("failed").textContent = "Signing out failed: try again.";
});
"#;

/// Answer to `POST /auth/logout`.
#[derive(Serialize)]
struct SignedOut {
    /// Where the browser goes on: the provider, to sign out there.
    location: String,
}

/// Answers a path below [`PREFIX`].
pub(in crate::api) async fn answer(authentication: &Authentication, request: Request) -> Response {
    let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
    let from = authentication.client_address(headers, request.extensions().get::<Peer>());
    let mut answer = match (request.method(), request.uri().path()) {
        (&Method::GET, "/auth/sign-in") => file(SIGN_IN_PAGE, "text/html; charset=utf-8"),
        (&Method::GET, "/auth/sign-in.js") => file(SIGN_IN_SCRIPT, "text/javascript; charset=utf-8"),
        (&Method::GET, "/auth/sign-out") => file(SIGN_OUT_PAGE, "text/html; charset=utf-8"),
        (&Method::GET, "/auth/sign-out.js") => file(SIGN_OUT_SCRIPT, "text/javascript; charset=utf-8"),
        (&Method::GET, "/auth/login") => {
            let back =
                url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "return").map(|(_, value)| value.into_owned());
            match authentication.begin_sign_in(back.as_deref().unwrap_or("/")).await {
                Ok(redirect) => send_to(redirect),
                Err(sentence) => ApiError::new(StatusCode::BAD_GATEWAY, format!("The sign-in cannot begin: {sentence}.")).into_response(),
            }
        }
        (&Method::GET, "/auth/callback") => match authentication.finish_sign_in(query, headers, from).await {
            Ok(redirect) => {
                audit::session(&user(&redirect), from, "sign-in");
                send_to(redirect)
            }
            Err(sentence) => ApiError::new(StatusCode::FORBIDDEN, format!("The sign-in failed: {sentence}.")).into_response(),
        },
        (&Method::POST, "/auth/logout") => sign_out(authentication, headers, from).await,
        (&Method::GET | &Method::HEAD, "/auth/logout") => ApiError::takes_only_post().into_response(),
        _ => ApiError::no_such_path().into_response(),
    };
    answer.extensions_mut().insert(RouteTemplate("/auth/{*path}"));
    answer
}

/// Sends a browser that opens a page to the sign-in; `None`: the request is not of that kind.
pub(in crate::api) fn redirect(authentication: &Authentication, request: &Request) -> Option<Response> {
    let base = authentication.sign_in_base()?;
    let accepts_html =
        request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"));
    let is_script = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    if request.method() != Method::GET || !accepts_html || is_script {
        return None;
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let back: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    Some(send_to(Redirect { location: format!("{base}auth/sign-in?return={back}"), cookies: Vec::new(), user: None }))
}

async fn sign_out(authentication: &Authentication, headers: &HeaderMap, from: Option<std::net::IpAddr>) -> Response {
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json || !authentication.is_own_origin(headers) {
        return ApiError::forbidden("A sign-out is accepted only from a page of this server.").into_response();
    }
    let Some(redirect) = authentication.sign_out(headers).await else { return ApiError::no_such_path().into_response() };
    audit::session(&user(&redirect), from, "sign-out");
    let mut answer = response::json_now(StatusCode::OK, &SignedOut { location: redirect.location }).into_response();
    for cookie in redirect.cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

fn user(redirect: &Redirect) -> Arc<Identity> {
    Arc::new(redirect.user.as_deref().map_or_else(Identity::anonymous, |name| Identity::named(name, IdentityKind::User, [""; 0])))
}

/// 303, kept by no cache.
fn send_to(redirect: Redirect) -> Response {
    let Ok(location) = HeaderValue::try_from(redirect.location) else {
        return ApiError::internal("an address to return to is no header").into_response();
    };
    let mut answer = response::empty(StatusCode::SEE_OTHER);
    answer.headers_mut().insert(header::LOCATION, location);
    answer.headers_mut().insert(header::CACHE_CONTROL, response::NO_STORE);
    for cookie in redirect.cookies {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

fn file(text: &'static str, kind: &'static str) -> Response {
    let mut answer = Response::new(Body::from(text));
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer.headers_mut().insert(header::CACHE_CONTROL, response::NO_STORE);
    answer
}
