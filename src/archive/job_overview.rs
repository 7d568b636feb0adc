//! The forms of an object of `/jobs/overview`: Flink's clients require different members.
//!
//! Clients of Flink 2.0 and later refuse a job without `pending-operators`. Clients of 1.17 and 1.18 refuse a job with unknown members,
//! and all of [`NEWER`] are unknown to them. Clients of 1.13 to 1.16, 1.19 and 1.20 accept both. All of them send the same request.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::members::Members;

/// Members that Flink 2.0 and later write and Flink 1 does not.
const NEWER: [&str; 3] = ["jobType", "schedulerType", "pending-operators"];

/// Which of the newer members objects of `/jobs/overview` have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverviewForm {
    /// All of them. Missing members are added as the server of Flink 2.3 adds them.
    Flink2,
    /// None of them, even where they are archived.
    Flink1,
}

impl OverviewForm {
    /// The form for clients of a Flink version (`MAJOR.MINOR…`); `None` when the text is not a version.
    #[must_use]
    pub fn of_version(version: &str) -> Option<Self> {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
        Some(if (major, minor) < (1, 19) { Self::Flink1 } else { Self::Flink2 })
    }

    /// The archived object of a job in this form. Text that is not a JSON object is returned unchanged.
    #[must_use]
    pub fn of(self, object: &str) -> Cow<'_, str> {
        let named = NEWER.iter().filter(|name| may_have(object, name)).count();
        if (self == Self::Flink2 && named == NEWER.len()) || (self == Self::Flink1 && named == 0) {
            return Cow::Borrowed(object);
        }
        let Some(members) = Members::parse(object) else { return Cow::Borrowed(object) };
        match self {
            Self::Flink2 => completed(object, &members),
            Self::Flink1 => reduced(object, &members),
        }
    }
}

/// Whether the archived object of a job has a member that clients of Flink 1.17 and 1.18 refuse.
#[must_use]
pub fn has_newer_members(object: &str) -> bool {
    let may = NEWER.iter().any(|name| may_have(object, name));
    may && Members::parse(object).is_some_and(|members| NEWER.iter().any(|name| members.get(name).is_some()))
}

/// Whether a member may have this name. Much faster than parsing: lists call it for every job.
fn may_have(object: &str, name: &str) -> bool {
    // Quotes within a JSON string are escaped, so only a member's name matches.
    object.match_indices(name).any(|(at, _)| object[..at].ends_with('"') && object[at + name.len()..].starts_with('"'))
}

/// Adds the missing members in the places where the server of Flink 2.3 adds them.
fn completed<'a>(object: &'a str, members: &Members<'a>) -> Cow<'a, str> {
    if NEWER.iter().all(|name| members.get(name).is_some()) {
        return Cow::Borrowed(object);
    }
    let mut text = String::with_capacity(object.len() + 64);
    let mut copied = 0;
    if members.get("schedulerType").is_none() || members.get("jobType").is_none() {
        let behind = if members.get("jobType").is_some() { "jobType" } else { "name" };
        if let Some(value) = members.get(behind) {
            copied = value.get().as_ptr().addr() - object.as_ptr().addr() + value.get().len();
            text.push_str(&object[..copied]);
            for required in ["jobType", "schedulerType"] {
                if members.get(required).is_none() {
                    // Writing to a string cannot fail.
                    let _ = write!(text, ",\"{required}\":null");
                }
            }
        }
    }
    match object[copied..].rfind('}') {
        Some(end) if members.get("pending-operators").is_none() => {
            text.push_str(&object[copied..copied + end]);
            text.push_str(",\"pending-operators\":0}");
        }
        _ => text.push_str(&object[copied..]),
    }
    Cow::Owned(text)
}

/// Removes the newer members.
fn reduced<'a>(object: &'a str, members: &Members<'a>) -> Cow<'a, str> {
    if NEWER.iter().all(|name| members.get(name).is_none()) {
        return Cow::Borrowed(object);
    }
    let mut text = String::with_capacity(object.len());
    for (name, value) in members.iter().filter(|(name, _)| !NEWER.contains(name)) {
        text.push(if text.is_empty() { '{' } else { ',' });
        // Writing to a string cannot fail.
        let _ = write!(text, "{}:{}", serde_json::Value::from(name), value.get());
    }
    if text.is_empty() {
        text.push('{');
    }
    text.push('}');
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLINK_1: &str = r#"{"jid":"a","name":"x \"}\"","state":"FINISHED","tasks":{"total":1}}"#;
    const FLINK_2_0: &str = r#"{"jid":"a","name":"x","tasks":{"total":1},"pending-operators":3}"#;
    const FLINK_2_3: &str =
        r#"{"jid":"a","name":"x","jobType":"BATCH","schedulerType":"Default","tasks":{"total":1},"pending-operators":0}"#;

    #[test]
    fn members_that_flink_2_requires_are_added_in_its_order() {
        for (object, expected) in [
            (
                FLINK_1,
                r#"{"jid":"a","name":"x \"}\"","jobType":null,"schedulerType":null,"state":"FINISHED","tasks":{"total":1},"pending-operators":0}"#,
            ),
            (FLINK_2_0, r#"{"jid":"a","name":"x","jobType":null,"schedulerType":null,"tasks":{"total":1},"pending-operators":3}"#),
            (FLINK_2_3, FLINK_2_3),
            (
                r#"{"name":"x","jobType":"BATCH","tasks":{}}"#,
                r#"{"name":"x","jobType":"BATCH","schedulerType":null,"tasks":{},"pending-operators":0}"#,
            ),
            ("no object", "no object"),
        ] {
            assert_eq!(OverviewForm::Flink2.of(object), expected);
        }
    }

    #[test]
    fn only_members_that_flink_1_refuses_are_removed() {
        for (object, expected) in [
            (FLINK_1, FLINK_1),
            (FLINK_2_0, r#"{"jid":"a","name":"x","tasks":{"total":1}}"#),
            (FLINK_2_3, r#"{"jid":"a","name":"x","tasks":{"total":1}}"#),
            (r#"{ "jobType" : "BATCH" }"#, "{}"),
            (r#"{"jobType":"BATCH", "a\"b" : [1, 2]}"#, r#"{"a\"b":[1, 2]}"#),
        ] {
            assert_eq!(OverviewForm::Flink1.of(object), expected);
            assert!(!has_newer_members(&OverviewForm::Flink1.of(object)));
        }
        assert!(!has_newer_members(FLINK_1) && has_newer_members(FLINK_2_0) && has_newer_members(FLINK_2_3));
    }

    #[test]
    fn the_version_decides_the_form() {
        for version in ["1.13", "1.17.2", "1.18.1", "1.18-SNAPSHOT.1", "0.9.0"] {
            let expected = (!version.contains("SNAPSHOT")).then_some(OverviewForm::Flink1);
            assert_eq!(OverviewForm::of_version(version), expected, "{version}");
        }
        for version in ["1.19.3", "1.20.5", "2.0.2", "2.3.0", "2.3.0-SNAPSHOT", "10.1"] {
            assert_eq!(OverviewForm::of_version(version), Some(OverviewForm::Flink2), "{version}");
        }
        for version in ["", "2", "latest", "v2.3"] {
            assert_eq!(OverviewForm::of_version(version), None, "{version}");
        }
    }
}
