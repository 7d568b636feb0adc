//! Sources of rows that may pass a filter.

use std::ops::ControlFlow;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::table::{Column, Narrow, Table};
use super::{SqliteError, prepare};

/// A set of rows that is read by one index.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Rows whose value of this column is in one of these ranges, both ends inclusive.
    Ranges(Column, Vec<(i64, i64)>),
    /// These rows.
    Rows(Vec<i64>),
}

impl Source {
    /// The column of the key of its rows.
    pub(super) fn column(&self) -> Option<Column> {
        match self {
            Self::Ranges(column, _) => Some(*column),
            Self::Rows(_) => None,
        }
    }

    /// Counts its rows, up to `max`.
    pub(super) fn count(&self, connection: &Connection, table: Table, max: u64) -> Result<u64, SqliteError> {
        let (column, ranges) = match self {
            Self::Ranges(column, ranges) => (column.name(), ranges),
            Self::Rows(rows) => return Ok(max.min(rows.len() as u64)),
        };
        let table = table.name();
        let mut query = prepare(
            connection,
            &format!("SELECT count(*) FROM (SELECT 1 FROM {table} INDEXED BY {table}_{column} WHERE {column} BETWEEN ?1 AND ?2 LIMIT ?3)"),
        )?;
        let mut count = 0;
        for (from, to) in ranges {
            let left = i64::try_from(max - count).unwrap_or(i64::MAX);
            count += query.query_row(params![from, to, left], |row| row.get::<_, i64>(0))?.unsigned_abs();
            if count >= max {
                return Ok(max);
            }
        }
        Ok(count)
    }

    /// Passes each row to `visit` until it breaks.
    pub(super) fn scan(
        &self,
        connection: &Connection,
        table: Table,
        mut visit: impl FnMut(&Narrow) -> Result<ControlFlow<()>, SqliteError>,
    ) -> Result<(), SqliteError> {
        match self {
            Self::Ranges(column, ranges) => {
                let select = table.select(*column, "");
                let mut query = prepare(connection, &format!("{select} WHERE {} BETWEEN ?1 AND ?2", column.name()))?;
                for range in ranges {
                    let mut rows = query.query([range.0, range.1])?;
                    while let Some(row) = rows.next()? {
                        if visit(&Narrow::read(row)?)?.is_break() {
                            return Ok(());
                        }
                    }
                }
            }
            Self::Rows(ids) => {
                let mut query = prepare(connection, &format!("SELECT {}, 0 FROM {} WHERE id = ?1", table.covered(), table.name()))?;
                for id in ids {
                    if let Some(row) = query.query_row([id], Narrow::read).optional()?
                        && visit(&row)?.is_break()
                    {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}
