//! Failures of jobs that only the exceptions of their application report (Flink 2.3 and later).

use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::archive::facts::{ExceptionFacts, Facts, failure_from_stack_trace};
use crate::clock::Timestamp;
use crate::ids::JobId;
use crate::index::query::FailureSource;
use crate::index::sqlite::tables::facts::{SqliteError, exception};
use crate::index::sqlite::tables::texts;
use crate::pack::{pack_text, unpack_text};

/// Replaces the failures of jobs that the summary of a unit reports.
pub(super) fn write(connection: &Connection, unit: i64, facts: &Facts) -> Result<(), SqliteError> {
    let before: Vec<JobId> = connection
        .prepare_cached("DELETE FROM told_failures WHERE unit = ?1 RETURNING job")?
        .query_map([unit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let reported = || facts.exceptions.iter().filter_map(|exception| Some((exception.job?, exception)));
    for (job, exception) in reported() {
        // The newest comes first.
        connection
            .prepare_cached("INSERT OR IGNORE INTO told_failures (unit, job, at, trace) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![unit, job.as_bytes(), exception.at, pack_text(&exception.stack_trace)])?;
    }
    for job in before.into_iter().chain(reported().map(|(job, _)| job)) {
        settle(connection, unit, job)?;
    }
    Ok(())
}

/// Gives a failed job without an exception of its own the failure that its application reports, or removes it.
pub(in crate::index::sqlite) fn settle(connection: &Connection, application: i64, job: JobId) -> Result<(), SqliteError> {
    let found: Option<(i64, Option<i64>, bool)> = connection
        .prepare_cached(
            "SELECT x.id, f.exception_source, x.status = 'FAILED' FROM jobs x JOIN job_facts f ON f.job = x.id
             WHERE x.job = ?2 AND (x.unit = ?1 OR x.owner = ?1) AND x.status IS NOT NULL ORDER BY x.unit = ?1 DESC LIMIT 1",
        )?
        .query_row(params![application, job.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((row, source, failed)) = found else { return Ok(()) };
    let from_application = FailureSource::Application.number();
    if source.is_some_and(|source| source != from_application) {
        return Ok(());
    }
    let told: Option<(Option<Timestamp>, Vec<u8>)> = connection
        .prepare_cached("SELECT at, trace FROM told_failures WHERE unit = ?1 AND job = ?2 AND ?3")?
        .query_row(params![application, job.as_bytes(), failed], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let failure: Option<ExceptionFacts> = match told {
        Some((at, trace)) => Some(failure_from_stack_trace(unpack_text(&trace)?, at)),
        None if source.is_none() => return Ok(()),
        None => None,
    };
    let columns = exception(connection, failure.as_ref())?;
    let source = failure.as_ref().map(|_| from_application);
    connection
        .prepare_cached(
            "UPDATE job_facts SET exception = ?1, exception_at = ?2, cause = ?3, exception_message = ?4, cause_message = ?5,
                 exception_source = ?6 WHERE job = ?7",
        )?
        .execute(params_from_iter(columns.into_iter().chain([source.into(), row.into()])))?;
    texts::write_failure(connection, row, failure.as_ref())
}
