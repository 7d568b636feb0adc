//! The extractor of the client of a request.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::access::Identity;
use crate::api::state::Shared;

/// The state for the client of this request: what is read by it is within the client's rights.
pub(in crate::api) struct Client(pub(in crate::api) Arc<Shared>);

impl FromRequestParts<Arc<Shared>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Infallible> {
        let client = parts.extensions.get::<Arc<Identity>>();
        Ok(Self(Arc::new(shared.of_client(client.map(AsRef::as_ref)))))
    }
}
