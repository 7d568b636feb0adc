//! The order of a list, the same whether rows are walked or sorted.
//!
//! Numbers: missing values last; then by number and row, both in the requested direction.
//! Texts: missing values last; then by text in the requested direction; rows with the same text newest first, then by row.

use std::cmp::{Ordering, Reverse};

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::table::{Column, Table};
use super::{SqliteError, prepare};
use crate::index::sqlite::tables::list_rows::{ABSENT, NO_TEXT};

/// The position of a row in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The text of its key; empty where keys are numbers.
    pub(super) text: String,
    /// Its key.
    pub(super) key: i64,
    /// Its end, where keys are texts.
    pub(super) end: i64,
    pub(super) id: i64,
}

impl Position {
    /// The position after all rows of a group.
    pub(super) fn after_group(text: String, key: i64) -> Self {
        Self { text, key, end: ABSENT, id: ABSENT }
    }

    pub(super) fn compare(&self, other: &Self, column: Column, descending: bool) -> Ordering {
        let directed = |ordering: Ordering| if descending { ordering.reverse() } else { ordering };
        if column.is_text() {
            let absent = |position: &Self| position.key == NO_TEXT;
            absent(self)
                .cmp(&absent(other))
                .then_with(|| directed(self.text.cmp(&other.text)))
                .then_with(|| Reverse((self.end, self.id)).cmp(&Reverse((other.end, other.id))))
        } else {
            let absent = |position: &Self| position.key == ABSENT;
            absent(self).cmp(&absent(other)).then_with(|| directed((self.key, self.id).cmp(&(other.key, other.id))))
        }
    }
}

/// Looks up the position of a row.
pub(super) fn position(connection: &Connection, table: Table, column: Column, id: i64) -> Result<Option<Position>, SqliteError> {
    let sql = format!("SELECT {}, end_time FROM {} WHERE id = ?1", column.name(), table.name());
    let found: Option<(i64, i64)> = prepare(connection, &sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let Some((key, end)) = found else { return Ok(None) };
    if !column.is_text() {
        return Ok(Some(Position { text: String::new(), key, end: 0, id }));
    }
    let text = if key == NO_TEXT { None } else { text(connection, column, key)? };
    Ok(Some(Position { text: text.unwrap_or_default(), key, end, id }))
}

/// The text with this id.
pub(super) fn text(connection: &Connection, column: Column, key: i64) -> Result<Option<String>, SqliteError> {
    let sql = match column {
        Column::Name => "SELECT folded FROM names WHERE id = ?1",
        Column::Directory => "SELECT url FROM directories WHERE id = ?1",
        _ => return label(connection, key),
    };
    Ok(prepare(connection, sql)?.query_row([key], |row| row.get(0)).optional()?)
}

/// The label with this id.
pub(super) fn label(connection: &Connection, id: i64) -> Result<Option<String>, SqliteError> {
    Ok(prepare(connection, "SELECT text FROM labels WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?)
}

/// The next texts in order after one, or from the first on.
pub(super) fn texts_after(
    connection: &Connection,
    column: Column,
    descending: bool,
    after: Option<&str>,
) -> Result<Vec<(String, i64)>, SqliteError> {
    let (table, text) = match column {
        Column::Name => ("names", "folded"),
        Column::Directory => ("directories", "url"),
        _ => ("labels", "text"),
    };
    let kind = super::table::kind_of(column).map_or(String::new(), |kind| format!("kind = {kind} AND "));
    let (than, direction) = if descending { ("<", "DESC") } else { (">", "ASC") };
    let bound = if after.is_some() { format!("{text} {than} ?1") } else { "?1 IS NULL".to_owned() };
    let sql = format!("SELECT {text}, id FROM {table} WHERE {kind}{bound} ORDER BY {text} {direction} LIMIT 100");
    Ok(prepare(connection, &sql)?.query_map(params![after], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// The current id of a text.
pub(super) fn row_of(connection: &Connection, column: Column, text: &str) -> Result<Option<i64>, SqliteError> {
    let sql = match (column, super::table::kind_of(column)) {
        (Column::Name, _) => "SELECT id FROM names WHERE folded = ?1".to_owned(),
        (Column::Directory, _) => "SELECT id FROM directories WHERE url = ?1".to_owned(),
        (_, kind) => format!("SELECT id FROM labels WHERE kind = {} AND text = ?1", kind.unwrap_or(0)),
    };
    Ok(prepare(connection, &sql)?.query_row([text], |row| row.get(0)).optional()?)
}
