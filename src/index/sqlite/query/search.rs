//! Search: evidence for each term, then the rows that have evidence for all of them, newest end first.
//!
//! A page ends in bounded time. Where a term is rare, the rows that have it are gathered and sorted. Where all terms are frequent, rows are
//! walked newest first and looked at, and a page of them is found soon; where it is not, the page ends early and leads on.

mod evidence;
mod matches;
mod rows;

#[cfg(test)]
mod tests;

use rusqlite::Connection;

use self::evidence::Evidence;
use self::rows::{SearchPosition, Seeker};
use super::{SqliteError, items, prepare};
use crate::index::cursor::Cursors;
use crate::index::query::search::terms::{self, MAX_TERMS};
use crate::index::query::{FoundItem, Scope, SearchPage, SearchQuery};

/// What one page may cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct SearchLimits {
    /// So many of the newest texts of a term are known by their words; older ones are read to see whether they have it.
    pub(super) texts: usize,
    /// So many rows are gathered and sorted.
    pub(super) gathered: usize,
    /// A page ends after so much work, counted in rows passed by.
    pub(super) work: u64,
}

/// A few ten milliseconds.
pub(super) const DEFAULT_LIMITS: SearchLimits = SearchLimits { texts: 30_000, gathered: 5_000, work: 60_000 };

/// A page of what is found.
pub(in crate::index) fn search(connection: &Connection, scope: &Scope, query: &SearchQuery) -> Result<SearchPage, SqliteError> {
    search_within(connection, scope, query, DEFAULT_LIMITS)
}

/// A page within these limits.
pub(super) fn search_within(
    connection: &Connection,
    scope: &Scope,
    query: &SearchQuery,
    limits: SearchLimits,
) -> Result<SearchPage, SqliteError> {
    let cursors = Cursors::<SearchPosition>::of(&("search", &query.text, &query.fields, &query.filter));
    let after = query.cursor.as_deref().map(|cursor| cursors.position(cursor)).transpose()?;
    let mut terms = terms::parse(&query.text);
    terms.truncate(MAX_TERMS);
    if terms.is_empty() {
        return Ok(SearchPage { items: Vec::new(), next: None, exact: true });
    }
    let mut evidence = Vec::with_capacity(terms.len());
    for term in terms {
        let found = Evidence::find(connection, query, term, limits)?;
        if found.is_none() {
            return Ok(SearchPage { items: Vec::new(), next: None, exact: true });
        }
        evidence.push(found);
    }
    let mut seeker = Seeker::new(connection, scope, query, evidence, limits)?;
    let found = seeker.page(after, query.limit)?;
    let evidence = seeker.into_evidence();
    let mut told = Vec::with_capacity(found.rows.len());
    for row in found.rows {
        let Some(item) = items::item(connection, row.kind, row.id)? else { continue };
        let matches = matches::matches(connection, query, &evidence, row, &item)?;
        told.push(FoundItem { kind: row.kind, item, matches });
    }
    let next = found.next.map(|place| cursors.after(&place)).transpose()?;
    Ok(SearchPage { items: told, next, exact: found.exact })
}
