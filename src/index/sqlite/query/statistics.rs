//! Statistics of the rows that ended within a range of time: one walk over the index of ends.

use crate::clock::Timestamp;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, OptionalExtension as _};

use super::condition::Condition;
use super::order::{label, text};
use super::table::{Column, Narrow};
use super::tally::Tally;
use super::{SqliteError, prepare};
use crate::index::query::{
    Bounds, FailingName, FailureClass, Filter, MAX_FAILING_NAMES, MAX_FAILURE_CLASSES, Quantiles, Scope, Statistics, StatisticsQuery,
    StatusCounts,
};
use crate::index::sqlite::reads::queued::queued;
use crate::index::sqlite::tables::list_rows::{ABSENT, NO_TEXT, STATUS, find_label};

/// Maximum number of walked rows.
const MAX_ROWS: u64 = 1_000_000;
const FAILED: &str = "FAILED";

#[derive(Default)]
struct Bin {
    /// By state; there are few states.
    counts: Vec<(i64, u64)>,
    durations: Vec<i64>,
}

impl Bin {
    fn add(&mut self, status: i64) {
        match self.counts.iter_mut().find(|(known, _)| *known == status) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((status, 1)),
        }
    }
}

/// Runs of a name.
#[derive(Default, PartialEq)]
struct Runs {
    all: u64,
    failed: u64,
}

/// Statistics of a range of time.
pub(in crate::index) fn statistics(connection: &Connection, scope: &Scope, query: &StatisticsQuery) -> Result<Statistics, SqliteError> {
    let filter = Filter { end: Bounds::default(), ..query.filter.clone() };
    let mut condition = Condition::compile(connection, scope, query.kind, &filter)?;
    let failed = find_label(connection, STATUS, FAILED)?;
    let mut bins: Vec<Bin> = Vec::new();
    bins.resize_with(query.edges.len().saturating_sub(1), Bin::default);
    let mut names: Tally<Runs> = Tally::default();
    let mut classes: Tally<u64> = Tally::default();
    let mut exact = true;
    if let (Some(from), Some(to)) = (query.edges.first(), query.edges.last()) {
        // A walk spends half of its time reading columns, so unused ones are left out.
        let is_open = condition.is_open();
        let (columns, more) = if is_open { ("directory, status, name", 4) } else { (condition.table.covered(), 9) };
        let table = condition.table.name();
        let mut walk = prepare(
            connection,
            &format!(
                "SELECT {columns}, end_time, duration, exception FROM {table} INDEXED BY {table}_end_time
                 WHERE end_time >= ?1 AND end_time < ?2 ORDER BY end_time"
            ),
        )?;
        let mut rows = walk.query([from, to])?;
        let mut bin = 0;
        while let Some(found) = rows.next()? {
            if condition.cost > MAX_ROWS {
                exact = false;
                break;
            }
            let (passes, status, name, end) = if is_open {
                condition.cost += 1;
                (condition.directory.admits(found.get(0)?), found.get(1)?, found.get(2)?, found.get(3)?)
            } else {
                let row = Narrow::read(found)?;
                (condition.admits(connection, &row, Column::End)?, row.status, row.name, row.key)
            };
            if !passes {
                condition.cost += 1;
                continue;
            }
            while query.edges.get(bin + 1).is_some_and(|edge| edge.as_millis() <= end) {
                bin += 1;
            }
            let Some(bin) = bins.get_mut(bin) else { break };
            bin.add(status);
            let duration: i64 = found.get(more)?;
            if duration != ABSENT {
                bin.durations.push(duration);
            }
            let runs = names.of(name);
            runs.all += 1;
            if Some(status) == failed {
                runs.failed += 1;
                *classes.of(found.get(more + 1)?) += 1;
            }
        }
    }
    let mut all: Vec<i64> = bins.iter().flat_map(|bin| bin.durations.iter().copied()).collect();
    let mut states = HashMap::new();
    let buckets =
        query.edges.iter().zip(bins).map(|(start, bin)| bucket(connection, *start, bin, &mut states)).collect::<Result<_, _>>()?;
    Ok(Statistics {
        buckets,
        durations: quantiles(&mut all),
        failing_names: failing(connection, &mut condition, names)?,
        exceptions: failures(connection, classes)?,
        exact,
        queued: queued(connection, scope)?,
    })
}

fn bucket(connection: &Connection, start: Timestamp, mut bin: Bin, states: &mut HashMap<i64, String>) -> Result<StatusCounts, SqliteError> {
    let mut counts = BTreeMap::new();
    for (status, count) in bin.counts {
        if status == NO_TEXT {
            continue;
        }
        let state = match states.entry(status) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(unknown) => unknown.insert(text(connection, Column::Status, status)?.unwrap_or_default()).clone(),
        };
        counts.insert(state, count);
    }
    Ok(StatusCounts { start, counts, durations: quantiles(&mut bin.durations) })
}

/// Quantiles by nearest rank: values that occur.
fn quantiles(values: &mut [i64]) -> Option<Quantiles> {
    let count = values.len();
    let max = *values.iter().max()?;
    let mut rank = |percent: usize| {
        let at = (count * percent).div_ceil(100).clamp(1, count) - 1;
        *values.select_nth_unstable(at).1
    };
    Some(Quantiles { p50: rank(50), p90: rank(90), p99: rank(99), max })
}

fn failures(connection: &Connection, classes: Tally<u64>) -> Result<Vec<FailureClass>, SqliteError> {
    let mut classes: Vec<_> = classes.into_figures().filter(|(class, _)| *class != NO_TEXT).collect();
    classes.sort_unstable_by_key(|(class, count)| (std::cmp::Reverse(*count), *class));
    classes.truncate(MAX_FAILURE_CLASSES);
    let mut found = Vec::with_capacity(classes.len());
    for (class, count) in classes {
        found.extend(label(connection, class)?.map(|class| FailureClass { class, count }));
    }
    // Ids depend on the order in which archives were read, so equal counts are ordered by text.
    found.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.class.cmp(&other.class)));
    Ok(found)
}

fn failing(connection: &Connection, condition: &mut Condition, names: Tally<Runs>) -> Result<Vec<FailingName>, SqliteError> {
    let mut names: Vec<_> = names.into_figures().filter(|(name, runs)| runs.failed > 0 && *name != NO_TEXT).collect();
    names.sort_unstable_by_key(|(name, runs)| (std::cmp::Reverse(runs.failed), runs.all, *name));
    names.truncate(MAX_FAILING_NAMES);
    let mut found = Vec::with_capacity(names.len());
    for (name, runs) in names {
        let (list, (wide, key)) = (condition.table.name(), condition.table.wide());
        // As the newest row in the scope spells it.
        let sql = format!("SELECT id FROM {list} INDEXED BY {list}_name WHERE name = ?1 ORDER BY end_time DESC");
        let mut query = prepare(connection, &sql)?;
        let mut rows = query.query([name])?;
        let mut newest = None;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            if condition.sees_id(connection, id)? {
                newest = Some(id);
                break;
            }
        }
        let sql = format!("SELECT name FROM {wide} WHERE {key} = ?1");
        let written: Option<Option<String>> = prepare(connection, &sql)?.query_row([newest], |row| row.get(0)).optional()?;
        if let Some(Some(name)) = written {
            found.push(FailingName { name, failed: runs.failed, runs: runs.all });
        }
    }
    found.sort_by(|one, other| (other.failed, one.runs, &one.name).cmp(&(one.failed, other.runs, &other.name)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_occur() {
        assert_eq!(quantiles(&mut []), None);
        assert_eq!(quantiles(&mut [7]), Some(Quantiles { p50: 7, p90: 7, p99: 7, max: 7 }));
        let mut hundred: Vec<i64> = (1..=100).rev().collect();
        assert_eq!(quantiles(&mut hundred), Some(Quantiles { p50: 50, p90: 90, p99: 99, max: 100 }));
    }
}
