//! Cells of tables that may be opened in a spreadsheet.
//!
//! A spreadsheet treats a cell that begins like a formula as one, and names in archives are untrusted: `=HYPERLINK(…)` must stay a text.
//! Numbers come from this server and are not changed.

use std::borrow::Cow;

/// First characters of formulas. The wide forms begin formulas in some spreadsheets.
const BEGINS_FORMULA: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A text that is safe in a cell: a text that could be a formula gets an apostrophe, by which spreadsheets mark texts. Quotes, spaces and
/// invisible characters before a formula are skipped.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    let is_skipped = |character: char| {
        character.is_whitespace() || character.is_control() || is_invisible(character) || matches!(character, '"' | '\'' | '“' | '‘' | '`')
    };
    let begins = text.trim_start_matches(is_skipped).starts_with(BEGINS_FORMULA);
    if begins || text.starts_with(['\t', '\r', '\n']) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_possible_formula_becomes_a_text() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\tname",
            "\rname",
            "\nname",
            " =1",
            "\"=1",
            "'=1",
            " \" '\u{a0}\u{feff}\u{200b}=cmd|' /C calc'!A0",
            "\0=1",
            "＝1",
        ] {
            assert_eq!(harmless(text), format!("'{text}"), "{text:?}");
        }
    }

    #[test]
    fn other_texts_are_unchanged() {
        for text in ["", " ", "orders-enrichment", "a=b", "1-1", "'quoted'", "größe", "(=1)", "5"] {
            assert_eq!(harmless(text), text, "{text:?}");
        }
    }
}
