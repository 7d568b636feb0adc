//! The layer around every request: limits of time and body, answers after panics, security headers, one log line, two metrics.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use metrics::{Unit, counter, describe_counter, describe_histogram, histogram};

use crate::api::http::budget::Budget;
use crate::api::http::cross_origin;
use crate::api::http::error::{ApiError, Cause};
use crate::api::http::hosts::Hosts;
use crate::api::http::response::{Counted, RouteTemplate};
use crate::api::permission::FromOwner;
use crate::api::state::Shared;

/// Counter of requests by `route`, `method` and `status`.
pub const REQUESTS_METRIC: &str = "historyserver_http_requests_total";
/// Histogram of the seconds until an answer begins, by `route`.
pub const DURATION_METRIC: &str = "historyserver_http_request_duration_seconds";
/// Buckets of [`DURATION_METRIC`], in seconds.
pub const DURATION_BUCKETS: &[f64] = &[0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// Requests after which samples of histograms are counted in their buckets: otherwise they stay in memory until `/metrics` is read.
const REQUESTS_BETWEEN_UPKEEP: u64 = 4096;

/// Browsers run and send nothing that a document contains.
const SECURITY: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

/// Describes the metrics that are recorded here.
pub(in crate::api) fn describe() {
    describe_counter!(REQUESTS_METRIC, Unit::Count, "HTTP requests by route template, method and status.");
    describe_histogram!(DURATION_METRIC, Unit::Seconds, "Time until the answer to an HTTP request begins, by route template.");
}

/// The outermost layer.
pub(in crate::api) async fn observe(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = method_label(request.method());
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let origins = &shared.options.cors_origins;
    let script = cross_origin::allowed(origins, request.method(), request.headers());
    let mut answer = guarded(&shared, request, next).await;
    for (name, value) in SECURITY {
        answer.headers_mut().insert(name, value);
    }
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, shared.content_security_policy.clone());
    cross_origin::mark(origins, script, answer.headers_mut());
    let elapsed = started.elapsed();
    let template = answer.extensions().get::<RouteTemplate>().map(|template| template.0);
    let route = template.or(matched.as_ref().map(MatchedPath::as_str)).unwrap_or("unknown").to_owned();
    let status = answer.status();
    counter!(REQUESTS_METRIC, "route" => route.clone(), "method" => method, "status" => status.as_u16().to_string()).increment(1);
    histogram!(DURATION_METRIC, "route" => route.clone()).record(elapsed);
    if shared.requests.fetch_add(1, Ordering::Relaxed) % REQUESTS_BETWEEN_UPKEEP == 0 {
        shared.prometheus.run_upkeep();
    }
    log(&route, method, &answer, elapsed);
    answer
}

/// Runs the handler within its limits. There is always an answer.
async fn guarded(shared: &Shared, request: Request, next: Next) -> Response {
    // Requests by the socket in the data directory have no name.
    let hosts = request.extensions().get::<Hosts>().unwrap_or(&shared.options.hosts);
    if request.extensions().get::<FromOwner>().is_none()
        && let Err(refusal) = hosts.check(request.uri(), request.version(), request.headers())
    {
        if refusal.status() == StatusCode::MISDIRECTED_REQUEST && !shared.misdirected.swap(true, Ordering::Relaxed) {
            tracing::warn!("a request was refused (logged once, later ones are not): {}", refusal.cause());
        }
        return refusal.into_response();
    }
    let origins = &shared.options.cors_origins;
    if request.method() == Method::OPTIONS && cross_origin::allowed(origins, request.method(), request.headers()).is_some() {
        return cross_origin::preflight();
    }
    let limit = shared.options.max_request_body;
    if body_length(request.headers()).is_some_and(|length| length > limit) {
        return ApiError::body_too_large(limit).into_response();
    }
    let answer = answered(next.run(request), shared.options.request_timeout).await;
    with_memory(answer, &shared.options.budget)
}

/// Counts the memory of an answer that is in memory as a whole; refuses it if no memory is left.
fn with_memory(mut answer: Response, budget: &Budget) -> Response {
    let bytes = answer.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let Some(bytes) = bytes.filter(|bytes| *bytes > 0 && answer.extensions().get::<Counted>().is_none()) else { return answer };
    let Some(room) = budget.whole(bytes) else {
        let message = "The memory for answers (historyserver.web.answer-memory) is in use by slow clients: try again in a few seconds.";
        return ApiError::overloaded(message, Duration::from_secs(5)).into_response();
    };
    // A mapped body no longer reports its length.
    answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert(bytes.into());
    let mut room = Some(room);
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            // It is one piece.
            frame.map_data(|data| match room.take() {
                Some(room) => room.holding(data),
                None => data,
            })
        }))
    })
}

/// The answer of the handler, or an error if it panics or takes too long.
async fn answered(handler: impl Future<Output = Response>, within: Duration) -> Response {
    match tokio::time::timeout(within, AssertUnwindSafe(handler).catch_unwind()).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => ApiError::internal(format!("a handler panicked: {}", panic_text(panic.as_ref()))).into_response(),
        Err(_elapsed) => {
            let cause = format!("no answer within {} s", within.as_secs());
            ApiError::unavailable("The answer takes too long to prepare: try again later.", Duration::from_secs(10), cause).into_response()
        }
    }
}

/// The announced bytes of a body. A body without an announcement is limited where it is read.
fn body_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a text")
}

/// Methods as sent are any text; as a label they are of a fixed set.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// One line per request; failures of the server as errors, with their cause.
fn log(route: &str, method: &str, answer: &Response, elapsed: Duration) {
    let status = answer.status().as_u16();
    let duration_ms = elapsed.as_secs_f64() * 1000.0;
    let cause = answer.extensions().get::<Cause>().map(|cause| cause.0.as_str());
    match cause {
        Some(cause) if answer.status().is_server_error() => {
            tracing::error!(
                http.route = route,
                http.method = method,
                http.status_code = status,
                duration_ms,
                error.cause = cause,
                "request failed"
            );
        }
        _ => tracing::debug!(http.route = route, http.method = method, http.status_code = status, duration_ms, "request answered"),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_without_its_text() {
        let answer = answered(async { panic!("the password is swordfish") }, Duration::from_mins(1)).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(answer.extensions().get::<Cause>().unwrap().0.contains("swordfish"), "the log has the cause");
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body, serde_json::json!({ "errors": ["Internal server error: see the log of the server."] }));
    }

    #[tokio::test]
    async fn a_handler_that_takes_too_long_is_a_503_with_retry_after() {
        let answer = answered(std::future::pending(), Duration::from_millis(1)).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(header::RETRY_AFTER));
    }
}
