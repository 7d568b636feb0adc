//! Items of lists, read from the wide tables for the rows of a page only.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{SqliteError, facts, prepare};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::CopySelector;
use crate::index::query::{Copies, Item, ListKind, Scope};
use crate::index::sqlite::acts::precedence::{APPLICATION_COPIES, JOB_COPIES, RANK, VISIBLE};
use crate::index::sqlite::store::values::unsigned;
use crate::index::sqlite::tables::list_rows::JOBS_OF_UNIT;
use crate::index::sqlite::tables::problems;
use crate::index::sqlite::visibility::Visibility;

/// Maximum number of jobs in the details of an application.
const MAX_JOBS: i64 = 1_000;
/// Maximum number of copies of one id.
const MAX_COPIES: i64 = 1_000;

/// Columns of a copy of an application, see [`read`].
const APPLICATION: &str = "x.application AS id, x.name AS name, x.status AS status, x.start_time AS start_time, x.end_time AS end_time,
    x.duration AS duration, x.job_counts AS counts, NULL AS job_type, NULL AS application, u.cluster AS cluster, d.url AS directory,
    u.complete AS complete, 1 AS archived, NOT u.queued AS read, coalesce(u.gone_since, a.gone_since) AS gone_since, x.shown AS shown, u.id AS unit_id,
    (SELECT count(*) FROM problems p LEFT JOIN archives f ON f.unit = p.unit AND f.file = p.archive
     WHERE p.unit = x.unit AND u.gone_since IS NULL AND f.gone_since IS NULL) AS problems, 0 AS flat";

/// Columns of a copy of a job, see [`read`]. A fault of 3 is an archive that is still to be read (`QUEUED`).
const JOB: &str = "x.job AS id, x.name AS name, x.status AS status, x.start_time AS start_time, x.end_time AS end_time,
    x.duration AS duration, x.task_counts AS counts, x.job_type AS job_type, iif(u.cluster = '', o.name, u.name) AS application,
    iif(u.cluster = '', coalesce(o.cluster, ''), u.cluster) AS cluster, d.url AS directory, u.complete AS complete,
    x.archived OR coalesce(a.fault, 0) = 3 AS archived, coalesce(a.fault, 0) <> 3 AS read, coalesce(u.gone_since, a.gone_since) AS gone_since, x.shown AS shown, u.id AS unit_id,
    (SELECT count(*) FROM problems p LEFT JOIN archives f ON f.unit = p.unit AND f.file = p.archive
     WHERE p.unit = x.unit AND p.archive = x.job AND u.gone_since IS NULL AND f.gone_since IS NULL) AS problems,
    u.cluster = '' AS flat";

/// The item of one row of a list.
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
    let (columns, copies, id_column) = match kind {
        ListKind::Applications => (APPLICATION, APPLICATION_COPIES, "x.application"),
        ListKind::Jobs => (JOB, JOB_COPIES, "x.job"),
    };
    let sql = format!(
        "SELECT {columns} FROM {copies} WHERE {id_column} = ?1 AND x.overview IS NOT NULL AND {VISIBLE} ORDER BY {RANK} LIMIT {MAX_COPIES}"
    );
    let mut query = prepare(connection, &sql)?;
    let found: Vec<(i64, Item)> = query.query_map([id], |row| Ok((row.get("unit_id")?, read(kind, row)?)))?.collect::<Result<_, _>>()?;
    let mut visibility = Visibility::of(&scope.view);
    let mut visible = Vec::with_capacity(found.len());
    for copy in found {
        if visibility.unit(connection, copy.0)? {
            visible.push(copy);
        }
    }
    let found = visible;
    let is_wanted = |item: &Item| is_selected(wanted, &item.directory, item.cluster.as_deref().unwrap_or_default(), item.flat);
    let Some((unit, item)) = found.iter().find(|(_, item)| is_wanted(item)).cloned() else { return Ok(None) };
    let (archive, jobs, facts) = match kind {
        ListKind::Applications => (None, jobs_of(connection, unit)?, None),
        ListKind::Jobs => (Some(&id[..]), Vec::new(), facts::of_job(connection, unit, id)?),
    };
    let problems = problems::of_archive(connection, unit, archive)?;
    Ok(Some(Copies { item, copies: found.into_iter().map(|(_, item)| item).collect(), problems, jobs, facts }))
}

/// Whether a selector selects a copy.
fn is_selected(wanted: &CopySelector, directory: &str, cluster: &str, flat: bool) -> bool {
    wanted.directory.as_ref().is_none_or(|url| url.trim_end_matches('/') == directory.trim_end_matches('/'))
        && wanted.cluster.as_ref().is_none_or(|wanted| wanted == cluster || (flat && wanted.is_empty()))
}

/// The copy that answers a client, and which more of it the client may see.
#[derive(Debug)]
pub(in crate::index) struct Seen {
    /// Selects the copy.
    pub(in crate::index) copy: CopySelector,
    /// Its configuration.
    pub(in crate::index) configuration: bool,
    /// Its archive files.
    pub(in crate::index) download: bool,
}

/// The copy that precedence or `wanted` selects among those in the scope.
pub(in crate::index) fn seen(
    connection: &Connection,
    scope: &Scope,
    kind: ListKind,
    id: [u8; 16],
    wanted: &CopySelector,
) -> Result<Option<Seen>, SqliteError> {
    let (columns, copies, id_column) = match kind {
        ListKind::Applications => ("u.cluster, 0", APPLICATION_COPIES, "x.application"),
        ListKind::Jobs => ("iif(u.cluster = '', coalesce(o.cluster, ''), u.cluster), u.cluster = ''", JOB_COPIES, "x.job"),
    };
    let sql =
        format!("SELECT u.id, d.url, {columns} FROM {copies} WHERE {id_column} = ?1 AND {VISIBLE} ORDER BY {RANK} LIMIT {MAX_COPIES}");
    let mut query = prepare(connection, &sql)?;
    let mut rows = query.query([id])?;
    let mut visibility = Visibility::of(&scope.view);
    while let Some(row) = rows.next()? {
        let (unit, directory, cluster): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if is_selected(wanted, &directory, &cluster, row.get(3)?) && visibility.unit(connection, unit)? {
            return Ok(Some(Seen {
                configuration: Visibility::of(&scope.configuration).unit(connection, unit)?,
                download: Visibility::of(&scope.download).unit(connection, unit)?,
                copy: CopySelector { directory: Some(directory), cluster: Some(cluster) },
            }));
        }
    }
    Ok(None)
}

fn jobs_of(connection: &Connection, unit: i64) -> Result<Vec<Item>, SqliteError> {
    let sql = format!("SELECT {JOB} FROM {JOB_COPIES} WHERE x.id IN {JOBS_OF_UNIT} ORDER BY x.end_time DESC, x.job LIMIT ?2");
    let mut query = prepare(connection, &sql)?;
    Ok(query.query_map(params![unit, MAX_JOBS], |row| read(ListKind::Jobs, row))?.collect::<Result<_, _>>()?)
}

fn read(kind: ListKind, row: &Row<'_>) -> rusqlite::Result<Item> {
    let id: [u8; 16] = row.get("id")?;
    let counts: Option<String> = row.get("counts")?;
    let application: Option<[u8; 16]> = row.get("application")?;
    let cluster: String = row.get("cluster")?;
    Ok(Item {
        id: match kind {
            ListKind::Applications => ApplicationId::from_bytes(id).to_string(),
            ListKind::Jobs => JobId::from_bytes(id).to_string(),
        },
        name: row.get("name")?,
        status: row.get("status")?,
        start: row.get("start_time")?,
        end: row.get("end_time")?,
        duration: row.get("duration")?,
        // Written by this server from parsed counts.
        counts: counts.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        job_type: row.get("job_type")?,
        application: application.map(|id| ApplicationId::from_bytes(id).to_string()),
        cluster: (!cluster.is_empty()).then_some(cluster),
        directory: row.get("directory")?,
        complete: row.get("complete")?,
        archived: row.get("archived")?,
        read: row.get("read")?,
        gone_since: row.get("gone_since")?,
        shown: row.get("shown")?,
        flat: row.get("flat")?,
        problems: unsigned(row.get("problems")?),
        run_facts: None,
    })
}
