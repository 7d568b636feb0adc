//! A compiled filter: texts are replaced by their row ids, and each narrow row is tested with the cheapest conditions first.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension as _};

use super::names::Names;
use super::source::Source;
use super::table::{Column, Narrow, Table};
use super::{SqliteError, prepare};
use crate::index::query::{Bounds, Filter, ListKind, Scope};
use crate::index::sqlite::tables::list_rows::{ABSENT, CLUSTER, JOB_TYPE, STATUS, find_label, type_bit};
use crate::index::sqlite::visibility::Visibility;

/// Cost of a lookup of a row, in rows of a walk.
pub(super) const LOOKUP_COST: u64 = 10;

/// The admitted values of a column.
#[derive(Debug)]
pub(super) enum Choice {
    Any,
    /// These values, sorted.
    Of(Vec<i64>),
    /// Values with any of these bits.
    Bits(i64),
}

impl Choice {
    pub(super) fn admits(&self, value: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Of(values) => values.binary_search(&value).is_ok(),
            Self::Bits(bits) => value & bits != 0,
        }
    }

    fn of(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        values.dedup();
        Self::Of(values)
    }
}

/// Start, end and duration of a row, which the walked index does not have.
#[derive(Debug, Clone, Copy)]
struct Times {
    start: i64,
    end: i64,
    duration: i64,
}

/// A compiled filter.
pub(super) struct Condition {
    pub(super) table: Table,
    pub(super) status: Choice,
    pub(super) cluster: Choice,
    pub(super) directory: Choice,
    /// Directories that the scope reaches.
    visible: Choice,
    /// Units in the scope.
    visibility: Visibility,
    /// Labels of the clusters that the scope reaches; `None`: any.
    visible_clusters: Option<Vec<i64>>,
    pub(super) job_type: Choice,
    pub(super) names: Names,
    failed: Bounds,
    failed_tasks: Bounds,
    start: Bounds,
    pub(super) end: Bounds,
    duration: Bounds,
    only: Option<HashSet<i64>>,
    except: HashSet<i64>,
    /// Cost of the tests so far, in rows of a walk.
    pub(super) cost: u64,
}

impl Condition {
    pub(super) fn compile(connection: &Connection, scope: &Scope, kind: ListKind, filter: &Filter) -> Result<Self, SqliteError> {
        let labels = |kind, texts: &[String]| -> Result<Choice, SqliteError> {
            if texts.is_empty() {
                return Ok(Choice::Any);
            }
            let found: Vec<Option<i64>> = texts.iter().map(|text| find_label(connection, kind, text)).collect::<Result<_, _>>()?;
            Ok(Choice::of(found.into_iter().flatten().collect()))
        };
        let job_type = match kind {
            ListKind::Applications if filter.job_type.is_empty() => Choice::Any,
            ListKind::Applications => Choice::Bits(filter.job_type.iter().fold(0, |bits, text| bits | type_bit(text))),
            ListKind::Jobs => labels(JOB_TYPE, &filter.job_type)?,
        };
        let mut only = match filter.problems {
            Some(true) => Some(with_problems(connection, kind)?),
            _ => None,
        };
        let jobs = match filter.application {
            Some(application) => Some(jobs_of(connection, application.as_bytes())?),
            None if filter.unclaimed => Some(unclaimed(connection)?),
            None => None,
        };
        if let Some(jobs) = jobs {
            only = Some(match only {
                Some(rows) => rows.intersection(&jobs).copied().collect(),
                None => jobs,
            });
        }
        let except = if filter.problems == Some(false) { with_problems(connection, kind)? } else { HashSet::new() };
        let visibility = Visibility::of(&scope.view);
        // In the list of jobs, the column `failed` has the failed tasks.
        let (failed, failed_tasks) = match kind {
            ListKind::Applications => (filter.failed_jobs, filter.failed_tasks),
            ListKind::Jobs => (filter.failed_tasks, Bounds::default()),
        };
        Ok(Self {
            table: Table(kind),
            status: labels(STATUS, &filter.status)?,
            cluster: labels(CLUSTER, &filter.cluster)?,
            directory: directories(connection, scope, &filter.directory)?,
            visible: directories(connection, scope, &[])?,
            visible_clusters: visibility.clusters(connection, CLUSTER)?,
            visibility,
            job_type,
            names: match &filter.name {
                Some((text, how)) => Names::find(connection, text, *how)?,
                None => Names::Any,
            },
            failed,
            failed_tasks,
            start: filter.start,
            end: filter.end,
            duration: filter.duration,
            only,
            except,
            cost: 0,
        })
    }

    /// Sources that each contain all rows that can pass. Each is read by its own index.
    pub(super) fn sources(&self) -> Vec<Source> {
        let mut sources = Vec::new();
        if let Some(rows) = &self.only {
            sources.push(Source::Rows(rows.iter().copied().collect()));
        }
        let mut points = |column, values: Vec<i64>| {
            sources.push(Source::Ranges(column, values.into_iter().map(|value| (value, value)).collect()));
        };
        if let Names::Of(ids) = &self.names {
            points(Column::Name, ids.iter().copied().collect());
        }
        if let Some(clusters) = &self.visible_clusters {
            points(Column::Cluster, clusters.clone());
        }
        for (column, choice) in [
            (Column::Status, &self.status),
            (Column::Cluster, &self.cluster),
            (Column::Directory, &self.directory),
            (Column::Type, &self.job_type),
        ] {
            if let Choice::Of(values) = choice {
                points(column, values.clone());
            }
        }
        for (column, bounds) in
            [(Column::Start, self.start), (Column::End, self.end), (Column::Duration, self.duration), (Column::Failed, self.failed)]
        {
            if !bounds.is_open() {
                let range = (bounds.min.unwrap_or(ABSENT + 1).max(ABSENT + 1), bounds.max.unwrap_or(i64::MAX));
                sources.push(Source::Ranges(column, vec![range]));
            }
        }
        sources
    }

    /// Whether there are no conditions except directories.
    pub(super) fn is_open(&self) -> bool {
        self.visibility.is_by_directory()
            && matches!((&self.status, &self.cluster, &self.job_type, &self.names), (Choice::Any, Choice::Any, Choice::Any, Names::Any))
            && [self.failed, self.failed_tasks, self.start, self.end, self.duration].iter().all(Bounds::is_open)
            && self.only.is_none()
            && self.except.is_empty()
    }

    /// Whether the scope reaches a directory.
    pub(super) fn is_visible(&self, directory: i64) -> bool {
        self.visible.admits(directory)
    }

    /// Whether the directory of a row decides whether it is in the scope, so that rows can be counted without being read.
    pub(super) fn is_scoped_by_directory(&self) -> bool {
        self.visibility.is_by_directory()
    }

    /// Whether a row is in the scope.
    pub(super) fn sees(&mut self, connection: &Connection, row: &Narrow) -> Result<bool, SqliteError> {
        if let Some(verdict) = self.visibility.row(connection, row.directory, row.cluster, row.name)? {
            return Ok(verdict);
        }
        self.cost += LOOKUP_COST;
        self.sees_id(connection, row.id)
    }

    /// Whether the row with this id is in the scope.
    pub(super) fn sees_id(&mut self, connection: &Connection, id: i64) -> Result<bool, SqliteError> {
        match self.table.0 {
            ListKind::Applications => self.visibility.unit(connection, id),
            ListKind::Jobs => self.visibility.job(connection, id),
        }
    }

    /// Whether every row of one of the sources passes, except for the other sources.
    pub(super) fn is_only_sources(&self) -> bool {
        self.visibility.is_by_directory()
            && self.except.is_empty()
            && self.failed_tasks.is_open()
            && !matches!(self.names, Names::Test(_))
            && !matches!(self.job_type, Choice::Bits(_))
    }

    /// The ids in a text column that can pass, if they are known.
    pub(super) fn groups(&self, column: Column) -> Option<Vec<i64>> {
        let choice = match column {
            Column::Name => match &self.names {
                Names::Of(ids) => return Some(ids.iter().copied().collect()),
                _ => return None,
            },
            Column::Status => &self.status,
            Column::Cluster => &self.cluster,
            Column::Directory => &self.directory,
            Column::Type => &self.job_type,
            _ => return None,
        };
        match choice {
            Choice::Of(values) => Some(values.clone()),
            _ => None,
        }
    }

    /// Whether a row passes. `walked` is the column of the row's key.
    pub(super) fn admits(&mut self, connection: &Connection, row: &Narrow, walked: Column) -> Result<bool, SqliteError> {
        Ok(self.status.admits(row.status)
            && self.cluster.admits(row.cluster)
            && self.directory.admits(row.directory)
            && self.job_type.admits(row.job_type)
            && self.admits_rest(connection, row, walked, true)?)
    }

    /// Whether a row passes the conditions that are no facets. `end`: include the range of ends.
    pub(super) fn admits_rest(&mut self, connection: &Connection, row: &Narrow, walked: Column, end: bool) -> Result<bool, SqliteError> {
        self.cost += 1;
        if !within(self.failed, row.failed)
            || !within(self.failed_tasks, row.failed_tasks)
            || self.only.as_ref().is_some_and(|rows| !rows.contains(&row.id))
            || (!self.except.is_empty() && self.except.contains(&row.id))
        {
            return Ok(false);
        }
        let (name, looked_up) = self.names.admit(connection, row.name)?;
        if looked_up {
            self.cost += LOOKUP_COST;
        }
        Ok(name && self.admits_times(connection, row, walked, end)? && self.sees(connection, row)?)
    }

    fn admits_times(&mut self, connection: &Connection, row: &Narrow, walked: Column, end: bool) -> Result<bool, SqliteError> {
        let open = Bounds::default();
        let ranges = [(Column::Start, self.start), (Column::End, if end { self.end } else { open }), (Column::Duration, self.duration)];
        let mut unknown = false;
        for (column, bounds) in ranges {
            if column == walked {
                if !within(bounds, row.key) {
                    return Ok(false);
                }
            } else {
                unknown |= !bounds.is_open();
            }
        }
        if !unknown {
            return Ok(true);
        }
        self.cost += LOOKUP_COST;
        let Some(times) = times(connection, self.table, row.id)? else { return Ok(false) };
        Ok(ranges.iter().zip([times.start, times.end, times.duration]).all(|((_, bounds), value)| within(*bounds, value)))
    }
}

/// Whether a value of a narrow row is in a range.
pub(super) fn within(bounds: Bounds, value: i64) -> bool {
    bounds.is_open() || (value != ABSENT && bounds.min.is_none_or(|min| value >= min) && bounds.max.is_none_or(|max| value <= max))
}

fn times(connection: &Connection, table: Table, id: i64) -> Result<Option<Times>, SqliteError> {
    Ok(prepare(connection, &format!("SELECT start_time, end_time, duration FROM {} WHERE id = ?1", table.name()))?
        .query_row([id], |row| Ok(Times { start: row.get("start_time")?, end: row.get("end_time")?, duration: row.get("duration")? }))
        .optional()?)
}

/// The configured directories that the scope reaches and the filter admits; `Any` where these are all.
fn directories(connection: &Connection, scope: &Scope, wanted: &[String]) -> Result<Choice, SqliteError> {
    let mut query = prepare(connection, "SELECT id, url, position IS NOT NULL FROM directories")?;
    let all: Vec<(i64, String, bool)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    let admitted = |(_, url, configured): &&(i64, String, bool)| {
        *configured
            && scope.view.reaches(url)
            && (wanted.is_empty() || wanted.iter().any(|wanted| wanted.trim_end_matches('/') == url.trim_end_matches('/')))
    };
    let ids: Vec<i64> = all.iter().filter(admitted).map(|(id, ..)| *id).collect();
    Ok(if ids.len() == all.len() { Choice::Any } else { Choice::of(ids) })
}

/// Rows with recorded problems: the problems of an application are those of its unit, those of a job are those of its archive.
fn with_problems(connection: &Connection, kind: ListKind) -> Result<HashSet<i64>, SqliteError> {
    let sql = match kind {
        ListKind::Applications => {
            "SELECT p.unit FROM problems p JOIN units u ON u.id = p.unit LEFT JOIN archives a ON a.unit = p.unit AND a.file = p.archive
             WHERE u.gone_since IS NULL AND a.gone_since IS NULL"
        }
        ListKind::Jobs => {
            "SELECT j.id FROM problems p JOIN units u ON u.id = p.unit JOIN jobs j ON j.unit = p.unit AND j.job = p.archive
                 LEFT JOIN archives a ON a.unit = p.unit AND a.file = p.archive
             WHERE u.gone_since IS NULL AND a.gone_since IS NULL"
        }
    };
    Ok(prepare(connection, sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Rows of jobs that were archived without an application and that are in no summary.
fn unclaimed(connection: &Connection) -> Result<HashSet<i64>, SqliteError> {
    Ok(prepare(
        connection,
        "SELECT x.id FROM jobs x JOIN units u ON u.id = x.unit WHERE x.told_application = x'' AND x.owner IS NULL AND u.cluster = ''",
    )?
    .query_map([], |row| row.get(0))?
    .collect::<Result<_, _>>()?)
}

/// Rows of the jobs of an application, in all its copies.
fn jobs_of(connection: &Connection, application: &[u8; 16]) -> Result<HashSet<i64>, SqliteError> {
    Ok(prepare(
        connection,
        "SELECT id FROM jobs WHERE unit IN (
                 SELECT unit FROM applications WHERE application = ?1
                 UNION SELECT id FROM units WHERE name = ?1 AND complete = 0 AND cluster <> '')
         UNION SELECT x.id FROM units u JOIN jobs x ON x.owner = u.id WHERE u.name = ?1 AND u.cluster <> ''",
    )?
    .query_map([application], |row| row.get(0))?
    .collect::<Result<_, _>>()?)
}
