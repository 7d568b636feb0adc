//! The state of a directory or a unit in the index, for refreshes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::directory::{FileVersion, Fingerprint, FoundFile};
use crate::ids::{ApplicationId, JobId};
use crate::index::model::{FollowedLimits, KnownDirectory, KnownFile, KnownUnit, UnitKey};
use crate::index::sqlite::reads::removals::held;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{fault, unit_columns, unsigned, usual_path};
use crate::index::sqlite::tables::removals;
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// The state of a directory; empty if it is not configured.
pub(in crate::index) fn known(connection: &Connection, url: &DirectoryUrl) -> Result<KnownDirectory, SqliteError> {
    let directory = connection
        .prepare_cached("SELECT id, held_archives, vanished_since FROM directories WHERE url = ?1 AND position IS NOT NULL")?
        .query_row([url.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((directory, held_archives, vanished_since)) = directory else { return Ok(KnownDirectory::default()) };
    let mut known = KnownDirectory { held_archives, vanished_since, ..KnownDirectory::default() };
    known.removals = removals::known(connection, directory, url)?;
    known.removals.held = held(connection, Some(directory))?.pop();
    known.followed = followed(connection, directory)?;
    // A left join gives all files of a unit before those of the next. Clusters come in order: one name for all their applications.
    let mut query = connection.prepare_cached(
        "SELECT u.id, u.cluster, u.name, u.complete, u.gone_since, u.expired_at,
                a.file, a.tried, a.size, a.modified, a.parsed, a.racy, a.gone_since IS NOT NULL, a.attempts, a.next_attempt,
                a.fault, a.tried_at
         FROM units u INDEXED BY units_by_key LEFT JOIN archives a ON a.unit = u.id WHERE u.directory = ?1",
    )?;
    let mut rows = query.query([directory])?;
    let mut current: Option<(i64, Identity, KnownUnit)> = None;
    let mut cluster = ClusterName::new("");
    let mut clusters: Vec<ClusterName> = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if current.as_ref().is_none_or(|(last, _, _)| *last != id) {
            let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            if cluster.as_str() != name {
                cluster = ClusterName::new(name);
            }
            let identity =
                if name.is_empty() { Identity::LegacyJob(row.get(2)?) } else { Identity::Application(cluster.clone(), row.get(2)?) };
            let unit = KnownUnit { files: Vec::new(), complete: row.get(3)?, gone_since: row.get(4)?, expired_at: row.get(5)? };
            if unit.gone_since.is_none() && !name.is_empty() && clusters.last() != Some(&cluster) {
                clusters.push(cluster.clone());
            }
            if let Some((_, identity, unit)) = current.replace((id, identity, unit)) {
                insert(&mut known, identity, unit);
            }
        }
        if let (Some((_, _, unit)), Some(file)) = (&mut current, file(row)?) {
            unit.files.push(file);
        }
    }
    if let Some((_, identity, unit)) = current {
        insert(&mut known, identity, unit);
    }
    // A unit that was never read is known by its recorded removal alone.
    let recorded =
        known.removals.applications.keys().map(|(cluster, _)| cluster).filter(|cluster| clusters.binary_search(cluster).is_err());
    let recorded: BTreeSet<ClusterName> = recorded.cloned().collect();
    clusters.extend(recorded);
    known.clusters = clusters.into();
    known.owners = owners(connection, directory)?;
    known.unclaimed = connection
        .prepare_cached(
            "SELECT x.job FROM units u JOIN jobs x ON x.unit = u.id AND x.job = u.name
             WHERE u.directory = ?1 AND u.cluster = '' AND x.told_application IS NOT NULL AND x.owner IS NULL",
        )?
        .query_map([directory], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(known)
}

/// Whether a directory held archives, and its last listing found none.
pub(in crate::index) fn has_vanished(connection: &Connection, url: &DirectoryUrl) -> Result<bool, SqliteError> {
    let vanished = connection
        .prepare_cached("SELECT vanished_since IS NOT NULL FROM directories WHERE url = ?1")?
        .query_row([url.as_str()], |row| row.get(0))
        .optional()?;
    Ok(vanished.unwrap_or(false))
}

/// The limits of the last cleanup that was not on hold.
fn followed(connection: &Connection, directory: i64) -> Result<Option<FollowedLimits>, SqliteError> {
    let followed = connection
        .prepare_cached(
            "SELECT applications, legacy_jobs, ttl, bytes, delete_unreadable, keep_archives FROM followed_limits WHERE directory = ?1",
        )?
        .query_row([directory], |row| {
            Ok(FollowedLimits {
                applications: row.get::<_, Option<i64>>(0)?.map(unsigned),
                legacy_jobs: row.get::<_, Option<i64>>(1)?.map(unsigned),
                ttl: row.get::<_, Option<i64>>(2)?.map(|ttl| Duration::from_millis(unsigned(ttl))),
                bytes: row.get::<_, Option<i64>>(3)?.map(unsigned),
                delete_unreadable: row.get(4)?,
                keep_archives: row.get(5)?,
            })
        })
        .optional()?;
    Ok(followed)
}

/// Applications of flat jobs; for a flat job that expired with its application, the application at that time.
fn owners(connection: &Connection, directory: i64) -> Result<HashMap<JobId, (ClusterName, ApplicationId)>, SqliteError> {
    let owner = |row: &Row<'_>| Ok((row.get(0)?, (ClusterName::new(row.get::<_, String>(1)?), row.get(2)?)));
    let mut owners: HashMap<_, _> = connection
        .prepare_cached("SELECT name, owner_cluster, owner FROM expiries WHERE directory = ?1 AND cluster = '' AND owner IS NOT NULL")?
        .query_map([directory], owner)?
        .collect::<Result<_, _>>()?;
    let mut query = connection.prepare_cached(
        "SELECT x.job, o.cluster, o.name FROM jobs x JOIN units o ON o.id = x.owner WHERE x.owner IS NOT NULL AND o.directory = ?1",
    )?;
    for linked in query.query_map([directory], owner)? {
        owners.extend([linked?]);
    }
    Ok(owners)
}

enum Identity {
    Application(ClusterName, ApplicationId),
    LegacyJob(JobId),
}

fn insert(known: &mut KnownDirectory, identity: Identity, unit: KnownUnit) {
    match identity {
        Identity::Application(cluster, id) => drop(known.applications.insert((cluster, id), unit)),
        Identity::LegacyJob(job) => drop(known.legacy_jobs.insert(job, unit)),
    }
}

/// The file of a row, read by position: a refresh reads the rows of all files of a directory.
fn file(row: &Row<'_>) -> rusqlite::Result<Option<KnownFile>> {
    let Some(tried) = row.get::<_, Option<Fingerprint>>(7)? else { return Ok(None) };
    Ok(Some(KnownFile {
        kind: row.get(6)?,
        tried,
        size: unsigned(row.get(8)?),
        modified: row.get(9)?,
        parsed: row.get(10)?,
        racy: row.get(11)?,
        gone: row.get(12)?,
        attempts: row.get(13)?,
        next_attempt: row.get(14)?,
        fault: fault(row.get(15)?),
        tried_at: row.get(16)?,
    }))
}

/// Files of a unit that are in its directory, as last tried.
pub(in crate::index) fn unit_files(connection: &Connection, key: &UnitKey) -> Result<Vec<FoundFile>, SqliteError> {
    let (cluster, name) = unit_columns(key);
    let files = connection
        .prepare_cached(
            "SELECT a.file, a.path, a.size, a.modified, a.etag
             FROM units u JOIN directories d ON d.id = u.directory JOIN archives a ON a.unit = u.id
             WHERE d.url = ?1 AND u.cluster = ?2 AND u.name = ?3 AND u.gone_since IS NULL AND a.gone_since IS NULL ORDER BY a.file",
        )?
        .query_map(params![key.directory().as_str(), cluster, name], |row| {
            let kind = row.get(0)?;
            let path = row.get::<_, Option<String>>(1)?.map_or_else(|| usual_path(key, kind), FilePath::new);
            Ok(FoundFile { path, kind, version: FileVersion { size: unsigned(row.get(2)?), modified: row.get(3)?, etag: row.get(4)? } })
        })?
        .collect::<Result<_, _>>()?;
    Ok(files)
}

/// Clusters of a directory, in order: one step in the index per cluster, however many applications each has.
pub(in crate::index) fn clusters(connection: &Connection, url: &DirectoryUrl) -> Result<Vec<ClusterName>, SqliteError> {
    let clusters = connection
        .prepare_cached(
            "WITH RECURSIVE
                 root (id) AS (SELECT id FROM directories WHERE url = ?1 AND position IS NOT NULL),
                 found (name) AS (
                     SELECT (SELECT min(cluster) FROM units WHERE directory = (SELECT id FROM root) AND cluster > '')
                     UNION ALL
                     SELECT (SELECT min(cluster) FROM units WHERE directory = (SELECT id FROM root) AND cluster > found.name)
                     FROM found WHERE found.name IS NOT NULL
                 )
             SELECT name FROM found WHERE name IS NOT NULL",
        )?
        .query_map([url.as_str()], |row| row.get::<_, String>(0).map(ClusterName::new))?
        .collect::<Result<_, _>>()?;
    Ok(clusters)
}
