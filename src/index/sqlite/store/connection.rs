//! Connections with the settings of the index.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::index::sqlite::store::schema;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::tables::list_rows;

/// Marks the file as an index of this server (`FLHS`).
pub(in crate::index::sqlite) const APPLICATION_ID: i64 = 0x464c_4853;

/// Writes wait only for readers on other connections, which block checkpoints and nothing else.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements that a reading connection caches.
const READING_STATEMENTS: usize = 64;

/// Prepared statements that the writing connection caches: all that acts use. One that is dropped is prepared anew for each act.
const WRITING_STATEMENTS: usize = 256;

/// Bytes that a WAL is truncated to after a large batch.
const WAL_BYTES: i64 = 64 << 20;

/// KiB of pages that the writing connection keeps in memory. With less, a batch of a first refresh does not fit: its pages are written to
/// the WAL early, read again and written again.
const WRITING_CACHE_KIB: i64 = 8 << 10;

/// Pages in the WAL from which on a commit copies them into the file (16 MiB). Most pages of a first refresh change in several commits,
/// and are copied once.
const PAGES_BEFORE_CHECKPOINT: i64 = 4_096;

/// Opens the connection that writes. Creates the file if it is missing, and migrates its schema.
pub(in crate::index::sqlite) fn open_writer(file: &Path, max_pages: Option<u32>) -> Result<Connection, SqliteError> {
    #[expect(clippy::disallowed_methods, reason = "this is where databases are opened")]
    let mut connection = Connection::open_with_flags(
        file,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    set_up_statements(&connection, WRITING_STATEMENTS)?;
    // The first three count only for a new file.
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    if connection.query_row("PRAGMA application_id", [], |row| row.get::<_, i64>(0))? != APPLICATION_ID {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES, |_| Ok(()))?;
    if let Some(pages) = max_pages {
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
    }
    schema::migrate(&mut connection)?;
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    list_rows::fill(&mut connection)?;
    connection.pragma_update(None, "cache_size", -WRITING_CACHE_KIB)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", PAGES_BEFORE_CHECKPOINT, |_| Ok(()))?;
    // Each act is a savepoint, whose undo log SQLite would write to a file: a tenth of a first refresh. It holds the pages of one act.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// Opens a connection that only reads.
///
/// `immutable` reads a file that no process can change, without the files beside it that SQLite would otherwise create.
pub(in crate::index::sqlite) fn open_reader(file: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let mode = if immutable { "?immutable=1" } else { "" };
    #[expect(clippy::disallowed_methods, reason = "this is where databases are opened")]
    let connection = Connection::open_with_flags(format!("file:{}{mode}", escaped(file)), flags)?;
    set_up_statements(&connection, READING_STATEMENTS)?;
    Ok(connection)
}

/// Settings of every connection.
fn set_up_statements(connection: &Connection, cached: usize) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(cached);
    // Without it, SQLite prepares a cached statement anew for each bound value that a partial index could depend on.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// A path, escaped for a URI of SQLite.
fn escaped(file: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    percent_encoding::percent_encode(file.as_os_str().as_bytes(), URI_RESERVED).to_string()
}

const URI_RESERVED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_reserved_characters_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a b%41?c#d.sqlite");
        open_writer(&file, None).unwrap();
        let reader = open_reader(&file, false).unwrap();
        assert_eq!(schema::version(&reader).unwrap(), schema::SCHEMA_VERSION);
    }

    #[test]
    fn a_bound_value_never_has_a_cached_statement_prepared_anew() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("index.sqlite");
        let writer = open_writer(&file, None).unwrap();
        let reader = open_reader(&file, false).unwrap();
        for connection in [&writer, &reader] {
            // The index `jobs_listed` is of the rows with `shown = 1`.
            let mut query =
                connection.prepare_cached("SELECT job FROM jobs WHERE shown = ?1 AND overview IS NOT NULL ORDER BY end_time DESC").unwrap();
            for shown in [0, 1, 2] {
                assert!(!query.exists([shown]).unwrap());
            }
            assert_eq!(query.get_status(rusqlite::StatementStatus::RePrepare), 0);
        }
    }
}
