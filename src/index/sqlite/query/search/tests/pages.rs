//! Property: whatever is inserted between two pages, the pages contain the rows that a simple evaluation finds, newest first.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{DEFAULT_LIMITS, Index, Row, SearchLimits, add, found_within, query};
use crate::index::model::texts::{KINDS, TextKind};
use crate::index::query::{ListKind, SearchField, SearchQuery};

fn piece() -> impl Strategy<Value = String> {
    prop::collection::vec("[abAB]{1,5}|[éÉ][ab]{1,3}|[訂單]{1,3}|a1", 1..4).prop_map(|words| words.join(" "))
}

fn row() -> impl Strategy<Value = Row> {
    let texts = prop::collection::vec((prop::sample::select(KINDS.to_vec()), prop::collection::vec(piece(), 1..3)), 0..3);
    (any::<bool>(), piece(), 0..5_i64, texts).prop_map(|(application, name, end, mut texts)| {
        texts.sort_by_key(|(kind, _)| kind.number());
        texts.dedup_by_key(|(kind, _)| *kind);
        let kind = if application { ListKind::Applications } else { ListKind::Jobs };
        Row { kind, name, end, status: "FINISHED", texts }
    })
}

/// A term as it is typed: quoted or not.
fn typed() -> impl Strategy<Value = Vec<(String, bool)>> {
    let word = || "[abAB]{1,4}|[éÉ][ab]{1,2}|[訂單]{1,2}|->|0000";
    let term = prop_oneof![
        4 => word().prop_map(|word| (word, false)),
        1 => (word(), word()).prop_map(|(one, other)| (format!("{one}.{other}"), false)),
        1 => (word(), word()).prop_map(|(one, other)| (format!("{one} {other}"), true)),
    ];
    prop::collection::vec(term, 1..3)
}

/// The words of a text, found in a simpler way.
fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn is_han(word: &str) -> bool {
    word.starts_with(['訂', '單'])
}

/// Whether a word of a query matches a word of a text, at a position where a match may begin.
fn word_has(word: &str, sought: &str, open: bool, anywhere: bool) -> bool {
    if is_han(word) || is_han(sought) {
        return word.contains(sought);
    }
    let letters: Vec<char> = word.chars().collect();
    let upper = |at: usize| letters.get(at).is_some_and(|letter| letter.is_uppercase());
    let lower = |at: usize| letters.get(at).is_some_and(|letter| letter.is_lowercase());
    let begins = |at: usize| at == 0 || (letters.len() - at >= 3 && (anywhere || (upper(at) && (!upper(at - 1) || lower(at + 1)))));
    (0..letters.len()).filter(|at| begins(*at)).any(|at| {
        let part: String = letters[at..].iter().collect::<String>().to_lowercase();
        if open && sought.chars().count() >= 3 { part.starts_with(sought) } else { part == sought }
    })
}

fn piece_has(piece: &str, sought: &str, quoted: bool, anywhere: bool) -> bool {
    let (sought, words) = (words(&sought.to_lowercase()), words(piece));
    if sought.is_empty() {
        return false;
    }
    words.windows(sought.len()).any(|window| {
        window
            .iter()
            .zip(&sought)
            .enumerate()
            .all(|(at, (word, sought_word))| word_has(word, sought_word, !quoted && at + 1 == sought.len(), anywhere))
    })
}

fn row_has(row: &Row, id: &str, terms: &[(String, bool)], fields: &[SearchField]) -> bool {
    let includes = |field| fields.is_empty() || fields.contains(&field);
    terms.iter().all(|(text, quoted)| {
        let lower = text.to_lowercase();
        (includes(SearchField::Name) && row.name.to_lowercase().contains(&lower))
            || (includes(SearchField::Id) && lower.len() >= 4 && lower.chars().all(|c| c.is_ascii_hexdigit()) && id.starts_with(&lower))
            || row.texts.iter().any(|(kind, pieces)| {
                includes(kind.field()) && pieces.iter().any(|piece| piece_has(piece, text, *quoted, *kind == TextKind::Vertices))
            })
    })
}

fn limits() -> impl Strategy<Value = SearchLimits> {
    (prop::sample::select(vec![1, 3, 50_000]), prop::sample::select(vec![0, 5, 10_000]), prop::sample::select(vec![5, 40, 60_000]))
        .prop_map(|(texts, gathered, work)| SearchLimits { texts, gathered, work, ..DEFAULT_LIMITS })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_are_what_a_plain_reading_finds_newest_first(
        rows in prop::collection::vec(row(), 0..30),
        later in prop::collection::vec(prop::collection::vec(row(), 0..3), 1..6),
        terms in typed(),
        fields in prop_oneof![3 => Just(Vec::new()), 1 => prop::sample::subsequence(
            vec![SearchField::Name, SearchField::Id, SearchField::Vertex, SearchField::Exception, SearchField::Configuration], 1..3)],
        limit in 1..6_usize,
        limits in limits(),
    ) {
        let index = Index::new();
        let ids = add(&index, &rows, 1);
        let text: Vec<String> = terms.iter().map(|(text, quoted)| if *quoted { format!("\"{text}\"") } else { text.clone() }).collect();
        let query = SearchQuery { limit, fields: fields.clone(), ..query(&text.join(" ")) };
        let expected: HashSet<&String> =
            ids.iter().zip(&rows).filter(|(id, row)| row_has(row, id, &terms, &fields)).map(|(id, _)| id).collect();

        let (mut cursor, mut found, mut number) = (None, Vec::new(), 1_000);
        for more in later.iter().map(Vec::as_slice).chain(std::iter::repeat(&[][..])) {
            let page = found_within(&index, &SearchQuery { cursor, ..query.clone() }, limits);
            prop_assert!(page.items.len() <= limit);
            prop_assert!(!page.exact || page.items.len() == limit || page.next.is_none());
            for item in &page.items {
                prop_assert!(!item.matches.is_empty(), "no match of {:?}", item);
            }
            found.extend(page.items.into_iter().map(|found| (found.item.end, found.item.id)));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
            add(&index, more, number);
            number += 10;
        }
        prop_assert!(found.is_sorted_by(|one, other| one.0 >= other.0), "out of order");
        let distinct: HashSet<&String> = found.iter().map(|(_, id)| id).collect();
        prop_assert_eq!(distinct.len(), found.len(), "a row is there twice");
        let of_first: HashSet<&String> = distinct.into_iter().filter(|id| ids.contains(id)).collect();
        prop_assert_eq!(of_first, expected);
    }
}
