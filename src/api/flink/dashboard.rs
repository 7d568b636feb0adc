//! `/config`: Flink's `DashboardConfiguration`.

use axum::http::HeaderMap;
use serde::Serialize;

use crate::api::http::error::ApiError;
use crate::api::http::represent::Representation;
use crate::api::state::Shared;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DashboardConfiguration<'a> {
    refresh_interval: u64,
    timezone_name: String,
    timezone_offset: i64,
    flink_version: &'a str,
    flink_revision: &'a str,
    features: Features,
}

/// The features of Flink's UI: history only.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Features {
    web_submit: bool,
    web_cancel: bool,
    web_rescale: bool,
    web_history: bool,
}

/// `/config`.
pub(in crate::api) async fn answer(shared: &Shared, request: &HeaderMap) -> Result<Representation, ApiError> {
    let (now, zone) = (shared.clock.now(), shared.options.time_zone);
    let configuration = DashboardConfiguration {
        refresh_interval: u64::try_from(shared.options.web_refresh_interval.as_millis()).unwrap_or(u64::MAX),
        timezone_name: zone.name(now),
        timezone_offset: zone.offset(now),
        flink_version: &shared.options.flink_version,
        flink_revision: revision(),
        features: Features { web_submit: false, web_cancel: false, web_rescale: false, web_history: true },
    };
    let text =
        serde_json::to_vec(&configuration).map_err(|error| ApiError::internal(format!("writing /config as JSON failed: {error}")))?;
    Representation::of_content(request, text).await
}

/// The text in place of Flink's commit: it says that this server is not Flink.
pub(in crate::api) const fn revision() -> &'static str {
    concat!("historyserver ", env!("CARGO_PKG_VERSION"))
}
