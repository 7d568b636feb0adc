//! The table of deletions: a record of each unit that was deleted or forgotten. Also the limits and the refresh that come before them.

use rusqlite::{Connection, params};

use crate::clock::{Timestamp, whole_millis};
use crate::index::cursor::Cursors;
use crate::index::model::{Deletion, FollowedLimits, Page, RemovalOutcome};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unit_columns, unsigned};
use crate::index::sqlite::tables::removals;
use crate::names::DirectoryUrl;

/// Records a deletion.
pub(in crate::index::sqlite) fn write(session: &Session<'_>, deletion: &Deletion) -> Result<(), SqliteError> {
    let (cluster, name) = unit_columns(&deletion.key);
    session
        .connection
        .prepare_cached(
            "INSERT INTO deletions (at, directory, cluster, name, title, status, done, reason, detail, time, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            deletion.at,
            deletion.key.directory().as_str(),
            cluster,
            name,
            deletion.name,
            deletion.status,
            deletion.done.as_str(),
            deletion.reason,
            deletion.detail,
            deletion.time,
            signed(deletion.bytes),
        ])?;
    Ok(())
}

/// The deletions, newest first, from a cursor on.
pub(in crate::index) fn deletions(connection: &Connection, cursor: Option<&str>, limit: usize) -> Result<Page<Deletion>, SqliteError> {
    let cursors = Cursors::of(&"deletions");
    let before = cursor.map_or(Ok(i64::MAX), |cursor| cursors.position(cursor))?;
    let mut query = connection.prepare_cached(
        "SELECT cluster, name, directory, at, title, status, done, reason, detail, time, bytes, id
         FROM deletions WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let mut rows: Vec<(i64, Deletion)> = query
        .query_map(params![before, signed(limit as u64 + 1)], |row| {
            let (url, done): (String, String) = (row.get(2)?, row.get(6)?);
            let deletion = Deletion {
                at: row.get(3)?,
                key: removals::key(row, &DirectoryUrl::new(url))?,
                name: row.get(4)?,
                status: row.get(5)?,
                done: RemovalOutcome::ALL.into_iter().find(|each| each.as_str() == done).unwrap_or(RemovalOutcome::Forgotten),
                reason: row.get(7)?,
                detail: row.get(8)?,
                time: row.get(9)?,
                bytes: unsigned(row.get(10)?),
            };
            Ok((row.get(11)?, deletion))
        })?
        .collect::<Result<_, _>>()?;
    let next = cursors.cut(&mut rows, limit, |(id, _)| *id)?;
    Ok(Page { rows: rows.into_iter().map(|(_, deletion)| deletion).collect(), next })
}

/// Deletes records that are older than `before`, no more than `limit`. Returns their number.
pub(in crate::index) fn prune(session: &mut Session<'_>, before: Timestamp, limit: usize) -> Result<usize, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("DELETE FROM deletions WHERE id IN (SELECT id FROM deletions WHERE at < ?1 LIMIT ?2)")?
        .execute(params![before, signed(limit as u64)])?)
}

/// Records the limits that the cleanup of a directory follows.
pub(in crate::index) fn note_followed(session: &mut Session<'_>, url: &DirectoryUrl, limits: &FollowedLimits) -> Result<(), SqliteError> {
    let directory = session.directory(url)?;
    session
        .connection
        .prepare_cached(
            "INSERT OR REPLACE INTO followed_limits (directory, applications, legacy_jobs, ttl, bytes, delete_unreadable, keep_archives)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            directory,
            limits.applications.map(signed),
            limits.legacy_jobs.map(signed),
            limits.ttl.map(|ttl| signed(whole_millis(ttl))),
            limits.bytes.map(signed),
            limits.delete_unreadable,
            limits.keep_archives,
        ])?;
    session.effects.known = true;
    Ok(())
}

/// Records the time of the last refresh.
pub(in crate::index) fn note_refresh(session: &mut Session<'_>, at: Timestamp) -> Result<(), SqliteError> {
    session.connection.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'last_refresh'")?.execute([at])?;
    Ok(())
}

/// Time of the last recorded refresh; `None` before the first.
pub(in crate::index) fn last_refresh(connection: &Connection) -> Result<Option<Timestamp>, SqliteError> {
    let at: Timestamp = connection.prepare_cached("SELECT value FROM meta WHERE name = 'last_refresh'")?.query_row([], |row| row.get(0))?;
    Ok(Some(at).filter(|at| *at != Timestamp::EPOCH))
}
