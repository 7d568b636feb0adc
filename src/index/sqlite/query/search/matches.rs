//! The matches of a found row: for each field, the piece with the most terms.

use std::ops::Range;

use rusqlite::Connection;

use super::SqliteError;
use super::evidence::{Evidence, read_text};
use super::rows::{Row, texts};
use crate::index::model::texts::{KINDS, TextKind, pieces};
use crate::index::query::folding::range_of;
use crate::index::query::search::excerpt::excerpt;
use crate::index::query::{Item, Match, MatchField, SearchField, SearchQuery};
use crate::index::sqlite::visibility::Visibility;

/// Maximum number of matching entries of a configuration.
const MAX_ENTRIES: usize = 3;

pub(super) fn matches(
    connection: &Connection,
    query: &SearchQuery,
    (evidence, configurations): (&[Evidence], &mut Visibility),
    row: Row,
    item: &Item,
) -> Result<Vec<Match>, SqliteError> {
    let mut matches = Vec::new();
    if let Some(name) = item.name.as_deref().filter(|_| query.includes(SearchField::Name)) {
        let hits: Vec<_> = evidence.iter().filter_map(|each| range_of(name, &each.term.text)).collect();
        matches.extend(matched(MatchField::Name, name, hits, None));
    }
    if query.includes(SearchField::Id) {
        let begins = |each: &&Evidence| each.term.ids().is_some() && item.id.starts_with(&each.term.text);
        let hits: Vec<_> = evidence.iter().filter(begins).map(|each| 0..each.term.text.len()).collect();
        matches.extend(matched(MatchField::Id, &item.id, hits, None));
    }
    let mut contents = Vec::new();
    for text in texts(connection, configurations, row.kind, row.id)? {
        contents.extend(read_text(connection, text)?);
    }
    for kind in KINDS.into_iter().filter(|kind| query.includes(kind.field())) {
        for (_, content) in contents.iter().filter(|(of, _)| *of == kind) {
            matches.extend(in_content(kind, content, evidence));
        }
    }
    Ok(matches)
}

/// The best pieces of a text: those with the most terms, the first ones first.
fn in_content(kind: TextKind, content: &str, evidence: &[Evidence]) -> Vec<Match> {
    let mut best: Vec<(usize, &str, Vec<Range<usize>>)> = Vec::new();
    for piece in pieces(content) {
        let found: Vec<_> = evidence.iter().filter_map(|each| each.term.find(piece, kind.parts())).collect();
        if !found.is_empty() {
            best.push((found.len(), piece, found.into_iter().flatten().collect()));
        }
    }
    best.sort_by_key(|(terms, ..)| std::cmp::Reverse(*terms));
    best.truncate(if kind.field() == SearchField::Configuration { MAX_ENTRIES } else { 1 });
    best.into_iter().filter_map(|(_, piece, hits)| matched(kind.match_field(), piece, hits, kind.key(piece))).collect()
}

fn matched(field: MatchField, text: &str, hits: Vec<Range<usize>>, key: Option<&str>) -> Option<Match> {
    (!hits.is_empty()).then(|| Match { field, excerpt: excerpt(text, hits), key: key.map(str::to_owned) })
}
