//! Texts, times and durations as they may be printed to a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use chrono::DateTime;

use crate::clock::human_duration;

/// Escapes control characters, which are commands for a terminal, and invisible characters that change the direction of text. With
/// `lines`, line feeds and tabs stay.
pub(super) fn printable(text: &str, lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' if lines => shown.push('\n'),
            '\t' if lines => shown.push('\t'),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if character.is_control() || is_hidden(character) => {
                // Writing to a text does not fail.
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
            _ => shown.push(character),
        }
    }
    shown
}

fn is_hidden(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// JSON with the control characters escaped that JSON itself lets through. They only stand within strings.
pub(super) fn printable_json(text: &str) -> String {
    if !text.contains(|character: char| ('\u{7f}'..='\u{9f}').contains(&character) || is_hidden(character)) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if ('\u{7f}'..='\u{9f}').contains(&character) || is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a text does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A duration in milliseconds. One below zero begins with `-`.
pub(super) fn duration(millis: i64) -> String {
    let length = human_duration(Duration::from_millis(millis.unsigned_abs()));
    if millis < 0 { format!("-{length}") } else { length }
}

/// A time as people read it, in UTC.
pub(super) fn time(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).map_or_else(|| millis.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(printable("a\u{1b}[2Jb\u{9b}31m\u{7f}\0\r\n\tc", false), "a\\u{1b}[2Jb\\u{9b}31m\\u{7f}\\u{0}\\r\\n\\tc");
        assert_eq!(printable("a\u{202e}b\u{feff}\n", true), "a\\u{202e}b\\u{feff}\n");
        assert_eq!(printable("größe 漢字 😀", false), "größe 漢字 😀");
        let json = serde_json::to_string("\u{1b}\u{9b}\u{7f}\u{202e}é\u{e0001}").unwrap();
        let shown = printable_json(&json);
        assert_eq!(shown, "\"\\u001b\\u009b\\u007f\\u202eé\\udb40\\udc01\"");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), "\u{1b}\u{9b}\u{7f}\u{202e}é\u{e0001}");
    }

    #[test]
    fn times_are_shown_in_utc() {
        assert_eq!(time(1_795_373_917_344), "2026-11-22 18:58:37");
        assert_eq!(time(i64::MAX), i64::MAX.to_string());
    }
}
