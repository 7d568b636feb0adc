//! Durations for display.

use std::time::Duration;

const UNITS: &[(&str, u128)] = &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration in its two largest units: `3 d 4 h`, `90 s` is `1 min 30 s`.
#[must_use]
pub fn human_duration(length: Duration) -> String {
    let mut rest = length.as_millis();
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        if rest >= *length && parts.len() < 2 {
            parts.push(format!("{} {unit}", rest / length));
        } else if !parts.is_empty() {
            break;
        }
        rest %= length;
    }
    if parts.is_empty() { "0 ms".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (millis, expected) in [
            (0, "0 ms"),
            (9_999, "9 s 999 ms"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (3_600_001, "1 h"),
            (90_000_000, "1 d 1 h"),
            (u64::MAX, "213503982334 d 14 h"),
        ] {
            assert_eq!(human_duration(Duration::from_millis(millis)), expected, "{millis}");
        }
    }
}
