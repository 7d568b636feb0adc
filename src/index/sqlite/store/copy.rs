//! Copies of an index, for backups.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::index::sqlite::store::connection::open_reader;
use crate::index::sqlite::store::sqlite_error::SqliteError;

/// Writes the index as it is now into `target`, an empty file. The copy is one transaction of the index, and the server may go on
/// writing. All row ids stay: each table has an `INTEGER PRIMARY KEY` or none.
pub(in crate::index) fn copy_into(index: &Path, target: &str) -> Result<(), SqliteError> {
    let connection = open_reader(index, false)?;
    connection.execute("VACUUM INTO ?1", [target])?;
    Ok(())
}

/// The numbers of applications and of jobs in a copy.
pub(in crate::index) fn contents(copy: &Path) -> Result<(u64, u64), SqliteError> {
    let connection = open_reader(copy, true)?;
    let count = |table: &str| connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    Ok((count("applications")?.cast_unsigned(), count("jobs")?.cast_unsigned()))
}

/// Gives a restored index an identity of its own: clients that hold answers of the index from after the backup must not take them for
/// answers of this one. The file needs no other files beside it afterwards.
pub(in crate::index) fn renew_identity(copy: &Path) -> Result<(), SqliteError> {
    #[expect(clippy::disallowed_methods, reason = "this is where databases are opened")]
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    connection.execute("UPDATE meta SET value = random() WHERE name = 'index'", [])?;
    Ok(())
}
