//! Text in cells of tables that people open with a spreadsheet.
//!
//! A spreadsheet takes a cell for a formula by how it begins, and names in archives are written by whoever submitted the job:
//! `=HYPERLINK(…)` must stay a text. Numbers are written by this server and stand in columns of their own; they are not changed.

use std::borrow::Cow;

/// What makes a spreadsheet take a cell for a formula; the wide forms do in some of them.
const BEGINS_FORMULA: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A text as it may stand in a cell: with an apostrophe before it, which spreadsheets take for "this is text", where it could be
/// taken for a formula. Quotes, blanks and invisible characters before a formula do not hide it.
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
    fn what_could_be_a_formula_is_made_a_text() {
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
    fn other_texts_are_what_they_were() {
        for text in ["", " ", "orders-enrichment", "a=b", "1-1", "'quoted'", "größe", "(=1)", "5"] {
            assert_eq!(harmless(text), text, "{text:?}");
        }
    }
}
