//! Facets from the counts that are kept with the rows (migration `0006_counts`), without reading a row: of filters by directory, by
//! status, and by one thing more.

use std::collections::HashMap;

use chrono::NaiveDate;
use rusqlite::{Connection, Row, params};

use super::condition::{Choice, Condition};
use super::{Failure, prepare};
use crate::clock::Millis;
use crate::index::query::calendar::day_of;
use crate::index::query::{Bounds, FacetKey, Filter, ListKind};

/// What is counted by, beside directory and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dimension {
    Cluster = 1,
    Type = 2,
    Quarter = 3,
}

/// Milliseconds of a quarter of an hour.
const QUARTER: Millis = 900_000;

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

    /// Whether the rows of this count pass all of the filter but the part of this facet.
    fn passes(&self, condition: &Condition, facet: FacetKey) -> bool {
        (facet == FacetKey::Status || condition.status.admits(self.status))
            && (if facet == FacetKey::Directory {
                condition.is_visible(self.directory)
            } else {
                condition.directory.admits(self.directory)
            })
    }
}

/// Counts by one facet, but by day, under all other parts of the filter. `None`: the filter asks for more than the counts tell.
pub(super) fn by_value(
    connection: &Connection,
    condition: &Condition,
    filter: &Filter,
    facet: FacetKey,
) -> Result<Option<HashMap<i64, u64>>, Failure> {
    let dimension = match facet {
        FacetKey::Cluster => Dimension::Cluster,
        FacetKey::Status | FacetKey::Directory if !filter.cluster.is_empty() => Dimension::Cluster,
        _ => Dimension::Type,
    };
    if !asks_only(filter, dimension) {
        return Ok(None);
    }
    let choice = match dimension {
        Dimension::Cluster => &condition.cluster,
        _ => &condition.job_type,
    };
    let own = matches!(facet, FacetKey::Cluster | FacetKey::JobType);
    let mut counts = HashMap::new();
    let mut add = |cell: &Cell| {
        if cell.passes(condition, facet) && (own || choice.admits(cell.value)) {
            let value = match facet {
                FacetKey::Status => cell.status,
                FacetKey::Directory => cell.directory,
                _ => cell.value,
            };
            *counts.entry(value).or_default() += cell.number;
        }
    };
    let select = "SELECT value, directory, status, number FROM list_counts WHERE list = ?1 AND dimension = ?2";
    match choice {
        Choice::Of(values) if !own => {
            let mut query = prepare(connection, &format!("{select} AND value = ?3"))?;
            for value in values {
                for cell in query.query_map(params![list(condition), dimension as i64, value], Cell::read)? {
                    add(&cell?);
                }
            }
        }
        _ => {
            for cell in prepare(connection, select)?.query_map(params![list(condition), dimension as i64], Cell::read)? {
                add(&cell?);
            }
        }
    }
    Ok(Some(counts))
}

/// Counts by day of the end under all other parts of the filter, newest first, at most so many days. `None`: the filter asks for more
/// than the counts tell, a day begins within a quarter of an hour, or is none that a calendar knows.
pub(super) fn by_day(
    connection: &Connection,
    condition: &Condition,
    filter: &Filter,
    zone: chrono_tz::Tz,
    most: usize,
) -> Result<Option<Vec<(NaiveDate, u64)>>, Failure> {
    if !asks_only(filter, Dimension::Quarter) {
        return Ok(None);
    }
    let sql = "SELECT value, directory, status, number FROM list_counts WHERE list = ?1 AND dimension = ?2 ORDER BY value DESC";
    let mut query = prepare(connection, sql)?;
    let mut days: Vec<(NaiveDate, u64)> = Vec::new();
    let (mut from, mut to) = (0, 0);
    for cell in query.query_map(params![list(condition), Dimension::Quarter as i64], Cell::read)? {
        let cell = cell?;
        if !cell.passes(condition, FacetKey::Day) {
            continue;
        }
        let Some(begin) = cell.value.checked_mul(QUARTER) else { return Ok(None) };
        if !(from..to).contains(&begin) {
            let Some((day, first, next)) = day_of(zone, begin) else { return Ok(None) };
            if days.len() == most {
                break;
            }
            (from, to) = (first, next);
            days.push((day, 0));
        }
        // The day begins with a quarter, or rows of this one are of two days.
        if begin + QUARTER > to {
            return Ok(None);
        }
        if let Some((_, count)) = days.last_mut() {
            *count += cell.number;
        }
    }
    Ok(Some(days))
}

/// Whether a filter asks for nothing but directories, states and values of this dimension.
fn asks_only(filter: &Filter, dimension: Dimension) -> bool {
    let mut rest = Filter { status: Vec::new(), directory: Vec::new(), ..filter.clone() };
    match dimension {
        Dimension::Cluster => rest.cluster.clear(),
        Dimension::Type => rest.job_type.clear(),
        Dimension::Quarter => rest.end = Bounds::default(),
    }
    rest == Filter::default()
}

fn list(condition: &Condition) -> i64 {
    match condition.table.0 {
        ListKind::Applications => 1,
        ListKind::Jobs => 2,
    }
}
