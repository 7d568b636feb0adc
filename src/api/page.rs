//! What all lists of `/api/v1` share: how many there are, which copy is meant, whose it is.

use std::str::FromStr;

use axum::http::Uri;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ApiError;
use super::flink_path;
use super::query::parameters::Parameters;
use crate::index;

/// How many rows there are.
#[derive(Serialize, ToSchema)]
#[schema(as = RowCount)]
pub(super) struct RowCount {
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
pub(super) struct IdParameter {
    /// 32 hex digits.
    #[param(pattern = "^[0-9a-fA-F]{32}$")]
    id: String,
}

/// Parameters that name a copy.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "tells the document what `copy` reads")]
pub(super) struct CopyParameters {
    /// Only a copy in this cluster.
    cluster: Option<String>,
    /// Only a copy in this archive directory.
    directory: Option<String>,
}

/// The copy that `cluster` and `directory` name.
pub(super) fn copy(parameters: &Parameters) -> Result<index::Copy, ApiError> {
    let text = |name| parameters.text(name).map(|value| value.map(str::to_owned));
    Ok(index::Copy { directory: text("directory")?, cluster: text("cluster")? })
}

/// The id in a path like `/api/v1/jobs/{id}/documents`.
pub(super) fn id<T: FromStr>(uri: &Uri) -> Result<T, ApiError> {
    let segments = flink_path::decode(uri.path())?;
    let id = segments.get(3).and_then(|id| id.parse().ok());
    id.ok_or_else(|| ApiError::bad_request("The id in the path is 32 hex digits."))
}
