//! Jobs of an application whose archives lie beside the clusters: Flink 2.3 writes a job that fails before it is run as it wrote jobs
//! before it had applications, and only the summary of the application says whose it is.

use rusqlite::{OptionalExtension as _, params};

use crate::archive::facts::JobApplication;
use crate::ids::JobId;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::tables::{facts, list_rows};

/// As stored: NULL where the details have no such member, empty where they name no application.
pub(in crate::index::sqlite) fn told_column(application: JobApplication) -> Option<Vec<u8>> {
    match application {
        JobApplication::NotArchived => None,
        JobApplication::Null => Some(Vec::new()),
        JobApplication::Named(id) => Some(id.as_bytes().to_vec()),
    }
}

/// Jobs that an application's row of a unit stands for: its own, then those that lie beside the clusters. Of a job that is there twice the
/// row that only says its name is left out.
pub(in crate::index::sqlite) const JOBS_OF_UNIT: &str = "(SELECT id FROM jobs WHERE unit = ?1 AND (archived = 1
         OR NOT EXISTS (SELECT 1 FROM jobs beside WHERE beside.owner = ?1 AND beside.job = jobs.job))
     UNION ALL SELECT id FROM jobs WHERE owner = ?1)";

/// Finds out again whose these jobs are, in one directory, and brings up to date what depends on it.
pub(in crate::index::sqlite) fn settle(session: &mut Session<'_>, directory: i64, jobs: &[JobId]) -> Result<(), SqliteError> {
    for job in jobs {
        settle_one(session, directory, *job)?;
    }
    Ok(())
}

fn settle_one(session: &mut Session<'_>, directory: i64, job: JobId) -> Result<(), SqliteError> {
    // A row that only a legacy unit has.
    let found: Option<(i64, i64, Option<i64>)> = session
        .connection
        .prepare_cached(
            "SELECT x.id, x.unit, x.owner FROM units u JOIN jobs x ON x.unit = u.id AND x.job = u.name
             WHERE u.directory = ?1 AND u.cluster = '' AND u.name = ?2 AND (x.told_application IS NOT NULL OR x.owner IS NOT NULL)",
        )?
        .query_row(params![directory, job.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((row, unit, before)) = found else { return Ok(()) };
    // Of several that name it: the one with its start, then what is present, then the newest.
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

/// Units of jobs that belong to an application and lie beside the clusters.
pub(in crate::index::sqlite) fn beside(session: &Session<'_>, unit: i64) -> Result<Vec<JobId>, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("SELECT job FROM jobs WHERE owner = ?1")?
        .query_map([unit], |row| crate::index::sqlite::store::values::job_id(row, 0))?
        .collect::<Result<_, _>>()?)
}
