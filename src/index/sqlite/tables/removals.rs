//! The table of removals (`expiries`): units that are to be deleted or forgotten, and how far that is.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::directory::{FileKind, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::{FailedRemoval, JudgedFile, KnownRemoval, KnownRemovals, Removal, RemovalAction, RemovalState, UnitKey};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unit_columns, unsigned};
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// Limit of failed removals that are reported; more of them have the same cause.
const MAX_FAILED: usize = 100;

/// Bytes of a judged file in the column `files`: the id of its job, then its fingerprint.
const FILE: usize = 24;

impl ToSql for RemovalState {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: i64 = match self {
            Self::Held => 0,
            Self::Due => 1,
            Self::Running => 2,
            Self::Forgotten => 3,
        };
        Ok(code.into())
    }
}

impl FromSql for RemovalState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value.as_i64()? {
            0 => Self::Held,
            1 => Self::Due,
            2 => Self::Running,
            _ => Self::Forgotten,
        })
    }
}

impl ToSql for RemovalAction {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let code: i64 = match self {
            Self::Delete => 0,
            Self::Forget => 1,
            Self::ForgetMissing => 2,
        };
        Ok(code.into())
    }
}

impl FromSql for RemovalAction {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(match value.as_i64()? {
            0 => Self::Delete,
            1 => Self::Forget,
            _ => Self::ForgetMissing,
        })
    }
}

/// Judged files as they are stored.
pub(in crate::index::sqlite) fn files_column(files: &[JudgedFile]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(files.len() * FILE);
    for file in files {
        // No job has the id 0: Flink draws them at random.
        let id = match file.kind {
            FileKind::Summary => [0; 16],
            FileKind::Job(job) => *job.as_bytes(),
        };
        bytes.extend(id);
        bytes.extend(file.fingerprint.0.to_be_bytes());
    }
    bytes
}

fn files(column: &[u8]) -> Vec<JudgedFile> {
    let (files, _) = column.as_chunks::<FILE>();
    files
        .iter()
        .map(|file| {
            let (mut id, mut version) = ([0; 16], [0; 8]);
            id.copy_from_slice(&file[..16]);
            version.copy_from_slice(&file[16..]);
            let kind = if id == [0; 16] { FileKind::Summary } else { FileKind::Job(JobId::from_bytes(id)) };
            JudgedFile { kind, fingerprint: Fingerprint(u64::from_be_bytes(version)) }
        })
        .collect()
}

/// The key of a unit, of the columns `cluster` and `name`.
pub(in crate::index::sqlite) fn key(row: &Row<'_>, directory: &DirectoryUrl) -> rusqlite::Result<UnitKey> {
    let cluster = row.get_ref("cluster")?.as_str().map_err(rusqlite::Error::from)?;
    Ok(if cluster.is_empty() {
        UnitKey::LegacyJob(directory.clone(), JobId::from_bytes(row.get("name")?))
    } else {
        UnitKey::application(directory, &ClusterName::new(cluster), ApplicationId::from_bytes(row.get("name")?))
    })
}

/// The removal of a unit of this directory.
pub(in crate::index::sqlite) fn removal(row: &Row<'_>, directory: &DirectoryUrl) -> rusqlite::Result<Removal> {
    let owner = match row.get::<_, Option<String>>("owner_cluster")? {
        Some(cluster) => Some((ClusterName::new(cluster), ApplicationId::from_bytes(row.get("owner")?))),
        None => None,
    };
    Ok(Removal {
        key: key(row, directory)?,
        action: row.get("removal")?,
        reason: row.get("reason")?,
        detail: row.get("detail")?,
        time: row.get("time")?,
        bytes: unsigned(row.get("bytes")?),
        folder: FilePath::new(row.get::<_, String>("folder")?),
        files: files(row.get_ref("files")?.as_blob().map_err(rusqlite::Error::from)?),
        verified: row.get("verified")?,
        owner,
    })
}

/// The removals of a directory, for the plan of a refresh, without its held cleanup.
pub(in crate::index::sqlite) fn known(connection: &Connection, directory: i64, url: &DirectoryUrl) -> Result<KnownRemovals, SqliteError> {
    let mut known = KnownRemovals::default();
    let mut query = connection.prepare_cached(
        "SELECT cluster, name, state, removal, confirmed, time, bytes, verified FROM expiries WHERE directory = ?1 ORDER BY cluster",
    )?;
    let mut rows = query.query([directory])?;
    let mut cluster = ClusterName::new("");
    while let Some(row) = rows.next()? {
        let removal = KnownRemoval {
            state: row.get("state")?,
            action: row.get("removal")?,
            confirmed: row.get("confirmed")?,
            time: row.get("time")?,
            bytes: unsigned(row.get("bytes")?),
            verified: row.get("verified")?,
        };
        let name = row.get_ref("cluster")?.as_str().map_err(rusqlite::Error::from)?;
        if name.is_empty() {
            known.legacy_jobs.insert(JobId::from_bytes(row.get("name")?), removal);
            continue;
        }
        if cluster.as_str() != name {
            cluster = ClusterName::new(name);
        }
        known.applications.insert((cluster.clone(), ApplicationId::from_bytes(row.get("name")?)), removal);
    }
    known.failed = connection
        .prepare_cached(
            "SELECT cluster, name, folder, failure, next_attempt FROM expiries WHERE directory = ?1 AND failure IS NOT NULL LIMIT ?2",
        )?
        .query_map(params![directory, signed(MAX_FAILED as u64)], |row| {
            Ok(FailedRemoval {
                key: key(row, url)?,
                folder: FilePath::new(row.get::<_, String>("folder")?),
                failure: row.get("failure")?,
                next_attempt: row.get("next_attempt")?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(known)
}

/// Runs a statement about the removal of one unit. `?1` to `?3` are the key of the unit, `?4` and the following are `values`.
/// Returns the number of changed rows.
pub(in crate::index::sqlite) fn change(
    session: &mut Session<'_>,
    key: &UnitKey,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<usize, SqliteError> {
    let directory = session.directory(key.directory())?;
    let (cluster, name) = unit_columns(key);
    let key: [&dyn ToSql; 3] = [&directory, &cluster, name];
    let changed = session.connection.prepare_cached(sql)?.execute(params_from_iter(key.iter().chain(values)))?;
    Ok(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judged_files_are_read_as_they_were_stored() {
        let judged = [
            JudgedFile { kind: FileKind::Summary, fingerprint: Fingerprint(u64::MAX) },
            JudgedFile { kind: FileKind::Job(JobId::from_bytes([7; 16])), fingerprint: Fingerprint(3) },
        ];
        assert_eq!(files(&files_column(&judged)), judged);
        assert_eq!(files(&[]), []);
    }

    #[test]
    fn states_and_actions_keep_the_values_of_released_databases() {
        let connection = Connection::open_in_memory().unwrap();
        let stored = |value: &dyn ToSql| connection.query_row("SELECT ?1", [value], |row| row.get::<_, i64>(0)).unwrap();
        let states = [RemovalState::Held, RemovalState::Due, RemovalState::Running, RemovalState::Forgotten];
        assert_eq!(states.map(|state| stored(&state)), [0, 1, 2, 3]);
        for state in states {
            assert_eq!(connection.query_row("SELECT ?1", [&state], |row| row.get::<_, RemovalState>(0)).unwrap(), state);
        }
        let actions = [RemovalAction::Delete, RemovalAction::Forget, RemovalAction::ForgetMissing];
        assert_eq!(actions.map(|action| stored(&action)), [0, 1, 2]);
        for action in actions {
            assert_eq!(connection.query_row("SELECT ?1", [&action], |row| row.get::<_, RemovalAction>(0)).unwrap(), action);
        }
    }
}
