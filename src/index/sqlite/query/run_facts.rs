//! Facts of the runs in a list: why they failed, their restarts, and the usual duration of their name.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::condition::Condition;
use super::table::{Column, Narrow, Table};
use super::{SqliteError, facts, prepare};
use crate::ids::JobId;
use crate::index::query::{Filter, ListKind, RunFacts, Scope};
use crate::index::sqlite::tables::list_rows::{JOBS_OF_UNIT, STATUS};

/// Number of runs before a run that are read for its usual duration.
const RUNS_BEFORE: i64 = 20;
/// Fewest finished runs that have a usual duration.
const MIN_RUNS: usize = 3;

/// Reads the facts of the rows of one list.
pub(super) struct RunFactsReader<'c> {
    connection: &'c Connection,
    table: Table,
    /// The rows that the client may see.
    visible: Condition,
    /// The number of the state of finished runs; `None`: no run finished.
    finished: Option<i64>,
}

impl<'c> RunFactsReader<'c> {
    pub(super) fn new(connection: &'c Connection, scope: &Scope, kind: ListKind) -> Result<Self, SqliteError> {
        let visible = Condition::compile(connection, scope, kind, &Filter::default())?;
        let finished = prepare(connection, "SELECT id FROM labels WHERE kind = ?1 AND text = 'FINISHED'")?
            .query_row([STATUS], |row| row.get(0))
            .optional()?;
        Ok(Self { connection, table: Table(kind), visible, finished })
    }

    /// The facts of a row.
    pub(super) fn read(&mut self, id: i64) -> Result<RunFacts, SqliteError> {
        let figures = facts::figures(self.connection, self.table.0, id)?;
        let only_job = if self.table.0 == ListKind::Applications { self.only_job(id)? } else { None };
        Ok(RunFacts {
            root_cause_class: figures.root_cause_class,
            restarts: figures.restarts,
            usual_duration: self.usual_duration(id)?,
            only_job,
        })
    }

    fn only_job(&self, unit: i64) -> Result<Option<String>, SqliteError> {
        let sql = format!("SELECT job FROM jobs WHERE id IN {JOBS_OF_UNIT} AND overview IS NOT NULL LIMIT 2");
        let jobs: Vec<[u8; 16]> = prepare(self.connection, &sql)?.query_map([unit], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(match jobs.as_slice() {
            [job] => Some(JobId::from_bytes(*job).to_string()),
            _ => None,
        })
    }

    /// The median duration of the finished runs before this one, of the same name.
    fn usual_duration(&mut self, id: i64) -> Result<Option<i64>, SqliteError> {
        let table = self.table.name();
        let sql = format!("SELECT name, end_time FROM {table} WHERE id = ?1");
        let Some((name, end)) = prepare(self.connection, &sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()? else {
            return Ok(None);
        };
        let (name, end): (i64, i64) = (name, end);
        let sql = format!(
            "{} WHERE name = ?1 AND (end_time, id) < (?2, ?3) ORDER BY end_time DESC, id DESC LIMIT ?4",
            self.table.select(Column::Name, "")
        );
        let mut before = prepare(self.connection, &sql)?;
        let before: Vec<Narrow> = before.query_map(params![name, end, id, RUNS_BEFORE], Narrow::read)?.collect::<Result<_, _>>()?;
        let duration = format!("SELECT duration FROM {table} WHERE id = ?1");
        let mut durations = Vec::with_capacity(before.len());
        for run in before {
            if Some(run.status) == self.finished && self.visible.admits(self.connection, &run, Column::Name)? {
                durations.push(prepare(self.connection, &duration)?.query_row([run.id], |row| row.get::<_, i64>(0))?);
            }
        }
        // An unknown duration is the smallest number.
        durations.retain(|duration| *duration >= 0);
        durations.sort_unstable();
        Ok((durations.len() >= MIN_RUNS).then(|| durations[durations.len() / 2]))
    }
}
