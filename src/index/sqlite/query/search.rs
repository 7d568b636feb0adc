//! Search: finds evidence for each term, then the rows with evidence for all terms, newest end first.
//!
//! A page ends in bounded time. Where a term is rare, the rows with it are gathered and sorted. Where all terms are frequent, rows are
//! walked newest first, which usually fills a page soon. Otherwise the page ends early, with a cursor of the next page. The first page
//! counts the rows that follow it, within limits of their own; the cursors hold that count.

mod evidence;
mod limits;
mod matches;
mod rows;

#[cfg(test)]
mod tests;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use self::evidence::Evidence;
use self::limits::{DEFAULT_LIMITS, SearchLimits};
use self::rows::{SearchPosition, Seeker};
use super::{SqliteError, items, prepare};
use crate::index::cursor::Cursors;
use crate::index::query::search::terms::{self, MAX_TERMS};
use crate::index::query::{FoundItem, Scope, SearchPage, SearchQuery, Total};
use crate::index::sqlite::reads::queued::queued;

/// The content of a cursor.
#[derive(Serialize, Deserialize)]
struct Continuation {
    position: SearchPosition,
    /// [`Total::count`] of the first page.
    count: u64,
    /// [`Total::exact`] of the first page.
    exact: bool,
}

/// A page of found items.
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
    let queued = queued(connection, scope)?;
    let cursors = Cursors::<Continuation>::of(&("search", &query.text, &query.fields, &query.filter));
    let after = query.cursor.as_deref().map(|cursor| cursors.position(cursor)).transpose()?;
    let mut terms = terms::parse(&query.text);
    terms.truncate(MAX_TERMS);
    let nothing = SearchPage { items: Vec::new(), next: None, exact: true, total: Total { count: 0, exact: true }, queued };
    if terms.is_empty() {
        return Ok(nothing);
    }
    let mut evidence = Vec::with_capacity(terms.len());
    for term in terms {
        let found = Evidence::find(connection, query, term, limits)?;
        if found.is_none() {
            return Ok(nothing);
        }
        evidence.push(found);
    }
    let mut seeker = Seeker::new(connection, scope, query, evidence, limits)?;
    let found = seeker.page(after.as_ref().map(|after| after.position), query.limit)?;
    let total = after.map_or(found.total, |after| Total { count: after.count, exact: after.exact });
    let (evidence, mut configurations) = seeker.into_evidence();
    let mut items = Vec::with_capacity(found.rows.len());
    for row in found.rows {
        let Some(item) = items::item(connection, row.kind, row.id)? else { continue };
        let matches = matches::matches(connection, query, (&evidence, &mut configurations), row, &item)?;
        items.push(FoundItem { kind: row.kind, item, matches });
    }
    let next = found.next.map(|position| cursors.after(&Continuation { position, count: total.count, exact: total.exact })).transpose()?;
    Ok(SearchPage { items, next, exact: found.exact, total, queued })
}
