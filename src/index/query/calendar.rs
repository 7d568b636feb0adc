//! Days and hours of a time zone, including days of 23 and 25 hours and days that a zone skipped.

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;

/// The unit of the buckets of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bucket {
    /// Calendar days.
    Day,
    /// Hours of local time.
    Hour,
}

/// The edges of the buckets from `from` (inclusive) to `to` (exclusive): the begin of each, then the end of the last one. `None`: there
/// are more than `max` buckets, or a time is outside of the supported years.
#[must_use]
pub fn edges(zone: Tz, bucket: Bucket, from: Timestamp, to: Timestamp, max: usize) -> Option<Vec<Timestamp>> {
    let mut edge = match bucket {
        Bucket::Day => day_of(zone, from)?.1,
        Bucket::Hour => {
            let local = local(zone, from)?;
            from - seconds(local.minute() * 60 + local.second()) - Duration::from_millis(from.as_millis().rem_euclid(1_000).unsigned_abs())
        }
    };
    let mut edges = vec![edge];
    while edge < to {
        if edges.len() > max {
            return None;
        }
        edge = match bucket {
            Bucket::Day => day_of(zone, edge)?.2,
            Bucket::Hour => {
                let local = local(zone, edge)?;
                edge + seconds(3_600 - local.minute() * 60 - local.second())
            }
        };
        edges.push(edge);
    }
    Some(edges)
}

/// The day of a time, its begin, and the begin of the next day.
#[must_use]
pub fn day_of(zone: Tz, time: Timestamp) -> Option<(NaiveDate, Timestamp, Timestamp)> {
    let date = local(zone, time)?.date();
    let begin = day_start(zone, date)?;
    let mut next = date;
    loop {
        next = next.checked_add_days(Days::new(1))?;
        let end = day_start(zone, next)?;
        // A skipped day has no length.
        if end > begin && end > time {
            return Some((date, begin, end));
        }
    }
}

fn seconds(number: u32) -> Duration {
    Duration::from_secs(number.into())
}

fn local(zone: Tz, time: Timestamp) -> Option<NaiveDateTime> {
    Some(DateTime::<Utc>::from_timestamp_millis(time.as_millis())?.with_timezone(&zone).naive_local())
}

/// The begin of a day: midnight, or the first moment after midnight where the clock skipped it.
fn day_start(zone: Tz, date: NaiveDate) -> Option<Timestamp> {
    let midnight = date.and_hms_opt(0, 0, 0)?;
    // A zone that crossed the date line skipped a whole day.
    (0..=104).find_map(|quarter| {
        let time = midnight.checked_add_signed(TimeDelta::minutes(15 * quarter))?;
        zone.from_local_datetime(&time).earliest().map(|time| Timestamp::from_millis(time.timestamp_millis()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(text: &str) -> Timestamp {
        Timestamp::from_millis(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis())
    }

    fn lengths(zone: Tz, bucket: Bucket, from: &str, to: &str) -> Vec<u64> {
        edges(zone, bucket, at(from), at(to), 1_000).unwrap().windows(2).map(|pair| pair[1].since(pair[0]).as_secs() / 3_600).collect()
    }

    #[test]
    fn days_have_23_and_25_hours_when_the_clock_changes() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(lengths(berlin, Bucket::Day, "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z"), [24, 23, 24]);
        assert_eq!(lengths(berlin, Bucket::Day, "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"), [24, 25, 24]);
        assert_eq!(day_of(berlin, at("2026-10-24T22:30:00Z")).unwrap().0.to_string(), "2026-10-25");
        // The clock skips midnight: the day begins at 01:00.
        assert_eq!(lengths(Tz::America__Sao_Paulo, Bucket::Day, "2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z"), [24, 23, 24]);
    }

    #[test]
    fn a_day_that_a_zone_skipped_is_in_no_bucket() {
        let days = edges(Tz::Pacific__Apia, Bucket::Day, at("2011-12-29T12:00:00Z"), at("2012-01-01T12:00:00Z"), 10).unwrap();
        let dates: Vec<String> = days.iter().map(|edge| day_of(Tz::Pacific__Apia, *edge).unwrap().0.to_string()).collect();
        assert_eq!(dates, ["2011-12-29", "2011-12-31", "2012-01-01", "2012-01-02", "2012-01-03"]);
        assert!(days.windows(2).all(|pair| pair[1].since(pair[0]) == 24 * HOUR));
    }

    #[test]
    fn hours_are_those_of_local_time() {
        assert_eq!(lengths(Tz::Europe__Berlin, Bucket::Hour, "2026-10-25T00:10:00Z", "2026-10-25T02:10:00Z"), [1, 1, 1]);
        let kolkata = edges(Tz::Asia__Kolkata, Bucket::Hour, at("2026-01-01T00:10:00Z"), at("2026-01-01T00:40:00Z"), 10).unwrap();
        assert_eq!(kolkata, ["2025-12-31T23:30:00Z", "2026-01-01T00:30:00Z", "2026-01-01T01:30:00Z"].map(at));
    }

    #[test]
    fn too_many_buckets_and_times_beyond_the_calendar_are_none() {
        assert_eq!(edges(Tz::UTC, Bucket::Hour, Timestamp::EPOCH, Timestamp::EPOCH + 100 * HOUR, 99), None);
        assert_eq!(edges(Tz::UTC, Bucket::Hour, Timestamp::EPOCH, Timestamp::EPOCH + 99 * HOUR, 99).unwrap().len(), 100);
        assert_eq!(edges(Tz::UTC, Bucket::Day, Timestamp::MIN, Timestamp::EPOCH, 99), None);
        assert_eq!(day_of(Tz::UTC, Timestamp::MAX), None);
    }
}
