//! ISO 8601 durations as `java.time.Duration.parse` reads them: days, hours, minutes and seconds, `P7D`, `PT1H30M`, `PT1.5S`.

/// Units in their order, with nanoseconds: before `T`, and after it.
const DATE: &[(u8, i128)] = &[(b'D', 86_400_000_000_000)];
const TIME: &[(u8, i128)] = &[(b'H', 3_600_000_000_000), (b'M', 60_000_000_000), (b'S', 1_000_000_000)];

/// Nanoseconds of an ISO 8601 duration, which may be negative; `None` for another text or a duration that is too long.
pub(super) fn nanoseconds(text: &str) -> Option<i128> {
    let upper = text.to_ascii_uppercase();
    let (sign, rest) = signed(&upper);
    let rest = rest.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').map_or((rest, None), |(date, time)| (date, Some(time)));
    if time.map_or(date.is_empty(), str::is_empty) {
        return None;
    }
    let total = sum(date, DATE)?.checked_add(time.map_or(Some(0), |time| sum(time, TIME))?)?;
    Some(sign * total)
}

/// Adds up numbers with units, each unit once and in their order.
fn sum(mut text: &str, units: &[(u8, i128)]) -> Option<i128> {
    let mut total: i128 = 0;
    let mut left = units;
    while !text.is_empty() {
        let end = text.find(|letter: char| letter.is_ascii_alphabetic())?;
        let at = left.iter().position(|(unit, _)| *unit == text.as_bytes()[end])?;
        let (unit, nanoseconds) = left[at];
        let number = if unit == b'S' { fractional(&text[..end])? } else { whole(&text[..end])?.checked_mul(nanoseconds)? };
        total = total.checked_add(number)?;
        left = &left[at + 1..];
        text = &text[end + 1..];
    }
    Some(total)
}

/// Nanoseconds of a number of seconds with up to nine decimals, after a point or a comma.
fn fractional(text: &str) -> Option<i128> {
    let Some((before, decimals)) = text.split_once(['.', ',']) else { return whole(text)?.checked_mul(1_000_000_000) };
    if decimals.len() > 9 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction: i128 = format!("{decimals:0<9}").parse().ok()?;
    let (sign, _) = signed(before);
    whole(before)?.checked_mul(1_000_000_000)?.checked_add(sign * fraction)
}

/// A whole number with an optional sign.
fn whole(text: &str) -> Option<i128> {
    let (sign, digits) = signed(text);
    // Java counts in 64 bits.
    let number = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse::<i64>().ok())??;
    Some(sign * i128::from(number))
}

fn signed(text: &str) -> (i128, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_java() {
        // As `java.time.Duration.parse` of Java 17 answers.
        for (text, milliseconds) in [
            ("PT10S", 10_000),
            ("pt10s", 10_000),
            ("P7D", 604_800_000),
            ("P1DT2H", 93_600_000),
            ("PT1H30M", 5_400_000),
            ("PT1.5S", 1_500),
            ("PT1,5S", 1_500),
            ("PT1.S", 1_000),
            ("PT-0.5S", -500),
            ("+PT5S", 5_000),
            ("-PT5S", -5_000),
            ("PT+5S", 5_000),
            ("-PT-5S", 5_000),
            ("P-1DT25H", 3_600_000),
            ("PT0S", 0),
        ] {
            assert_eq!(nanoseconds(text), Some(milliseconds * 1_000_000), "{text}");
        }
        for text in [
            "P7X",
            "P",
            "PT",
            "P1DT",
            "P1W",
            "P1M",
            "P1Y",
            "PT1S1M",
            "PT1M1M",
            "PT1H2",
            "P1H",
            "PT1D",
            "PT.5S",
            "PT1.5M",
            "PTS",
            "P D",
            "P1 D",
            "PT1.1234567890S",
            "",
            "T1S",
            "P99999999999999999999D",
            "PTüS",
        ] {
            assert_eq!(nanoseconds(text), None, "{text}");
        }
    }
}
