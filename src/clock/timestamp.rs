//! Instants.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Milliseconds since 1970-01-01T00:00:00Z, as Flink writes times; in JSON and in SQL the same integer.
///
/// An archive may hold any integer of 64 bits as a time. Flink writes 0 or -1 for a time that was not reached. Therefore sums saturate, and
/// the default is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(description = "Milliseconds since 1970-01-01T00:00:00Z.")]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest.
    pub const MIN: Self = Self(i64::MIN);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The latest.
    pub const MAX: Self = Self(i64::MAX);

    /// From milliseconds since 1970.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970, negative before.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        if self.0 > earlier.0 { self.abs_diff(earlier) } else { Duration::ZERO }
    }

    /// The time between both, whichever is later.
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates.
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(whole_millis(length)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    /// Saturates.
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(whole_millis(length)))
    }
}

/// Whole milliseconds of a length, saturating.
#[must_use]
pub fn whole_millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_differences_saturate() {
        let (one, two) = (Timestamp::from_millis(1_000), Timestamp::from_millis(2_500));
        assert_eq!((two.since(one), one.since(two)), (Duration::from_millis(1_500), Duration::ZERO));
        assert_eq!((two.abs_diff(one), one.abs_diff(two)), (Duration::from_millis(1_500), Duration::from_millis(1_500)));
        assert_eq!((one + Duration::from_millis(1_500), two - Duration::from_millis(1_500)), (two, one));
        assert_eq!(one + Duration::from_micros(1_999), Timestamp::from_millis(1_001), "whole milliseconds");
        assert_eq!((one + Duration::MAX, one - Duration::MAX), (Timestamp::MAX, Timestamp::MIN));
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), Duration::from_millis(u64::MAX));
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration::ZERO);
    }

    #[test]
    fn a_time_is_an_integer_in_json() {
        let none = Timestamp::from_millis(-1);
        assert_eq!(serde_json::to_string(&none).unwrap(), "-1");
        assert_eq!(serde_json::from_str::<Timestamp>("-1").unwrap(), none);
    }
}
