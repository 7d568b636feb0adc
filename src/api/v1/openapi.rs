//! The OpenAPI document of the routes below `/api/v1`, and a page made from it.
//!
//! The document is generated from the annotations of the handlers. A route cannot be added without an annotation. This module adds what all
//! routes have in common: the error answer, and that all members of answers are present.

use std::sync::{Arc, OnceLock};

use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{
    ContentBuilder, Info, License, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, ResponseBuilder, Responses, ServerBuilder,
    path::Operation,
};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::api::http::error::ApiError;
use crate::api::http::extract::{NoParameters, Query};
use crate::api::http::represent::Representation;
use crate::api::http::response;
use crate::api::state::Shared;

mod page;

/// An error.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct Errors {
    /// Sentences that say what is wrong and what to do.
    errors: Vec<String>,
}

/// The document as JSON text and as HTML page.
struct Rendered {
    document: Bytes,
    page: Bytes,
}

/// The OpenAPI document of the routes. It is rendered for the first request.
pub(in crate::api) struct Document {
    routes: OpenApi,
    rendered: OnceLock<Result<Rendered, String>>,
}

impl Document {
    /// The document of these routes.
    pub(in crate::api) fn new(routes: OpenApi) -> Self {
        Self { routes, rendered: OnceLock::new() }
    }

    /// The document as JSON text, as the server returns it.
    ///
    /// # Errors
    /// A sentence, if the document cannot be written as JSON.
    pub(in crate::api) fn json(&self) -> Result<String, String> {
        let rendered = self.rendered()?;
        String::from_utf8(rendered.document.to_vec()).map_err(|error| error.to_string())
    }

    fn rendered(&self) -> Result<&Rendered, String> {
        self.rendered
            .get_or_init(|| render(self.routes.clone()))
            .as_ref()
            .map_err(|error| format!("writing the OpenAPI document failed: {error}"))
    }
}

fn render(routes: OpenApi) -> Result<Rendered, String> {
    let mut value = serde_json::to_value(complete(routes)).map_err(|error| error.to_string())?;
    allow_empty_values(&mut value);
    let text = serde_json::to_string_pretty(&value).map_err(|error| error.to_string())?;
    Ok(Rendered { page: Bytes::from(page::render(&value)), document: Bytes::from(text + "\n") })
}

/// A router without routes, whose document describes the API as a whole.
pub(in crate::api) fn begin() -> OpenApiRouter<Arc<Shared>> {
    let mut info = Info::new("Flink History Server", env!("CARGO_PKG_VERSION"));
    info.description = Some(
        "The API of the history server for finished Flink applications and jobs. The server also answers the paths of Flink's own REST \
         API. Times are milliseconds since 1970 in UTC. Null means that a value is absent or unknown."
            .to_owned(),
    );
    info.license = Some(License::new("Apache-2.0"));
    // Relative to the document, so that it also works below a path prefix of a proxy.
    let here = ServerBuilder::new().url("../..").description(Some("The server of this document")).build();
    OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info).servers(Some([here])).build())
}

/// Adds what all operations and schemas have in common.
fn complete(mut document: OpenApi) -> OpenApi {
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(|operation| add_errors(&mut operation.responses));
    }
    let components = document.components.get_or_insert_default();
    components.schemas.insert(Errors::name().into_owned(), Errors::schema());
    for (_, schema) in components.schemas.iter_mut().filter(|(name, _)| !name.ends_with("Request")) {
        require_members(schema);
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().filter_map(Option::as_mut)
}

/// Adds the error answer, which is the same for all operations.
fn add_errors(responses: &mut Responses) {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(Errors::name()))).build();
    let described = "An error of the request (400, 404, 405, 406, 409, 410, 413, 415, 429) or of the server (500, 502, 503).";
    let errors = ResponseBuilder::new().description(described).content("application/json", body).build();
    responses.responses.entry("default".to_owned()).or_insert(RefOr::T(errors));
}

/// Allows empty values of optional parameters, which count as absent. Parameters that take any text need no such mark.
fn allow_empty_values(document: &mut Value) {
    let items = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    let operations = items.filter_map(Value::as_object_mut).flat_map(|item| item.values_mut());
    let parameters = operations.filter_map(|operation| operation.get_mut("parameters")?.as_array_mut()).flatten();
    let optional = parameters.filter(|parameter| parameter["in"] == "query" && parameter["required"] != true);
    for parameter in optional.filter(|parameter| !takes_any_text(&parameter["schema"])) {
        parameter["allowEmptyValue"] = json!(true);
    }
}

/// Whether a schema allows any text, or a list of any texts.
fn takes_any_text(schema: &Value) -> bool {
    let text = if schema["items"].is_object() { &schema["items"] } else { schema };
    text["type"] == "string" && ["enum", "pattern", "minLength"].iter().all(|bound| text[*bound].is_null())
}

/// Requires all members: an absent or unknown value is null.
fn require_members(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.required = object.properties.keys().cloned().collect();
            object.properties.values_mut().for_each(require_members);
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_members),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(require_members),
        RefOr::T(_) | RefOr::Ref(_) => {}
    }
}

/// Get the OpenAPI document
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "documentation", responses((status = 200, body = serde_json::Value)))]
pub(in crate::api) async fn document(
    Extension(document): Extension<Arc<Document>>,
    Query(NoParameters {}): Query<NoParameters>,
    headers: HeaderMap,
) -> Result<Representation, ApiError> {
    let rendered = document.rendered().map_err(ApiError::internal)?;
    Representation::of_content(&headers, rendered.document.clone()).await
}

/// Get the OpenAPI document as a page
#[utoipa::path(
    get, path = "/api/v1/", tag = "documentation", responses((status = 200, content_type = "text/html", body = String))
)]
pub(in crate::api) async fn page(
    Extension(document): Extension<Arc<Document>>,
    Query(NoParameters {}): Query<NoParameters>,
) -> Result<Response, ApiError> {
    let rendered = document.rendered().map_err(ApiError::internal)?;
    let mut answer = Response::new(Body::from(rendered.page.clone()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, response::REVALIDATE);
    Ok(answer)
}

/// Redirects `/api/v1` to `/api/v1/`, because the links of the page are relative.
pub(in crate::api) async fn with_slash() -> Response {
    let mut answer = response::empty(StatusCode::PERMANENT_REDIRECT);
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static("v1/"));
    answer
}
