//! The layer around expensive requests: each waits for the turn of its client.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;

use crate::api::http::turns::{Cost, Key};
use crate::api::state::Shared;

/// The expensive routes below `/api/v1`.
const EXPENSIVE: &[(&str, Cost)] = &[
    ("/api/v1/statistics", Cost::Walk),
    ("/api/v1/search", Cost::Walk),
    ("/api/v1/applications/facets", Cost::Walk),
    ("/api/v1/jobs/facets", Cost::Walk),
    ("/api/v1/applications/history", Cost::Walk),
    ("/api/v1/jobs/history", Cost::Walk),
    ("/api/v1/jobs/compare", Cost::Walk),
    ("/api/v1/applications/export", Cost::Long),
    ("/api/v1/jobs/export", Cost::Long),
    ("/api/v1/applications/{id}/archive", Cost::Long),
    ("/api/v1/jobs/{id}/archive", Cost::Long),
];

/// Lets expensive requests wait for the turn of their client.
pub(in crate::api) async fn wait(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let Some((_, cost)) = EXPENSIVE.iter().find(|(route, _)| Some(*route) == path) else { return next.run(request).await };
    let turn = match shared.turns.turn(Key::of(&request), *cost).await {
        Ok(turn) => turn,
        Err(refused) => return refused.into_response(),
    };
    let answer = next.run(request).await;
    if *cost == Cost::Walk || !answer.status().is_success() {
        return answer;
    }
    // Until the body is sent or dropped.
    answer.map(|body| {
        Body::new(body.map_frame(move |frame| {
            let _held = &turn;
            frame
        }))
    })
}
