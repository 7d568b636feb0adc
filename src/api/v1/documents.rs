//! `/api/v1/{applications,jobs}/{id}/documents` and `…/document`: the documents of archives, in pages, and one of them.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::flink::document::{self, ATTEMPTS};
use crate::api::http::client::Client;
use crate::api::http::error::{ApiError, NOT_RESTORABLE};
use crate::api::http::extract::{Parameters, Path, Query};
use crate::api::http::represent::Representation;
use crate::api::http::response;
use crate::api::state::Shared;
use crate::api::v1::page::{self, ApplicationPath, CopyParameters, JobPath, PageParameters};
use crate::archive::Owner;
use crate::index::{CopySelector, DocumentList, DocumentPage, ListedDocument, Page, UnitKey};

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct DocumentParameters {
    /// Path of the document, as it is listed.
    #[param(min_length = 1)]
    path: String,
}

impl Parameters for DocumentParameters {}

/// A page of documents, in the order of the archives.
#[derive(Serialize, ToSchema)]
#[schema(as = DocumentPage)]
struct Body {
    items: Vec<Item>,
    /// `?cursor=` of the next page.
    next: Option<String>,
}

/// A document of an archive.
#[derive(Serialize, ToSchema)]
#[schema(as = Document)]
struct Item {
    /// The kind of its owner.
    owner: OwnerKind,
    /// Id of that application or job.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    id: String,
    /// The path under which it was archived.
    path: String,
    /// Bytes of its text.
    bytes: u64,
    /// The URL of this copy of it.
    href: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum OwnerKind {
    Application,
    Job,
}

/// Documents of an application
///
/// Those of its summary, then those of its jobs: paths and sizes.
#[utoipa::path(
    get, path = "/api/v1/applications/{id}/documents", tag = "archives", operation_id = "application_documents",
    params(ApplicationPath, CopyParameters, PageParameters), responses((status = 200, body = Body))
)]
pub(in crate::api) async fn of_application(
    Client(shared): Client,
    Path(ApplicationPath { id }): Path<ApplicationPath>,
    Query((copy, page)): Query<(CopyParameters, PageParameters)>,
) -> Result<Response, ApiError> {
    list(&shared, Owner::Application(id), copy.into(), page).await
}

/// Documents of a job
///
/// Paths and sizes.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/documents", tag = "archives", operation_id = "job_documents",
    params(JobPath, CopyParameters, PageParameters), responses((status = 200, body = Body))
)]
pub(in crate::api) async fn of_job(
    Client(shared): Client,
    Path(JobPath { id }): Path<JobPath>,
    Query((copy, page)): Query<(CopyParameters, PageParameters)>,
) -> Result<Response, ApiError> {
    list(&shared, Owner::Job(id), copy.into(), page).await
}

/// One document of an application
///
/// Byte for byte as it was archived.
#[utoipa::path(
    get, path = "/api/v1/applications/{id}/document", tag = "archives", operation_id = "application_document",
    params(ApplicationPath, DocumentParameters, CopyParameters), responses((status = 200, body = serde_json::Value))
)]
pub(in crate::api) async fn one_of_application(
    Client(shared): Client,
    Path(ApplicationPath { id }): Path<ApplicationPath>,
    Query((document, copy)): Query<(DocumentParameters, CopyParameters)>,
    headers: HeaderMap,
) -> Result<Representation, ApiError> {
    one(&shared, Owner::Application(id), &document.path, copy.into(), &headers).await
}

/// One document of a job
///
/// Byte for byte as it was archived.
#[utoipa::path(
    get, path = "/api/v1/jobs/{id}/document", tag = "archives", operation_id = "job_document",
    params(JobPath, DocumentParameters, CopyParameters), responses((status = 200, body = serde_json::Value))
)]
pub(in crate::api) async fn one_of_job(
    Client(shared): Client,
    Path(JobPath { id }): Path<JobPath>,
    Query((document, copy)): Query<(DocumentParameters, CopyParameters)>,
    headers: HeaderMap,
) -> Result<Representation, ApiError> {
    one(&shared, Owner::Job(id), &document.path, copy.into(), &headers).await
}

async fn one(shared: &Arc<Shared>, owner: Owner, path: &str, copy: CopySelector, headers: &HeaderMap) -> Result<Representation, ApiError> {
    let found = document::found_in(shared, owner, path, copy, headers).await?;
    found.ok_or_else(|| document::not_in_archive(owner))
}

async fn list(shared: &Shared, owner: Owner, copy: CopySelector, page: PageParameters) -> Result<Response, ApiError> {
    let limit = page.limit();
    let (unit, found) = listed(shared, DocumentPage { owner, copy, own: false, cursor: page.cursor, limit }).await?;
    let items = found.rows.into_iter().map(|document| item(&unit, document)).collect();
    response::json_now(StatusCode::OK, &Body { items, next: found.next })
}

/// A page of documents, restored first if they were evicted, and the copy that they belong to.
pub(in crate::api) async fn listed(shared: &Shared, page: DocumentPage) -> Result<(UnitKey, Page<ListedDocument>), ApiError> {
    let owner = page.owner;
    let own = page.own || matches!(owner, Owner::Job(_));
    let mut retried = false;
    for _ in 0..ATTEMPTS {
        match shared.scoped().document_page(page.clone()).await? {
            DocumentList::Page(unit, found) => return Ok((unit, found)),
            DocumentList::NotArchived => return Err(document::not_archived()),
            DocumentList::Unknown if !retried && page.copy == CopySelector::default() && shared.ingest.lookup(owner).await => {
                retried = true;
            }
            DocumentList::Unknown => return Err(document::unknown(owner)),
            DocumentList::Unreadable(unread) if retried => return Err(ApiError::unreadable(owner, &unread)),
            DocumentList::Unreadable(unread) => {
                shared.ingest.retry_unread(&unread).await;
                retried = true;
            }
            DocumentList::Lost => return Err(ApiError::gone(NOT_RESTORABLE)),
            DocumentList::Evicted(unit) => shared.ingest.restore(&unit, own.then_some(owner)).await?,
        }
    }
    Err(document::evicted_again())
}

fn item(unit: &UnitKey, document: ListedDocument) -> Item {
    let (owner, id, list) = match document.owner {
        Owner::Application(id) => (OwnerKind::Application, id.to_string(), "applications"),
        Owner::Job(id) => (OwnerKind::Job, id.to_string(), "jobs"),
    };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("path", &document.path);
    let cluster = match unit {
        UnitKey::Application(key) => Some(key.cluster.as_str()),
        UnitKey::LegacyJob(..) => None,
    };
    page::append_copy(&mut query, unit.directory().as_str(), cluster);
    let href = format!("/api/v1/{list}/{id}/document?{}", query.finish());
    Item { owner, id, path: document.path, bytes: document.bytes, href }
}
