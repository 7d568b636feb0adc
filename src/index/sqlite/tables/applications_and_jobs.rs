//! Rows of applications and jobs: the columns that lists filter and sort by, and the archived object of the overview.

use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::archive::{ApplicationRecord, JobRecord, NamedJob};
use crate::clock::Timestamp;
use crate::ids::{ApplicationId, JobId};
use crate::index::sqlite::store::checks;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, stored_application};

/// State of failed tasks and jobs. Their number has a column of its own, because lists filter by it.
const FAILED: &str = "failed";

/// Columns that a record fills; without a record they are NULL.
const APPLICATION_COLUMNS: &str = "name, status, start_time, end_time, duration, jobs, failed_jobs, job_counts, overview";
const JOB_COLUMNS: &str =
    "name, status, start_time, end_time, duration, job_type, tasks, failed_tasks, task_counts, overview, end_told, told_application";
/// The first columns of a job, which lists show. The digest of a row covers them, the id and `archived`.
const CHECKED_JOB_COLUMNS: usize = 10;

/// Writes the row of an application from its summary. Returns whether it changed.
pub(in crate::index::sqlite) fn write_application(
    session: &mut Session<'_>,
    unit: i64,
    id: ApplicationId,
    record: Option<&ApplicationRecord>,
) -> Result<bool, SqliteError> {
    let columns = record.map_or_else(|| vec![Value::Null; 9], application_columns);
    let before = current(session, &format!("SELECT shown, {APPLICATION_COLUMNS} FROM applications WHERE unit = ?1"), &[&unit], 9)?;
    if before.as_ref().is_some_and(|(_, before)| *before == columns) {
        return Ok(false);
    }
    session
        .connection
        .prepare_cached(
            "INSERT INTO applications (unit, application, digest, name, status, start_time, end_time, duration, jobs, failed_jobs, job_counts,
                                       overview)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (unit) DO UPDATE SET
                 name = excluded.name, status = excluded.status, start_time = excluded.start_time, end_time = excluded.end_time,
                 duration = excluded.duration, jobs = excluded.jobs, failed_jobs = excluded.failed_jobs,
                 job_counts = excluded.job_counts, overview = excluded.overview, digest = excluded.digest",
        )?
        .execute(params_from_iter(key(unit, id.as_bytes(), checks::digest_of(id.as_bytes(), &columns)).into_iter().chain(columns)))?;
    session.effects.lists |= before.is_some_and(|(shown, _)| shown);
    Ok(true)
}

/// Writes a row for each job that a summary names. Returns the jobs that lost their row.
pub(in crate::index::sqlite) fn write_named_jobs(
    session: &mut Session<'_>,
    unit: i64,
    new_unit: bool,
    jobs: &[NamedJob],
) -> Result<Vec<JobId>, SqliteError> {
    if !new_unit {
        if are_named(session, unit, jobs)? {
            return Ok(Vec::new());
        }
        session.connection.prepare_cached("UPDATE jobs SET named = 0 WHERE unit = ?1 AND named = 1")?.execute([unit])?;
    }
    for job in jobs {
        session
            .connection
            .prepare_cached(
                "INSERT INTO jobs (unit, job, named, named_start) VALUES (?1, ?2, 1, ?3)
                 ON CONFLICT (unit, job) DO UPDATE SET named = 1, named_start = excluded.named_start",
            )?
            .execute(params![unit, job.id.as_bytes(), job.start])?;
    }
    if new_unit {
        return Ok(Vec::new());
    }
    Ok(session
        .connection
        .prepare_cached("DELETE FROM jobs WHERE unit = ?1 AND named = 0 AND archived = 0 RETURNING job")?
        .query_map([unit], |row| row.get(0))?
        .collect::<Result<_, _>>()?)
}

/// Whether exactly these jobs are named already, and no other job of the unit waits for its archive.
fn are_named(session: &Session<'_>, unit: i64, jobs: &[NamedJob]) -> Result<bool, SqliteError> {
    let mut query =
        session.connection.prepare_cached("SELECT job, named_start, named FROM jobs WHERE unit = ?1 AND (named = 1 OR archived = 0)")?;
    let mut rows = query.query([unit])?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let (id, start): (JobId, Option<Timestamp>) = (row.get(0)?, row.get(1)?);
        if !(row.get(2)? && jobs.iter().any(|job| job.id == id && job.start == start)) {
            return Ok(false);
        }
        found += 1;
    }
    Ok(found == jobs.len())
}

/// Writes the row of a job from its archive. Returns whether a value that lists show changed.
pub(in crate::index::sqlite) fn write_job(
    session: &mut Session<'_>,
    unit: i64,
    job: JobId,
    record: Option<&JobRecord>,
) -> Result<bool, SqliteError> {
    let columns = record.map_or_else(no_job_columns, job_columns);
    // A job that is only named has no columns yet, like one whose archive has no overview: `archived` distinguishes them.
    let columns_before = format!("SELECT shown, archived, {JOB_COLUMNS} FROM jobs WHERE unit = ?1 AND job = ?2");
    let before = current(session, &columns_before, &[&unit, &job.as_bytes()], 13)?;
    let archived: Vec<Value> = std::iter::once(Value::Integer(1)).chain(columns.iter().cloned()).collect();
    if before.as_ref().is_some_and(|(_, before)| *before == archived) {
        return Ok(false);
    }
    // The first column says whether the archive was read.
    let changed = before.as_ref().is_none_or(|(_, before)| before[1..] != archived[1..]);
    let digest = checks::digest_of(job.as_bytes(), &archived[..=CHECKED_JOB_COLUMNS]);
    session
        .connection
        .prepare_cached(
            "INSERT INTO jobs (unit, job, digest, archived, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks,
                               task_counts, overview, end_told, told_application)
             VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (unit, job) DO UPDATE SET
                 archived = 1, name = excluded.name, status = excluded.status, start_time = excluded.start_time,
                 end_time = excluded.end_time, duration = excluded.duration, job_type = excluded.job_type, tasks = excluded.tasks,
                 failed_tasks = excluded.failed_tasks, task_counts = excluded.task_counts, overview = excluded.overview,
                 digest = excluded.digest, end_told = excluded.end_told, told_application = excluded.told_application",
        )?
        .execute(params_from_iter(key(unit, job.as_bytes(), digest).into_iter().chain(columns)))?;
    session.effects.lists |= before.is_some_and(|(shown, _)| shown);
    Ok(changed)
}

/// Adds the row of an application from its summary, before its archives are read.
pub(in crate::index::sqlite) fn list_application(
    session: &Session<'_>,
    unit: i64,
    id: ApplicationId,
    record: &ApplicationRecord,
    shown: bool,
) -> Result<(), SqliteError> {
    let columns = application_columns(record);
    session
        .connection
        .prepare_cached(
            "INSERT INTO applications (unit, application, digest, name, status, start_time, end_time, duration, jobs, failed_jobs, job_counts,
                                       overview, shown)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(params_from_iter(
            key(unit, id.as_bytes(), checks::digest_of(id.as_bytes(), &columns)).into_iter().chain(columns).chain([shown.into()]),
        ))?;
    Ok(())
}

/// Adds the row of a job before its archive is read. `named`: as a summary names it. Without a record it is not listed yet.
pub(in crate::index::sqlite) fn list_job(
    session: &Session<'_>,
    unit: i64,
    job: JobId,
    named: Option<NamedJob>,
    record: Option<&JobRecord>,
    shown: bool,
) -> Result<(), SqliteError> {
    let columns = record.map_or_else(no_job_columns, job_columns);
    let unread: Vec<Value> = std::iter::once(Value::Integer(0)).chain(columns.iter().take(CHECKED_JOB_COLUMNS).cloned()).collect();
    let of_summary: [Value; 3] = [shown.into(), named.is_some().into(), named.and_then(|named| named.start).into()];
    session
        .connection
        .prepare_cached(
            "INSERT INTO jobs (unit, job, digest, name, status, start_time, end_time, duration, job_type, tasks, failed_tasks, task_counts,
                               overview, end_told, told_application, shown, named, named_start)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params_from_iter(
            key(unit, job.as_bytes(), checks::digest_of(job.as_bytes(), &unread)).into_iter().chain(columns).chain(of_summary),
        ))?;
    Ok(())
}

/// Removes what the summary of a unit says.
pub(in crate::index::sqlite) fn clear_summary(connection: &Connection, unit: i64) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM applications WHERE unit = ?1")?.execute([unit])?;
    connection.prepare_cached("DELETE FROM jobs WHERE unit = ?1 AND archived = 0")?.execute([unit])?;
    connection.prepare_cached("UPDATE jobs SET named = 0 WHERE unit = ?1 AND named = 1")?.execute([unit])?;
    connection.prepare_cached("UPDATE units SET complete = 0 WHERE id = ?1")?.execute([unit])?;
    Ok(())
}

/// Removes what the archive of a job says. A job that the summary names stays, as a job without an archive.
pub(in crate::index::sqlite) fn clear_job(connection: &Connection, unit: i64, job: &[u8]) -> Result<(), SqliteError> {
    connection.prepare_cached("DELETE FROM jobs WHERE unit = ?1 AND job = ?2 AND named = 0")?.execute(params![unit, job])?;
    connection
        .prepare_cached(
            "UPDATE jobs SET archived = 0, name = NULL, status = NULL, start_time = NULL, end_time = NULL, duration = NULL,
                 job_type = NULL, tasks = NULL, failed_tasks = NULL, task_counts = NULL, overview = NULL, end_told = 1,
                 told_application = NULL
             WHERE unit = ?1 AND job = ?2",
        )?
        .execute(params![unit, job])?;
    Ok(())
}

/// The columns before those of a record: unit, id and digest.
fn key(unit: i64, id: &[u8; 16], digest: i64) -> [Value; 3] {
    [unit.into(), id.to_vec().into(), digest.into()]
}

/// Whether the row is shown, and its columns.
fn current(session: &Session<'_>, sql: &str, key: &[&dyn ToSql], columns: usize) -> Result<Option<(bool, Vec<Value>)>, SqliteError> {
    Ok(session
        .connection
        .prepare_cached(sql)?
        .query_row(key, |row| Ok((row.get(0)?, (1..=columns).map(|column| row.get(column)).collect::<Result<_, _>>()?)))
        .optional()?)
}

fn application_columns(record: &ApplicationRecord) -> Vec<Value> {
    let failed = record.job_counts.iter().find(|(state, _)| state.eq_ignore_ascii_case(FAILED)).map_or(0, |(_, count)| *count);
    let jobs = record.job_counts.iter().map(|(_, count)| count).fold(0_u64, |sum, count| sum.saturating_add(*count));
    vec![
        record.name.clone().into(),
        record.status.clone().into(),
        record.start.into(),
        record.end.into(),
        record.duration.into(),
        signed(jobs).into(),
        signed(failed).into(),
        counts(&record.job_counts).into(),
        record.overview.clone().into(),
    ]
}

fn job_columns(record: &JobRecord) -> Vec<Value> {
    let count = |state: &str| record.tasks.iter().find(|(name, _)| name.eq_ignore_ascii_case(state)).map_or(0, |(_, count)| *count);
    vec![
        record.name.clone().into(),
        record.status.clone().into(),
        record.start.into(),
        record.end.into(),
        record.duration.into(),
        record.job_type.clone().into(),
        signed(count("total")).into(),
        signed(count(FAILED)).into(),
        counts(&record.tasks).into(),
        record.overview.clone().into(),
        record.end.is_some().into(),
        stored_application(record.application).into(),
    ]
}

/// Columns of a job whose archive has no overview.
fn no_job_columns() -> Vec<Value> {
    let mut columns = vec![Value::Null; 12];
    columns[10] = true.into();
    columns
}

/// Counts by state as a JSON object, in archived order.
fn counts(counts: &[(String, u64)]) -> String {
    serde_json::Value::Object(counts.iter().map(|(state, count)| (state.clone(), (*count).into())).collect()).to_string()
}
