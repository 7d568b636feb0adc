//! Rows of units.

use rusqlite::{OptionalExtension as _, params};

use crate::clock::Timestamp;
use crate::ids::{ApplicationId, JobId};
use crate::index::model::{RemovalState, UnitKey};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::unit_columns;

/// A unit's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index::sqlite) struct Unit {
    pub(in crate::index::sqlite) id: i64,
    pub(in crate::index::sqlite) complete: bool,
    pub(in crate::index::sqlite) time: Timestamp,
    pub(in crate::index::sqlite) gone_since: Option<Timestamp>,
    /// Some of its archives are listed and still to be read for the first time.
    pub(in crate::index::sqlite) queued: bool,
}

/// Ids whose shown copy must be chosen again.
#[derive(Debug, Default)]
pub(in crate::index::sqlite) struct Touched {
    pub(in crate::index::sqlite) applications: Vec<ApplicationId>,
    pub(in crate::index::sqlite) jobs: Vec<JobId>,
}

/// Finds the row of a unit.
pub(in crate::index::sqlite) fn find(session: &Session<'_>, key: &UnitKey) -> Result<Option<Unit>, SqliteError> {
    let directory = session.directory(key.directory())?;
    let (cluster, name) = unit_columns(key);
    Ok(session
        .connection
        .prepare_cached("SELECT id, complete, time, gone_since, queued FROM units WHERE directory = ?1 AND cluster = ?2 AND name = ?3")?
        .query_row(params![directory, cluster, name], |row| {
            Ok(Unit {
                id: row.get("id")?,
                complete: row.get("complete")?,
                time: row.get("time")?,
                gone_since: row.get("gone_since")?,
                queued: row.get("queued")?,
            })
        })
        .optional()?)
}

/// Adds a unit.
pub(in crate::index::sqlite) fn insert(session: &mut Session<'_>, key: &UnitKey) -> Result<Unit, SqliteError> {
    let directory = session.directory(key.directory())?;
    let (cluster, name) = unit_columns(key);
    session
        .connection
        // A unit that is to be removed and was never read is unlisted like other units that are to be removed.
        .prepare_cached(
            "INSERT INTO units (directory, cluster, name, expired_at) VALUES (?1, ?2, ?3,
                 (SELECT at FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state <> ?4))",
        )?
        .execute(params![directory, cluster, name, RemovalState::Held])?;
    session.effects.known = true;
    Ok(Unit { id: session.connection.last_insert_rowid(), complete: false, time: Timestamp::EPOCH, gone_since: None, queued: false })
}

/// Adds a unit that is listed at this time and still to be read. `None`: it is known, or it is to be removed.
pub(in crate::index::sqlite) fn insert_queued(
    session: &mut Session<'_>,
    key: &UnitKey,
    time: Timestamp,
) -> Result<Option<i64>, SqliteError> {
    let directory = session.directory(key.directory())?;
    let (cluster, name) = unit_columns(key);
    let added = session
        .connection
        .prepare_cached(
            "INSERT INTO units (directory, cluster, name, complete, time, queued) SELECT ?1, ?2, ?3, 1, ?4, 1
             WHERE NOT EXISTS (SELECT 1 FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state <> ?5)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![directory, cluster, name, time, RemovalState::Held])?;
    session.effects.known |= added > 0;
    Ok((added > 0).then(|| session.connection.last_insert_rowid()))
}

/// The directory of a unit.
pub(in crate::index::sqlite) fn directory(session: &Session<'_>, unit: i64) -> Result<i64, SqliteError> {
    Ok(session.connection.prepare_cached("SELECT directory FROM units WHERE id = ?1")?.query_row([unit], |row| row.get(0))?)
}

/// Writes the columns of a unit that can change.
pub(in crate::index::sqlite) fn update(session: &mut Session<'_>, unit: &Unit) -> Result<(), SqliteError> {
    session
        .connection
        .prepare_cached("UPDATE units SET complete = ?2, time = ?3, gone_since = ?4, queued = ?5 WHERE id = ?1")?
        .execute(params![unit.id, unit.complete, unit.time, unit.gone_since, unit.queued])?;
    session.effects.known = true;
    Ok(())
}

/// Time of the summary; without a summary, of the newest file.
pub(in crate::index::sqlite) fn time(session: &Session<'_>, unit: i64) -> Result<Timestamp, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("SELECT coalesce(max(modified) FILTER (WHERE file = x''), max(modified), 0) FROM archives WHERE unit = ?1")?
        .query_row([unit], |row| row.get(0))?)
}

/// Ids that have a row in this unit.
pub(in crate::index::sqlite) fn ids(session: &Session<'_>, unit: i64) -> Result<Touched, SqliteError> {
    let applications = session
        .connection
        .prepare_cached("SELECT application FROM applications WHERE unit = ?1")?
        .query_map([unit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let jobs = session
        .connection
        .prepare_cached("SELECT job FROM jobs WHERE unit = ?1")?
        .query_map([unit], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(Touched { applications, jobs })
}

/// Deletes a unit with all rows below it. Returns the ids whose next copy may be shown.
pub(in crate::index::sqlite) fn delete(session: &mut Session<'_>, unit: i64) -> Result<Touched, SqliteError> {
    let touched = ids(session, unit)?;
    let listed: bool = session
        .connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM applications WHERE unit = ?1 AND shown = 1 AND overview IS NOT NULL)
                 OR EXISTS (SELECT 1 FROM jobs WHERE unit = ?1 AND shown = 1 AND overview IS NOT NULL)",
        )?
        .query_row([unit], |row| row.get(0))?;
    session.connection.prepare_cached("DELETE FROM units WHERE id = ?1")?.execute([unit])?;
    session.effects.known = true;
    session.effects.lists |= listed;
    Ok(touched)
}
