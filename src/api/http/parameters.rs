//! Parameters of a request, read by type. Whatever is wrong is a 400 that names the parameter and says what is allowed.

use std::ops::RangeInclusive;

use axum::http::Uri;
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use crate::api::http::error::ApiError;
use crate::clock::Millis;

/// Longest text of a parameter, in characters.
const LONGEST: usize = 1_000;
/// Most values of a parameter that takes several.
const MOST_VALUES: usize = 100;

/// The parameters of one request: each known, each readable once or several times.
#[derive(Debug, Clone)]
pub(in crate::api) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query of a request, which may hold these parameters only. A parameter with an empty value counts as absent.
    ///
    /// # Errors
    /// 400: another parameter, or a value that is longer than 1,000 characters or holds a NUL.
    pub(in crate::api) fn of(uri: &Uri, allowed: &[&str]) -> Result<Self, ApiError> {
        let mut pairs = Vec::new();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            if !allowed.contains(&&*name) {
                return Err(unknown(&name, allowed));
            }
            if value.chars().count() > LONGEST || value.contains('\0') {
                return Err(invalid(&name, &format!("a text of at most {LONGEST} characters without NUL")));
            }
            if !value.is_empty() {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// A text as it was sent.
    ///
    /// # Errors
    /// 400: it is there twice.
    pub(in crate::api) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(ApiError::bad_request(format!("`{name}` is there more than once: it takes one value.")));
        }
        Ok(first)
    }

    /// Texts of a parameter that may be repeated, or hold several separated by commas.
    ///
    /// # Errors
    /// 400: more than 100.
    pub(in crate::api) fn several(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let values = self.0.iter().filter(|(known, _)| known == name).flat_map(|(_, value)| value.split(','));
        let mut values: Vec<&str> = values.map(str::trim).filter(|value| !value.is_empty()).collect();
        values.sort_unstable();
        values.dedup();
        if values.len() > MOST_VALUES {
            return Err(invalid(name, &format!("at most {MOST_VALUES} values")));
        }
        Ok(values)
    }

    /// Names of a parameter that may be repeated, or hold several separated by commas. A name may have commas itself: then what was
    /// sent counts as one name, too.
    ///
    /// # Errors
    /// 400: more than 100.
    pub(in crate::api) fn names(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let mut values = self.several(name)?;
        values.extend(self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()));
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    /// One of a fixed set of words, compared without case.
    ///
    /// # Errors
    /// 400: another word.
    pub(in crate::api) fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, ApiError> {
        self.text(name)?.map(|value| chosen(name, value, choices)).transpose()
    }

    /// Several of a fixed set of words, compared without case.
    ///
    /// # Errors
    /// 400: another word.
    pub(in crate::api) fn choices<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Vec<T>, ApiError> {
        self.several(name)?.into_iter().map(|value| chosen(name, value, choices)).collect()
    }

    /// Several of a fixed set of words, as they are written there, compared without case.
    ///
    /// # Errors
    /// 400: another word.
    pub(in crate::api) fn words(&self, name: &str, words: &[&str]) -> Result<Vec<String>, ApiError> {
        let choices: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
        Ok(self.choices(name, &choices)?.into_iter().map(str::to_owned).collect())
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// 400: anything else.
    pub(in crate::api) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.choice(name, &[("true", true), ("false", false)])
    }

    /// A whole number in this range.
    ///
    /// # Errors
    /// 400: anything else.
    pub(in crate::api) fn number(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.text(name)? else { return Ok(None) };
        match value.parse().ok().filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None if *range.end() == i64::MAX => Err(invalid(name, &format!("a whole number from {} on", range.start()))),
            None => Err(invalid(name, &format!("a whole number from {} to {}", range.start(), range.end()))),
        }
    }

    /// A count, or a duration in milliseconds: a whole number from 0 on.
    ///
    /// # Errors
    /// 400: anything else.
    pub(in crate::api) fn count(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.number(name, 0..=i64::MAX)
    }

    /// Rows of a page: from 1 to `most`, `usual` when not given.
    ///
    /// # Errors
    /// 400: anything else.
    pub(in crate::api) fn limit(&self, usual: usize, most: usize) -> Result<usize, ApiError> {
        let limit = self.number("limit", 1..=i64::try_from(most).unwrap_or(i64::MAX))?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usual))
    }

    /// A point in time: milliseconds since 1970, or ISO 8601 (`2026-11-22T13:00:00+01:00`; without an offset, or a day alone, in UTC).
    ///
    /// # Errors
    /// 400: anything else.
    pub(in crate::api) fn time(&self, name: &str) -> Result<Option<Millis>, ApiError> {
        let Some(value) = self.text(name)? else { return Ok(None) };
        let found = time(value);
        found.map(Some).ok_or_else(|| {
            invalid(name, "a time: milliseconds since 1970, or ISO 8601 like 2026-11-22T13:00:00Z (with `+` of an offset sent as %2B)")
        })
    }

    /// A time zone by its IANA name, UTC when not given.
    ///
    /// # Errors
    /// 400: no such zone.
    pub(in crate::api) fn zone(&self, name: &str) -> Result<Tz, ApiError> {
        let zone = |value: &str| value.parse().map_err(|_unknown| invalid(name, "the IANA name of a time zone like Europe/Berlin or UTC"));
        self.text(name)?.map_or(Ok(Tz::UTC), zone)
    }
}

/// 400: this parameter has a value that it does not take. `allowed` ends the sentence "`name` is …".
pub(in crate::api) fn invalid(name: &str, allowed: &str) -> ApiError {
    ApiError::bad_request(format!("`{name}` is {allowed}."))
}

fn unknown(name: &str, allowed: &[&str]) -> ApiError {
    let shown: String = name.chars().take(40).map(|character| if character.is_control() { '?' } else { character }).collect();
    if allowed.is_empty() {
        return ApiError::bad_request(format!("`{shown}` is not a parameter of this path: it takes none."));
    }
    ApiError::bad_request(format!("`{shown}` is not a parameter of this path: it takes {}.", allowed.join(", ")))
}

fn chosen<T: Copy>(name: &str, value: &str, choices: &[(&str, T)]) -> Result<T, ApiError> {
    if let Some((_, choice)) = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(value)) {
        return Ok(*choice);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    Err(invalid(name, &format!("one of {}", words.join(", "))))
}

fn time(value: &str) -> Option<Millis> {
    if let Ok(millis) = value.parse::<Millis>() {
        return Some(millis);
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(value) {
        return Some(time.timestamp_millis());
    }
    let day = NaiveDate::parse_from_str(value, "%Y-%m-%d").ok().and_then(|day| day.and_hms_opt(0, 0, 0));
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let time = day.or_else(|| formats.iter().find_map(|format| NaiveDateTime::parse_from_str(value, format).ok()))?;
    Some(time.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;

    use super::*;

    fn of(query: &str) -> Result<Parameters, ApiError> {
        Parameters::of(&format!("/x?{query}").parse().unwrap(), &["name", "status", "limit", "from", "zone"])
    }

    fn refused<T: std::fmt::Debug>(result: Result<T, ApiError>) -> String {
        let error = result.unwrap_err();
        let message = error.cause().to_owned();
        assert_eq!(error.into_response().status(), 400);
        message
    }

    #[test]
    fn an_unknown_parameter_is_named_and_the_known_ones_are_told() {
        assert_eq!(refused(of("nmae=x")), "`nmae` is not a parameter of this path: it takes name, status, limit, from, zone.");
        assert!(refused(of(&format!("{}=1", "y".repeat(500)))).len() < 200);
        assert!(refused(of("name=a%00b")).starts_with("`name` is a text"));
        assert!(refused(of(&format!("name={}", "é".repeat(1_001)))).contains("1000 characters"));
        assert!(of(&format!("name={}", "x".repeat(1_000))).is_ok());
    }

    #[test]
    fn values_are_repeated_or_separated_by_commas() {
        let parameters = of("status=b,a&status=c,,%20a%20&name=x,y&limit=").unwrap();
        assert_eq!(parameters.several("status").unwrap(), ["a", "b", "c"]);
        assert_eq!(parameters.text("name").unwrap(), Some("x,y"));
        assert_eq!(parameters.limit(100, 1_000).unwrap(), 100);
        assert_eq!(refused(of("name=a&name=b").unwrap().text("name")), "`name` is there more than once: it takes one value.");
    }

    #[test]
    fn numbers_and_words_outside_of_what_is_allowed_are_refused_with_what_is() {
        for wrong in ["0", "1001", "-1", "x", "1.5", "99999999999999999999", "1e3", "+-1", "٣"] {
            let message = refused(of(&format!("limit={wrong}")).unwrap().limit(100, 1_000));
            assert_eq!(message, "`limit` is a whole number from 1 to 1000.", "{wrong}");
        }
        let words = &[("FAILED", 1), ("FINISHED", 2)];
        assert_eq!(of("status=failed,FINISHED").unwrap().choices("status", words).unwrap(), [2, 1]);
        assert_eq!(refused(of("status=FALIED").unwrap().choices("status", words)), "`status` is one of FAILED, FINISHED.");
        assert!(refused(of("name=yes").unwrap().flag("name")).contains("true, false"));
    }

    #[test]
    fn times_are_milliseconds_or_iso_8601() {
        for (text, expected) in [
            ("0", 0),
            ("-5", -5),
            ("1795373917344", 1_795_373_917_344),
            ("1970-01-01", 0),
            ("1970-01-02T00:00", 86_400_000),
            ("1970-01-01T00:00:01.5", 1_500),
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00%2B01:00", 0),
        ] {
            assert_eq!(of(&format!("from={text}")).unwrap().time("from").unwrap(), Some(expected), "{text}");
        }
        for wrong in ["yesterday", "2026-13-01", "2026-11-22T25:00", "1e9", "99999999999999999999999", "';%20DROP%20TABLE%20jobs"] {
            assert!(refused(of(&format!("from={wrong}")).unwrap().time("from")).contains("milliseconds since 1970"), "{wrong}");
        }
    }

    #[test]
    fn zones_have_iana_names() {
        assert_eq!(of("").unwrap().zone("zone").unwrap(), Tz::UTC);
        assert_eq!(of("zone=Europe/Berlin").unwrap().zone("zone").unwrap(), Tz::Europe__Berlin);
        assert!(refused(of("zone=Mars/Olympus").unwrap().zone("zone")).contains("IANA"));
    }
}
