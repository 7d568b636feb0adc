//! Durations and memory sizes in Flink's grammar (`TimeUtils`, `MemorySize`): a whole number with a unit, or an ISO 8601 duration.
//!
//! ```
//! use std::time::Duration;
//!
//! use historyserver::config::grammar::{duration, size, write_size};
//!
//! assert_eq!(duration("10 s"), Ok(Duration::from_secs(10)));
//! assert_eq!(duration("P7D"), duration("7 d"));
//! assert_eq!(size("64 mb"), Ok(64 << 20));
//! assert_eq!(write_size(64 << 20), "64 mb");
//! assert_eq!(size("lots").unwrap_err(), "it must start with a whole number");
//! ```

use std::time::Duration;

mod iso_8601;

/// Units of time: labels and nanoseconds.
const TIME_UNITS: &[(&[&str], u128)] = &[
    (&["d", "day", "days"], 86_400_000_000_000),
    (&["h", "hour", "hours"], 3_600_000_000_000),
    (&["min", "m", "minute", "minutes"], 60_000_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000_000),
    (&["ms", "milli", "millis", "millisecond", "milliseconds"], 1_000_000),
    (&["µs", "μs", "micro", "micros", "microsecond", "microseconds"], 1_000),
    (&["ns", "nano", "nanos", "nanosecond", "nanoseconds"], 1),
];

/// Units of memory: labels and the power of two.
const SIZE_UNITS: &[(&[&str], u32)] = &[
    (&["t", "tb", "tebibytes"], 40),
    (&["g", "gb", "gibibytes"], 30),
    (&["m", "mb", "mebibytes"], 20),
    (&["k", "kb", "kibibytes"], 10),
    (&["b", "bytes"], 0),
];

/// Maximum duration in nanoseconds: 100,000 years, so that sums with the present time fit in 64 bits of milliseconds.
const MAX_DURATION: u128 = 100_000 * 366 * 86_400_000_000_000;

/// Maximum duration of Flink in nanoseconds: it counts seconds in 64 bits.
const MAX_DURATION_OF_FLINK: u128 = (1 << 63) * 1_000_000_000 - 1;

/// Parses a duration: `10 s`, `1h`, `5 min`, or `PT10S` and `P7D` of ISO 8601; a number without a unit is milliseconds. A valid
/// duration longer than 100,000 years becomes 100,000 years.
///
/// # Errors
/// The fault of the text, as the end of a sentence.
pub fn duration(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    let nanoseconds = if trimmed.is_empty() || trimmed.starts_with(|first: char| first.is_ascii_digit()) {
        number_and_unit(trimmed)?
    } else {
        let signed = iso_8601::nanoseconds(trimmed)
            .ok_or("it must be a number with a unit, such as 10 s, or an ISO 8601 duration, such as PT10S or P7D")?;
        u128::try_from(signed).map_err(|_| "it must not be negative")?
    };
    if nanoseconds > MAX_DURATION_OF_FLINK {
        return Err("it is longer than the longest duration that Flink accepts".to_owned());
    }
    let nanoseconds = nanoseconds.min(MAX_DURATION);
    let seconds = u64::try_from(nanoseconds / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or_default();
    Ok(Duration::new(seconds, rest))
}

/// Nanoseconds of a whole number with a unit.
fn number_and_unit(text: &str) -> Result<u128, String> {
    let (number, label) = split(text)?;
    let unit = if label.is_empty() {
        1_000_000
    } else {
        TIME_UNITS
            .iter()
            .find(|(labels, _)| labels.contains(&label.as_str()))
            .map(|(_, unit)| *unit)
            .ok_or_else(|| format!("`{label}` is not a unit of time; use d, h, min, s, ms, µs or ns, or no unit for milliseconds"))?
    };
    Ok(number.saturating_mul(unit))
}

/// Parses a memory size in bytes: `10 gb` is 10 × 2^30; a number without a unit is bytes.
///
/// # Errors
/// The fault of the text, as the end of a sentence.
pub fn size(text: &str) -> Result<u64, String> {
    let (number, label) = split(text)?;
    let power = if label.is_empty() {
        0
    } else {
        SIZE_UNITS
            .iter()
            .find(|(labels, _)| labels.contains(&label.as_str()))
            .map(|(_, power)| *power)
            .ok_or_else(|| format!("`{label}` is not a unit of memory; use b, kb, mb, gb or tb, or no unit for bytes"))?
    };
    number
        .checked_mul(1_u128 << power)
        .and_then(|bytes| i64::try_from(bytes).ok())
        .map(i64::unsigned_abs)
        .ok_or_else(|| "it must be less than 2^63 bytes".to_owned())
}

/// Writes a memory size in the largest unit that divides it: `10 gb`, `1025 bytes`.
#[must_use]
pub fn write_size(bytes: u64) -> String {
    let (labels, power) =
        SIZE_UNITS.iter().find(|(_, power)| bytes != 0 && bytes.is_multiple_of(1 << power)).unwrap_or(&SIZE_UNITS[SIZE_UNITS.len() - 1]);
    format!("{} {}", bytes >> power, labels[1])
}

/// Splits a text into its leading digits and its unit in lower case.
fn split(text: &str) -> Result<(u128, String), String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("it must not be empty".to_owned());
    }
    let end = trimmed.find(|character: char| !character.is_ascii_digit()).unwrap_or(trimmed.len());
    let (digits, label) = trimmed.split_at(end);
    if digits.is_empty() {
        return Err("it must start with a whole number".to_owned());
    }
    let number = digits.parse::<u128>().map_err(|_| "the number is too large".to_owned())?;
    Ok((number, label.trim().to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_flink_reads_them() {
        for (text, milliseconds) in [
            ("10 s", 10_000),
            ("1h", 3_600_000),
            ("5 min", 300_000),
            ("5m", 300_000),
            ("250", 250),
            ("  7 DAYS ", 604_800_000),
            ("3 secs", 3_000),
            ("1 second", 1_000),
            ("12 millis", 12),
            ("2000 µs", 2),
            ("1000000ns", 1),
            ("0", 0),
            ("PT10S", 10_000),
            (" p7d ", 604_800_000),
            ("PT0.25S", 250),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        let longest = Duration::from_hours(100_000 * 366 * 24);
        for text in ["9223372036854775807", "99999999999999999999", "106751991167300 d", "P100000000D", "9223372036854775807 s"] {
            assert_eq!(duration(text), Ok(longest), "{text}: Flink takes it");
        }
        for text in [
            "",
            "  ",
            "s",
            "-5 s",
            "1.5 h",
            "10 parsecs",
            "1 w",
            "1 us",
            "P7X",
            "P1W",
            "-PT5S",
            "9223372036854775808 s",
            "18446744073709551615 d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_flink_reads_them() {
        for (text, bytes) in [
            ("10 gb", 10 << 30),
            ("64m", 64 << 20),
            ("4kb", 4096),
            ("17", 17),
            ("1 TB", 1 << 40),
            ("3 bytes", 3),
            ("2 mebibytes", 2 << 20),
            ("0", 0),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "mb", "1.5 gb", "10 gib/s", "-1", "9223372036854775808", "99999999 tb"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_written_size_is_read_back() {
        for bytes in [0, 1, 1023, 1024, 1025, 64 << 20, 10 << 30, 3 << 40] {
            assert_eq!(size(&write_size(bytes)), Ok(bytes));
        }
        assert_eq!(write_size(10 << 30), "10 gb");
    }
}
