//! Rows of facts that archives hold beyond their overviews, written in the same transaction as the archive.

mod reported;
mod vertices;

use crate::clock::Timestamp;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params, params_from_iter};

use crate::archive::facts::{CheckpointFacts, ExceptionFacts, ExceptionKind, Facts};
use crate::directory::FileKind;
use crate::index::query::FailureSource;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::signed;
use crate::index::sqlite::tables::list_rows::{EXCEPTION, FLINK_VERSION, SCHEDULER, label};
use crate::index::sqlite::tables::texts;

pub(in crate::index::sqlite) use reported::settle as settle_failure;
pub(in crate::index::sqlite) use vertices::read as read_vertices;

const JOB: &str = "INSERT INTO job_facts (job, parallelism, max_parallelism, scheduler, flink_version, restarts, read_bytes, write_bytes,
        read_records, write_records, checkpointing, checkpoints, checkpoints_completed, checkpoints_failed, checkpoints_in_progress,
        checkpoints_restored, longest_checkpoint, largest_state, largest_written, last_savepoint, last_id, last_triggered, last_duration,
        last_state, last_written, exception, exception_at, cause, exception_message, cause_message, vertices, least_restarts, rescales, has_plan,
        exception_source, failure_labels)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27,
        ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36)";

const APPLICATION: &str = "INSERT INTO application_facts (application, exception, exception_at, cause, exception_message, cause_message)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Replaces the facts and the searched texts of the application or job of an archive file.
pub(in crate::index::sqlite) fn write(connection: &Connection, unit: i64, kind: FileKind, facts: &Facts) -> Result<(), SqliteError> {
    match kind {
        FileKind::Summary => {
            connection.prepare_cached("DELETE FROM application_facts WHERE application = ?1")?.execute([unit])?;
            if let Some(root) = root(facts) {
                let row = std::iter::once(Value::Integer(unit)).chain(exception(connection, Some(root))?);
                connection.prepare_cached(APPLICATION)?.execute(params_from_iter(row))?;
            }
            reported::write(connection, unit, facts)?;
        }
        FileKind::Job(job) => {
            let found: Option<(i64, i64)> = connection
                .prepare_cached("SELECT id, coalesce(owner, unit) FROM jobs WHERE unit = ?1 AND job = ?2")?
                .query_row(params![unit, job.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((row, application)) = found else { return Ok(()) };
            connection.prepare_cached("DELETE FROM job_facts WHERE job = ?1")?.execute([row])?;
            connection.prepare_cached(JOB)?.execute(params_from_iter(job_row(connection, row, facts)?))?;
            texts::write_of_archive(connection, unit, kind, facts)?;
            return reported::settle(connection, application, job);
        }
    }
    texts::write_of_archive(connection, unit, kind, facts)
}

/// Whether an application or a job of a unit has a failure.
pub(in crate::index::sqlite) fn any_failure(connection: &Connection, unit: i64) -> Result<bool, SqliteError> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM application_facts WHERE application = ?1 AND exception IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM jobs JOIN job_facts ON job_facts.job = jobs.id WHERE jobs.unit = ?1 AND exception IS NOT NULL)",
        )?
        .query_row([unit], |row| row.get(0))?)
}

/// Deletes the facts of a job whose archive is forgotten, while its application still names it.
pub(in crate::index::sqlite) fn delete_of_job(connection: &Connection, unit: i64, job: &[u8]) -> Result<(), SqliteError> {
    connection
        .prepare_cached("DELETE FROM job_facts WHERE job IN (SELECT id FROM jobs WHERE unit = ?1 AND job = ?2)")?
        .execute(params![unit, job])?;
    Ok(())
}

/// The newest failure.
fn root(facts: &Facts) -> Option<&ExceptionFacts> {
    facts.exceptions.iter().find(|exception| exception.kind == ExceptionKind::Root)
}

fn job_row(connection: &Connection, row: i64, facts: &Facts) -> Result<Vec<Value>, SqliteError> {
    let text = |kind, text: Option<&String>| Ok::<_, SqliteError>(text.map(|text| label(connection, kind, Some(text))).transpose()?.into());
    let mut columns: Vec<Value> = vec![
        row.into(),
        facts.parallelism.into(),
        facts.max_parallelism.into(),
        text(SCHEDULER, facts.scheduler.as_ref())?,
        text(FLINK_VERSION, facts.flink_version.as_ref())?,
        facts.restarts.count.map(signed).into(),
        facts.io.read_bytes.into(),
        facts.io.write_bytes.into(),
        facts.io.read_records.into(),
        facts.io.write_records.into(),
    ];
    columns.extend(checkpoints(facts.checkpoints.as_ref()));
    columns.extend(exception(connection, root(facts))?);
    columns.push(vertices::write(&facts.vertices)?.into());
    columns.extend([
        signed(facts.restarts.min).into(),
        facts.restarts.rescales.map(signed).into(),
        facts.has_plan.into(),
        root(facts).map(|_| FailureSource::of(facts).number()).into(),
        root(facts).and_then(labels).into(),
    ]);
    Ok(columns)
}

/// Labels of a failure as a JSON object; `None` if there are none.
fn labels(exception: &ExceptionFacts) -> Option<String> {
    let labels = exception.labels.iter().map(|(key, value)| (key.clone(), value.clone().into()));
    (!exception.labels.is_empty()).then(|| serde_json::Value::Object(labels.collect()).to_string())
}

fn checkpoints(facts: Option<&CheckpointFacts>) -> [Value; 15] {
    let figure = |of: fn(&CheckpointFacts) -> Option<i64>| Value::from(facts.and_then(of));
    [
        i64::from(facts.is_some()).into(),
        figure(|facts| facts.total),
        figure(|facts| facts.completed),
        figure(|facts| facts.failed),
        figure(|facts| facts.in_progress),
        figure(|facts| facts.restored),
        figure(|facts| facts.longest_duration),
        figure(|facts| facts.largest_state_size),
        figure(|facts| facts.largest_written),
        figure(|facts| facts.last.as_ref().map(|last| i64::from(last.savepoint))),
        figure(|facts| facts.last.as_ref().and_then(|last| last.id)),
        figure(|facts| facts.last.as_ref().and_then(|last| last.triggered).map(Timestamp::as_millis)),
        figure(|facts| facts.last.as_ref().and_then(|last| last.duration)),
        figure(|facts| facts.last.as_ref().and_then(|last| last.state_size)),
        figure(|facts| facts.last.as_ref().and_then(|last| last.written)),
    ]
}

/// Class, time, class of the cause, and both messages.
fn exception(connection: &Connection, root: Option<&ExceptionFacts>) -> Result<[Value; 5], SqliteError> {
    let class = |class: Option<&String>| {
        let class = class.filter(|class| !class.is_empty());
        Ok::<_, SqliteError>(class.map(|class| label(connection, EXCEPTION, Some(class))).transpose()?.into())
    };
    Ok([
        class(root.map(|root| &root.class))?,
        root.and_then(|root| root.at).into(),
        class(root.and_then(|root| root.cause_class.as_ref()))?,
        root.and_then(|root| root.message.clone()).into(),
        root.and_then(|root| root.cause_message.clone()).into(),
    ])
}
