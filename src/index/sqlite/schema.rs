//! The schema, and how an older index is brought to it.
//!
//! `PRAGMA user_version` holds how many of the migrations an index has.

use rusqlite::{Connection, TransactionBehavior};

use super::Failure;
use crate::index::IndexError;

/// Append-only: the position is the schema version.
const MIGRATIONS: &[&str] = &[
    include_str!("../../../migrations/0001_index.sql"),
    include_str!("../../../migrations/0002_retention.sql"),
    include_str!("../../../migrations/0003_lists.sql"),
    include_str!("../../../migrations/0004_facts.sql"),
    include_str!("../../../migrations/0005_search.sql"),
    include_str!("../../../migrations/0006_counts.sql"),
    include_str!("../../../migrations/0007_attempts.sql"),
    include_str!("../../../migrations/0008_problem_counts.sql"),
];

/// Schema version that this build writes.
pub(in crate::index) const SCHEMA_VERSION: usize = MIGRATIONS.len();

/// Applies the migrations that are missing, all in one exclusive transaction.
///
/// # Errors
/// [`IndexError::NewerSchema`] for an index of a newer build; a failure of SQLite, after which the index is as it was.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    if version(connection)? == SCHEMA_VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    // Read again: only now nobody else can change it.
    let version = version(&transaction)?;
    let missing = MIGRATIONS.get(version..).ok_or_else(|| {
        IndexError::NewerSchema(format!("the index has schema {version}, this server knows up to {SCHEMA_VERSION}: run the newer server"))
    })?;
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {SCHEMA_VERSION}"))?;
    transaction.commit()?;
    Ok(())
}

/// The schema version of an index; 0 for an empty file. A negative number cannot be a version, so it counts as a newer one.
pub(super) fn version(connection: &Connection) -> Result<usize, Failure> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database in memory that has the first `count` migrations.
    #[expect(clippy::disallowed_methods, reason = "a database in memory is no index")]
    fn with_migrations(count: usize) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS[..count] {
            connection.execute_batch(migration).unwrap();
        }
        connection.execute_batch(&format!("PRAGMA user_version = {count}")).unwrap();
        connection
    }

    fn objects(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name || coalesce(sql, '') FROM sqlite_schema ORDER BY 1").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn every_older_schema_is_brought_to_the_same_one() {
        let mut new = with_migrations(0);
        migrate(&mut new).unwrap();
        for count in 1..=SCHEMA_VERSION {
            let mut old = with_migrations(count);
            migrate(&mut old).unwrap();
            assert_eq!(version(&old).unwrap(), SCHEMA_VERSION);
            assert_eq!(objects(&old), objects(&new), "from schema {count}");
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_index_as_it_was() {
        let mut connection = with_migrations(2);
        // The third migration cannot make this table then.
        connection.execute_batch("CREATE TABLE application_list (something)").unwrap();
        let before = objects(&connection);
        migrate(&mut connection).unwrap_err();
        assert_eq!(objects(&connection), before);
        assert_eq!(version(&connection).unwrap(), 2);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        for newer in [i64::try_from(SCHEMA_VERSION).unwrap() + 1, -1] {
            let mut connection = with_migrations(SCHEMA_VERSION);
            connection.pragma_update(None, "user_version", newer).unwrap();
            assert!(matches!(migrate(&mut connection), Err(Failure::Index(IndexError::NewerSchema(_)))));
        }
    }
}
