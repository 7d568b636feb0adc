//! Flink's lists, and figures, each from one snapshot.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::Connection;

use crate::ids::JobId;
use crate::index::model::{Figures, Listed, OverviewList, ProblemFilter};
use crate::index::query::{ListKind, Scope};
use crate::index::sqlite::acts::precedence::{APPLICATION_COPIES, JOB_COPIES, RANK, VISIBLE};
use crate::index::sqlite::reads::problem_pages::problem_count;
use crate::index::sqlite::reads::queued;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unsigned;
use crate::index::sqlite::tables::problems;
use crate::index::sqlite::visibility::Visibility;

/// Rows that are listed. An index covers them.
const LISTED: &str = "shown = 1 AND overview IS NOT NULL";

/// A row of one of Flink's lists.
struct ListedRow<'r> {
    id: [u8; 16],
    status: Option<&'r str>,
    overview: &'r str,
}

/// Passes the copies that Flink's lists show to a client to `visit`, newest first, until it breaks: of each id the first copy in the scope,
/// by precedence.
fn each_listed(
    connection: &Connection,
    scope: &Scope,
    list: OverviewList,
    mut visit: impl FnMut(ListedRow<'_>) -> ControlFlow<()>,
) -> Result<(), SqliteError> {
    let (kind, table, id, key) = match list {
        OverviewList::Applications => (ListKind::Applications, "applications", "application", "unit"),
        OverviewList::Jobs => (ListKind::Jobs, "jobs", "job", "id"),
    };
    // Only to a limited scope, a copy that is not shown may be the first one.
    let listed = if scope.is_everything() { LISTED } else { "overview IS NOT NULL" };
    let sql = format!("SELECT {id}, status, overview, {key}, shown, unit FROM {table} WHERE {listed} ORDER BY end_time DESC, {id}");
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query([])?;
    let mut visibility = Visibility::of(&scope.view);
    while let Some(row) = rows.next()? {
        let id: [u8; 16] = row.get(0)?;
        if !scope.is_everything() {
            let (key, shown, unit): (i64, bool, i64) = (row.get(3)?, row.get(4)?, row.get(5)?);
            if !visibility.unit(connection, unit)? || (!shown && first_visible(connection, &mut visibility, kind, id)? != Some(key)) {
                continue;
            }
        }
        let status = row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let overview = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        if visit(ListedRow { id, status, overview }).is_break() {
            break;
        }
    }
    Ok(())
}

/// The first listed copy of an id in the scope, by precedence.
fn first_visible(connection: &Connection, visibility: &mut Visibility, kind: ListKind, id: [u8; 16]) -> Result<Option<i64>, SqliteError> {
    let sql = match kind {
        ListKind::Applications => {
            format!(
                "SELECT x.unit, u.id FROM {APPLICATION_COPIES} WHERE x.application = ?1 AND x.overview IS NOT NULL AND {VISIBLE} ORDER BY {RANK}"
            )
        }
        ListKind::Jobs => {
            format!("SELECT x.id, u.id FROM {JOB_COPIES} WHERE x.job = ?1 AND x.overview IS NOT NULL AND {VISIBLE} ORDER BY {RANK}")
        }
    };
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query([id])?;
    while let Some(row) = rows.next()? {
        if visibility.unit(connection, row.get(1)?)? {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

/// Passes the objects of an overview to `row`, newest first, until it breaks. Returns the generation of the snapshot.
pub(in crate::index) fn overview(
    connection: &Connection,
    scope: &Scope,
    list: OverviewList,
    mut row: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<u64, SqliteError> {
    let generation: i64 = connection.prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?.query_row([], |row| row.get(0))?;
    each_listed(connection, scope, list, |listed| row(listed.overview))?;
    Ok(generation.cast_unsigned())
}

/// Number of listed jobs by state.
pub(in crate::index) fn job_states(connection: &Connection, scope: &Scope) -> Result<Vec<(String, u64)>, SqliteError> {
    if scope.is_everything() {
        let states = connection
            .prepare_cached(&format!("SELECT status, count(*) FROM jobs WHERE {LISTED} GROUP BY status ORDER BY status"))?
            .query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?
            .collect::<Result<_, _>>()?;
        return Ok(states);
    }
    let mut states = BTreeMap::new();
    each_listed(connection, scope, OverviewList::Jobs, |listed| {
        *states.entry(listed.status.unwrap_or_default().to_owned()).or_default() += 1;
        ControlFlow::Continue(())
    })?;
    Ok(states.into_iter().collect())
}

/// Ids and states of listed jobs, newest first.
pub(in crate::index) fn job_ids(connection: &Connection, scope: &Scope) -> Result<Vec<(JobId, String)>, SqliteError> {
    if scope.is_everything() {
        let ids = connection
            .prepare_cached(&format!("SELECT job, status FROM jobs WHERE {LISTED} ORDER BY end_time DESC, job"))?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        return Ok(ids);
    }
    let mut ids = Vec::new();
    each_listed(connection, scope, OverviewList::Jobs, |listed| {
        ids.push((JobId::from_bytes(listed.id), listed.status.unwrap_or_default().to_owned()));
        ControlFlow::Continue(())
    })?;
    Ok(ids)
}

/// Number of listed applications and jobs.
pub(in crate::index::sqlite) fn count_listed(connection: &Connection) -> Result<Listed, SqliteError> {
    let count = |table: &str| -> Result<u64, SqliteError> {
        let sql = format!("SELECT count(*) FROM {table} WHERE {LISTED}");
        Ok(connection.prepare_cached(&sql)?.query_row([], |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    Ok(Listed { applications: count("applications")?, jobs: count("jobs")? })
}

/// Figures of the file. Without a scope, the `known` numbers of listed applications and jobs are used. Bytes are those of the whole
/// file, whatever the scope is.
pub(in crate::index) fn figures(connection: &Connection, scope: &Scope, known: Listed) -> Result<Figures, SqliteError> {
    let rows = |list, known: u64| -> Result<u64, SqliteError> {
        if scope.is_everything() {
            return Ok(known);
        }
        let mut count = 0;
        each_listed(connection, scope, list, |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
        Ok(count)
    };
    let number = |sql: &str| -> Result<u64, SqliteError> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    Ok(Figures {
        applications: rows(OverviewList::Applications, known.applications)?,
        jobs: rows(OverviewList::Jobs, known.jobs)?,
        pack_bytes: number("SELECT value FROM meta WHERE name = 'pack_bytes'")?,
        gone_pack_bytes: number("SELECT value FROM meta WHERE name = 'gone_pack_bytes'")?,
        file_bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        problems: if scope.is_everything() {
            unsigned(problems::count(connection)?)
        } else {
            problem_count(connection, &scope.view, &ProblemFilter::default())?.count
        },
        evictions: 0,
        units: queued::units(connection, scope)?,
        queued: queued::queued(connection, scope)?,
    })
}
