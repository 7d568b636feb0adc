//! Holding the cleanup of a directory until it is confirmed, and releasing it.

use rusqlite::params;

use crate::clock::Timestamp;
use crate::index::model::{HeldCleanup, RemovalState, UnitKey};
use crate::index::sqlite::acts::presence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::signed;
use crate::index::sqlite::tables::removals;
use crate::names::DirectoryUrl;

/// Records that the cleanup of a directory is held, or, with `None`, that it is not.
pub(in crate::index) fn hold(session: &mut Session<'_>, url: &DirectoryUrl, held: Option<&HeldCleanup>) -> Result<(), SqliteError> {
    let directory = session.directory(url)?;
    let changed = match held {
        Some(held) => session
            .connection
            .prepare_cached(
                "INSERT INTO held_cleanups (directory, plan, units, of, since, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO UPDATE SET plan = excluded.plan, units = excluded.units, of = excluded.of, since = excluded.since,
                     reason = excluded.reason",
            )?
            .execute(params![directory, held.plan, signed(held.units), signed(held.of), held.since, held.reason.as_str()])?,
        None => session.connection.prepare_cached("DELETE FROM held_cleanups WHERE directory = ?1")?.execute([directory])?,
    };
    session.effects.known |= changed > 0;
    Ok(())
}

/// Confirms the held cleanup of a directory, if its plan is still this one. Returns whether it is.
/// Its removals are then released with [`release`].
pub(in crate::index) fn confirm(session: &mut Session<'_>, url: &DirectoryUrl, plan: &str) -> Result<bool, SqliteError> {
    let directory = session.directory(url)?;
    let confirmed = session
        .connection
        .prepare_cached("DELETE FROM held_cleanups WHERE directory = ?1 AND plan = ?2")?
        .execute(params![directory, plan])?;
    if confirmed > 0 {
        session
            .connection
            .prepare_cached("UPDATE expiries SET confirmed = 1 WHERE directory = ?1 AND state IN (?2, ?3)")?
            .execute(params![directory, RemovalState::Held, RemovalState::Due])?;
        // A directory that is missing or empty is meant to be so.
        session
            .connection
            .prepare_cached("UPDATE directories SET vanished_since = 0 WHERE id = ?1 AND vanished_since IS NOT NULL")?
            .execute([directory])?;
        session.effects.known = true;
    }
    Ok(confirmed > 0)
}

/// Units of a directory whose removal is held and confirmed; no more than `limit`.
pub(in crate::index) fn confirmed(session: &mut Session<'_>, url: &DirectoryUrl, limit: usize) -> Result<Vec<UnitKey>, SqliteError> {
    let directory = session.directory(url)?;
    let keys = session
        .connection
        .prepare_cached("SELECT cluster, name FROM expiries WHERE directory = ?1 AND state = ?2 AND confirmed = 1 LIMIT ?3")?
        .query_map(params![directory, RemovalState::Held, signed(limit as u64)], |row| removals::key(row, url))?
        .collect::<Result<_, _>>()?;
    Ok(keys)
}

/// Makes the held removals among these units due.
pub(in crate::index) fn release(session: &mut Session<'_>, keys: &[UnitKey], at: Timestamp) -> Result<(), SqliteError> {
    for key in keys {
        let sql = "UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state = ?5";
        if removals::change(session, key, sql, &[&RemovalState::Due, &RemovalState::Held])? > 0 {
            session.effects.known = true;
            presence::expire(session, std::slice::from_ref(key), Some(at))?;
        }
    }
    Ok(())
}
