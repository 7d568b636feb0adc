//! Units that are listed from their summaries, and whose archives are still to be read.

use rusqlite::{Connection, params_from_iter};

use crate::index::query::Scope;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unsigned;

/// Number of units of configured directories within a scope whose archives are still to be read.
pub(in crate::index::sqlite) fn queued(connection: &Connection, scope: &Scope) -> Result<u64, SqliteError> {
    count(connection, scope, "units u INDEXED BY units_queued", "u.queued = 1 AND ")
}

/// Number of all units of configured directories within a scope.
pub(in crate::index::sqlite) fn units(connection: &Connection, scope: &Scope) -> Result<u64, SqliteError> {
    count(connection, scope, "units u INDEXED BY units_by_key", "")
}

fn count(connection: &Connection, scope: &Scope, table: &str, condition: &str) -> Result<u64, SqliteError> {
    let urls = scope.directories().map(|urls| serde_json::json!(urls).to_string());
    let within = if urls.is_some() { "AND url IN (SELECT value FROM json_each(?1))" } else { "" };
    let sql = format!(
        "SELECT count(*) FROM {table} WHERE {condition}u.directory IN (SELECT id FROM directories WHERE position IS NOT NULL {within})"
    );
    Ok(connection.prepare_cached(&sql)?.query_row(params_from_iter(urls), |row| row.get(0)).map(unsigned)?)
}
