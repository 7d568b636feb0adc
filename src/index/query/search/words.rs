//! Texts as words. What is put into the index of words and what is asked of it are both made here, so that no tokenizer of SQLite
//! has a say in it, and nothing of a text or of a query is ever its syntax.
//!
//! A word is a run of letters, digits and accents. Scripts that write no spaces are cut into pairs of characters.

use std::ops::Range;

use crate::index::query::folding::fold_whole;

/// Of longer words only so many characters are known.
const LONGEST: usize = 64;

/// Shorter words are only found whole.
const SHORTEST_PART: usize = 3;

/// Where in a word a part of it can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) enum Parts {
    /// At its beginning and at each hump of camel case: `Exception` in `JobException`.
    Humps,
    /// Anywhere.
    Anywhere,
}

/// Where the words of a text stand.
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

/// Whether a script writes its words without spaces between them.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{2fdf}'
        | '\u{3005}'..='\u{312f}' | '\u{3130}'..='\u{318f}' | '\u{31a0}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ffdc}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Gives every key by which a word of a text is found to `take`, some of them perhaps twice.
pub(in crate::index) fn keys(word: &str, parts: Parts, mut take: impl FnMut(&str)) {
    if word.starts_with(is_unspaced) {
        return pairs(&fold_whole(word), take);
    }
    for part in suffixes(word, parts) {
        take(&part);
    }
}

/// The pairs of characters of a run, and its last character.
fn pairs(folded: &str, mut take: impl FnMut(&str)) {
    let starts: Vec<usize> = folded.char_indices().map(|(at, _)| at).collect();
    for (number, start) in starts.iter().enumerate() {
        take(&folded[*start..starts.get(number + 2).copied().unwrap_or(folded.len())]);
    }
}

/// A word from its beginning, and from wherever else parts of it begin, folded and cut.
fn suffixes(word: &str, parts: Parts) -> impl Iterator<Item = String> + '_ {
    let cut = |part: &str| {
        let mut folded = fold_whole(part);
        if let Some((end, _)) = folded.char_indices().nth(LONGEST) {
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
    std::iter::once(whole).chain(later.into_iter().filter(|part| part.chars().count() >= SHORTEST_PART))
}

/// Where a capital letter begins a part: after what is none, and before what is none (`HTTPServer`).
fn humps(word: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut before, mut characters) = (None, word.char_indices().take(LONGEST).peekable());
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
pub(in crate::index) struct Sought {
    folded: String,
    /// Only its beginning is told.
    open: bool,
    unspaced: bool,
}

impl Sought {
    /// `open`: it may go on.
    pub(super) fn new(word: &str, open: bool) -> Self {
        let unspaced = word.starts_with(is_unspaced);
        let mut folded = fold_whole(word);
        if !unspaced && let Some((end, _)) = folded.char_indices().nth(LONGEST) {
            folded.truncate(end);
        }
        Self { open: open && !unspaced && folded.chars().count() >= SHORTEST_PART, folded, unspaced }
    }

    /// Keys that a text must have for this word to be in it, and whether more may follow the key.
    pub(in crate::index) fn keys(&self) -> Vec<(String, bool)> {
        if !self.unspaced {
            return vec![(self.folded.clone(), self.open)];
        }
        let mut keys = Vec::new();
        pairs(&self.folded, |pair| keys.push(pair.to_owned()));
        // The last character alone says nothing more, unless there is no other.
        if keys.len() > 1 {
            keys.pop();
            return keys.into_iter().map(|key| (key, false)).collect();
        }
        keys.into_iter().map(|key| (key, true)).collect()
    }

    /// Whether a text that has all the keys has this word.
    pub(in crate::index) fn is_told_by_keys(&self) -> bool {
        !self.unspaced || self.folded.chars().count() <= 2
    }

    /// Whether this word of a text is what is sought.
    pub(super) fn is(&self, word: &str, parts: Parts) -> bool {
        if word.starts_with(is_unspaced) {
            return self.unspaced && fold_whole(word).contains(&self.folded);
        }
        !self.unspaced && suffixes(word, parts).any(|part| if self.open { part.starts_with(&self.folded) } else { part == self.folded })
    }

    /// Which part of such a word it is, as bytes of the word; all of it where that cannot be told.
    pub(super) fn place(&self, word: &str) -> Range<usize> {
        let folded = fold_whole(word);
        let at = folded.find(&self.folded);
        // Folding that keeps the number of characters keeps their places, too.
        let (Some(at), true) = (at, folded.chars().count() == word.chars().count()) else { return 0..word.len() };
        let (skipped, length) = (folded[..at].chars().count(), self.folded.chars().count());
        let place = |number: usize| word.char_indices().nth(number).map_or(word.len(), |(at, _)| at);
        place(skipped)..place(skipped + length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        words(text).map(|place| &text[place]).collect()
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
    fn a_word_is_sought_by_its_beginning_unless_it_is_short_or_closed() {
        assert!(Sought::new("BUFF", true).is("buffers", Parts::Humps));
        assert!(!Sought::new("BUFF", false).is("buffers", Parts::Humps));
        assert!(!Sought::new("bu", true).is("buffers", Parts::Humps));
        assert!(!Sought::new("uffe", true).is("buffers", Parts::Humps));
        assert!(Sought::new("uffe", true).is("buffers", Parts::Anywhere));
        assert!(Sought::new("excep", true).is("JobException", Parts::Humps));
        assert!(Sought::new("單處", true).is("訂單處理", Parts::Humps));
        assert!(!Sought::new("訂處", true).is("訂單處理", Parts::Humps));
        assert!(Sought::new("cafe\u{301}", true).is("CAFÉS", Parts::Humps));
    }

    #[test]
    fn the_place_is_the_part_that_was_sought() {
        assert_eq!(Sought::new("excep", true).place("JobException"), 3..8);
        assert_eq!(Sought::new("größ", true).place("GRÖßEN"), 0..6);
        assert_eq!(Sought::new("café", true).place("Cafe\u{301}s"), 0.."Cafe\u{301}s".len());
    }

    proptest! {
        /// What the index of words says is what looking at the word says.
        #[test]
        fn keys_tell_what_looking_tells(word in "[abAB]{1,7}|[aÉß]{1,4}|[訂單處]{1,4}", query in "[abAB]{1,4}|[aÉß]{1,3}|[訂單處]{1,3}", open in any::<bool>()) {
            for parts in [Parts::Humps, Parts::Anywhere] {
                let keys = all_keys(&word, parts);
                let sought = Sought::new(&query, open);
                let has = |(key, open): &(String, bool)| keys.iter().any(|known| if *open { known.starts_with(key) } else { known == key });
                let told = sought.keys().iter().all(has);
                prop_assert!(told || !sought.is(&word, parts), "not told");
                if sought.is_told_by_keys() {
                    prop_assert_eq!(told, sought.is(&word, parts));
                }
            }
        }
    }
}
