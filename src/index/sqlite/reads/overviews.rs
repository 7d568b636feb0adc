//! Flink's lists, and figures, each from one snapshot.

use std::ops::ControlFlow;

use rusqlite::{Connection, params_from_iter};

use crate::ids::JobId;
use crate::index::model::{Figures, Listed, OverviewList};
use crate::index::query::Scope;
use crate::index::sqlite::reads::problem_pages::problem_counts;
use crate::index::sqlite::reads::queued;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unsigned;
use crate::index::sqlite::tables::problems;

/// The condition for listed rows within a scope, and its parameter. If the scope is everything, an index of the list covers it.
fn listed(scope: &Scope) -> (&'static str, Option<String>) {
    match scope.directories() {
        None => ("shown = 1 AND overview IS NOT NULL", None),
        Some(urls) => (
            "shown = 1 AND overview IS NOT NULL AND unit IN (SELECT u.id FROM directories d JOIN units u ON u.directory = d.id
                 WHERE d.url IN (SELECT value FROM json_each(?1)))",
            Some(serde_json::json!(urls).to_string()),
        ),
    }
}

/// Passes the objects of an overview to `row`, newest first, until it breaks. Returns the generation of the snapshot.
pub(in crate::index) fn overview(
    connection: &Connection,
    scope: &Scope,
    list: OverviewList,
    mut row: impl FnMut(&str) -> ControlFlow<()>,
) -> Result<u64, SqliteError> {
    let (listed, urls) = listed(scope);
    let (table, id) = match list {
        OverviewList::Applications => ("applications", "application"),
        OverviewList::Jobs => ("jobs", "job"),
    };
    let generation: i64 = connection.prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?.query_row([], |row| row.get(0))?;
    let mut query = connection.prepare_cached(&format!("SELECT overview FROM {table} WHERE {listed} ORDER BY end_time DESC, {id}"))?;
    let mut rows = query.query(params_from_iter(urls))?;
    while let Some(found) = rows.next()? {
        if row(found.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?).is_break() {
            break;
        }
    }
    Ok(generation.cast_unsigned())
}

/// Number of listed jobs by state.
pub(in crate::index) fn job_states(connection: &Connection, scope: &Scope) -> Result<Vec<(String, u64)>, SqliteError> {
    let (listed, urls) = listed(scope);
    let states = connection
        .prepare_cached(&format!("SELECT status, count(*) FROM jobs WHERE {listed} GROUP BY status ORDER BY status"))?
        .query_map(params_from_iter(urls), |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(states)
}

/// Ids and states of listed jobs, newest first.
pub(in crate::index) fn job_ids(connection: &Connection, scope: &Scope) -> Result<Vec<(JobId, String)>, SqliteError> {
    let (listed, urls) = listed(scope);
    let ids = connection
        .prepare_cached(&format!("SELECT job, status FROM jobs WHERE {listed} ORDER BY end_time DESC, job"))?
        .query_map(params_from_iter(urls), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// Number of listed applications and jobs.
pub(in crate::index::sqlite) fn count_listed(connection: &Connection) -> Result<Listed, SqliteError> {
    let count = |table: &str| -> Result<u64, SqliteError> {
        let sql = format!("SELECT count(*) FROM {table} WHERE {}", listed(&Scope::everything()).0);
        Ok(connection.prepare_cached(&sql)?.query_row([], |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    Ok(Listed { applications: count("applications")?, jobs: count("jobs")? })
}

/// Figures of the file. Without a scope, the `known` numbers of listed applications and jobs are used. Bytes are those of the whole
/// file, whatever the scope is.
pub(in crate::index) fn figures(connection: &Connection, scope: &Scope, known: Listed) -> Result<Figures, SqliteError> {
    let (listed, urls) = listed(scope);
    let rows = |table: &str, known: u64| -> Result<u64, SqliteError> {
        if scope.is_everything() {
            return Ok(known);
        }
        let mut count = connection.prepare_cached(&format!("SELECT count(*) FROM {table} WHERE {listed}"))?;
        Ok(count.query_row(params_from_iter(&urls), |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    let number = |sql: &str| -> Result<u64, SqliteError> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    Ok(Figures {
        applications: rows("applications", known.applications)?,
        jobs: rows("jobs", known.jobs)?,
        pack_bytes: number("SELECT value FROM meta WHERE name = 'pack_bytes'")?,
        gone_pack_bytes: number("SELECT value FROM meta WHERE name = 'gone_pack_bytes'")?,
        file_bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        problems: if scope.is_everything() {
            unsigned(problems::count(connection)?)
        } else {
            let counts = problem_counts(connection)?.into_iter();
            counts.filter(|(directory, ..)| scope.admits(&directory.to_string())).map(|(.., count)| count).sum()
        },
        evictions: 0,
        units: queued::units(connection, scope)?,
        queued: queued::queued(connection, scope)?,
    })
}
