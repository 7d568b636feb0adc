//! Answers that several handlers give and no client keeps: JSON of this moment, empty answers, the error envelope.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::api::http::error::ApiError;

/// Template of the route that answered, for log and metrics: one of a fixed set, never a path as sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteTemplate(pub(crate) &'static str);

/// Marks an answer whose memory is already counted, or does not need to be, since it is used in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted;

/// Marks an answer as [`Counted`].
pub(crate) fn counted(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Counted);
    answer
}

/// Clients may keep the answer, but must revalidate it.
pub(in crate::api) const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Clients must not keep the answer.
pub(in crate::api) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Flink's content type for everything that is not a page.
pub(in crate::api) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An empty answer.
pub(in crate::api) fn empty(status: StatusCode) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

/// The answer to `OPTIONS`.
pub(in crate::api) fn options(allow: &'static str) -> Response {
    let mut answer = empty(StatusCode::NO_CONTENT);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    answer
}

/// A JSON value that clients must not keep.
pub(in crate::api) fn json_now(status: StatusCode, value: &impl Serialize) -> Result<Response, ApiError> {
    let mut text = serde_json::to_vec(value).map_err(|error| ApiError::internal(format!("writing an answer as JSON failed: {error}")))?;
    // It may stay in memory for long, and its length is the memory that is counted.
    text.shrink_to_fit();
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    Ok(answer)
}

/// `{"errors":["…"]}`.
pub(in crate::api) fn error_envelope(status: StatusCode, message: &str) -> Response {
    let mut answer = Response::new(Body::from(serde_json::json!({ "errors": [message] }).to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, JSON);
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    answer
}
