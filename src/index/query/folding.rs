//! Folds texts for comparison: without case, in any script, and independent of the encoding of accents.

use std::borrow::Cow;
use std::ops::Range;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Characters of a name that are compared.
const MAX_CHARACTERS: usize = 512;

/// Folds a name: composed, in lower case character by character (so the result does not depend on neighbours), and up to 512
/// characters.
pub(in crate::index) fn fold(name: &str) -> String {
    lower(&composed(name)).take(MAX_CHARACTERS).collect()
}

/// Folds a text of any length in the same way.
pub(in crate::index) fn fold_whole(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { lower(&composed(text)).collect() }
}

/// The range of the first occurrence of a folded text, in bytes of the unfolded one. `None`: there is none. The whole range where folding
/// changes the number of characters, so that positions differ.
pub(in crate::index) fn range_of(text: &str, folded_part: &str) -> Option<Range<usize>> {
    let folded = fold_whole(text);
    let at = folded.find(folded_part)?;
    if folded.chars().count() != text.chars().count() {
        return Some(0..text.len());
    }
    let (skipped, length) = (folded[..at].chars().count(), folded_part.chars().count());
    let position = |number: usize| text.char_indices().nth(number).map_or(text.len(), |(at, _)| at);
    Some(position(skipped)..position(skipped + length))
}

fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

fn lower(text: &str) -> impl Iterator<Item = char> + '_ {
    // A final sigma is the same letter.
    text.chars().flat_map(char::to_lowercase).map(|character| if character == 'ς' { 'σ' } else { character })
}

#[cfg(test)]
mod tests {
    use super::{fold, fold_whole};

    #[test]
    fn case_does_not_matter_in_any_script() {
        for (one, other) in
            [("Orders-ENRICHMENT", "orders-enrichment"), ("ÄÖÜ", "äöü"), ("ЗАКАЗЫ", "заказы"), ("ΟΔΟΣ", "οδος"), ("訂單", "訂單")]
        {
            assert_eq!(fold(one), fold(other));
            assert_eq!(fold_whole(one), fold_whole(other));
        }
        assert_eq!(fold(&"É".repeat(1_000)), "é".repeat(512));
    }

    #[test]
    fn encodings_of_accents_are_equal() {
        assert_eq!(fold("Cafe\u{301} ZU\u{308}RICH"), "café zürich");
        assert_eq!(fold("\u{1112}\u{1161}\u{11ab}"), "한");
        assert_eq!(fold(&"E\u{301}".repeat(1_000)), "é".repeat(512));
    }
}
