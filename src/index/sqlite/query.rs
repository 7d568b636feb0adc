//! Lists of all copies, their facets and statistics, from the narrow tables that `list_rows` writes.
//!
//! SQL only walks indexes and looks rows up. Filters are applied here, row by row. The cost is counted, so every query ends in bounded
//! time.

mod condition;
mod counted;
mod facets;
mod facts;
mod items;
mod names;
mod order;
mod page;
mod run_facts;
mod search;
mod source;
mod statistics;
mod table;
mod tally;
mod walk;

#[cfg(test)]
mod tests;

use rusqlite::{CachedStatement, Connection};

use crate::index::sqlite::store::sqlite_error::SqliteError;

pub(in crate::index) use facets::facets;
pub(in crate::index) use items::{Seen, copies, seen};
pub(in crate::index) use page::{list_page, list_page_with_run_facts, run_page};
pub(in crate::index) use search::search;
pub(in crate::index) use statistics::statistics;

/// A prepared statement from the cache of the connection.
fn prepare<'c>(connection: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    #[cfg(test)]
    tests::note(sql);
    connection.prepare_cached(sql)
}
