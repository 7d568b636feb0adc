//! Identifiers of Flink: 16 bytes, written as 32 lower-case hex digits.
//!
//! Flink writes ids in lower case, and reads names of folders and files in any case. Ids are compared in lower case here.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;

/// Text that is not 32 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of 32 hex digits")]
pub struct InvalidId;

fn parse_hex(text: &[u8]) -> Result<[u8; 16], InvalidId> {
    fn digit(byte: u8) -> Result<u8, InvalidId> {
        match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            b'A'..=b'F' => Ok(byte - b'A' + 10),
            _ => Err(InvalidId),
        }
    }
    let mut id = [0; 16];
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != id.len() || !rest.is_empty() {
        return Err(InvalidId);
    }
    for (byte, pair) in id.iter_mut().zip(pairs) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(id)
}

/// The digits, by a table: listings write a hundred thousand ids.
fn hex(bytes: &[u8; 16]) -> [u8; 32] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; 32];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    digits
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
        #[schema(value_type = String, pattern = "^[0-9a-f]{32}$")]
        pub struct $name([u8; 16]);

        impl $name {
            /// The id with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes of the id.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// Parses a name, which need not be UTF-8.
            ///
            /// # Errors
            /// [`InvalidId`] unless the name is exactly 32 hex digits of any case.
            pub fn from_name(name: &[u8]) -> Result<Self, InvalidId> {
                parse_hex(name).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let digits = hex(&self.0);
                formatter.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::from_name(text.as_bytes())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                let invalid = |_| D::Error::invalid_value(serde::de::Unexpected::Str(&text), &"32 hexadecimal digits");
                text.parse().map_err(invalid)
            }
        }
    };
}

id! {
    /// Id of an application (since Flink 2.3).
    ApplicationId
}
id! {
    /// Id of a job.
    JobId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_compared_in_lower_case() {
        let lower: JobId = "0d6f4f6e8da5b7e7a3551550ff16c873".parse().unwrap();
        let upper: JobId = "0D6F4F6E8DA5B7E7A3551550FF16C873".parse().unwrap();
        assert_eq!(lower, upper);
        assert_eq!(upper.to_string(), "0d6f4f6e8da5b7e7a3551550ff16c873");
    }

    #[test]
    fn anything_but_32_hex_digits_is_refused() {
        for text in ["", "0d6f4f6e", &"a".repeat(31), &"a".repeat(33), &"g".repeat(32), "0d6f4f6e8da5b7e7a3551550ff16c87é"] {
            assert_eq!(text.parse::<ApplicationId>(), Err(InvalidId), "{text}");
        }
    }
}
