//! The envelope of lists, and the parameters that many routes take: ids, copies and pages.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::api::http::extract::{self, read};
use crate::ids::{ApplicationId, JobId};
use crate::index::{self, Total};

/// Rows of a page by default.
const DEFAULT_ROWS: usize = 100;

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

impl<T> Page<T> {
    /// A page of these rows.
    pub(in crate::api) fn of<R: Into<T>>(rows: impl IntoIterator<Item = R>, next: Option<String>, total: Total) -> Self {
        Self { items: rows.into_iter().map(Into::into).collect(), next, total }
    }
}

/// A page of a list of applications or jobs.
#[derive(Serialize)]
pub(in crate::api) struct ItemPage<T> {
    #[serde(flatten)]
    page: Page<T>,
    /// Number of units whose archives are still to be read.
    queued: u64,
}

impl<T> ItemPage<T> {
    /// A page of these rows.
    pub(in crate::api) fn of<R: Into<T>>(rows: impl IntoIterator<Item = R>, next: Option<String>, total: Total, queued: u64) -> Self {
        Self { page: Page::of(rows, next, total), queued }
    }
}

/// The schema of a page.
fn page_schema<T: ToSchema>() -> ObjectBuilder {
    let next = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("`cursor` of the next page; null: this is the last page."));
    ObjectBuilder::new()
        .description(Some("A page of a list. It may hold fewer rows than requested, even none, and still have a next page: follow `next` until it is null."))
        .property("items", ArrayBuilder::new().items(Ref::from_schema_name(T::name())))
        .property("next", next)
        .property("total", Ref::from_schema_name(Total::name()))
}

/// `JobPage` for a page of `JobItem`, `ProblemPage` for a page of `Problem`.
fn page_name<T: ToSchema>() -> Cow<'static, str> {
    let item = T::name();
    Cow::Owned(format!("{}Page", item.strip_suffix("Item").unwrap_or(&item)))
}

fn page_schemas<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.extend([(T::name().into_owned(), T::schema()), (Total::name().into_owned(), Total::schema())]);
    T::schemas(schemas);
    Total::schemas(schemas);
}

impl<T: ToSchema> PartialSchema for Page<T> {
    fn schema() -> RefOr<Schema> {
        page_schema::<T>().into()
    }
}

impl<T: ToSchema> ToSchema for Page<T> {
    fn name() -> Cow<'static, str> {
        page_name::<T>()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        page_schemas::<T>(schemas);
    }
}

impl<T: ToSchema> PartialSchema for ItemPage<T> {
    fn schema() -> RefOr<Schema> {
        let queued = ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).minimum(Some(0)).description(Some(
            "Number of applications and legacy job archives that are still to be read: their rows show what their summaries say. 0: nothing is missing.",
        ));
        page_schema::<T>().property("queued", queued).into()
    }
}

impl<T: ToSchema> ToSchema for ItemPage<T> {
    fn name() -> Cow<'static, str> {
        page_name::<T>()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        page_schemas::<T>(schemas);
    }
}

/// Whether the rows of a list have facts of their runs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct RunFactsParameters {
    /// Whether each row has `run_facts`: why it failed, restarts, and the usual duration of its name; default false.
    #[serde(default)]
    pub(in crate::api) run_facts: bool,
}

impl extract::Parameters for RunFactsParameters {}

/// The id of an application in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct ApplicationPath {
    /// Id of 32 hexadecimal digits.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    pub(in crate::api) id: ApplicationId,
}

impl extract::Parameters for ApplicationPath {}

/// The id of a job in the path.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(in crate::api) struct JobPath {
    /// Id of 32 hexadecimal digits.
    #[param(value_type = String, pattern = "^[0-9a-fA-F]{32}$")]
    pub(in crate::api) id: JobId,
}

impl extract::Parameters for JobPath {}

/// The copy of an application or a job.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct CopyParameters {
    /// Cluster of the copy; `/` for a job archive outside of clusters.
    cluster: Option<String>,
    /// URL of the archive directory of the copy.
    directory: Option<String>,
}

impl extract::Parameters for CopyParameters {}

impl From<CopyParameters> for index::CopySelector {
    fn from(CopyParameters { cluster, directory }: CopyParameters) -> Self {
        Self { directory, cluster: cluster.map(cluster_name) }
    }
}

/// Value of `cluster` for no cluster. No folder can have this name, and an empty value counts as absent.
const NO_CLUSTER: &str = "/";

/// The name of a cluster in the index, from the value of a parameter.
pub(in crate::api) fn cluster_name(parameter: String) -> String {
    if parameter == NO_CLUSTER { String::new() } else { parameter }
}

/// Adds the [`CopyParameters`] of this copy to a URL.
pub(in crate::api) fn append_copy(query: &mut url::form_urlencoded::Serializer<'_, String>, directory: &str, cluster: Option<&str>) {
    query.append_pair("directory", directory).append_pair("cluster", cluster.unwrap_or(NO_CLUSTER));
}

/// The page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct PageParameters {
    /// Maximum number of rows of a page.
    #[serde(default, deserialize_with = "read::number::<_, 1, 1000>")]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 1000, default = 100)]
    limit: Option<i64>,
    /// `next` of the page before, with the same filter and sort.
    pub(in crate::api) cursor: Option<String>,
}

impl extract::Parameters for PageParameters {}

impl PageParameters {
    /// Maximum number of rows of the page.
    pub(in crate::api) fn limit(&self) -> usize {
        rows(self.limit, DEFAULT_ROWS)
    }
}

/// A number of rows from a parameter that takes positive numbers.
pub(in crate::api) fn rows(limit: Option<i64>, default: usize) -> usize {
    limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
