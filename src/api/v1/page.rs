//! What all lists of `/api/v1` share: how many there are, which page and which copy is meant, whose it is.

use std::borrow::Cow;
use std::str::FromStr;

use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::api::http::error::ApiError;
use crate::api::http::extract::{self, read};
use crate::api::http::parameters::Parameters;
use crate::api::http::path;
use crate::ids::{ApplicationId, JobId};
use crate::index::{self, Total};

/// A page of a list: the envelope of all lists that have a total.
#[derive(Serialize)]
pub(in crate::api) struct Page<T> {
    /// The rows.
    pub(in crate::api) items: Vec<T>,
    /// Cursor of the next page; `None`: this is the last page.
    pub(in crate::api) next: Option<String>,
    /// The number of rows of all pages.
    pub(in crate::api) total: Total,
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("`cursor` of the next page; null: this is the last page."));
        ObjectBuilder::new()
            .description(Some("A page of a list. It may hold fewer rows than requested, even none, and still have a next page: follow `next` until it is null."))
            .property("items", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
            .property("next", next)
            .property("total", Ref::from_schema_name(Total::name()))
            .into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    /// `JobPage` for a page of `JobItem`, `ProblemPage` for a page of `Problem`.
    fn name() -> Cow<'static, str> {
        let item = T::name();
        Cow::Owned(format!("{}Page", item.strip_suffix("Item").unwrap_or(&item)))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.extend([(T::name().into_owned(), T::schema()), (Total::name().into_owned(), Total::schema())]);
        T::schemas(schemas);
        Total::schemas(schemas);
    }
}

/// The id of an application in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ApplicationPath {
    /// 32 hex digits.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    pub(in crate::api) id: ApplicationId,
}

impl extract::Parameters for ApplicationPath {}

/// The id of a job in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct JobPath {
    /// 32 hex digits.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    pub(in crate::api) id: JobId,
}

impl extract::Parameters for JobPath {}

/// The id of an application or a job in the path.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "tells the document what `id` reads")]
pub(in crate::api) struct IdParameter {
    /// 32 hex digits.
    #[param(pattern = "^[0-9a-fA-F]{32}$")]
    id: String,
}

/// Parameters that name a copy.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CopyParameters {
    /// Only a copy in this cluster; `/`: only a legacy job archive, which is of no cluster.
    cluster: Option<String>,
    /// Only a copy in this archive directory.
    directory: Option<String>,
}

impl extract::Parameters for CopyParameters {}

impl From<CopyParameters> for index::CopySelector {
    fn from(CopyParameters { cluster, directory }: CopyParameters) -> Self {
        Self { directory, cluster: cluster.map(cluster_name) }
    }
}

/// Stands for no cluster. No folder can have this name, and an empty value counts as absent.
const NO_CLUSTER: &str = "/";

/// The name of a cluster as the index has it, of a parameter.
pub(in crate::api) fn cluster_name(parameter: String) -> String {
    if parameter == NO_CLUSTER { String::new() } else { parameter }
}

/// The copy that `cluster` and `directory` name.
pub(in crate::api) fn copy(parameters: &Parameters) -> Result<index::CopySelector, ApiError> {
    copy_named(parameters, "directory", "cluster")
}

/// The copy that these two parameters name.
pub(in crate::api) fn copy_named(parameters: &Parameters, directory: &str, cluster: &str) -> Result<index::CopySelector, ApiError> {
    let text = |name| parameters.text(name).map(|value| value.map(str::to_owned));
    let cluster = text(cluster)?.map(cluster_name);
    Ok(index::CopySelector { directory: text(directory)?, cluster })
}

/// Adds the parameters by which [`copy`] finds this copy again.
pub(in crate::api) fn name_copy(query: &mut url::form_urlencoded::Serializer<'_, String>, directory: &str, cluster: Option<&str>) {
    query.append_pair("directory", directory).append_pair("cluster", cluster.unwrap_or(NO_CLUSTER));
}

/// Parameters of a page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PageParameters {
    /// Rows of a page, at most.
    #[serde(default, deserialize_with = "read::number::<_, 1, 1000>")]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// `next` of the page before, with the same filter and sort.
    pub(in crate::api) cursor: Option<String>,
}

impl extract::Parameters for PageParameters {}

impl PageParameters {
    /// Rows of the page.
    pub(in crate::api) fn limit(&self) -> usize {
        self.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100)
    }
}

/// The id in a path like `/api/v1/jobs/{id}/documents`.
pub(in crate::api) fn id<T: FromStr>(uri: &Uri) -> Result<T, ApiError> {
    let segments = path::decode(uri.path())?;
    let id = segments.get(3).and_then(|id| id.parse().ok());
    id.ok_or_else(|| ApiError::bad_request("The id in the path is 32 hex digits."))
}
