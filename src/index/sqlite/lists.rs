//! Lists and counts, each from one snapshot.

use rusqlite::Connection;

use super::rows::{job_id, unsigned};
use super::{Failure, problems};
use crate::ids::JobId;
use crate::index::{Figures, OverviewList};

const LISTED: &str = "shown = 1 AND overview IS NOT NULL";

/// Gives every object of an overview to `row`, newest first. Answers the snapshot's generation.
pub(in crate::index) fn overview(connection: &Connection, list: OverviewList, mut row: impl FnMut(&str)) -> Result<u64, Failure> {
    let (table, id) = match list {
        OverviewList::Applications => ("applications", "application"),
        OverviewList::Jobs => ("jobs", "job"),
    };
    let generation: i64 = connection.prepare_cached("SELECT value FROM meta WHERE name = 'generation'")?.query_row([], |row| row.get(0))?;
    let mut query = connection.prepare_cached(&format!("SELECT overview FROM {table} WHERE {LISTED} ORDER BY end_time DESC, {id}"))?;
    let mut rows = query.query([])?;
    while let Some(found) = rows.next()? {
        row(found.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?);
    }
    Ok(generation.cast_unsigned())
}

/// Listed jobs by state.
pub(in crate::index) fn job_states(connection: &Connection) -> Result<Vec<(String, u64)>, Failure> {
    let states = connection
        .prepare_cached(&format!("SELECT status, count(*) FROM jobs WHERE {LISTED} GROUP BY status ORDER BY status"))?
        .query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(states)
}

/// Ids and states of listed jobs, newest first.
pub(in crate::index) fn job_ids(connection: &Connection) -> Result<Vec<(JobId, String)>, Failure> {
    let ids = connection
        .prepare_cached(&format!("SELECT job, status FROM jobs WHERE {LISTED} ORDER BY end_time DESC, job"))?
        .query_map([], |row| Ok((job_id(row, 0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// What can be counted in the file.
pub(in crate::index) fn figures(connection: &Connection) -> Result<Figures, Failure> {
    let number = |sql: &str| -> Result<u64, Failure> {
        Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0)).map(unsigned)?)
    };
    Ok(Figures {
        applications: number(&format!("SELECT count(*) FROM applications WHERE {LISTED}"))?,
        jobs: number(&format!("SELECT count(*) FROM jobs WHERE {LISTED}"))?,
        pack_bytes: number("SELECT value FROM meta WHERE name = 'pack_bytes'")?,
        gone_pack_bytes: number("SELECT value FROM meta WHERE name = 'gone_pack_bytes'")?,
        file_bytes: number("PRAGMA page_count")? * number("PRAGMA page_size")?,
        problems: unsigned(problems::count(connection)?),
        evictions: 0,
    })
}
