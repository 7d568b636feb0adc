//! Rows as they are told: the wide ones, for those of a page alone.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteError, facts, prepare};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::CopySelector;
use crate::index::query::{Copies, Item, ListKind, Scope};
use crate::index::sqlite::acts::links::JOBS_OF_UNIT;
use crate::index::sqlite::acts::precedence::{APPLICATION_COPIES, JOB_COPIES, RANK, VISIBLE};
use crate::index::sqlite::store::values::unsigned;
use crate::index::sqlite::tables::problems;

/// Jobs of an application that are told with it, at most.
const MOST_JOBS: i64 = 1_000;
/// Copies of one id that are told, at most.
const MOST_COPIES: i64 = 1_000;

const APPLICATION: &str =
    "x.application, x.name, x.status, x.start_time, x.end_time, x.duration, x.job_counts, NULL, NULL, u.cluster, d.url,
    u.complete, 1, coalesce(u.gone_since, a.gone_since), x.shown, u.id,
    (SELECT count(*) FROM problems p LEFT JOIN archives f ON f.unit = p.unit AND f.file = p.archive
     WHERE p.unit = x.unit AND u.gone_since IS NULL AND f.gone_since IS NULL), 0";

const JOB: &str = "x.job, x.name, x.status, x.start_time, x.end_time, x.duration, x.task_counts, x.job_type,
    iif(u.cluster = '', o.name, u.name), iif(u.cluster = '', coalesce(o.cluster, ''), u.cluster), d.url, u.complete, x.archived, coalesce(u.gone_since, a.gone_since), x.shown, u.id,
    (SELECT count(*) FROM problems p LEFT JOIN archives f ON f.unit = p.unit AND f.file = p.archive
     WHERE p.unit = x.unit AND p.archive = x.job AND u.gone_since IS NULL AND f.gone_since IS NULL), u.cluster = ''";

/// One row of a list.
pub(super) fn item(connection: &Connection, kind: ListKind, id: i64) -> Result<Option<Item>, SqliteError> {
    let sql = match kind {
        ListKind::Applications => format!("SELECT {APPLICATION} FROM {APPLICATION_COPIES} WHERE x.unit = ?1"),
        ListKind::Jobs => format!("SELECT {JOB} FROM {JOB_COPIES} WHERE x.id = ?1"),
    };
    Ok(prepare(connection, &sql)?.query_row([id], |row| read(kind, row)).optional()?)
}

/// One application or job with all its copies.
pub(in crate::index) fn copies(
    connection: &Connection,
    scope: &Scope,
    kind: ListKind,
    id: [u8; 16],
    wanted: &CopySelector,
) -> Result<Option<Copies>, SqliteError> {
    let sql = match kind {
        ListKind::Applications => {
            format!(
                "SELECT {APPLICATION} FROM {APPLICATION_COPIES} WHERE x.application = ?1 AND x.overview IS NOT NULL AND {VISIBLE} ORDER BY {RANK} LIMIT {MOST_COPIES}"
            )
        }
        ListKind::Jobs => {
            format!(
                "SELECT {JOB} FROM {JOB_COPIES} WHERE x.job = ?1 AND x.overview IS NOT NULL AND {VISIBLE} ORDER BY {RANK} LIMIT {MOST_COPIES}"
            )
        }
    };
    let mut query = prepare(connection, &sql)?;
    let found: Vec<(i64, Item)> = query.query_map([id], |row| Ok((row.get(15)?, read(kind, row)?)))?.collect::<Result<_, _>>()?;
    let found: Vec<_> = found.into_iter().filter(|(_, item)| scope.admits(&item.directory)).collect();
    let is_wanted = |item: &Item| {
        wanted.directory.as_ref().is_none_or(|url| url.trim_end_matches('/') == item.directory.trim_end_matches('/'))
            && wanted
                .cluster
                .as_ref()
                .is_none_or(|cluster| cluster == item.cluster.as_deref().unwrap_or_default() || (item.flat && cluster.is_empty()))
    };
    let Some((unit, item)) = found.iter().find(|(_, item)| is_wanted(item)).cloned() else { return Ok(None) };
    let (archive, jobs, facts) = match kind {
        ListKind::Applications => (None, jobs_of(connection, unit)?, None),
        ListKind::Jobs => (Some(&id[..]), Vec::new(), facts::of_job(connection, unit, id)?),
    };
    let problems = problems::of_archive(connection, unit, archive)?;
    Ok(Some(Copies { item, copies: found.into_iter().map(|(_, item)| item).collect(), problems, jobs, facts }))
}

fn jobs_of(connection: &Connection, unit: i64) -> Result<Vec<Item>, SqliteError> {
    let sql = format!("SELECT {JOB} FROM {JOB_COPIES} WHERE x.id IN {JOBS_OF_UNIT} ORDER BY x.end_time DESC, x.job LIMIT ?2");
    let mut query = prepare(connection, &sql)?;
    Ok(query.query_map(params![unit, MOST_JOBS], |row| read(ListKind::Jobs, row))?.collect::<Result<_, _>>()?)
}

fn read(kind: ListKind, row: &Row<'_>) -> rusqlite::Result<Item> {
    let id: [u8; 16] = row.get(0)?;
    let counts: Option<String> = row.get(6)?;
    let application: Option<[u8; 16]> = row.get(8)?;
    let cluster: String = row.get(9)?;
    Ok(Item {
        id: match kind {
            ListKind::Applications => ApplicationId::from_bytes(id).to_string(),
            ListKind::Jobs => JobId::from_bytes(id).to_string(),
        },
        name: row.get(1)?,
        status: row.get(2)?,
        start: row.get(3)?,
        end: row.get(4)?,
        duration: row.get(5)?,
        // Written by this server from counts that it had read.
        counts: counts.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        job_type: row.get(7)?,
        application: application.map(|id| ApplicationId::from_bytes(id).to_string()),
        cluster: (!cluster.is_empty()).then_some(cluster),
        directory: row.get(10)?,
        complete: row.get(11)?,
        archived: row.get(12)?,
        gone_since: row.get(13)?,
        shown: row.get(14)?,
        flat: row.get(17)?,
        problems: unsigned(row.get(16)?),
    })
}
