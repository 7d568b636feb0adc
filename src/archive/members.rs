//! The members of a JSON object, each as its archived text. Values are converted as leniently as Flink converts them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// An object whose values are not parsed yet.
#[derive(Debug)]
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

impl<'a> Members<'a> {
    /// The members of an object; `None` if the text is not an object.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The value of a member. When a name repeats, the last value counts.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().rev().find(|(member, _)| member == name).map(|(_, value)| *value)
    }

    /// All members in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// A string, or a number or boolean as text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(self.get(name)?)
    }

    /// All members that are a string, a number or a boolean, as text, in order.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.iter().filter_map(|(name, value)| Some((name, text(value)?)))
    }

    /// A whole number, also in a string or with a fraction.
    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        integer(self.get(name)?)
    }

    /// An object of counts. Members that are no count are left out.
    pub(super) fn counts(&self, name: &str) -> Vec<(String, u64)> {
        let Some(members) = self.get(name).and_then(|value| Self::parse(value.get())) else { return Vec::new() };
        let counts = members.iter().filter(|(name, _)| name.len() <= super::MAX_STATE_BYTES).take(super::MAX_STATES);
        counts.filter_map(|(name, value)| Some((name.to_owned(), u64::try_from(integer(value)?).ok()?))).collect()
    }

    /// The objects in an array. Other elements are left out.
    pub(super) fn objects(&self, name: &str) -> Vec<Members<'a>> {
        self.elements(name).into_iter().filter_map(|value| Self::parse(value.get())).collect()
    }

    /// Passes the elements of an array one by one, without holding them all.
    pub(super) fn each_element(&self, name: &str, take: impl FnMut(&'a RawValue)) {
        if let Some(value) = self.get(name) {
            each_of(value.get(), take);
        }
    }

    /// The elements of an array; empty if the value is not an array.
    pub(super) fn elements(&self, name: &str) -> Vec<&'a RawValue> {
        self.get(name).and_then(|value| serde_json::from_str(value.get()).ok()).unwrap_or_default()
    }
}

/// Passes the elements of an array one by one, without holding them all, up to the first invalid one.
pub(super) fn each_of<'a>(array: &'a str, take: impl FnMut(&'a RawValue)) {
    struct Each<F>(F);

    impl<'de, F: FnMut(&'de RawValue)> Visitor<'de> for Each<F> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
            while let Some(element) = elements.next_element::<&'de RawValue>()? {
                self.0(element);
            }
            Ok(())
        }
    }

    // Any other value has no elements.
    let _ = serde_json::Deserializer::from_str(array).deserialize_seq(Each(take));
}

/// A string, or a number or boolean as text.
fn text(value: &RawValue) -> Option<String> {
    match value.get().as_bytes().first()? {
        b'"' => string(value.get()),
        b'{' | b'[' | b'n' => None,
        _ => Some(value.get().to_owned()),
    }
}

/// Text of a JSON string. Half surrogate pairs, which Java accepts, become replacement characters.
fn string(value: &str) -> Option<String> {
    struct Lossy(String);

    impl<'de> Deserialize<'de> for Lossy {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Bytes;

            impl Visitor<'_> for Bytes {
                type Value = Lossy;

                fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str("a string")
                }

                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Lossy, E> {
                    let mut bytes = bytes.to_vec();
                    for at in 0..bytes.len().saturating_sub(2) {
                        // Half a pair comes as three bytes that no text in UTF-8 has; the replacement character has three too.
                        if bytes[at] == 0xed && bytes[at + 1] >= 0xa0 {
                            bytes[at..at + 3].copy_from_slice("\u{fffd}".as_bytes());
                        }
                    }
                    Ok(Lossy(String::from_utf8_lossy(&bytes).into_owned()))
                }
            }

            deserializer.deserialize_bytes(Bytes)
        }
    }

    serde_json::from_str::<Lossy>(value).ok().map(|text| text.0)
}

/// A whole number as Jackson converts it to a `long`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a fraction is truncated, and a number out of range becomes the nearest one, as in Java"
)]
fn integer(value: &RawValue) -> Option<i64> {
    let quoted;
    let text = if value.get().starts_with('"') {
        quoted = string(value.get())?;
        quoted.trim()
    } else {
        value.get()
    };
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_leniently() {
        let members = Members::parse(
            r#"{"a":1,"b":"2","c":3.9,"d":"x\ud83d","e":null,"f":[1],"g":true,"h":1e300,"a":7,"i":{"run":1,"bad":"x","minus":-1,"three":"3"}}"#,
        )
        .unwrap();
        assert_eq!(members.integer("a"), Some(7), "the last of a name counts");
        assert_eq!(members.integer("b"), Some(2));
        assert_eq!(members.integer("c"), Some(3));
        assert_eq!(members.integer("d"), None);
        assert_eq!(members.integer("e"), None);
        assert_eq!(members.integer("h"), Some(i64::MAX));
        assert_eq!(members.integer("missing"), None);
        assert_eq!(members.text("d").as_deref(), Some("x\u{fffd}"));
        assert_eq!(members.text("e"), None);
        assert_eq!(members.text("f"), None);
        assert_eq!(members.text("g").as_deref(), Some("true"));
        assert_eq!(members.counts("i"), [("run".to_owned(), 1), ("three".to_owned(), 3)]);
        assert_eq!(members.counts("f"), []);
    }

    #[test]
    fn elements_are_given_one_by_one() {
        let given = |array: &str| {
            let mut given = Vec::new();
            each_of(array, |element| given.push(element.get().to_owned()));
            given
        };
        assert_eq!(given(r#"[1, {"a":[2]},"x"]"#), ["1", r#"{"a":[2]}"#, r#""x""#]);
        assert_eq!(given("[1,2"), ["1", "2"]);
        for none in ["", "{}", "null", "[", "7", r#""[1]""#] {
            assert_eq!(given(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn other_values_have_no_members() {
        for text in ["", "[]", "1", "null", "{", "{}x", r#"{"a":}"#] {
            assert!(Members::parse(text).is_none(), "{text}");
        }
    }
}
