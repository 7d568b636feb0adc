//! `/config`: Flink's `DashboardConfiguration`.

use axum::http::HeaderMap;
use axum::response::Response;
use chrono::{Local, Offset as _, TimeZone as _};
use serde::Serialize;

use crate::clock::Millis;

use super::error::ApiError;
use super::{Shared, response};

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DashboardConfiguration<'a> {
    refresh_interval: u64,
    timezone_name: &'a str,
    timezone_offset: i64,
    flink_version: &'a str,
    flink_revision: &'a str,
    features: Features,
}

/// What the page may do: look at history, nothing else.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Features {
    web_submit: bool,
    web_cancel: bool,
    web_rescale: bool,
    web_history: bool,
}

/// `/config`.
pub(super) async fn answer(shared: &Shared, request: &HeaderMap) -> Result<Response, ApiError> {
    let configuration = DashboardConfiguration {
        refresh_interval: u64::try_from(shared.options.web_refresh_interval.as_millis()).unwrap_or(u64::MAX),
        timezone_name: &shared.options.timezone_name,
        timezone_offset: timezone_offset(shared.clock.now()),
        flink_version: &shared.options.flink_version,
        flink_revision: revision(),
        features: Features { web_submit: false, web_cancel: false, web_rescale: false, web_history: true },
    };
    let text =
        serde_json::to_vec(&configuration).map_err(|error| ApiError::internal(format!("writing /config as JSON failed: {error}")))?;
    response::json_text(request, text.into()).await
}

/// What stands where Flink writes its commit: this is not Flink, and says so.
pub(super) const fn revision() -> &'static str {
    concat!("historyserver ", env!("CARGO_PKG_VERSION"))
}

/// Milliseconds that the local time is ahead of UTC at this time.
fn timezone_offset(at: Millis) -> i64 {
    Local.timestamp_millis_opt(at).single().map_or(0, |time| i64::from(time.offset().fix().local_minus_utc()) * 1000)
}

/// Name of the time zone of this machine: that of `TZ`, else the system's. UTC is spelled out as Java does; other zones keep their IANA name.
#[must_use]
pub fn system_timezone_name() -> String {
    let from_environment = std::env::var("TZ").ok().map(|text| text.trim_start_matches(':').to_owned());
    let name = from_environment
        .filter(|name| name.parse::<chrono_tz::Tz>().is_ok())
        .or_else(|| iana_time_zone::get_timezone().ok())
        .unwrap_or_else(|| "UTC".to_owned());
    match name.as_str() {
        "UTC" | "Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu" | "UCT" | "Universal" | "Zulu" => {
            "Coordinated Universal Time".to_owned()
        }
        _ => name,
    }
}
