//! Facts of the rows of a page, and of one job.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteError, prepare};
use crate::archive::facts::{CheckpointFacts, CompletedCheckpoint, IoFacts, sum_of_known};
use crate::index::query::{FailureSource, JobFacts, ListKind, RootException, RunFigures};
use crate::index::sqlite::tables::facts::read_vertices;
use crate::index::sqlite::tables::list_rows::JOBS_OF_UNIT;

/// The classes of the newest exception and of its innermost cause.
const EXCEPTION: &str = "(SELECT text FROM labels WHERE id = f.exception) AS exception_class,
    (SELECT text FROM labels WHERE id = f.cause) AS cause_class";

/// Columns of the figures of a run, see [`figures_of`].
const FIGURES: &str = "f.parallelism, f.restarts, f.read_bytes, f.write_bytes, f.read_records, f.write_records, f.checkpoints_completed,
    f.checkpoints_failed, f.last_state, f.longest_checkpoint";

/// Facts of a copy of a job; `None`: its archive was not read, or before facts were derived.
pub(super) fn of_job(connection: &Connection, unit: i64, job: [u8; 16]) -> Result<Option<JobFacts>, SqliteError> {
    let sql = format!(
        "SELECT f.parallelism, f.max_parallelism, (SELECT text FROM labels WHERE id = f.scheduler) AS scheduler,
             (SELECT text FROM labels WHERE id = f.flink_version) AS flink_version, f.restarts, f.least_restarts, f.rescales, f.has_plan,
             f.read_bytes, f.write_bytes, f.read_records, f.write_records,
             f.checkpointing, f.checkpoints, f.checkpoints_completed, f.checkpoints_failed, f.checkpoints_in_progress,
             f.checkpoints_restored, f.longest_checkpoint, f.largest_state, f.largest_written,
             f.last_savepoint, f.last_id, f.last_triggered, f.last_duration, f.last_state, f.last_written,
             {EXCEPTION}, f.exception_message, f.cause_message, f.exception_at, f.exception_source, f.failure_labels, f.vertices
         FROM jobs x JOIN job_facts f ON f.job = x.id WHERE x.unit = ?1 AND x.job = ?2"
    );
    let mut query = prepare(connection, &sql)?;
    let mut rows = query.query(params![unit, job])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(JobFacts {
        parallelism: row.get("parallelism")?,
        max_parallelism: row.get("max_parallelism")?,
        scheduler: row.get("scheduler")?,
        flink_version: row.get("flink_version")?,
        restarts: row.get("restarts")?,
        min_restarts: row.get("least_restarts")?,
        rescales: row.get("rescales")?,
        has_plan: row.get("has_plan")?,
        io: io(row)?,
        checkpoints: checkpoints(row)?,
        root_exception: root_exception(row)?,
        vertices: read_vertices(row.get_ref("vertices")?.as_blob_or_null().map_err(rusqlite::Error::from)?)?,
    }))
}

fn io(row: &Row<'_>) -> rusqlite::Result<IoFacts> {
    Ok(IoFacts {
        read_bytes: row.get("read_bytes")?,
        write_bytes: row.get("write_bytes")?,
        read_records: row.get("read_records")?,
        write_records: row.get("write_records")?,
    })
}

fn checkpoints(row: &Row<'_>) -> rusqlite::Result<Option<CheckpointFacts>> {
    if !row.get::<_, bool>("checkpointing")? {
        return Ok(None);
    }
    let last = match row.get("last_savepoint")? {
        Some(savepoint) => Some(CompletedCheckpoint {
            id: row.get("last_id")?,
            savepoint,
            triggered: row.get("last_triggered")?,
            duration: row.get("last_duration")?,
            state_size: row.get("last_state")?,
            written: row.get("last_written")?,
        }),
        None => None,
    };
    Ok(Some(CheckpointFacts {
        total: row.get("checkpoints")?,
        completed: row.get("checkpoints_completed")?,
        failed: row.get("checkpoints_failed")?,
        in_progress: row.get("checkpoints_in_progress")?,
        restored: row.get("checkpoints_restored")?,
        last,
        longest_duration: row.get("longest_checkpoint")?,
        largest_state_size: row.get("largest_state")?,
        largest_written: row.get("largest_written")?,
    }))
}

fn root_exception(row: &Row<'_>) -> rusqlite::Result<Option<RootException>> {
    let labels: Option<String> = row.get("failure_labels")?;
    let found = RootException {
        class: row.get("exception_class")?,
        cause_class: row.get("cause_class")?,
        message: row.get("exception_message")?,
        cause_message: row.get("cause_message")?,
        at: row.get("exception_at")?,
        // Written by this server.
        labels: labels.and_then(|labels| serde_json::from_str(&labels).ok()).unwrap_or_default(),
        source: FailureSource::of_number(row.get("exception_source")?),
    };
    Ok(Some(found).filter(|found| found.class.is_some() || found.message.is_some()))
}

/// Figures of a row of a list.
pub(super) fn figures(connection: &Connection, kind: ListKind, id: i64) -> Result<RunFigures, SqliteError> {
    match kind {
        ListKind::Jobs => {
            let sql = format!("SELECT {FIGURES}, {EXCEPTION} FROM job_facts f WHERE f.job = ?1");
            let found = prepare(connection, &sql)?
                .query_row([id], |row| Ok(with_exception(figures_of(row)?, row.get("exception_class")?, row.get("cause_class")?)))
                .optional()?;
            Ok(found.unwrap_or_default())
        }
        ListKind::Applications => {
            let sql = format!("SELECT {FIGURES} FROM jobs x JOIN job_facts f ON f.job = x.id WHERE x.id IN {JOBS_OF_UNIT}");
            let mut query = prepare(connection, &sql)?;
            let mut sum: Option<RunFigures> = None;
            for figures in query.query_map([id], figures_of)? {
                let figures = figures?;
                sum = Some(sum.map_or_else(|| figures.clone(), |sum| together(&sum, &figures)));
            }
            let sql = format!("SELECT {EXCEPTION} FROM application_facts f WHERE f.application = ?1");
            let exception =
                prepare(connection, &sql)?.query_row([id], |row| Ok((row.get("exception_class")?, row.get("cause_class")?))).optional()?;
            let (class, cause) = exception.unwrap_or_default();
            Ok(with_exception(RunFigures { parallelism: None, ..sum.unwrap_or_default() }, class, cause))
        }
    }
}

fn figures_of(row: &Row<'_>) -> rusqlite::Result<RunFigures> {
    Ok(RunFigures {
        parallelism: row.get("parallelism")?,
        restarts: row.get("restarts")?,
        io: io(row)?,
        checkpoints_completed: row.get("checkpoints_completed")?,
        checkpoints_failed: row.get("checkpoints_failed")?,
        last_checkpoint_size: row.get("last_state")?,
        longest_checkpoint_duration: row.get("longest_checkpoint")?,
        root_exception_class: None,
        root_cause_class: None,
    })
}

fn with_exception(mut figures: RunFigures, class: Option<String>, cause: Option<String>) -> RunFigures {
    figures.root_cause_class = cause.or_else(|| class.clone());
    figures.root_exception_class = class;
    figures
}

/// The figures of two jobs of one application together.
fn together(left: &RunFigures, right: &RunFigures) -> RunFigures {
    RunFigures {
        parallelism: None,
        // If the number of one job is unknown, the sum is unknown: without that job, it would be wrong.
        restarts: left.restarts.zip(right.restarts).map(|(left, right)| left.saturating_add(right)),
        io: left.io.plus(right.io),
        checkpoints_completed: sum_of_known(left.checkpoints_completed, right.checkpoints_completed),
        checkpoints_failed: sum_of_known(left.checkpoints_failed, right.checkpoints_failed),
        last_checkpoint_size: left.last_checkpoint_size.max(right.last_checkpoint_size),
        longest_checkpoint_duration: left.longest_checkpoint_duration.max(right.longest_checkpoint_duration),
        root_exception_class: None,
        root_cause_class: None,
    }
}
