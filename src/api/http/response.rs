//! Answers that several handlers give: JSON bodies with their tags, 304, the error envelope.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;

use crate::api::http::conditional;
use crate::api::http::encoding::{Encoding, negotiate};
use crate::api::http::error::ApiError;
use crate::api::http::gzip;

/// Template of the route that answered, for log and metrics: one of a fixed set, never a path as sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteTemplate(pub(crate) &'static str);

/// The memory of a body is counted already, or need not be, since it is there in any case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted;

/// Marks an answer as [`Counted`].
pub(crate) fn counted(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Counted);
    answer
}

/// Clients may keep any answer, but must ask whether it still holds.
pub(in crate::api) const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Answers about this moment.
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

/// 304: what the client has still holds.
pub(crate) fn not_modified(etag: HeaderValue, cache: HeaderValue) -> Response {
    let mut answer = empty(StatusCode::NOT_MODIFIED);
    let headers = answer.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

/// Head of a 200 with a JSON body that may be compressed and is tagged. `etag` is the strong one; it is weakened where the body is compressed on the way.
pub(in crate::api) fn tagged(etag: &conditional::Tag, encoding: Encoding, length: Option<u64>, body: Body) -> Response {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CACHE_CONTROL, REVALIDATE);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::ETAG, etag.header(encoding));
    if encoding == Encoding::Gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    answer
}

/// A whole JSON text in memory, tagged by its content, compressed where asked for and worth it.
pub(in crate::api) async fn json_text(request: &HeaderMap, text: Bytes) -> Result<Response, ApiError> {
    let etag = conditional::Tag::of_content(&text);
    whole(request, &etag, text).await
}

/// A whole body in memory with its tag, compressed where asked for and worth it.
pub(in crate::api) async fn whole(request: &HeaderMap, etag: &conditional::Tag, text: Bytes) -> Result<Response, ApiError> {
    let mut encoding = negotiate(request);
    if (text.len() as u64) < gzip::WORTHWHILE {
        encoding = Encoding::Identity;
    }
    if etag.matches(request) {
        return Ok(not_modified(etag.header(encoding), REVALIDATE));
    }
    let body = match encoding {
        Encoding::Identity => text,
        Encoding::Gzip => gzip::whole(text).await?,
    };
    Ok(tagged(etag, encoding, Some(body.len() as u64), Body::from(body)))
}

/// A JSON value of this moment: never kept.
pub(in crate::api) fn json_now(status: StatusCode, value: &impl Serialize) -> Result<Response, ApiError> {
    let mut text = serde_json::to_vec(value).map_err(|error| ApiError::internal(format!("writing an answer as JSON failed: {error}")))?;
    // It may wait for long; what is counted is its length.
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
