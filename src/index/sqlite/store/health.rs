//! Checks whether a file is an index that this version can use, without changing it.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::index::sqlite::store::connection::{APPLICATION_ID, open_reader};
use crate::index::sqlite::store::pool::Pool;
use crate::index::sqlite::store::schema::{self, SCHEMA_VERSION};
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unsigned;

/// The result of the check of a file.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::index) enum Health {
    /// An index with this schema version; 0 for a file without content.
    Good(usize),
    /// An index of a newer version of this server, with its schema version.
    Newer(usize),
    /// A database of another program.
    Foreign,
    /// Damaged, with the reason.
    Damaged(String),
}

/// Checks the file. `thorough` reads every page; otherwise only small tables that every query needs are read.
pub(in crate::index) fn examine(file: &Path, thorough: bool, immutable: bool) -> Result<Health, SqliteError> {
    let found = open_reader(file, immutable).map_err(SqliteError::from).and_then(|connection| examine_connection(&connection, thorough));
    match found {
        Err(failure) if failure.is_damage() => Ok(Health::Damaged(match failure {
            SqliteError::Sqlite(error) => error.to_string(),
            SqliteError::Index(error) => error.to_string(),
        })),
        other => other,
    }
}

fn examine_connection(connection: &Connection, thorough: bool) -> Result<Health, SqliteError> {
    let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let version = schema::version(connection)?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if objects == 0 && version == 0 {
        return Ok(Health::Good(0));
    }
    if number("application_id")? != APPLICATION_ID {
        return Ok(Health::Foreign);
    }
    if version > SCHEMA_VERSION {
        return Ok(Health::Newer(version));
    }
    if version == SCHEMA_VERSION && !schema::is_whole(connection)? {
        return Ok(Health::Damaged("its tables, indexes or triggers are not those of its version".to_owned()));
    }
    if thorough {
        // Unlike `quick_check` it compares each index with its table.
        let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Health::Damaged(verdict));
        }
        if let Some(table) = unreadable_text(connection)? {
            return Ok(Health::Damaged(format!("a text in the table {table} is not UTF-8")));
        }
    } else {
        connection.query_row("SELECT sum(value) FROM meta", [], |_| Ok(()))?;
        connection.query_row("SELECT count(*) FROM directories", [], |_| Ok(()))?;
    }
    Ok(Health::Good(version))
}

/// A table with a text that is not UTF-8, which no check of SQLite finds. Rows of applications and jobs are left out: they are
/// repaired one by one (`checks.rs`).
fn unreadable_text(connection: &Connection) -> Result<Option<String>, SqliteError> {
    let tables: Vec<(String, String)> = connection
        .prepare(
            "SELECT t.name, group_concat('\"' || c.name || '\"') FROM sqlite_schema t JOIN pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL%' AND c.type = 'TEXT' AND t.name NOT IN ('applications', 'jobs')
             GROUP BY t.name",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (table, columns) in tables {
        let mut query = connection.prepare(&format!("SELECT {columns} FROM \"{table}\""))?;
        let count = query.column_count();
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..count {
                if let ValueRef::Text(bytes) = row.get_ref(column)?
                    && std::str::from_utf8(bytes).is_err()
                {
                    return Ok(Some(table));
                }
            }
        }
    }
    Ok(None)
}

/// The number of units whose archives are missing, so that they are lost with the file; `None` if they cannot be counted.
pub(in crate::index) fn lost_units(file: &Path) -> Option<u64> {
    let count = |connection: &Connection| -> Result<i64, SqliteError> {
        Ok(connection.query_row("SELECT count(*) FROM units WHERE gone_since IS NOT NULL", [], |row| row.get(0))?)
    };
    Pool::new(file.to_owned()).read(count).ok().map(unsigned)
}
