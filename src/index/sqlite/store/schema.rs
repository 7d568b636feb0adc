//! The schema, and its migrations.
//!
//! `PRAGMA user_version` holds how many of the migrations an index has.

use rusqlite::{Connection, TransactionBehavior};

use crate::index::error::IndexError;
use crate::index::sqlite::store::sqlite_error::SqliteError;

/// Append-only: the position is the schema version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../../migrations/0001_index.sql"),
    include_str!("../../../../migrations/0002_retention.sql"),
    include_str!("../../../../migrations/0003_lists.sql"),
    include_str!("../../../../migrations/0004_facts.sql"),
    include_str!("../../../../migrations/0005_search.sql"),
    include_str!("../../../../migrations/0006_counts.sql"),
    include_str!("../../../../migrations/0007_attempts.sql"),
    include_str!("../../../../migrations/0008_problem_counts.sql"),
    include_str!("../../../../migrations/0009_row_checks.sql"),
    include_str!("../../../../migrations/0010_meaning.sql"),
    include_str!("../../../../migrations/0011_held_reasons.sql"),
    include_str!("../../../../migrations/0012_flat_jobs.sql"),
    include_str!("../../../../migrations/0013_archived_checked.sql"),
    include_str!("../../../../migrations/0014_queued.sql"),
];

/// Schema version that this build writes.
pub(in crate::index) const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// Applies the migrations that are missing, all in one exclusive transaction.
///
/// # Errors
/// [`IndexError::NewerSchema`] for an index of a newer version; an error of SQLite, after which the index is unchanged.
pub(in crate::index::sqlite) fn migrate(connection: &mut Connection) -> Result<(), SqliteError> {
    if version(connection)? == SCHEMA_VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    // Read again: no other process can change it from here on.
    let version = version(&transaction)?;
    let missing = MIGRATIONS.get(version..).ok_or_else(|| {
        IndexError::NewerSchema(format!(
            "the index has schema {version}, but this version of the server supports schemas up to {SCHEMA_VERSION}: run the newer version"
        ))
    })?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}"))?;
    transaction.commit()?;
    Ok(())
}

/// Whether an index of this version has exactly the tables, indexes and triggers that the migrations create.
///
/// The text of a table after `ALTER TABLE`, and the tables that FTS5 creates for itself, depend on the version of SQLite: so the columns
/// of tables are compared, and the tables of FTS5 are left out.
pub(in crate::index::sqlite) fn is_whole(connection: &Connection) -> Result<bool, SqliteError> {
    let mut fresh = Connection::open_in_memory()?;
    migrate(&mut fresh)?;
    Ok(objects(connection)? == objects(&fresh)?)
}

fn objects(connection: &Connection) -> Result<Vec<String>, SqliteError> {
    let mut query = connection.prepare(
        "SELECT name || ' ' || sql FROM sqlite_schema WHERE sql IS NOT NULL AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL %')
         UNION ALL
         SELECT t.name || ' ' || c.cid || ' ' || c.name || ' ' || c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.sql NOT LIKE 'CREATE VIRTUAL %' AND t.name NOT LIKE '%\\_search\\_%' ESCAPE '\\'
             AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
         ORDER BY 1",
    )?;
    let objects = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(objects)
}

/// The schema version of an index; 0 for an empty file. A negative number cannot be a version, so it counts as a newer one.
pub(in crate::index::sqlite) fn version(connection: &Connection) -> Result<usize, SqliteError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in memory that has the first `count` migrations.
    fn with_migrations(count: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS[..count] {
            connection.execute_batch(migration).unwrap();
        }
        connection.execute_batch(&format!("PRAGMA user_version = {count}")).unwrap();
        connection
    }

    #[test]
    fn every_older_schema_is_brought_to_the_same_one() {
        let mut new = with_migrations(0);
        migrate(&mut new).unwrap();
        for count in 1..=SCHEMA_VERSION {
            let mut old = with_migrations(count);
            migrate(&mut old).unwrap();
            assert_eq!(version(&old).unwrap(), SCHEMA_VERSION);
            assert_eq!(objects(&old).unwrap(), objects(&new).unwrap(), "from schema {count}");
            assert!(is_whole(&old).unwrap());
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_index_as_it_was() {
        let mut connection = with_migrations(2);
        // The third migration cannot make this table then.
        connection.execute_batch("CREATE TABLE application_list (something)").unwrap();
        let before = objects(&connection).unwrap();
        migrate(&mut connection).unwrap_err();
        assert_eq!(objects(&connection).unwrap(), before);
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_schema_with_anything_missing_or_different_is_not_whole() {
        for change in [
            "DROP TRIGGER pack_added",
            "DROP INDEX jobs_by_id",
            "ALTER TABLE jobs RENAME COLUMN name TO nane",
            "ALTER TABLE units ADD COLUMN more INTEGER",
            "CREATE TABLE other (something)",
            "DROP TABLE names_search",
        ] {
            let connection = with_migrations(SCHEMA_VERSION);
            assert!(is_whole(&connection).unwrap());
            connection.execute_batch(change).unwrap();
            assert!(!is_whole(&connection).unwrap(), "{change}");
        }
    }

    #[test]
    fn a_newer_schema_is_refused() {
        for newer in [i64::try_from(SCHEMA_VERSION).unwrap() + 1, -1] {
            let mut connection = with_migrations(SCHEMA_VERSION);
            connection.pragma_update(None, "user_version", newer).unwrap();
            assert!(matches!(migrate(&mut connection), Err(SqliteError::Index(IndexError::NewerSchema(_)))));
        }
    }
}
