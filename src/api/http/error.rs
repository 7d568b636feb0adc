//! The error of handlers. Each failure is an [`ApiError`], which is answered as `{"errors":["…"]}`, like errors of Flink's own REST API.
//!
//! The message is for the client. The cause of a failure is an extension of the response, which `observe` logs.

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::http::response::{self, RouteTemplate};
use crate::archive::Owner;
use crate::index::{Fault, IndexError, Unread};
use crate::ingest::RestoreError;

/// An answer that is an error.
#[derive(Debug)]
pub(in crate::api) struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    cause: Option<String>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
    close: bool,
    route: Option<&'static str>,
    code: Option<&'static str>,
}

/// Why a request failed, for the log: never part of the body.
#[derive(Debug, Clone)]
pub(in crate::api) struct Cause(pub(in crate::api) String);

impl ApiError {
    pub(in crate::api) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into(), cause: None, retry_after: None, allow: None, close: false, route: None, code: None }
    }

    /// 400.
    pub(in crate::api) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 404.
    pub(in crate::api) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 404 of a path that means nothing.
    pub(in crate::api) fn no_such_path() -> Self {
        Self::not_found("This path does not exist.")
    }

    /// 403.
    pub(in crate::api) fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 409.
    pub(in crate::api) fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// 415.
    pub(in crate::api) fn unsupported_media_type(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    }

    /// 429 with `Retry-After`.
    pub(in crate::api) fn too_many_requests(retry_after: Duration) -> Self {
        let message = "Another changing request was accepted less than 5 seconds ago: try again in a few seconds.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    /// An error with `Retry-After`.
    pub(in crate::api) fn waiting(status: StatusCode, message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(status, message) }
    }

    /// 429 of a client with too many expensive requests, with `Retry-After`.
    pub(in crate::api) fn too_many_expensive(retry_after: Duration) -> Self {
        let message = "Too many of your statistics, searches, exports and downloads run already: try again when one has ended.";
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::TOO_MANY_REQUESTS, message) }
    }

    /// 405.
    pub(in crate::api) fn method_not_allowed(allow: &'static str) -> Self {
        let message =
            "A history server is read-only: jobs cannot be submitted, changed or cancelled here. This path supports GET and HEAD.";
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    /// 405 of a path that changing requests go to.
    pub(in crate::api) fn takes_only_post() -> Self {
        Self { allow: Some("POST"), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "This path supports only POST.") }
    }

    /// 410.
    pub(in crate::api) fn gone(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::GONE, message)
    }

    /// 413; the connection is closed after it, since the body is not read.
    pub(in crate::api) fn body_too_large(limit: u64) -> Self {
        let message = format!("The body of the request is larger than {limit} bytes.");
        Self { close: true, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, message) }
    }

    /// 500 with its cause for the log.
    pub(in crate::api) fn internal(cause: impl Into<String>) -> Self {
        let message = "Internal server error: see the log of the server.";
        Self { cause: Some(cause.into()), ..Self::new(StatusCode::INTERNAL_SERVER_ERROR, message) }
    }

    /// 503 with `Retry-After`.
    pub(in crate::api) fn unavailable(message: impl Into<Cow<'static, str>>, retry_after: Duration, cause: impl Into<String>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, message);
        Self { retry_after: Some(retry_after), cause: Some(cause.into()), ..error }
    }

    /// 503 with `Retry-After` of an overloaded server. It is not logged for each request.
    pub(in crate::api) fn overloaded(message: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) }
    }

    /// Says in the header [`ERROR_CODE`] what is wrong with an archive that exists. The body stays as Flink's clients expect it.
    fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// 404 of a document that the archive does not have.
    pub(in crate::api) fn not_in_archive(message: &'static str) -> Self {
        Self::not_found(message).with_code("not-in-archive")
    }

    /// Names the route for log and metrics.
    pub(in crate::api) fn on_route(self, route: &'static str) -> Self {
        Self { route: Some(route), ..self }
    }

    /// 503 of an archive directory that cannot be read.
    pub(in crate::api) fn directory_unavailable(cause: impl Into<String>) -> Self {
        Self::unavailable(
            "The archive directory cannot be read at the moment: try again later, and see /api/v1/problems.",
            Duration::from_secs(10),
            cause,
        )
    }

    /// The error for an archive that exists and could not be read, with the sentence of its problem: 404 if the content is invalid, as
    /// Flink's clients expect for a missing job; 503 if the store failed.
    ///
    /// The problem was logged when it appeared.
    pub(in crate::api) fn unreadable(owner: Owner, unread: &Unread) -> Self {
        let whose = match owner {
            Owner::Application(_) => "application",
            Owner::Job(_) => "job",
        };
        let message = format!("The archive of this {whose} cannot be read: {}", unread.reason);
        let error = match unread.fault {
            Fault::Content => Self::not_found(message),
            Fault::Store => Self { retry_after: Some(Duration::from_secs(10)), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, message) },
        };
        error.with_code("archive-unreadable")
    }

    /// Status of the answer.
    pub(in crate::api) fn status(&self) -> StatusCode {
        self.status
    }

    /// The sentence for the client.
    pub(in crate::api) fn message(&self) -> &str {
        &self.message
    }

    /// The text for the log.
    pub(in crate::api) fn cause(&self) -> &str {
        self.cause.as_deref().unwrap_or(&self.message)
    }
}

impl From<IndexError> for ApiError {
    fn from(error: IndexError) -> Self {
        match error {
            IndexError::Closed => Self::unavailable("The server is shutting down.", Duration::from_secs(5), "the index is closed"),
            IndexError::Unwritable(cause) | IndexError::NewerSchema(cause) | IndexError::Owned(cause) => {
                Self::unavailable("The index cannot be read at the moment: see the log of the server.", Duration::from_secs(30), cause)
            }
            IndexError::Busy => Self::overloaded(
                "Too many searches, lists or statistics are requested at the same time: try again in a few seconds.",
                Duration::from_secs(5),
            ),
            IndexError::TookTooLong => Self::unavailable(
                "This request takes longer than historyserver.web.query-timeout: request less, for example a shorter time range, or try again later.",
                Duration::from_mins(1),
                "a read of the index took longer than historyserver.web.query-timeout",
            ),
            IndexError::InvalidCursor => Self::bad_request("`cursor` is not valid for this list, filter and sort: start again without it."),
            IndexError::Damaged(cause) => Self::internal(format!("the index is damaged: {cause}")),
            IndexError::Failed(cause) => Self::internal(format!("reading the index failed: {cause}")),
        }
    }
}

impl From<RestoreError> for ApiError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Unavailable { message, retry_after } => {
                let cause = format!("an evicted archive could not be fetched again: {message}");
                Self::unavailable(message, retry_after, cause)
            }
            RestoreError::Missing => Self::gone(NOT_RESTORABLE),
            RestoreError::Unreadable(reason) => Self::not_found(format!(
                "The documents of this archive were evicted from the cache, and the archive can no longer be read from its archive directory: \
                 {reason}"
            ))
            .with_code("archive-unreadable"),
        }
    }
}

/// Header of errors about an archive that exists: `archive-unreadable` or `not-in-archive`, for clients that must not depend on sentences.
const ERROR_CODE: HeaderName = HeaderName::from_static("historyserver-error");

/// The sentence of a 410.
pub(in crate::api) const NOT_RESTORABLE: &str = "The documents of this archive were evicted from the cache, and the archive is missing from its archive directory: they cannot be restored.";

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut answer = response::error_envelope(self.status, &self.message);
        let headers = answer.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(code) = self.code {
            headers.insert(ERROR_CODE, HeaderValue::from_static(code));
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(cause) = self.cause {
            answer.extensions_mut().insert(Cause(cause));
        }
        if let Some(route) = self.route {
            answer.extensions_mut().insert(RouteTemplate(route));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn reads_that_are_refused_or_interrupted_are_503_with_retry_after_and_a_sentence() {
        for (error, logged) in [(IndexError::Busy, false), (IndexError::TookTooLong, true)] {
            let answer = ApiError::from(error).into_response();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
            assert_eq!(answer.extensions().get::<Cause>().is_some(), logged, "many refused requests are not many log lines");
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert!(body["errors"][0].as_str().unwrap().contains("again"), "{body}");
        }
    }
}
