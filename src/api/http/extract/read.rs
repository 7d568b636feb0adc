//! Functions for `#[serde(deserialize_with)]` of parameters whose values need more than their type says.

use std::fmt;

use chrono_tz::Tz;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

use super::values::NAMES;
use crate::clock::{Timestamp, parse_time};

/// Names, repeated or separated by commas. A name may have commas itself: each value as it was sent counts as one name, too.
///
/// # Errors
/// More than 100 names.
pub(in crate::api) fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Names;

    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("names, separated by commas")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Vec<String>, A::Error> {
            let mut names = Vec::new();
            while let Some(name) = values.next_element()? {
                names.push(name);
            }
            Ok(names)
        }
    }

    deserializer.deserialize_newtype_struct(NAMES, Names)
}

/// A whole number from `MIN` to `MAX`.
///
/// # Errors
/// Another text.
pub(in crate::api) fn number<'de, D: Deserializer<'de>, const MIN: i64, const MAX: i64>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if let Some(number) = text.parse().ok().filter(|number| (MIN..=MAX).contains(number)) {
        return Ok(Some(number));
    }
    let allowed = if MAX == i64::MAX { format!("a whole number of {MIN} or more") } else { format!("a whole number from {MIN} to {MAX}") };
    Err(D::Error::invalid_value(Unexpected::Str(&text), &allowed.as_str()))
}

/// A count, or a duration in milliseconds: a whole number of 0 or more.
///
/// # Errors
/// Another text.
pub(in crate::api) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    number::<D, 0, { i64::MAX }>(deserializer)
}

/// A point in time: milliseconds since 1970, or ISO 8601 (`2026-11-22T13:00:00+01:00`; without an offset, or a day alone, in UTC).
///
/// # Errors
/// Another text.
pub(in crate::api) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    const ALLOWED: &str = "a time: milliseconds since 1970, or ISO 8601 like 2026-11-22T13:00:00Z (with `+` of an offset sent as %2B)";
    let text = String::deserialize(deserializer)?;
    parse_time(&text).map(Some).ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &ALLOWED))
}

/// A time zone by its IANA name.
///
/// # Errors
/// No such zone.
pub(in crate::api) fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tz>, D::Error> {
    const ALLOWED: &str = "the IANA name of a time zone like Europe/Berlin or UTC";
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_unknown| D::Error::invalid_value(Unexpected::Str(&text), &ALLOWED))
}
