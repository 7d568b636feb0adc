//! Flat jobs: Flink 2.3 writes a job that fails before it is run beside the clusters, as it wrote all jobs before it had applications.
//! Only the summary of the application names such a job as its own.

use rusqlite::{OptionalExtension as _, params};

use crate::ids::JobId;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::tables::{facts, list_rows};

/// Links these jobs of one directory to their applications again, and updates the rows that depend on it.
pub(in crate::index::sqlite) fn settle(session: &mut Session<'_>, directory: i64, jobs: &[JobId]) -> Result<(), SqliteError> {
    for job in jobs {
        settle_one(session, directory, *job)?;
    }
    Ok(())
}

fn settle_one(session: &mut Session<'_>, directory: i64, job: JobId) -> Result<(), SqliteError> {
    // A row of a legacy unit.
    let found: Option<(i64, i64, Option<i64>)> = session
        .connection
        .prepare_cached(
            "SELECT x.id, x.unit, x.owner FROM units u JOIN jobs x ON x.unit = u.id AND x.job = u.name
             WHERE u.directory = ?1 AND u.cluster = '' AND u.name = ?2 AND (x.told_application IS NOT NULL OR x.owner IS NOT NULL)",
        )?
        .query_row(params![directory, job.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((row, unit, before)) = found else { return Ok(()) };
    // If several applications name it: first the one with the same start, then present ones, then the newest.
    let owner: Option<i64> = session
        .connection
        .prepare_cached(
            "SELECT n.unit FROM jobs n JOIN units u ON u.id = n.unit, jobs x
             WHERE x.id = ?1 AND n.job = x.job AND n.named = 1 AND n.archived = 0 AND u.directory = ?2 AND u.cluster <> ''
                 AND (x.told_application = x'' OR x.told_application = u.name)
             ORDER BY coalesce(n.named_start = x.start_time, 0) DESC, u.gone_since IS NULL DESC, u.time DESC, u.id LIMIT 1",
        )?
        .query_row(params![row, directory], |row| row.get(0))
        .optional()?;
    if owner != before {
        session.connection.prepare_cached("UPDATE jobs SET owner = ?2 WHERE id = ?1")?.execute(params![row, owner])?;
        session.effects.lists = true;
        session.effects.known = true;
    }
    facts::settle_failure(session.connection, owner.unwrap_or(unit), job)?;
    list_rows::sync(session.connection, unit)?;
    for application in [before, owner].into_iter().flatten() {
        list_rows::sync(session.connection, application)?;
    }
    Ok(())
}

/// Units of the flat jobs of an application.
pub(in crate::index::sqlite) fn beside(session: &Session<'_>, unit: i64) -> Result<Vec<JobId>, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("SELECT job FROM jobs WHERE owner = ?1")?
        .query_map([unit], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}
