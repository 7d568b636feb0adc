//! The rows of a page of the search: gathered from the evidence of a rare term, or walked newest first.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::limits::SearchLimits;
use super::{SqliteError, prepare};
use crate::index::model::texts::TextKind;
use crate::index::query::{Bounds, Filter, ListKind, Scope, SearchQuery, Total};
use crate::index::sqlite::query::condition::Condition;
use crate::index::sqlite::query::table::{Column, Narrow, Table};
use crate::index::sqlite::visibility::Visibility;

/// The position of a row: newest end first, then applications before jobs, then the newest row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct SearchPosition {
    pub(super) end: i64,
    pub(super) kind: u8,
    pub(super) id: i64,
}

impl SearchPosition {
    /// The position before all rows with this end.
    fn before_all_at(end: i64) -> Self {
        Self { end, kind: u8::MAX, id: i64::MAX }
    }
}

/// A found row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) kind: ListKind,
    pub(super) id: i64,
}

/// A page of rows.
pub(super) struct RowPage {
    pub(super) rows: Vec<Row>,
    pub(super) next: Option<SearchPosition>,
    pub(super) exact: bool,
    /// The rows of this page and, on the first page, of those that follow.
    pub(super) total: Total,
}

/// Finds rows with evidence for every term.
pub(super) struct Seeker<'c> {
    connection: &'c Connection,
    evidence: Vec<Evidence>,
    applications: Condition,
    jobs: Condition,
    /// Range of ends.
    ends: Bounds,
    /// Units whose configuration may be found.
    configurations: Visibility,
    limits: SearchLimits,
    /// Work so far, in walked rows.
    cost: u64,
}

/// A page under construction.
struct PageBuilder {
    limit: usize,
    found: RowPage,
    last: Option<SearchPosition>,
    /// Whether the rows after a full page are counted.
    counts: bool,
    /// The work when the page was full.
    full_at: Option<u64>,
}

const BOTH: [ListKind; 2] = [ListKind::Applications, ListKind::Jobs];

fn kind_number(kind: ListKind) -> u8 {
    match kind {
        ListKind::Applications => 1,
        ListKind::Jobs => 0,
    }
}

impl<'c> Seeker<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        scope: &Scope,
        query: &SearchQuery,
        evidence: Vec<Evidence>,
        limits: SearchLimits,
    ) -> Result<Self, SqliteError> {
        let filter = Filter {
            status: query.filter.status.clone(),
            cluster: query.filter.cluster.clone(),
            directory: query.filter.directory.clone(),
            end: query.filter.end,
            ..Filter::default()
        };
        let condition = |kind| Condition::compile(connection, scope, kind, &filter);
        let (applications, jobs) = (condition(ListKind::Applications)?, condition(ListKind::Jobs)?);
        let configurations = Visibility::of(&scope.configuration);
        Ok(Self { connection, evidence, applications, jobs, ends: filter.end, configurations, limits, cost: 0 })
    }

    pub(super) fn into_evidence(self) -> (Vec<Evidence>, Visibility) {
        (self.evidence, self.configurations)
    }

    pub(super) fn page(&mut self, after: Option<SearchPosition>, limit: usize) -> Result<RowPage, SqliteError> {
        let total = Total { count: 0, exact: true };
        let found = RowPage { rows: Vec::new(), next: None, exact: true, total };
        let mut builder = PageBuilder { limit, found, last: None, counts: after.is_none(), full_at: None };
        match self.gather()? {
            Some(rows) => self.sorted(rows, after, &mut builder)?,
            None => self.walked(after, &mut builder)?,
        }
        Ok(builder.found)
    }

    /// Rows that can contain the rarest term; `None`: there are too many.
    fn gather(&self) -> Result<Option<Vec<Row>>, SqliteError> {
        let mut best: Option<Vec<Row>> = None;
        let mut known: Vec<(usize, &Evidence)> = self.evidence.iter().filter_map(|each| Some((each.size()?, each))).collect();
        known.sort_by_key(|(size, _)| *size);
        for (size, each) in known {
            let max = best.as_ref().map_or(self.limits.gathered, Vec::len);
            // A term in that many names and texts is mostly in at least as many rows.
            if size > max.saturating_mul(2) {
                break;
            }
            let mut rows = Vec::new();
            for kind in BOTH {
                let Some(found) = each.rows(self.connection, kind, max - rows.len())? else {
                    rows.clear();
                    break;
                };
                rows.extend(found.into_iter().map(|id| Row { kind, id }));
                if kind == ListKind::Jobs {
                    best = Some(std::mem::take(&mut rows));
                }
            }
        }
        Ok(best)
    }

    fn sorted(&mut self, rows: Vec<Row>, after: Option<SearchPosition>, builder: &mut PageBuilder) -> Result<(), SqliteError> {
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            let table = Table(row.kind);
            let sql = format!("SELECT {}, end_time FROM {} WHERE id = ?1", table.covered(), table.name());
            // Hidden copies have no row.
            let Some(narrow) = prepare(self.connection, &sql)?.query_row([row.id], Narrow::read).optional()? else { continue };
            let position = SearchPosition { end: narrow.key, kind: kind_number(row.kind), id: row.id };
            if after.is_none_or(|after| position < after) {
                listed.push((position, row.kind, narrow));
            }
        }
        listed.sort_unstable_by_key(|(position, ..)| std::cmp::Reverse(*position));
        for (position, kind, narrow) in listed {
            if self.visit(position, kind, &narrow, builder)? {
                break;
            }
        }
        Ok(())
    }

    fn walked(&mut self, after: Option<SearchPosition>, builder: &mut PageBuilder) -> Result<(), SqliteError> {
        let connection = self.connection;
        let after = after.into_iter().chain(self.ends.max.map(SearchPosition::before_all_at)).min();
        let sql = |kind| {
            let select = Table(kind).select(Column::End, "");
            format!("{select} WHERE (end_time, id) < (?1, ?2) AND end_time >= ?3 ORDER BY end_time DESC, id DESC")
        };
        let least = self.ends.min.unwrap_or(i64::MIN);
        let bounds = |kind| {
            let (end, id) = before(after, kind);
            [end, id, least]
        };
        let (applications, jobs) = (sql(ListKind::Applications), sql(ListKind::Jobs));
        let (mut applications, mut jobs) = (prepare(connection, &applications)?, prepare(connection, &jobs)?);
        let mut applications = applications.query(bounds(ListKind::Applications))?;
        let mut jobs = jobs.query(bounds(ListKind::Jobs))?;
        let read = |row: Option<&rusqlite::Row<'_>>, kind| -> Result<Option<(SearchPosition, Narrow)>, SqliteError> {
            let Some(row) = row else { return Ok(None) };
            let narrow = Narrow::read(row)?;
            Ok(Some((SearchPosition { end: narrow.key, kind: kind_number(kind), id: narrow.id }, narrow)))
        };
        let mut application = read(applications.next()?, ListKind::Applications)?;
        let mut job = read(jobs.next()?, ListKind::Jobs)?;
        loop {
            let application_is_next = match (&application, &job) {
                (Some((one, _)), Some((other, _))) => one > other,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => return Ok(()),
            };
            let (next, kind) =
                if application_is_next { (application.take(), ListKind::Applications) } else { (job.take(), ListKind::Jobs) };
            if let Some((position, narrow)) = next
                && self.visit(position, kind, &narrow, builder)?
            {
                return Ok(());
            }
            if application_is_next {
                application = read(applications.next()?, ListKind::Applications)?;
            } else {
                job = read(jobs.next()?, ListKind::Jobs)?;
            }
        }
    }

    /// Adds a row if it is found. Returns whether the page ends.
    fn visit(&mut self, position: SearchPosition, kind: ListKind, row: &Narrow, builder: &mut PageBuilder) -> Result<bool, SqliteError> {
        self.cost += 1;
        let found = self.has_all(kind, row)? && !self.has_only_job(kind, row)?;
        if let Some(full_at) = builder.full_at {
            builder.found.total.count += u64::from(found);
            let ends = builder.found.total.count >= self.limits.counted || self.cost - full_at >= self.limits.counting;
            builder.found.total.exact = !ends;
            return Ok(ends);
        }
        if found {
            if builder.found.rows.len() == builder.limit {
                builder.found.next = builder.last;
                builder.full_at = Some(self.cost);
                builder.found.total.count += 1;
                builder.found.total.exact = builder.counts;
                return Ok(!builder.counts);
            }
            builder.found.rows.push(Row { kind, id: row.id });
            builder.found.total.count += 1;
            builder.last = Some(position);
        } else if self.cost >= self.limits.work {
            builder.found.next = Some(position);
            builder.found.exact = false;
            builder.found.total.exact = false;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether a row is an application with exactly one job, the job is found too, and both or neither are shown.
    fn has_only_job(&mut self, kind: ListKind, row: &Narrow) -> Result<bool, SqliteError> {
        if kind != ListKind::Applications {
            return Ok(false);
        }
        let mut jobs = prepare(self.connection, "SELECT id, shown FROM jobs WHERE unit = ?1 LIMIT 2")?;
        let jobs: Vec<(i64, bool)> = jobs.query_map([row.id], |job| Ok((job.get(0)?, job.get(1)?)))?.collect::<Result<_, _>>()?;
        self.cost += 1;
        let [(job, job_is_shown)] = jobs.as_slice() else { return Ok(false) };
        let shown = "SELECT shown FROM applications WHERE unit = ?1";
        if prepare(self.connection, shown)?.query_row([row.id], |row| row.get::<_, bool>(0))? != *job_is_shown {
            return Ok(false);
        }
        let table = Table(ListKind::Jobs);
        let sql = format!("SELECT {}, end_time FROM {} WHERE id = ?1", table.covered(), table.name());
        let Some(job) = prepare(self.connection, &sql)?.query_row([job], Narrow::read).optional()? else { return Ok(false) };
        self.has_all(ListKind::Jobs, &job)
    }

    fn has_all(&mut self, kind: ListKind, row: &Narrow) -> Result<bool, SqliteError> {
        let condition = match kind {
            ListKind::Applications => &mut self.applications,
            ListKind::Jobs => &mut self.jobs,
        };
        if !condition.admits(self.connection, row, Column::End)? {
            return Ok(false);
        }
        let texts = texts(self.connection, &mut self.configurations, kind, row.id)?;
        self.cost += 1 + texts.len() as u64;
        for each in &mut self.evidence {
            let verdict = each.admits(self.connection, kind, row.id, row.name, &texts)?;
            self.cost += verdict.cost;
            if !verdict.found {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The position in the index of a kind: the rows after it also follow this position of the search.
fn before(after: Option<SearchPosition>, kind: ListKind) -> (i64, i64) {
    let Some(after) = after else { return (i64::MAX, i64::MAX) };
    match kind_number(kind).cmp(&after.kind) {
        std::cmp::Ordering::Less => (after.end, i64::MAX),
        std::cmp::Ordering::Equal => (after.end, after.id),
        std::cmp::Ordering::Greater => (after.end, i64::MIN),
    }
}

/// The texts of a row that may be found. `configurations`: the units of which the configuration may be.
pub(super) fn texts(connection: &Connection, configurations: &mut Visibility, kind: ListKind, row: i64) -> Result<Vec<i64>, SqliteError> {
    let all = match kind {
        ListKind::Applications => "SELECT text FROM application_texts WHERE application = ?1",
        ListKind::Jobs => "SELECT text FROM job_texts WHERE job = ?1",
    };
    let whole = match kind {
        ListKind::Applications => configurations.unit(connection, row)?,
        ListKind::Jobs => configurations.job(connection, row)?,
    };
    if !whole {
        let (own, cluster) = (TextKind::Configuration.number(), TextKind::ClusterConfiguration.number());
        let sql = format!("SELECT id FROM texts WHERE id IN ({all}) AND kind NOT IN (?2, ?3)");
        return Ok(prepare(connection, &sql)?.query_map(params![row, own, cluster], |row| row.get(0))?.collect::<Result<_, _>>()?);
    }
    let sql = all;
    Ok(prepare(connection, sql)?.query_map(params![row], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
