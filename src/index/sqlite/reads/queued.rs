//! Units that are listed from their summaries, and whose archives are still to be read.

use rusqlite::Connection;

use crate::index::query::Scope;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};
use crate::index::sqlite::visibility::Visibility;

/// Number of units of configured directories within a scope whose archives are still to be read.
pub(in crate::index::sqlite) fn queued(connection: &Connection, scope: &Scope) -> Result<u64, SqliteError> {
    count(connection, scope, "units u INDEXED BY units_queued", "u.queued = 1 AND ")
}

/// Number of all units of configured directories within a scope.
pub(in crate::index::sqlite) fn units(connection: &Connection, scope: &Scope) -> Result<u64, SqliteError> {
    count(connection, scope, "units u INDEXED BY units_by_key", "")
}

/// Maximum number of units that are looked up one by one.
const MAX_TESTED: u64 = 100_000;

fn count(connection: &Connection, scope: &Scope, table: &str, condition: &str) -> Result<u64, SqliteError> {
    let configured = "u.directory IN (SELECT id FROM directories WHERE position IS NOT NULL)";
    if scope.is_everything() {
        let sql = format!("SELECT count(*) FROM {table} WHERE {condition}{configured}");
        return Ok(connection.prepare_cached(&sql)?.query_row([], |row| row.get(0)).map(unsigned)?);
    }
    let mut visibility = Visibility::of(&scope.view);
    let mut query = connection.prepare_cached(&format!("SELECT u.id FROM {table} WHERE {condition}{configured} LIMIT ?1"))?;
    let mut rows = query.query([signed(MAX_TESTED)])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += u64::from(visibility.unit(connection, row.get(0)?)?);
    }
    Ok(count)
}
