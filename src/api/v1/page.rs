//! What all lists of `/api/v1` share: how many there are, which page and which copy is meant, whose it is.

use std::str::FromStr;

use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::http::error::ApiError;
use crate::api::http::parameters::Parameters;
use crate::api::http::path;
use crate::index;

/// How many rows there are.
#[derive(Serialize, ToSchema)]
#[schema(as = RowCount)]
pub(in crate::api) struct RowCount {
    /// The number; at least so many when it is not exact.
    count: u64,
    /// Whether that is all.
    exact: bool,
}

impl From<index::Total> for RowCount {
    fn from(total: index::Total) -> Self {
        Self { count: total.count, exact: total.exact }
    }
}

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
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "tells the document what `copy` reads")]
pub(in crate::api) struct CopyParameters {
    /// Only a copy in this cluster; `/`: only a legacy job archive, which is of no cluster.
    cluster: Option<String>,
    /// Only a copy in this archive directory.
    directory: Option<String>,
}

/// What stands for no cluster. No folder can have this name, and an empty value counts as absent.
const NO_CLUSTER: &str = "/";

/// The copy that `cluster` and `directory` name.
pub(in crate::api) fn copy(parameters: &Parameters) -> Result<index::Copy, ApiError> {
    copy_named(parameters, "directory", "cluster")
}

/// The copy that these two parameters name.
pub(in crate::api) fn copy_named(parameters: &Parameters, directory: &str, cluster: &str) -> Result<index::Copy, ApiError> {
    let text = |name| parameters.text(name).map(|value| value.map(str::to_owned));
    let cluster = text(cluster)?.map(|cluster| if cluster == NO_CLUSTER { String::new() } else { cluster });
    Ok(index::Copy { directory: text(directory)?, cluster })
}

/// Adds the parameters by which [`copy`] finds this copy again.
pub(in crate::api) fn name_copy(query: &mut url::form_urlencoded::Serializer<'_, String>, directory: &str, cluster: Option<&str>) {
    query.append_pair("directory", directory).append_pair("cluster", cluster.unwrap_or(NO_CLUSTER));
}

/// Parameters of a page.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "tells the document what the handlers read")]
pub(in crate::api) struct PageParameters {
    /// Rows of a page, at most.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before, with the same filter and sort.
    cursor: Option<String>,
}

/// The id in a path like `/api/v1/jobs/{id}/documents`.
pub(in crate::api) fn id<T: FromStr>(uri: &Uri) -> Result<T, ApiError> {
    let segments = path::decode(uri.path())?;
    let id = segments.get(3).and_then(|id| id.parse().ok());
    id.ok_or_else(|| ApiError::bad_request("The id in the path is 32 hex digits."))
}
