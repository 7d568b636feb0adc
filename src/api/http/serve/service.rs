//! The service of a connection: passes requests to the routes, and answers back in portions.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use axum::response::IntoResponse as _;
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::places::Entered;
use super::portions::Portions;
use crate::access::Peer;
use crate::api::http::error::ApiError;

/// The paths that are answered on connections without a place, too.
const PROBES: &[&str] = &["/healthz", "/readyz", "/metrics"];

/// The routes, for one connection.
#[derive(Clone)]
pub(super) struct Service {
    pub(super) router: Router,
    pub(super) entered: Arc<Entered>,
    /// The other end of the connection.
    pub(super) peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let Self { router, entered, peer } = self.clone();
        request.extensions_mut().insert(peer);
        let in_work = entered.connection.begin();
        Box::pin(async move {
            let is_probe = PROBES.contains(&request.uri().path());
            if !is_probe && !entered.places.wait_for(&entered.connection).await {
                return Ok(no_place());
            }
            let mut answer = router.oneshot(request).await?;
            if !entered.connection.has_place() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(answer.map(|body| Body::new(Portions::new(body, in_work))))
        })
    }
}

/// 503 of a server with no place for a connection.
fn no_place() -> Response<Body> {
    let message = "Too many connections are open, in all or from this address: try again in a few seconds.";
    let mut answer = ApiError::overloaded(message, Duration::from_secs(5)).into_response();
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    answer
}
