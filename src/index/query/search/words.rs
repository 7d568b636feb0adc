//! Splits texts into words. Both the keys of the full-text index and the keys of a query are made here. So SQLite's tokenizer does not
//! matter, and no text becomes its syntax.
//!
//! A word is a sequence of letters, digits and accents. Scripts without spaces are divided into pairs of characters.

use std::ops::Range;

use crate::index::query::folding::{fold_whole, range_of};

/// Characters of a word that are indexed.
const MAX_CHARACTERS: usize = 64;

/// Minimum number of characters of a part of a word. Shorter words match only as a whole.
const MIN_PART_CHARACTERS: usize = 3;

/// The positions in a word where a match may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) enum Parts {
    /// At its beginning and at each hump of camel case: `Exception` in `JobException`.
    Humps,
    /// Anywhere.
    Anywhere,
}

/// The ranges of the words of a text.
pub(in crate::index) fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = rest.by_ref().find(|(_, character)| is_letter(*character))?;
        let unspaced = is_unspaced(first);
        let mut end = start + first.len_utf8();
        while let Some((at, next)) = rest.next_if(|(_, next)| is_accent(*next) || (is_letter(*next) && is_unspaced(*next) == unspaced)) {
            end = at + next.len_utf8();
        }
        Some(start..end)
    })
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric()
}

fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{3099}' | '\u{309a}')
}

/// Whether the script of a character writes words without spaces.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{312f}' | '\u{3130}'..='\u{318f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Passes every key of a word of a text to `take`. A key may repeat.
pub(in crate::index) fn keys(word: &str, parts: Parts, mut take: impl FnMut(&str)) {
    if word.starts_with(is_unspaced) {
        return pairs(&fold_whole(word), take);
    }
    for part in suffixes(word, parts) {
        take(&part);
    }
}

/// The pairs of adjacent characters, and the last character.
fn pairs(folded: &str, mut take: impl FnMut(&str)) {
    let starts: Vec<usize> = folded.char_indices().map(|(at, _)| at).collect();
    for (number, start) in starts.iter().enumerate() {
        take(&folded[*start..starts.get(number + 2).copied().unwrap_or(folded.len())]);
    }
}

/// The word, and its suffixes from each position where a match may begin, folded and truncated.
fn suffixes(word: &str, parts: Parts) -> impl Iterator<Item = String> + '_ {
    let cut = |part: &str| {
        let mut folded = fold_whole(part);
        if let Some((end, _)) = folded.char_indices().nth(MAX_CHARACTERS) {
            folded.truncate(end);
        }
        folded
    };
    let whole = cut(word);
    let starts: Vec<usize> = match parts {
        Parts::Humps => humps(word),
        Parts::Anywhere => whole.char_indices().map(|(at, _)| at).skip(1).collect(),
    };
    let later: Vec<String> = match parts {
        Parts::Humps => starts.into_iter().map(|start| cut(&word[start..])).collect(),
        Parts::Anywhere => starts.into_iter().map(|start| whole[start..].to_owned()).collect(),
    };
    std::iter::once(whole).chain(later.into_iter().filter(|part| part.chars().count() >= MIN_PART_CHARACTERS))
}

/// Positions where a capital letter begins a part: after another character, or before a small letter (`HTTPServer`).
fn humps(word: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut before, mut characters) = (None, word.char_indices().take(MAX_CHARACTERS).peekable());
    while let Some((at, character)) = characters.next() {
        let next_is_small = characters.peek().is_some_and(|(_, next)| next.is_lowercase());
        if character.is_uppercase() && before.is_some_and(|before: char| !before.is_uppercase() || next_is_small) {
            found.push(at);
        }
        before = Some(character);
    }
    found
}

/// A word of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::index) struct SearchWord {
    folded: String,
    /// Whether it also matches longer words that begin with it.
    open: bool,
    unspaced: bool,
}

impl SearchWord {
    /// `open`: longer words that begin with it match, too.
    pub(super) fn new(word: &str, open: bool) -> Self {
        let unspaced = word.starts_with(is_unspaced);
        let mut folded = fold_whole(word);
        if !unspaced && let Some((end, _)) = folded.char_indices().nth(MAX_CHARACTERS) {
            folded.truncate(end);
        }
        Self { open: open && !unspaced && folded.chars().count() >= MIN_PART_CHARACTERS, folded, unspaced }
    }

    /// The keys that every text with this word has, each with whether it is only a prefix of a key.
    pub(in crate::index) fn keys(&self) -> Vec<(String, bool)> {
        if !self.unspaced {
            return vec![(self.folded.clone(), self.open)];
        }
        let mut keys = Vec::new();
        pairs(&self.folded, |pair| keys.push(pair.to_owned()));
        // The last character alone is no further condition, unless it is the only one.
        if keys.len() > 1 {
            keys.pop();
            return keys.into_iter().map(|key| (key, false)).collect();
        }
        keys.into_iter().map(|key| (key, true)).collect()
    }

    /// Whether every text with all keys contains this word.
    pub(in crate::index) fn is_decided_by_keys(&self) -> bool {
        !self.unspaced || self.folded.chars().count() <= 2
    }

    /// Whether a word of a text matches.
    pub(super) fn matches(&self, word: &str, parts: Parts) -> bool {
        if word.starts_with(is_unspaced) {
            return self.unspaced && fold_whole(word).contains(&self.folded);
        }
        !self.unspaced && suffixes(word, parts).any(|part| if self.open { part.starts_with(&self.folded) } else { part == self.folded })
    }

    /// The range of the match in a word, in bytes; the whole word where it cannot be determined.
    pub(super) fn range(&self, word: &str) -> Range<usize> {
        range_of(word, &self.folded).unwrap_or(0..word.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).map(|range| &text[range]).collect()
    }

    fn all_keys(word: &str, parts: Parts) -> Vec<String> {
        let mut keys = Vec::new();
        super::keys(word, parts, |key| keys.push(key.to_owned()));
        keys
    }

    #[test]
    fn words_are_runs_of_letters_digits_and_accents() {
        assert_eq!(split("org.apache.flink_x$1: -> a1-Größe"), ["org", "apache", "flink", "x", "1", "a1", "Größe"]);
        assert_eq!(split("Cafe\u{301}s \u{301}x"), ["Cafe\u{301}s", "x"]);
        assert_eq!(split("Flink訂單處理v2"), ["Flink", "訂單處理", "v2"]);
        assert_eq!(split(" *\"' -"), Vec::<&str>::new());
    }

    #[test]
    fn words_are_found_from_each_hump_or_from_anywhere() {
        assert_eq!(all_keys("NoHTTPServerX", Parts::Humps), ["nohttpserverx", "httpserverx", "serverx"]);
        assert_eq!(all_keys("Orders", Parts::Anywhere), ["orders", "rders", "ders", "ers"]);
        assert_eq!(all_keys("訂單處", Parts::Humps), ["訂單", "單處", "處"]);
        assert_eq!(all_keys(&"é".repeat(100), Parts::Humps), ["é".repeat(64)]);
    }

    #[test]
    fn a_word_matches_by_its_prefix_unless_it_is_short_or_closed() {
        assert!(SearchWord::new("BUFF", true).matches("buffers", Parts::Humps));
        assert!(!SearchWord::new("BUFF", false).matches("buffers", Parts::Humps));
        assert!(!SearchWord::new("bu", true).matches("buffers", Parts::Humps));
        assert!(!SearchWord::new("uffe", true).matches("buffers", Parts::Humps));
        assert!(SearchWord::new("uffe", true).matches("buffers", Parts::Anywhere));
        assert!(SearchWord::new("excep", true).matches("JobException", Parts::Humps));
        assert!(SearchWord::new("單處", true).matches("訂單處理", Parts::Humps));
        assert!(!SearchWord::new("訂處", true).matches("訂單處理", Parts::Humps));
        assert!(SearchWord::new("cafe\u{301}", true).matches("CAFÉS", Parts::Humps));
    }

    #[test]
    fn the_range_is_the_part_that_matches() {
        assert_eq!(SearchWord::new("excep", true).range("JobException"), 3..8);
        assert_eq!(SearchWord::new("größ", true).range("GRÖßEN"), 0..6);
        assert_eq!(SearchWord::new("café", true).range("Cafe\u{301}s"), 0.."Cafe\u{301}s".len());
    }

    proptest! {
        /// The index of words and the comparison of words give the same result.
        #[test]
        fn keys_agree_with_the_comparison_of_words(word in "[abAB]{1,7}|[aÉß]{1,4}|[訂單處]{1,4}", query in "[abAB]{1,4}|[aÉß]{1,3}|[訂單處]{1,3}", open in any::<bool>()) {
            for parts in [Parts::Humps, Parts::Anywhere] {
                let keys = all_keys(&word, parts);
                let word_of_query = SearchWord::new(&query, open);
                let has = |(key, open): &(String, bool)| keys.iter().any(|known| if *open { known.starts_with(key) } else { known == key });
                let has_keys = word_of_query.keys().iter().all(has);
                prop_assert!(has_keys || !word_of_query.matches(&word, parts), "a match without its keys");
                if word_of_query.is_decided_by_keys() {
                    prop_assert_eq!(has_keys, word_of_query.matches(&word, parts));
                }
            }
        }
    }
}
