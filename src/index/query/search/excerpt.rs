//! Excerpts: the part of a text around its first hit, in segments that are hits or not. Plain text, never markup.

use std::ops::Range;

use serde::Serialize;
use utoipa::ToSchema;

/// Maximum of characters before the first hit.
const BEFORE: usize = 40;
/// Maximum of characters in total.
const MAX_CHARACTERS: usize = 200;

/// A piece of an excerpt. Plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ExcerptPiece)]
pub struct Segment {
    /// The text as archived.
    pub text: String,
    /// Whether it matches the search.
    pub hit: bool,
}

/// The part of a text around its first hit. An ellipsis marks omitted text.
pub(in crate::index) fn excerpt(text: &str, mut hits: Vec<Range<usize>>) -> Vec<Segment> {
    hits.sort_unstable_by_key(|hit| (hit.start, hit.end));
    let first = hits.first().map_or(0, |hit| hit.start);
    let start = text[..first].char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
    let end = text[start..].char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(at, _)| start + at);
    let mut segments: Vec<Segment> = Vec::new();
    let mut add = |text: &str, hit: bool| match segments.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if last.hit == hit => last.text.push_str(text),
        _ => segments.push(Segment { text: text.to_owned(), hit }),
    };
    if start > 0 {
        add("…", false);
    }
    let mut at = start;
    for hit in hits {
        let (from, to) = (hit.start.max(at), hit.end.min(end));
        if from < to {
            add(&text[at..from], false);
            add(&text[from..to], true);
            at = to;
        }
    }
    add(&text[at..end], false);
    if end < text.len() {
        add("…", false);
    }
    segments
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_excerpt_shows_the_text_around_the_first_hit() {
        let text = format!("{}needle<b> and {}", "é".repeat(100), "x".repeat(300));
        let at = text.find("needle").unwrap();
        let segments = excerpt(&text, std::iter::once(at..at + 6).collect());
        let texts: Vec<(&str, bool)> = segments.iter().map(|segment| (segment.text.as_str(), segment.hit)).collect();
        let (before, after) = (format!("…{}", "é".repeat(40)), format!("<b> and {}…", "x".repeat(146)));
        assert_eq!(texts, [(before.as_str(), false), ("needle", true), (after.as_str(), false)]);
    }

    proptest! {
        #[test]
        fn segments_join_to_the_text(text in "[aé訂 ]{0,80}", hits in prop::collection::vec((0..80_usize, 0..80_usize), 0..5)) {
            let positions: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let position = |number: usize| positions[number % positions.len()];
            let hits = hits.into_iter().map(|(a, b)| position(a).min(position(b))..position(a).max(position(b))).collect();
            let segments = excerpt(&text, hits);
            let whole: String = segments.iter().map(|segment| segment.text.as_str()).collect();
            prop_assert!(text.ends_with(whole.trim_start_matches('…')));
            prop_assert!(segments.windows(2).all(|pair| pair[0].hit != pair[1].hit));
        }
    }
}
