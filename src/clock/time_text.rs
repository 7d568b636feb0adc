//! Times as people write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::Timestamp;

/// Reads a point in time: milliseconds since 1970, or ISO 8601 (`2026-11-22T13:00:00+01:00`; without an offset, or a day alone, in UTC).
/// `None`: the text is neither.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    if let Ok(millis) = text.parse() {
        return Some(Timestamp::from_millis(millis));
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(Timestamp::from_millis(time.timestamp_millis()));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let time = day.or_else(|| formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()))?;
    Some(Timestamp::from_millis(time.and_utc().timestamp_millis()))
}
