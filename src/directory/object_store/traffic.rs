//! The HTTP requests of one archive directory: every request of its client passes here.
//!
//! Each request waits for the limit of its directory, has a time limit, and is counted. The bodies of listings are checked. The `Date`
//! of each answer sets the clock of the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::object_store::ClientOptions;
use ::object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use async_trait::async_trait;
use http::{Method, StatusCode};

use super::limit::Limit;
use super::listing_body::{self, Form};
use super::store_clock::StoreClock;
use crate::directory::requests::{RequestCounts, RequestKind};
use crate::names::DirectoryUrl;
use crate::telemetry;

/// Time limit of waiting for the limit of requests in flight.
const WAITING: Duration = Duration::from_secs(15);

/// The traffic of one directory.
#[derive(Debug)]
pub(super) struct Traffic {
    url: DirectoryUrl,
    clock: StoreClock,
    limit: Arc<Limit>,
    counts: [AtomicU64; RequestKind::ALL.len()],
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new(DirectoryUrl::new(""))
    }
}

impl Traffic {
    /// The traffic of a directory, before its first request.
    pub(super) fn new(url: DirectoryUrl) -> Self {
        Self { url, clock: StoreClock::default(), limit: Arc::default(), counts: Default::default() }
    }

    /// The clock of the store.
    pub(super) fn clock(&self) -> &StoreClock {
        &self.clock
    }

    /// Requests sent since the start.
    pub(super) fn counts(&self) -> RequestCounts {
        RequestCounts::new(|kind| self.counts[kind as usize].load(Ordering::Relaxed))
    }

    fn note(&self, kind: RequestKind, answer: &Result<HttpResponse, HttpError>) {
        let result = match answer {
            Ok(response) => {
                self.clock.note(response.headers());
                let status = response.status();
                if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
                    self.limit.note_overload();
                    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) { "throttled" } else { "failed" }
                } else {
                    self.limit.note_success();
                    if status.is_success() || status == StatusCode::NOT_MODIFIED { "ok" } else { "refused" }
                }
            }
            // The store has answered.
            Err(error) if error.kind() == HttpErrorKind::Decode => "failed",
            Err(_) => {
                self.limit.note_overload();
                "failed"
            }
        };
        self.counts[kind as usize].fetch_add(1, Ordering::Relaxed);
        telemetry::http_request(&self.url, kind.into(), result);
    }
}

/// Connects like `object_store`, and lets every request pass [`Traffic`]. To be given to the builder of a store.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Arc<Traffic>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> ::object_store::Result<HttpClient> {
        let inner = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Watched { inner, traffic: Arc::clone(&self.0) }))
    }
}

#[derive(Debug)]
struct Watched {
    inner: HttpClient,
    traffic: Arc<Traffic>,
}

/// A request that got no answer in time.
#[derive(Debug, thiserror::Error)]
enum Late {
    #[error("the store did not answer within {} s", .0.as_secs())]
    Answer(Duration),
    #[error("the request waited for {} s, since the store fails or refuses requests for being too many", .0.as_secs())]
    Turn(Duration),
}

#[async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (kind, form) = classify(&request);
        // Not retried: the directory is refreshed again soon.
        let _permit = tokio::time::timeout(WAITING, self.traffic.limit.acquire())
            .await
            .map_err(|_elapsed| HttpError::new(HttpErrorKind::Unknown, Late::Turn(WAITING)))?;
        let limit = time_limit(kind);
        let answer = tokio::time::timeout(limit, self.exchange(request, form))
            .await
            .unwrap_or_else(|_elapsed| Err(HttpError::new(HttpErrorKind::Timeout, Late::Answer(limit))));
        self.traffic.note(kind, &answer);
        answer
    }
}

impl Watched {
    /// Sends a request, and waits for the head of its answer; of a listing, for all of it.
    async fn exchange(&self, request: HttpRequest, form: Option<Form>) -> Result<HttpResponse, HttpError> {
        let response = self.inner.execute(request).await?;
        let Some(form) = form.filter(|_| response.status().is_success()) else { return Ok(response) };
        let (mut parts, body) = response.into_parts();
        // A connection that breaks within a listing is retried, like one that breaks before it.
        let body = body.bytes().await.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?;
        let (body, aside) = listing_body::check(&body, form).map_err(|error| HttpError::new(HttpErrorKind::Decode, error))?;
        parts.extensions.insert(aside);
        Ok(HttpResponse::from_parts(parts, body.into()))
    }
}

/// The kind of a request, and the format of its answer if it is a listing.
fn classify(request: &HttpRequest) -> (RequestKind, Option<Form>) {
    let query = request.uri().query().unwrap_or_default();
    let has = |wanted: &str| query.split('&').any(|part| part == wanted);
    match *request.method() {
        Method::GET if has("list-type=2") => (RequestKind::List, Some(Form::Bucket)),
        Method::GET if has("comp=list") => (RequestKind::List, Some(Form::Container)),
        Method::GET => (RequestKind::Get, None),
        Method::HEAD => (RequestKind::Head, None),
        Method::DELETE => (RequestKind::Delete, None),
        Method::POST if has("delete") || has("comp=batch") => (RequestKind::Delete, None),
        _ => (RequestKind::Other, None),
    }
}

/// The time within which an answer must begin; a listing must be complete.
fn time_limit(kind: RequestKind) -> Duration {
    Duration::from_secs(match kind {
        RequestKind::List | RequestKind::Get | RequestKind::Head | RequestKind::Other => 10,
        RequestKind::Delete => 30,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_classified_by_method_and_query() {
        for (method, uri, kind, form) in [
            (Method::GET, "http://s/b?list-type=2&prefix=a", RequestKind::List, Some(Form::Bucket)),
            (Method::GET, "http://s/b?restype=container&comp=list", RequestKind::List, Some(Form::Container)),
            (Method::GET, "http://s/b/key", RequestKind::Get, None),
            (Method::HEAD, "http://s/b/key", RequestKind::Head, None),
            (Method::DELETE, "http://s/b/key", RequestKind::Delete, None),
            (Method::POST, "http://s/b?delete", RequestKind::Delete, None),
            (Method::POST, "http://s/token", RequestKind::Other, None),
            (Method::PUT, "http://s/b/key", RequestKind::Other, None),
        ] {
            let mut request = HttpRequest::new(bytes::Bytes::new().into());
            *request.method_mut() = method;
            *request.uri_mut() = uri.parse().unwrap();
            assert_eq!(classify(&request), (kind, form), "{uri}");
        }
    }
}
