//! Whether a file is an index that this build can use, found out without changing it.

use std::path::Path;

use rusqlite::Connection;

use super::connection::{APPLICATION_ID, open_reader};
use super::rows::unsigned;
use super::schema::{self, SCHEMA_VERSION};
use super::{Failure, Pool};

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::index) enum Health {
    /// An index with this schema version; 0 for a file without content.
    Good(usize),
    /// An index of a newer build, with its schema version.
    Newer(usize),
    /// A database of something else.
    Foreign,
    /// Not readable as a database. Says why.
    Damaged(String),
}

/// Looks at the file. `thorough` reads every page; otherwise what is small and what every query needs.
pub(in crate::index) fn examine(file: &Path, thorough: bool, immutable: bool) -> Result<Health, Failure> {
    let found = open_reader(file, immutable).map_err(Failure::from).and_then(|connection| look(&connection, thorough));
    match found {
        Err(failure) if failure.is_damage() => Ok(Health::Damaged(match failure {
            Failure::Sqlite(error) => error.to_string(),
            Failure::Index(error) => error.to_string(),
        })),
        other => other,
    }
}

fn look(connection: &Connection, thorough: bool) -> Result<Health, Failure> {
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
    if thorough {
        let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Ok(Health::Damaged(verdict));
        }
    } else {
        connection.query_row("SELECT sum(value) FROM meta", [], |_| Ok(()))?;
        connection.query_row("SELECT count(*) FROM directories", [], |_| Ok(()))?;
    }
    Ok(Health::Good(version))
}

/// Units whose archives were gone, so that losing the file loses them; `None` when that cannot be read any more.
pub(in crate::index) fn lost_units(file: &Path) -> Option<u64> {
    let count = |connection: &Connection| -> Result<i64, Failure> {
        Ok(connection.query_row("SELECT count(*) FROM units WHERE gone_since IS NOT NULL", [], |row| row.get(0))?)
    };
    Pool::new(file.to_owned()).read(count).ok().map(unsigned)
}
