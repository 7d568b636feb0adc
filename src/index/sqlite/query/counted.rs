//! Counts of all rows by one facet, without reading a row: SQLite counts the entries of an index from one value to the next.

use chrono::NaiveDate;
use rusqlite::{Connection, OptionalExtension as _};

use super::table::{Column, Table};
use super::{Failure, prepare};
use crate::index::query::ListKind;
use crate::index::query::calendar::day_of;
use crate::index::sqlite::listing::{ABSENT, OTHER_TYPE, TYPE_BITS};

/// Above so many values, a walk over all rows takes no longer.
const MOST_VALUES: usize = 2_000;

/// Rows of a table. SQLite adds up the pages of its smallest index.
pub(super) fn rows(connection: &Connection, table: Table) -> Result<u64, Failure> {
    let sql = format!("SELECT count(*) FROM {}", table.name());
    Ok(prepare(connection, &sql)?.query_row([], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

/// Rows by the value of a column of texts. `None`: there are too many values.
pub(super) fn by_value(connection: &Connection, table: Table, column: Column) -> Result<Option<Vec<(i64, u64)>>, Failure> {
    if table.0 == ListKind::Applications && column == Column::Type {
        return by_bit(connection, table).map(Some);
    }
    let (table, column) = (table.name(), column.name());
    let mut next = prepare(connection, &format!("SELECT min({column}) FROM {table} INDEXED BY {table}_{column} WHERE {column} > ?1"))?;
    let mut count = prepare(connection, &format!("SELECT count(*) FROM {table} INDEXED BY {table}_{column} WHERE {column} = ?1"))?;
    let (mut counts, mut after) = (Vec::new(), i64::MIN);
    while let Some(value) = next.query_row([after], |row| row.get::<_, Option<i64>>(0))? {
        if counts.len() == MOST_VALUES {
            return Ok(None);
        }
        counts.push((value, count.query_row([value], |row| row.get::<_, i64>(0))?.unsigned_abs()));
        after = value;
    }
    Ok(Some(counts))
}

/// Applications by the types of their jobs, each bit for itself: they have no index of their own.
fn by_bit(connection: &Connection, table: Table) -> Result<Vec<(i64, u64)>, Failure> {
    let bits: Vec<i64> = TYPE_BITS.iter().map(|(_, bit)| *bit).chain([OTHER_TYPE]).collect();
    let sums: Vec<String> = bits.iter().map(|bit| format!("coalesce(sum(type & {bit} <> 0), 0)")).collect();
    let sql = format!("SELECT {} FROM {}", sums.join(", "), table.name());
    let counts = prepare(connection, &sql)?
        .query_row([], |row| (0..bits.len()).map(|place| row.get::<_, i64>(place)).collect::<Result<Vec<_>, _>>())?;
    Ok(bits.into_iter().zip(counts.into_iter().map(i64::unsigned_abs)).collect())
}

/// Rows by day of their end, newest first, at most so many days. `None`: some end is outside of what a calendar knows.
pub(super) fn by_day(
    connection: &Connection,
    table: Table,
    zone: chrono_tz::Tz,
    most: usize,
) -> Result<Option<Vec<(NaiveDate, u64)>>, Failure> {
    let table = table.name();
    let index = format!("{table} INDEXED BY {table}_end_time");
    let mut next = prepare(connection, &format!("SELECT max(end_time) FROM {index} WHERE end_time < ?1"))?;
    let mut count = prepare(connection, &format!("SELECT count(*) FROM {index} WHERE end_time >= ?1 AND end_time < ?2"))?;
    let (mut days, mut before) = (Vec::new(), i64::MAX);
    while days.len() < most {
        let end = next.query_row([before], |row| row.get::<_, Option<i64>>(0)).optional()?.flatten();
        let Some(end) = end.filter(|end| *end != ABSENT) else { break };
        let Some((date, from, to)) = day_of(zone, end) else { return Ok(None) };
        // Days come one after another, so that no row is in two.
        let rows = count.query_row([from, to.min(before)], |row| row.get::<_, i64>(0))?;
        days.push((date, rows.unsigned_abs()));
        before = from;
    }
    Ok(Some(days))
}
