//! Pages of other origins: which may show this server in a frame, and which may read from it by script (CORS). None, unless configured.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::api::http::response;

/// The headers that scripts of other origins may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag, retry-after, content-disposition, historyserver-rebuilt-archives");

/// The policy of every answer: browsers run only scripts of this server, and only these ancestors may frame it.
pub(in crate::api) fn content_security_policy(ancestors: &[String]) -> HeaderValue {
    const CLOSED: HeaderValue =
        HeaderValue::from_static("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    if ancestors.is_empty() {
        return CLOSED;
    }
    let policy =
        format!("default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {}", ancestors.join(" "));
    // They were found to be origins when the configuration was read.
    HeaderValue::from_str(&policy).unwrap_or(CLOSED)
}

/// The origin to allow for a request of a script, or for its preflight; `None`: no script sent it, or its origin is not allowed.
pub(in crate::api) fn allowed(origins: &[String], method: &Method, request: &HeaderMap) -> Option<HeaderValue> {
    let reads = match *method {
        Method::GET | Method::HEAD => true,
        Method::OPTIONS => matches!(request.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes(), b"GET" | b"HEAD"),
        _ => false,
    };
    let mut asking = request.get_all(header::ORIGIN).iter();
    let (Some(origin), None, true) = (asking.next(), asking.next(), reads) else { return None };
    if origins.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// The answer to a browser that asks first, and is allowed.
pub(in crate::api) fn preflight() -> Response {
    let mut answer = response::empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("accept, authorization, if-none-match"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}

/// Marks an answer as one that depends on who asks, and lets the script read it that is allowed to.
pub(in crate::api) fn mark(origins: &[String], allowed: Option<HeaderValue>, answer: &mut HeaderMap) {
    if !origins.is_empty() {
        answer.append(header::VARY, HeaderValue::from_static("origin"));
    }
    if let Some(origin) = allowed {
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}
