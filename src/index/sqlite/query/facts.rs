//! Facts of the rows of a page, and of one job.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteError, prepare};
use crate::archive::facts::{CheckpointFacts, CompletedCheckpoint, IoFacts};
use crate::index::query::{FailureSource, JobFacts, ListKind, RootException, RunFigures};
use crate::index::sqlite::acts::links::JOBS_OF_UNIT;
use crate::index::sqlite::tables::facts::read_vertices;

/// Texts of the labels that a row of facts names.
const EXCEPTION: &str = "(SELECT text FROM labels WHERE id = f.exception), (SELECT text FROM labels WHERE id = f.cause)";

/// Figures of a run, by row.
const FIGURES: &str = "f.parallelism, f.restarts, f.read_bytes, f.write_bytes, f.read_records, f.write_records, f.checkpoints_completed,
    f.checkpoints_failed, f.last_state, f.longest_checkpoint";

/// Facts of a copy of a job; `None`: its archive was not read, or before facts were derived.
pub(super) fn of_job(connection: &Connection, unit: i64, job: [u8; 16]) -> Result<Option<JobFacts>, SqliteError> {
    let sql = format!(
        "SELECT f.parallelism, f.max_parallelism, (SELECT text FROM labels WHERE id = f.scheduler),
             (SELECT text FROM labels WHERE id = f.flink_version), f.restarts, f.read_bytes, f.write_bytes, f.read_records,
             f.write_records, f.checkpointing, f.checkpoints, f.checkpoints_completed, f.checkpoints_failed, f.checkpoints_in_progress,
             f.checkpoints_restored, f.longest_checkpoint, f.largest_state, f.largest_written, f.last_savepoint, f.last_id,
             f.last_triggered, f.last_duration, f.last_state, f.last_written, {EXCEPTION}, f.exception_message, f.cause_message,
             f.exception_at, f.vertices, f.least_restarts, f.rescales, f.has_plan, f.exception_source, f.failure_labels
         FROM jobs x JOIN job_facts f ON f.job = x.id WHERE x.unit = ?1 AND x.job = ?2"
    );
    let mut query = prepare(connection, &sql)?;
    let mut rows = query.query(params![unit, job])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let vertices = read_vertices(row.get_ref(29)?.as_blob_or_null().map_err(rusqlite::Error::from)?)?;
    Ok(Some(JobFacts {
        parallelism: row.get(0)?,
        max_parallelism: row.get(1)?,
        scheduler: row.get(2)?,
        flink_version: row.get(3)?,
        restarts: row.get(4)?,
        min_restarts: row.get(30)?,
        rescales: row.get(31)?,
        has_plan: row.get(32)?,
        io: io(row, 5)?,
        checkpoints: checkpoints(row)?,
        root_exception: root_exception(row)?,
        vertices,
    }))
}

fn io(row: &Row<'_>, first: usize) -> rusqlite::Result<IoFacts> {
    Ok(IoFacts {
        read_bytes: row.get(first)?,
        write_bytes: row.get(first + 1)?,
        read_records: row.get(first + 2)?,
        write_records: row.get(first + 3)?,
    })
}

fn checkpoints(row: &Row<'_>) -> rusqlite::Result<Option<CheckpointFacts>> {
    if !row.get::<_, bool>(9)? {
        return Ok(None);
    }
    let savepoint: Option<bool> = row.get(18)?;
    let last = savepoint.map(|savepoint| {
        Ok::<_, rusqlite::Error>(CompletedCheckpoint {
            id: row.get(19)?,
            savepoint,
            triggered: row.get(20)?,
            duration: row.get(21)?,
            state_size: row.get(22)?,
            written: row.get(23)?,
        })
    });
    Ok(Some(CheckpointFacts {
        total: row.get(10)?,
        completed: row.get(11)?,
        failed: row.get(12)?,
        in_progress: row.get(13)?,
        restored: row.get(14)?,
        last: last.transpose()?,
        longest_duration: row.get(15)?,
        largest_state_size: row.get(16)?,
        largest_written: row.get(17)?,
    }))
}

fn root_exception(row: &Row<'_>) -> rusqlite::Result<Option<RootException>> {
    let found = RootException {
        class: row.get(24)?,
        cause_class: row.get(25)?,
        message: row.get(26)?,
        cause_message: row.get(27)?,
        at: row.get(28)?,
        // Written by this server.
        labels: row.get::<_, Option<String>>(34)?.and_then(|labels| serde_json::from_str(&labels).ok()).unwrap_or_default(),
        source: FailureSource::of_number(row.get(33)?),
    };
    Ok(Some(found).filter(|found| found.class.is_some() || found.message.is_some()))
}

/// Figures of a row of a list.
pub(super) fn figures(connection: &Connection, kind: ListKind, id: i64) -> Result<RunFigures, SqliteError> {
    match kind {
        ListKind::Jobs => {
            let sql = format!("SELECT {FIGURES}, {EXCEPTION} FROM job_facts f WHERE f.job = ?1");
            let found = prepare(connection, &sql)?
                .query_row([id], |row| Ok(with_exception(figures_of(row)?, row.get(10)?, row.get(11)?)))
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
            let exception = prepare(connection, &sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            let (class, cause) = exception.unwrap_or_default();
            Ok(with_exception(RunFigures { parallelism: None, ..sum.unwrap_or_default() }, class, cause))
        }
    }
}

fn figures_of(row: &Row<'_>) -> rusqlite::Result<RunFigures> {
    Ok(RunFigures {
        parallelism: row.get(0)?,
        restarts: row.get(1)?,
        io: io(row, 2)?,
        checkpoints_completed: row.get(6)?,
        checkpoints_failed: row.get(7)?,
        last_checkpoint_size: row.get(8)?,
        longest_checkpoint_duration: row.get(9)?,
        root_exception_class: None,
        root_cause_class: None,
    })
}

fn with_exception(mut figures: RunFigures, class: Option<String>, cause: Option<String>) -> RunFigures {
    figures.root_cause_class = cause.or_else(|| class.clone());
    figures.root_exception_class = class;
    figures
}

/// Jobs of one application.
fn together(left: &RunFigures, right: &RunFigures) -> RunFigures {
    let sum = |left: Option<i64>, right: Option<i64>| match (left, right) {
        (Some(left), Some(right)) => Some(left.saturating_add(right)),
        (left, right) => left.or(right),
    };
    RunFigures {
        parallelism: None,
        // Where one is not known, the sum is not: less than all would be a wrong number.
        restarts: left.restarts.zip(right.restarts).map(|(left, right)| left.saturating_add(right)),
        io: IoFacts {
            read_bytes: sum(left.io.read_bytes, right.io.read_bytes),
            write_bytes: sum(left.io.write_bytes, right.io.write_bytes),
            read_records: sum(left.io.read_records, right.io.read_records),
            write_records: sum(left.io.write_records, right.io.write_records),
        },
        checkpoints_completed: sum(left.checkpoints_completed, right.checkpoints_completed),
        checkpoints_failed: sum(left.checkpoints_failed, right.checkpoints_failed),
        last_checkpoint_size: left.last_checkpoint_size.max(right.last_checkpoint_size),
        longest_checkpoint_duration: left.longest_checkpoint_duration.max(right.longest_checkpoint_duration),
        root_exception_class: None,
        root_cause_class: None,
    }
}
