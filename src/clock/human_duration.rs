//! Durations for display.

use super::Millis;

const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration in its two largest units: `3 d 4 h`, `90 s` is `1 min 30 s`. A duration below zero begins with `-`.
#[must_use]
pub fn human_duration(millis: Millis) -> String {
    let mut rest = millis.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        if rest >= *length && parts.len() < 2 {
            parts.push(format!("{} {unit}", rest / length));
        } else if !parts.is_empty() {
            break;
        }
        rest %= length;
    }
    let sign = if millis < 0 { "-" } else { "" };
    if parts.is_empty() { "0 ms".to_owned() } else { format!("{sign}{}", parts.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (millis, expected) in [
            (0, "0 ms"),
            (-5, "-5 ms"),
            (9_999, "9 s 999 ms"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (3_600_001, "1 h"),
            (90_000_000, "1 d 1 h"),
            (Millis::MIN, "-106751991167 d 7 h"),
        ] {
            assert_eq!(human_duration(millis), expected, "{millis}");
        }
    }
}
