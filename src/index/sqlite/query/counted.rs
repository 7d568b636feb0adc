//! Facets and totals from the stored counts (migration `0006_counts`), without reading rows: for filters by directory, by status, and by
//! one further dimension.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};

use super::condition::{Choice, Condition};
use super::table::{Column, Narrow};
use super::{SqliteError, prepare};
use crate::clock::Timestamp;
use crate::index::query::calendar::day_of;
use crate::index::query::{Bounds, FacetKey, Filter, ListKind};

/// The further dimension of a count, besides directory and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Cluster = 1,
    Type = 2,
    Hour = 3,
}

const HOUR: Duration = Duration::from_hours(1);

/// Milliseconds of an hour.
const HOUR_MILLIS: i64 = 3_600_000;

/// One count.
struct Cell {
    value: i64,
    directory: i64,
    status: i64,
    number: u64,
}

impl Cell {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { value: row.get(0)?, directory: row.get(1)?, status: row.get(2)?, number: row.get::<_, i64>(3)?.unsigned_abs() })
    }

    /// Whether the rows of this count pass the filter without the part of this facet.
    fn passes(&self, condition: &Condition, facet: FacetKey) -> bool {
        (facet == FacetKey::Status || condition.status.admits(self.status))
            && (if facet == FacetKey::Directory {
                condition.is_visible(self.directory)
            } else {
                condition.directory.admits(self.directory)
            })
    }
}

/// Counts by one facet, except by day, under all other parts of the filter. `None`: the stored counts do not cover the filter.
pub(super) fn by_value(
    connection: &Connection,
    condition: &Condition,
    filter: &Filter,
    facet: FacetKey,
) -> Result<Option<HashMap<i64, u64>>, SqliteError> {
    let dimension = match facet {
        FacetKey::Cluster => Dimension::Cluster,
        FacetKey::Status | FacetKey::Directory if !filter.cluster.is_empty() => Dimension::Cluster,
        _ => Dimension::Type,
    };
    if !has_only(filter, dimension) || !condition.is_scoped_by_directory() {
        return Ok(None);
    }
    let own = matches!(facet, FacetKey::Cluster | FacetKey::JobType);
    let mut counts = HashMap::new();
    each_cell(connection, condition, dimension, own, |cell| {
        if cell.passes(condition, facet) {
            let value = match facet {
                FacetKey::Status => cell.status,
                FacetKey::Directory => cell.directory,
                _ => cell.value,
            };
            *counts.entry(value).or_default() += cell.number;
        }
    })?;
    Ok(Some(counts))
}

/// Number of rows that pass the filter. `None`: the stored counts do not cover the filter.
pub(super) fn total(connection: &Connection, condition: &Condition, filter: &Filter) -> Result<Option<u64>, SqliteError> {
    let dimension = if filter.cluster.is_empty() { Dimension::Type } else { Dimension::Cluster };
    if !has_only(filter, dimension) || !condition.is_scoped_by_directory() {
        return Ok(None);
    }
    let mut total = 0;
    each_cell(connection, condition, dimension, false, |cell| {
        if condition.status.admits(cell.status) && condition.directory.admits(cell.directory) {
            total += cell.number;
        }
    })?;
    Ok(Some(total))
}

/// Passes the counts by cluster or type to `visit`: all of them, or those that the filter admits.
fn each_cell(
    connection: &Connection,
    condition: &Condition,
    dimension: Dimension,
    all: bool,
    mut visit: impl FnMut(&Cell),
) -> Result<(), SqliteError> {
    let choice = match dimension {
        Dimension::Cluster => &condition.cluster,
        _ => &condition.job_type,
    };
    let select = "SELECT value, directory, status, number FROM list_counts WHERE list = ?1 AND dimension = ?2";
    if let (false, Choice::Of(values)) = (all, choice) {
        let mut query = prepare(connection, &format!("{select} AND value = ?3"))?;
        for value in values {
            for cell in query.query_map(params![list(condition), dimension as i64, value], Cell::read)? {
                visit(&cell?);
            }
        }
        return Ok(());
    }
    for cell in prepare(connection, select)?.query_map(params![list(condition), dimension as i64], Cell::read)? {
        let cell = cell?;
        if all || choice.admits(cell.value) {
            visit(&cell);
        }
    }
    Ok(())
}

/// Counts by day of the end under all other parts of the filter, for the newest `max` days, newest first. `None`: the stored counts do not
/// cover the filter, or an end is outside of the supported years.
pub(super) fn by_day(
    connection: &Connection,
    condition: &Condition,
    filter: &Filter,
    zone: chrono_tz::Tz,
    max: usize,
) -> Result<Option<Vec<(NaiveDate, u64)>>, SqliteError> {
    if !has_only(filter, Dimension::Hour) || !condition.is_scoped_by_directory() {
        return Ok(None);
    }
    let sql = "SELECT value, directory, status, number FROM list_counts WHERE list = ?1 AND dimension = ?2 ORDER BY value DESC";
    let mut query = prepare(connection, sql)?;
    let mut days = Days { zone, max, counts: Vec::new(), from: Timestamp::EPOCH, to: Timestamp::EPOCH };
    // The last hour whose rows were counted one by one.
    let mut read = None;
    for cell in query.query_map(params![list(condition), Dimension::Hour as i64], Cell::read)? {
        let cell = cell?;
        if read == Some(cell.value) || !cell.passes(condition, FacetKey::Day) {
            continue;
        }
        let Some(begin) = cell.value.checked_mul(HOUR_MILLIS).map(Timestamp::from_millis) else { return Ok(None) };
        let Some((_, _, next)) = days.holding(begin) else { return Ok(None) };
        let step = if next >= begin + HOUR {
            days.add(begin, cell.number)
        } else {
            // Not all zones differ from UTC by whole hours: this hour is in two days.
            read = Some(cell.value);
            of_hour(connection, condition, begin, &mut days)?
        };
        match step {
            Some(ControlFlow::Continue(())) => {}
            Some(ControlFlow::Break(())) => break,
            None => return Ok(None),
        }
    }
    Ok(Some(days.counts))
}

/// Counts the rows of an hour one by one.
fn of_hour(
    connection: &Connection,
    condition: &Condition,
    begin: Timestamp,
    days: &mut Days,
) -> Result<Option<ControlFlow<()>>, SqliteError> {
    let select = condition.table.select(Column::End, "");
    let mut query = prepare(connection, &format!("{select} WHERE end_time >= ?1 AND end_time < ?2 ORDER BY end_time DESC"))?;
    let mut rows = query.query([begin, begin + HOUR])?;
    while let Some(row) = rows.next()? {
        let row = Narrow::read(row)?;
        if condition.status.admits(row.status) && condition.directory.admits(row.directory) {
            match days.add(Timestamp::from_millis(row.key), 1) {
                Some(ControlFlow::Continue(())) => {}
                ended => return Ok(ended),
            }
        }
    }
    Ok(Some(ControlFlow::Continue(())))
}

/// Counts by day, newest first.
struct Days {
    zone: chrono_tz::Tz,
    max: usize,
    counts: Vec<(NaiveDate, u64)>,
    /// Begin of the last day in `counts`.
    from: Timestamp,
    to: Timestamp,
}

impl Days {
    /// The day of a time, its begin, and the begin of the next day. `None`: the time is outside of the supported years.
    fn holding(&self, time: Timestamp) -> Option<(NaiveDate, Timestamp, Timestamp)> {
        match self.counts.last() {
            Some((day, _)) if (self.from..self.to).contains(&time) => Some((*day, self.from, self.to)),
            _ => day_of(self.zone, time),
        }
    }

    /// Adds rows to the day of a time: the last day or an earlier one. Breaks where this would exceed the maximum of days.
    fn add(&mut self, time: Timestamp, number: u64) -> Option<ControlFlow<()>> {
        let (day, from, to) = self.holding(time)?;
        if let Some((_, count)) = self.counts.last_mut().filter(|(last, _)| *last == day) {
            *count += number;
            return Some(ControlFlow::Continue(()));
        }
        if self.counts.len() == self.max {
            return Some(ControlFlow::Break(()));
        }
        self.counts.push((day, number));
        (self.from, self.to) = (from, to);
        Some(ControlFlow::Continue(()))
    }
}

/// Whether a filter has conditions only for directories, states and this dimension.
fn has_only(filter: &Filter, dimension: Dimension) -> bool {
    let mut rest = Filter { status: Vec::new(), directory: Vec::new(), ..filter.clone() };
    match dimension {
        Dimension::Cluster => rest.cluster.clear(),
        Dimension::Type => rest.job_type.clear(),
        Dimension::Hour => rest.end = Bounds::default(),
    }
    rest == Filter::default()
}

fn list(condition: &Condition) -> i64 {
    match condition.table.0 {
        ListKind::Applications => 1,
        ListKind::Jobs => 2,
    }
}
