//! Texts as they are compared: without case, in any script, however their accents are encoded.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Longest part of a name that is compared, in characters.
const LONGEST: usize = 512;

/// Folds a name: composed, in lower case character by character, so that it does not depend on what stands beside, and at most 512
/// characters.
pub(in crate::index) fn fold(name: &str) -> String {
    lower(&composed(name)).take(LONGEST).collect()
}

/// Folds a text of any length in the same way.
pub(in crate::index) fn fold_whole(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { lower(&composed(text)).collect() }
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
    fn accents_are_one_however_they_are_encoded() {
        assert_eq!(fold("Cafe\u{301} ZU\u{308}RICH"), "café zürich");
        assert_eq!(fold("\u{1112}\u{1161}\u{11ab}"), "한");
        assert_eq!(fold(&"E\u{301}".repeat(1_000)), "é".repeat(512));
    }
}
