//! Archives that could not be read: which version of which file, and why.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::archive::Owner;
use crate::directory::FileKind;
use crate::index::model::{CopySelector, Fault, UnitKey, Unread};
use crate::index::query::Part;
use crate::index::sqlite::acts::precedence::VISIBLE;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{fault, file_key, unit_columns, unit_key, usual_path};
use crate::index::sqlite::visibility::Visibility;
use crate::names::FilePath;

/// The last tried version could not be read, and the file is present. A fault of 3 is a file that is still to be read (`QUEUED`).
const UNREAD: &str = "a.parsed = 0 AND a.fault <> 3 AND a.gone_since IS NULL AND u.gone_since IS NULL";

/// The reason is that of the first problem of the file.
const COLUMNS: &str = "d.url, u.cluster, u.name AS unit, a.file, a.path, a.tried, a.fault, a.attempts,
    (SELECT reason FROM problems p WHERE p.unit = a.unit AND p.archive = a.file ORDER BY p.id LIMIT 1) AS reason, u.id AS unit_id";

static OF_FILE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {COLUMNS} FROM directories d JOIN units u ON u.directory = d.id JOIN archives a ON a.unit = u.id
         WHERE d.url = ?1 AND u.cluster = ?2 AND u.name = ?3 AND a.file = ?4 AND {UNREAD}"
    )
});

fn of_owner_query(tables: &str) -> String {
    format!(
        "SELECT {COLUMNS} FROM {tables} JOIN directories d ON d.id = u.directory
         WHERE {UNREAD} AND {VISIBLE} AND (?2 IS NULL OR d.url = ?2) AND (?3 IS NULL OR u.cluster = ?3)
         ORDER BY d.position DESC, u.cluster"
    )
}

static OF_APPLICATION: LazyLock<String> = LazyLock::new(|| {
    of_owner_query(
        "units u INDEXED BY units_incomplete JOIN archives a ON u.name = ?1 AND u.complete = 0 AND u.cluster <> '' AND a.unit = u.id
         AND a.file = x''",
    )
});

static OF_JOB: LazyLock<String> =
    LazyLock::new(|| of_owner_query("archives a INDEXED BY archives_unread JOIN units u ON a.file = ?1 AND u.id = a.unit"));

/// The reason why a file of a unit could not be read; `None` if it was read or is missing.
pub(in crate::index::sqlite) fn of_file(connection: &Connection, key: &UnitKey, file: FileKind) -> Result<Option<Unread>, SqliteError> {
    let (cluster, name) = unit_columns(key);
    let found = connection
        .prepare_cached(&OF_FILE)?
        .query_row(params![key.directory().as_str(), cluster, name, file_key(&file)], unread)
        .optional()?;
    Ok(found)
}

/// The archive of an owner that could not be read, among those in a part of the index; `None` if there is no such archive.
pub(in crate::index) fn of_owner(
    connection: &Connection,
    part: &Part,
    owner: Owner,
    copy: &CopySelector,
) -> Result<Option<Unread>, SqliteError> {
    let (sql, id) = match &owner {
        Owner::Application(id) => (&*OF_APPLICATION, id.as_bytes()),
        Owner::Job(id) => (&*OF_JOB, id.as_bytes()),
    };
    let mut visibility = Visibility::of(part);
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query(params![id, copy.directory, copy.cluster])?;
    while let Some(row) = rows.next()? {
        if visibility.unit(connection, row.get("unit_id")?)? {
            return Ok(Some(unread(row)?));
        }
    }
    Ok(None)
}

fn unread(row: &Row<'_>) -> rusqlite::Result<Unread> {
    let unit = unit_key(row)?;
    let file = row.get("file")?;
    let path = row.get::<_, Option<String>>("path")?.map_or_else(|| usual_path(&unit, file), FilePath::new);
    let reason: Option<String> = row.get("reason")?;
    Ok(Unread {
        unit,
        file,
        path,
        tried: row.get("tried")?,
        fault: fault(row.get("fault")?).unwrap_or(Fault::Store),
        failures: row.get("attempts")?,
        reason: reason.unwrap_or_else(|| "it could not be read at the last attempt".to_owned()),
    })
}
