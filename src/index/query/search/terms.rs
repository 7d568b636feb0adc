//! Parses the text of a search into terms that must all be found. Any text is valid, and no text becomes syntax of SQLite.
//!
//! Terms are separated by blanks. Text between quotation marks is one term that matches whole words. All other text, for example `AND`,
//! `NEAR(` or `*`, is literal: letters and digits are words, other characters count only in names.

use super::words::{Parts, SearchWord, words};
use crate::index::query::folding::fold;

/// Maximum number of terms of one query.
pub const MAX_TERMS: usize = 16;
/// Maximum number of searched words of one term. Further words would hardly exclude anything.
const MAX_WORDS: usize = 32;
/// Minimum number of digits of the prefix of an id.
const MIN_DIGITS: usize = 4;

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::index) struct Term {
    /// The whole term, folded: searched in names.
    pub(in crate::index) text: String,
    /// Its words, which must be adjacent in a text. Without words, the term is in no text.
    pub(in crate::index) words: Vec<SearchWord>,
}

/// Parses the terms of a text.
pub(in crate::index) fn parse(typed: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut quoted = false;
    for piece in typed.split('"') {
        if quoted {
            terms.extend(term(piece.trim(), false));
        } else {
            terms.extend(piece.split_whitespace().filter_map(|piece| term(piece.trim_end_matches('*'), true)));
        }
        quoted = !quoted;
    }
    let mut distinct: Vec<Term> = Vec::new();
    for term in terms {
        if !distinct.contains(&term) {
            distinct.push(term);
        }
    }
    distinct
}

fn term(text: &str, open: bool) -> Option<Term> {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        return None;
    }
    let ranges: Vec<_> = words(&text).take(MAX_WORDS).collect();
    let last = ranges.len().saturating_sub(1);
    let words = ranges.into_iter().enumerate().map(|(number, range)| SearchWord::new(&text[range], open && number == last)).collect();
    Some(Term { text: fold(&text), words })
}

impl Term {
    /// The first and the last id with this prefix; `None`: the term cannot be the prefix of an id.
    pub(in crate::index) fn ids(&self) -> Option<([u8; 16], [u8; 16])> {
        let digits = self.text.len();
        if !(MIN_DIGITS..=32).contains(&digits) || !self.text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let first = u128::from_str_radix(&self.text, 16).ok()?.checked_shl(u32::try_from(4 * (32 - digits)).ok()?)?;
        let rest = if digits == 32 { 0 } else { u128::MAX >> (4 * digits) };
        Some((first.to_be_bytes(), (first | rest).to_be_bytes()))
    }

    /// The ranges of the words of the term in a piece of text.
    pub(in crate::index) fn find(&self, text: &str, parts: Parts) -> Option<Vec<std::ops::Range<usize>>> {
        if self.words.is_empty() {
            return None;
        }
        let ranges: Vec<_> = words(text).collect();
        let found = ranges
            .windows(self.words.len())
            .find(|ranges| ranges.iter().zip(&self.words).all(|(range, word)| word.matches(&text[range.clone()], parts)))?;
        let hit = |(range, word): (&std::ops::Range<usize>, &SearchWord)| {
            let within = word.range(&text[range.clone()]);
            range.start + within.start..range.start + within.end
        };
        Some(found.iter().zip(&self.words).map(hit).collect())
    }

    /// Whether every text with all keys of the words contains the term.
    pub(in crate::index) fn is_decided_by_keys(&self) -> bool {
        matches!(self.words.as_slice(), [word] if word.is_decided_by_keys())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(typed: &str) -> Vec<String> {
        parse(typed).into_iter().map(|term| term.text).collect()
    }

    #[test]
    fn blanks_separate_and_quotation_marks_hold_together() {
        assert_eq!(texts("network  Buff"), ["network", "buff"]);
        assert_eq!(texts("\"Network  Buffers\" x \"y"), ["network buffers", "x", "y"]);
        assert_eq!(texts("a a A \"a\""), ["a"]);
        assert_eq!(texts("buff* -> **"), ["buff", "->"]);
        assert_eq!(texts(" \t\n\"\" \" \""), Vec::<String>::new());
    }

    #[test]
    fn words_of_a_term_stand_side_by_side() {
        let found = |typed: &str, text: &str| {
            let term = parse(typed).remove(0);
            term.find(text, Parts::Humps).map(|places| places.into_iter().map(|place| text[place].to_owned()).collect::<Vec<_>>())
        };
        let text = "java.io.IOException: Insufficient number of network buffers";
        assert_eq!(found("\"network buffers\"", text).unwrap(), ["network", "buffers"]);
        assert_eq!(found("\"network buff\"", text), None);
        assert_eq!(found("\"number network\"", text), None);
        assert_eq!(found("java.io.IOExc", text).unwrap(), ["java", "io", "IOExc"]);
        assert_eq!(found("excep", text).unwrap(), ["Excep"]);
        assert_eq!(found("->", text), None);
    }

    #[test]
    fn beginnings_of_ids_are_ranges() {
        let range = |typed: &str| parse(typed)[0].ids().map(|(first, last)| (u128::from_be_bytes(first), u128::from_be_bytes(last)));
        assert_eq!(range("DEAD"), Some((0xdead << 112, (0xdeae << 112) - 1)));
        let whole = "0123456789abcdef0123456789abcdef";
        let id = u128::from_str_radix(whole, 16).unwrap();
        assert_eq!(range(whole), Some((id, id)));
        for none in ["dea", "xyz1", &format!("{whole}0"), "+123", "１２３４"] {
            assert_eq!(range(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(typed in ".{0,60}|[\"*()a^:\\-+ANDORT \0]{0,40}") {
            for term in parse(&typed) {
                prop_assert!(!term.text.is_empty());
                let ids = term.ids();
                prop_assert!(ids.is_none_or(|(first, last)| first <= last));
                // A term is found in its own text, unless it has no words.
                if term.words.len() < MAX_WORDS && term.text.chars().count() < 512 {
                    prop_assert_eq!(term.find(&term.text, Parts::Anywhere).is_some(), !term.words.is_empty());
                }
            }
        }
    }
}
