//! Detects rows that changed by themselves: each application and job has a digest of the columns that lists show.
//!
//! If the digest does not match, the next refresh reads the archive again and rewrites the row. Until then, and if the archive is
//! missing, the texts of the row are made readable, so that one damaged row never fails a whole list.

use std::fmt::Write as _;
use std::hash::Hasher as _;

use fnv::FnvHasher;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::index::model::Fault;
use crate::index::sqlite::acts::precedence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{QUEUED, fault_column};
use crate::index::sqlite::tables::{list_rows, units};

/// A table whose rows have a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index::sqlite) enum Table {
    Applications,
    Jobs,
}

impl Table {
    /// Key column, and the columns of the digest with the id first.
    const fn columns(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Applications => ("unit", APPLICATION),
            Self::Jobs => ("id", JOB),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Jobs => "jobs",
        }
    }
}

/// Columns of the digest of an application. The trigger of migration 0009 names the same columns.
const APPLICATION: &[&str] =
    &["application", "name", "status", "start_time", "end_time", "duration", "jobs", "failed_jobs", "job_counts", "overview"];

/// Columns of the digest of a job. The trigger of migration 0013 names the same columns.
const JOB: &[&str] = &[
    "job",
    "archived",
    "name",
    "status",
    "start_time",
    "end_time",
    "duration",
    "job_type",
    "tasks",
    "failed_tasks",
    "task_counts",
    "overview",
];

/// Columns that hold JSON.
const JSON: [&str; 3] = ["job_counts", "task_counts", "overview"];

/// The digest of values in their order: FNV-1a over type, length and content, so that every change of a single byte is detected.
pub(in crate::index::sqlite) fn digest<'v>(values: impl IntoIterator<Item = ValueRef<'v>>) -> i64 {
    let mut hasher = FnvHasher::default();
    for value in values {
        let (kind, number) = match value {
            ValueRef::Null => (0, 0),
            ValueRef::Integer(number) => (1, number.cast_unsigned()),
            ValueRef::Real(number) => (2, number.to_bits()),
            ValueRef::Text(bytes) => (3, bytes.len() as u64),
            ValueRef::Blob(bytes) => (4, bytes.len() as u64),
        };
        hasher.write_u8(kind);
        hasher.write(&number.to_le_bytes());
        if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = value {
            hasher.write(bytes);
        }
    }
    hasher.finish().cast_signed()
}

/// The digest of an id and the columns of a record.
pub(in crate::index::sqlite) fn digest_of(id: &[u8; 16], columns: &[Value]) -> i64 {
    digest(std::iter::once(ValueRef::Blob(id)).chain(columns.iter().map(ValueRef::from)))
}

/// The result of one step.
#[derive(Debug, Default)]
pub(in crate::index::sqlite) struct Step {
    /// Rows without a digest, with the digest that they get.
    new: Vec<(Table, i64, i64)>,
    /// Rows whose digest does not match.
    damaged: Vec<(Table, i64)>,
    /// Key of the last row; `None` at the end of the table.
    pub(in crate::index::sqlite) last: Option<i64>,
}

impl Step {
    /// Whether there is something to write.
    pub(in crate::index::sqlite) fn is_due(&self) -> bool {
        !(self.new.is_empty() && self.damaged.is_empty())
    }
}

/// Compares up to `limit` rows after this one with their digests.
pub(in crate::index::sqlite) fn compare(connection: &Connection, table: Table, after: i64, limit: usize) -> Result<Step, SqliteError> {
    let (key, columns) = table.columns();
    let condition = format!("{key} > ?1 ORDER BY {key} LIMIT {limit}");
    let mut step = Step::default();
    let mut rows = 0;
    let mut query =
        connection.prepare_cached(&format!("SELECT {key}, digest, {} FROM {} WHERE {condition}", columns.join(", "), table.name()))?;
    let mut found = query.query([after])?;
    while let Some(row) = found.next()? {
        rows += 1;
        step.last = Some(take(table, row, &mut step)?);
    }
    if rows < limit {
        step.last = None;
    }
    Ok(step)
}

/// Computes digests of up to `limit` rows that have none.
pub(in crate::index::sqlite) fn digest_new(connection: &Connection, limit: usize) -> Result<Step, SqliteError> {
    let mut step = Step::default();
    for table in [Table::Applications, Table::Jobs] {
        let (key, columns) = table.columns();
        let sql = format!("SELECT {key}, digest, {} FROM {} WHERE digest IS NULL LIMIT {limit}", columns.join(", "), table.name());
        let mut query = connection.prepare_cached(&sql)?;
        let mut found = query.query([])?;
        while let Some(row) = found.next()? {
            take(table, row, &mut step)?;
        }
    }
    Ok(step)
}

fn take(table: Table, row: &Row<'_>, step: &mut Step) -> Result<i64, SqliteError> {
    let key = row.get(0)?;
    let stored: Option<i64> = row.get(1)?;
    let values = (2..2 + table.columns().1.len()).map(|column| row.get_ref(column)).collect::<Result<Vec<_>, _>>()?;
    let made = digest(values.iter().copied());
    // Without a digest only the texts can show damage.
    let readable = values.iter().all(|value| !matches!(value, ValueRef::Text(bytes) if std::str::from_utf8(bytes).is_err()));
    match stored {
        Some(stored) if stored == made => {}
        None if readable => step.new.push((table, key, made)),
        _ => step.damaged.push((table, key)),
    }
    Ok(key)
}

/// Stores new digests, and repairs rows that do not match. Rows that changed since the comparison are left for the next one.
pub(in crate::index::sqlite) fn repair(session: &mut Session<'_>, step: &Step) -> Result<(), SqliteError> {
    for (table, key, made) in &step.new {
        let (column, _) = table.columns();
        let sql = format!("UPDATE {} SET digest = ?2 WHERE {column} = ?1 AND digest IS NULL", table.name());
        session.connection.prepare_cached(&sql)?.execute(params![key, made])?;
    }
    for (table, key) in &step.damaged {
        repair_row(session, *table, *key)?;
    }
    Ok(())
}

fn repair_row(session: &mut Session<'_>, table: Table, key: i64) -> Result<(), SqliteError> {
    let (column, columns) = table.columns();
    let connection = session.connection;
    let named = columns.join(", ");
    let mut repaired: Vec<Value> = Vec::with_capacity(columns.len());
    let (unit, id): (i64, Vec<u8>) = {
        let mut query = connection.prepare(&format!("SELECT unit, {named} FROM {} WHERE {column} = ?1", table.name()))?;
        let mut rows = query.query([key])?;
        let Some(row) = rows.next()? else { return Ok(()) };
        for (number, name) in columns.iter().enumerate() {
            repaired.push(readable(name, row.get_ref(number + 1)?));
        }
        let id = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?.to_vec();
        (row.get(0)?, id)
    };
    // The digest is cleared: it is computed again when the archive is read, or from the columns that are left.
    let mut sql = format!("UPDATE {} SET digest = NULL", table.name());
    for (number, name) in columns.iter().enumerate() {
        let _infallible = write!(sql, ", {name} = ?{}", number + 2);
    }
    let _infallible = write!(sql, " WHERE {column} = ?1");
    connection.prepare(&sql)?.execute(params_from_iter(std::iter::once(Value::Integer(key)).chain(repaired)))?;
    let again = read_again(connection, unit, if table == Table::Jobs { &id } else { &[] })?;
    session.effects.known |= again;
    session.effects.lists = true;
    list_rows::sync(connection, unit)?;
    let ids = units::ids(session, unit)?;
    precedence::settle(session, &ids)?;
    let what = if table == Table::Jobs { "job" } else { "application" };
    let id: String = id.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    if again {
        tracing::warn!(
            "the row of {what} {id} in the index is damaged: check the disk of historyserver.data.dir; its archive is read again"
        );
    } else {
        tracing::warn!(
            "the row of {what} {id} in the index is damaged: check the disk of historyserver.data.dir; its archive is missing, so lists \
             may show wrong data of it"
        );
    }
    Ok(())
}

/// A value that lists can show: text that is not UTF-8 is converted, and invalid JSON is dropped.
fn readable(column: &str, value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let is_json = || serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            if JSON.contains(&column) && !is_json() { Value::Null } else { Value::Text(text) }
        }
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// Marks a file so that the next refresh reads it again, like one that the store could not return. For a job without an archive this
/// is the summary.
fn read_again(connection: &Connection, unit: i64, file: &[u8]) -> Result<bool, SqliteError> {
    let queued: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM archives WHERE unit = ?1 AND file IN (?2, x'') AND fault = ?3)")?
        .query_row(params![unit, file, QUEUED], |row| row.get(0))?;
    if queued {
        return Ok(true);
    }
    for file in [file, &[]] {
        let marked = connection
            .prepare_cached(
                "UPDATE archives SET parsed = 0, fault = ?3, attempts = 0, tried_at = 0, next_attempt = 0
                 WHERE unit = ?1 AND file = ?2 AND gone_since IS NULL AND served IS NOT NULL
                     AND EXISTS (SELECT 1 FROM units WHERE id = ?1 AND gone_since IS NULL)",
            )?
            .execute(params![unit, file, fault_column(Some(Fault::Store))])?;
        if marked > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_detects_every_change_of_one_bit_of_a_type_and_of_a_length() {
        let text = b"{\"name\":\"top speed\"}".to_vec();
        let of = |text: &[u8], number: i64| digest([ValueRef::Text(text), ValueRef::Null, ValueRef::Integer(number)]);
        let whole = of(&text, 7);
        for byte in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[byte] ^= 1 << bit;
                assert_ne!(of(&flipped, 7), whole);
            }
        }
        for bit in 0..64 {
            assert_ne!(of(&text, 7 ^ (1 << bit)), whole);
        }
        assert_ne!(digest([ValueRef::Text(b"ab"), ValueRef::Text(b"c")]), digest([ValueRef::Text(b"a"), ValueRef::Text(b"bc")]));
        assert_ne!(digest([ValueRef::Text(b"a")]), digest([ValueRef::Blob(b"a")]));
        assert_ne!(digest([ValueRef::Null]), digest([ValueRef::Integer(0)]));
        // The value is stored, so it must never change.
        assert_eq!(digest([]), 0xcbf2_9ce4_8422_2325_u64.cast_signed());
    }

    /// An index with an application and a job, both with digests.
    fn with_rows() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = super::super::connection::open_writer(&folder.path().join("index"), None).unwrap();
        connection
            .execute_batch(
                "INSERT INTO directories (id, url, position) VALUES (1, 'file:///a', 0);
                 INSERT INTO units (id, directory, cluster, name) VALUES (1, 1, 'c', zeroblob(16));
                 INSERT INTO applications (unit, application, name, overview) VALUES (1, zeroblob(16), 'a', '{}');
                 INSERT INTO jobs (id, unit, job, archived, name, overview) VALUES (1, 1, zeroblob(16), 1, 'a', '{}')",
            )
            .unwrap();
        make_digests(&connection);
        (folder, connection)
    }

    fn make_digests(connection: &Connection) {
        let directories = std::collections::HashMap::new();
        repair(&mut Session::new(connection, &directories), &digest_new(connection, 10).unwrap()).unwrap();
        assert!(!digest_new(connection, 10).unwrap().is_due());
    }

    #[test]
    fn every_column_is_covered_and_a_change_without_the_digest_has_it_made_anew() {
        for table in [Table::Applications, Table::Jobs] {
            for column in table.columns().1 {
                let (_folder, connection) = with_rows();
                let change = match *column {
                    "application" | "job" => "randomblob(16)",
                    "archived" => "0",
                    "name" | "status" | "job_type" => "'b'",
                    "job_counts" | "task_counts" | "overview" => "'[]'",
                    _ => "7",
                };
                let sql = format!("UPDATE {} SET {column} = {change}", table.name());
                connection.execute_batch(&sql).unwrap();
                let new = digest_new(&connection, 10).unwrap();
                assert_eq!((new.new.len(), new.damaged.len()), (1, 0), "{column}");
                make_digests(&connection);
                // Without the triggers the change looks like damage.
                connection.execute_batch("DROP TRIGGER application_digest_outdated; DROP TRIGGER job_digest_outdated").unwrap();
                assert!(!compare(&connection, table, i64::MIN, 10).unwrap().is_due());
                connection
                    .execute_batch(&sql.replace("= 0", "= 2").replace("= 7", "= 8").replace("'b'", "'c'").replace("'[]'", "'[1]'"))
                    .unwrap();
                assert_eq!(compare(&connection, table, i64::MIN, 10).unwrap().damaged, [(table, 1)], "{column}");
            }
        }
    }
}
