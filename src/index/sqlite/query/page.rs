//! A page: few candidates sorted, or many rows walked in order.

use std::ops::ControlFlow;

use rusqlite::Connection;

use super::condition::{Condition, LOOKUP_COST};
use super::order::{Position, position};
use super::run_facts::RunFactsReader;
use super::source::Source;
use super::table::Column;
use super::walk::{Step, Walk};
use super::{SqliteError, counted, facts, items};
use crate::index::cursor::Cursors;
use crate::index::query::{ListPage, ListQuery, RunFigures, Scope, Sort, Total};
use crate::index::sqlite::reads::queued::queued;

/// Maximum of a total that is counted row by row.
const MAX_COUNTED: u64 = 10_000;

/// Limits of the cost of one page.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageLimits {
    /// Maximum number of rows of a source that is gathered.
    pub(super) gathered: u64,
    /// Maximum number of sorted candidates. With more, a walk finds a page of them soon.
    pub(super) sorted: usize,
    /// Maximum number of walked rows of one page, however few of them passed.
    pub(super) walked: u64,
    /// Maximum number of walked rows for a total.
    pub(super) counted: u64,
}

/// A few milliseconds each.
pub(super) const DEFAULT_LIMITS: PageLimits = PageLimits { gathered: 20_000, sorted: 4_000, walked: 80_000, counted: 50_000 };

/// A page of a list.
pub(in crate::index) fn list_page(connection: &Connection, scope: &Scope, query: &ListQuery) -> Result<ListPage, SqliteError> {
    page_within(connection, scope, query, DEFAULT_LIMITS)
}

/// A page of a list whose rows have facts of their runs.
pub(in crate::index) fn list_page_with_run_facts(
    connection: &Connection,
    scope: &Scope,
    query: &ListQuery,
) -> Result<ListPage, SqliteError> {
    let found = find(connection, scope, query, DEFAULT_LIMITS)?;
    let mut facts = RunFactsReader::new(connection, scope, query.kind)?;
    let mut of_rows = Vec::with_capacity(found.ids.len());
    for id in &found.ids {
        of_rows.push(facts.read(*id)?);
    }
    let mut page = finish(connection, scope, query, found)?;
    for (item, facts) in page.items.iter_mut().zip(of_rows) {
        item.run_facts = Some(facts);
    }
    Ok(page)
}

/// A page of a list, with figures of each of its rows.
pub(in crate::index) fn run_page(
    connection: &Connection,
    scope: &Scope,
    query: &ListQuery,
) -> Result<(ListPage, Vec<RunFigures>), SqliteError> {
    let found = find(connection, scope, query, DEFAULT_LIMITS)?;
    let mut figures = Vec::with_capacity(found.ids.len());
    for id in &found.ids {
        figures.push(facts::figures(connection, query.kind, *id)?);
    }
    Ok((finish(connection, scope, query, found)?, figures))
}

/// A page of a list within these limits.
pub(super) fn page_within(connection: &Connection, scope: &Scope, query: &ListQuery, limits: PageLimits) -> Result<ListPage, SqliteError> {
    let found = find(connection, scope, query, limits)?;
    finish(connection, scope, query, found)
}

/// Cursors of a list: the total that was counted for its first page, and the position.
fn cursors(query: &ListQuery) -> Cursors<(u64, bool, Position)> {
    Cursors::of(&("list", query.kind, &query.filter, query.sort))
}

/// Rows of a page.
struct PageRows {
    ids: Vec<i64>,
    next: Option<Position>,
    total: Total,
}

fn find(connection: &Connection, scope: &Scope, query: &ListQuery, limits: PageLimits) -> Result<PageRows, SqliteError> {
    let begun = query.cursor.as_deref().map(|cursor| cursors(query).position(cursor)).transpose()?;
    let (known, after) = begun.map_or((None, None), |(count, exact, after)| (Some(Total { count, exact }), Some(after)));
    let mut condition = Condition::compile(connection, scope, query.kind, &query.filter)?;
    let sources = condition.sources();
    let smallest = smallest(connection, &condition, &sources, limits.gathered)?;
    let mut passed = None;
    if let Some((source, _)) = smallest.filter(|(_, count)| *count < limits.gathered) {
        let candidates = gather(connection, &mut condition, source)?;
        if candidates.len() <= limits.sorted {
            let total = Total { count: candidates.len() as u64, exact: true };
            let (ids, next) = sorted(connection, &condition, query, after.as_ref(), &candidates)?;
            return Ok(PageRows { ids, next, total: known.unwrap_or(total) });
        }
        passed = Some(candidates.len() as u64);
    }
    let total = match (known, passed) {
        (Some(known), _) => known,
        (None, Some(count)) => Total { count: count.min(MAX_COUNTED), exact: count <= MAX_COUNTED },
        (None, None) => match counted::total(connection, &condition, &query.filter)? {
            Some(count) => Total { count, exact: true },
            None => count(connection, &mut condition, &sources, smallest.map(|(source, _)| source), limits)?,
        },
    };
    condition.cost = 0;
    let (ids, next) = walked(connection, &mut condition, query, after.as_ref(), limits)?;
    Ok(PageRows { ids, next, total })
}

fn finish(connection: &Connection, scope: &Scope, query: &ListQuery, found: PageRows) -> Result<ListPage, SqliteError> {
    let PageRows { ids, next, total } = found;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        rows.extend(items::item(connection, query.kind, id)?);
    }
    let next = next.map(|position| cursors(query).after(&(total.count, total.exact, position))).transpose()?;
    Ok(ListPage { items: rows, next, total, queued: queued(connection, scope)? })
}

/// The source with the fewest rows, and their number, counted up to `max`.
pub(super) fn smallest<'s>(
    connection: &Connection,
    condition: &Condition,
    sources: &'s [Source],
    max: u64,
) -> Result<Option<(&'s Source, u64)>, SqliteError> {
    let mut best: Option<(&Source, u64)> = None;
    for source in sources {
        let max = best.map_or(max, |(_, count)| count);
        let count = source.count(connection, condition.table, max)?;
        if best.is_none_or(|(_, fewest)| count < fewest) {
            best = Some((source, count));
        }
    }
    Ok(best)
}

fn gather(connection: &Connection, condition: &mut Condition, source: &Source) -> Result<Vec<i64>, SqliteError> {
    let walked = source.column().unwrap_or(Column::Name);
    let mut found = Vec::new();
    source.scan(connection, condition.table, |row| {
        if condition.admits(connection, row, walked)? {
            found.push(row.id);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

type Rows = (Vec<i64>, Option<Position>);

fn sorted(
    connection: &Connection,
    condition: &Condition,
    query: &ListQuery,
    after: Option<&Position>,
    candidates: &[i64],
) -> Result<Rows, SqliteError> {
    let Sort { key, descending } = query.sort;
    let column = Column::of(key);
    let mut positions = Vec::with_capacity(candidates.len());
    for id in candidates {
        positions.extend(position(connection, condition.table, column, *id)?);
    }
    positions.retain(|position| after.is_none_or(|after| position.compare(after, column, descending).is_gt()));
    positions.sort_unstable_by(|one, other| one.compare(other, column, descending));
    let more = positions.len() > query.limit;
    positions.truncate(query.limit);
    let ids = positions.iter().map(|position| position.id).collect();
    Ok((ids, positions.pop().filter(|_| more)))
}

fn walked(
    connection: &Connection,
    condition: &mut Condition,
    query: &ListQuery,
    after: Option<&Position>,
    limits: PageLimits,
) -> Result<Rows, SqliteError> {
    let column = Column::of(query.sort.key);
    let groups = if column.is_text() { condition.groups(column) } else { None };
    let walk = Walk { connection, table: condition.table, column, descending: query.sort.descending, groups };
    let (mut ids, mut last, mut next) = (Vec::new(), None, None);
    walk.run(after, &mut |step| {
        match step {
            Step::Row(row, position) => {
                let passes = condition.admits(connection, row, column)?;
                condition.cost += 1;
                if passes && ids.len() == query.limit {
                    next = last.take();
                    return Ok(ControlFlow::Break(()));
                }
                if passes {
                    ids.push(row.id);
                    last = Some(position);
                } else if condition.cost >= limits.walked {
                    next = Some(position);
                    return Ok(ControlFlow::Break(()));
                }
            }
            Step::Group(position) => {
                condition.cost += LOOKUP_COST / 2;
                if condition.cost >= limits.walked {
                    // The next page begins before the first row of this text.
                    next = Some(Position { end: i64::MAX, id: i64::MAX, ..position });
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok((ids, next))
}

/// Counts the rows of all pages, up to a maximum.
fn count(
    connection: &Connection,
    condition: &mut Condition,
    sources: &[Source],
    smallest: Option<&Source>,
    limits: PageLimits,
) -> Result<Total, SqliteError> {
    let all = Source::Ranges(Column::End, vec![(i64::MIN, i64::MAX)]);
    let bounded = |count: u64| Total { count: count.min(MAX_COUNTED), exact: count <= MAX_COUNTED };
    if sources.len() <= 1 && condition.is_only_sources() {
        let source = sources.first().unwrap_or(&all);
        return Ok(bounded(source.count(connection, condition.table, MAX_COUNTED + 1)?));
    }
    let source = smallest.unwrap_or(&all);
    let walked = source.column().unwrap_or(Column::Name);
    let (mut found, mut ended) = (0, false);
    condition.cost = 0;
    source.scan(connection, condition.table, |row| {
        found += u64::from(condition.admits(connection, row, walked)?);
        condition.cost += 1;
        ended = found > MAX_COUNTED || condition.cost > limits.counted;
        Ok(if ended { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(Total { count: found.min(MAX_COUNTED), exact: !ended })
}
