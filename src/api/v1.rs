//! The API of this server below `/api/v1`: lists, search, facets, history and statistics of all copies, as JSON.

use std::sync::Arc;

use axum::{Extension, Router};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::state::Shared;

pub(in crate::api) mod actions;
mod compare;
mod details;
mod diagnosis;
mod documents;
mod download;
mod export;
mod facets;
mod facts;
mod filters;
mod items;
mod lists;
mod notes;
pub(in crate::api) mod openapi;
mod page;
mod problems;
mod restore_point;
pub(in crate::api) mod retention;
mod runs;
mod search;
mod sort;
mod statistics;
mod status;
mod table;
mod tasks;

/// The routes below `/api/v1`, which include the OpenAPI document of themselves.
pub(in crate::api) fn router() -> Router<Arc<Shared>> {
    let (routes, document) = documented().split_for_parts();
    routes.layer(Extension(Arc::new(openapi::Document::new(document))))
}

/// The OpenAPI document of this version as JSON text, as the server returns it.
///
/// # Errors
/// A sentence, if the document cannot be written as JSON.
pub fn openapi_json() -> Result<String, String> {
    openapi::Document::new(documented().into_openapi()).json()
}

/// The routes with their documentation: an undocumented route cannot be added.
fn documented() -> OpenApiRouter<Arc<Shared>> {
    openapi::begin()
        .routes(routes!(status::status))
        .routes(routes!(retention::preview))
        .routes(routes!(retention::deletions))
        .routes(routes!(actions::cleanup))
        .routes(routes!(actions::refresh))
        .routes(routes!(problems::problems))
        .routes(routes!(tasks::tasks))
        .routes(routes!(documents::of_application))
        .routes(routes!(documents::one_of_application))
        .routes(routes!(documents::of_job))
        .routes(routes!(documents::one_of_job))
        .routes(routes!(download::of_application))
        .routes(routes!(download::of_job))
        .routes(routes!(lists::applications))
        .routes(routes!(lists::jobs))
        .routes(routes!(facets::application_facets))
        .routes(routes!(facets::job_facets))
        .routes(routes!(export::applications))
        .routes(routes!(export::jobs))
        .routes(routes!(lists::application_history))
        .routes(routes!(lists::job_history))
        .routes(routes!(details::application))
        .routes(routes!(compare::compare))
        .routes(routes!(restore_point::restore_point))
        .routes(routes!(details::job))
        .routes(routes!(diagnosis::diagnosis))
        .routes(routes!(statistics::statistics))
        .routes(routes!(search::search))
        .routes(routes!(openapi::document))
        .routes(routes!(openapi::page))
}
