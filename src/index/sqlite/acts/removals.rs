//! Removals: recorded, withdrawn, started, failed, finished.

use rusqlite::OptionalExtension as _;

use crate::clock::Timestamp;
use crate::index::model::{Deletion, FailedAttempt, Removal, RemovalAction, RemovalOutcome, RemovalState, UnitKey};
use crate::index::sqlite::acts::presence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};
use crate::index::sqlite::tables::units::{self, Unit};
use crate::index::sqlite::tables::{deletions, removals};

/// Records removals in this state, unless they are running already. Units whose removal is due are unlisted at once.
pub(in crate::index) fn record(session: &mut Session<'_>, all: &[Removal], state: RemovalState, at: Timestamp) -> Result<(), SqliteError> {
    for removal in all {
        removals::change(
            session,
            &removal.key,
            "INSERT INTO expiries (directory, cluster, name, state, removal, reason, detail, time, bytes, at, folder, files, verified,
                 owner_cluster, owner)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT DO UPDATE SET state = excluded.state, removal = excluded.removal, reason = excluded.reason,
                 detail = excluded.detail, time = excluded.time, bytes = excluded.bytes, at = excluded.at,
                 folder = excluded.folder, files = excluded.files, verified = excluded.verified,
                 owner_cluster = excluded.owner_cluster, owner = excluded.owner WHERE expiries.state <> ?16",
            &[
                &state,
                &removal.action,
                &removal.reason,
                &removal.detail,
                &removal.time,
                &signed(removal.bytes),
                &at,
                &removal.folder.as_str(),
                &removals::files_column(&removal.files),
                &removal.verified,
                &removal.owner.as_ref().map(|(cluster, _)| cluster.as_str()),
                &removal.owner.as_ref().map(|(_, id)| id.as_bytes()),
                &RemovalState::Running,
            ],
        )?;
        session.effects.known = true;
        if state == RemovalState::Due {
            presence::expire(session, std::slice::from_ref(&removal.key), Some(at))?;
        }
    }
    Ok(())
}

/// Withdraws removals that are not running: their units are listed again.
pub(in crate::index) fn withdraw(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        let sql = "DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state <> ?4";
        if removals::change(session, key, sql, &[&RemovalState::Running])? > 0 {
            session.effects.known = true;
            presence::expire(session, std::slice::from_ref(key), None)?;
        }
    }
    Ok(())
}

/// Records that files of these units are about to be deleted. Returns the units whose removal still stands.
pub(in crate::index) fn start(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<Vec<UnitKey>, SqliteError> {
    let mut standing = Vec::with_capacity(keys.len());
    for key in keys {
        let sql = "UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (?4, ?5)";
        if removals::change(session, key, sql, &[&RemovalState::Running, &RemovalState::Due])? > 0 {
            session.effects.known = true;
            standing.push(key.clone());
        }
    }
    Ok(standing)
}

/// Withdraws removals although they are running, because the present files were never judged.
pub(in crate::index) fn abandon(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        removals::change(session, key, "DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3", &[])?;
    }
    session.effects.known = true;
    presence::expire(session, keys, None)
}

/// Makes running removals due again, because no file was deleted.
pub(in crate::index) fn reset(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        let sql = "UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3";
        removals::change(session, key, sql, &[&RemovalState::Due])?;
    }
    session.effects.known = true;
    Ok(())
}

/// Records failed attempts, and when the next are due.
pub(in crate::index) fn fail(session: &mut Session<'_>, attempts: &[FailedAttempt]) -> Result<(), SqliteError> {
    for attempt in attempts {
        let state = if attempt.partly_deleted { RemovalState::Running } else { RemovalState::Due };
        removals::change(
            session,
            &attempt.key,
            "UPDATE expiries SET state = ?6, attempts = attempts + 1, failure = ?4, next_attempt = ?5
             WHERE directory = ?1 AND cluster = ?2 AND name = ?3",
            &[&attempt.failure, &attempt.next_attempt, &state],
        )?;
    }
    session.effects.known = true;
    Ok(())
}

/// Forgets units, with all below them, and records that in the same transaction.
/// Returns the records. A removal that no longer stands is left alone.
pub(in crate::index) fn finish(
    session: &mut Session<'_>,
    done: &[(Removal, RemovalOutcome)],
    at: Timestamp,
) -> Result<Vec<Deletion>, SqliteError> {
    let mut written = Vec::with_capacity(done.len());
    for (removal, outcome) in done {
        let unit = units::find(session, &removal.key)?;
        if removal.action == RemovalAction::ForgetMissing && unit.is_none_or(|unit| unit.gone_since.is_none()) {
            // It was forgotten meanwhile, or has returned.
            withdraw(session, std::slice::from_ref(&removal.key))?;
            continue;
        }
        let states = (RemovalState::Due, RemovalState::Running);
        let stands = if removal.action == RemovalAction::Forget {
            let sql = "UPDATE expiries SET state = ?6 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (?4, ?5)";
            removals::change(session, &removal.key, sql, &[&states.0, &states.1, &RemovalState::Forgotten])?
        } else {
            let sql = "DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (?4, ?5)";
            removals::change(session, &removal.key, sql, &[&states.0, &states.1])?
        };
        if stands == 0 {
            continue;
        }
        session.effects.known = true;
        let (name, status) = name_and_status(session, &removal.key, unit)?;
        let deletion = Deletion {
            at,
            key: removal.key.clone(),
            name,
            status,
            done: *outcome,
            reason: removal.reason.clone(),
            detail: removal.detail.clone(),
            time: removal.time,
            bytes: removal.bytes,
        };
        deletions::write(session, &deletion)?;
        presence::forget(session, std::slice::from_ref(&removal.key))?;
        written.push(deletion);
    }
    Ok(written)
}

/// Forgets units that are missing from their directory, and records that.
pub(in crate::index) fn forget_missing(session: &mut Session<'_>, keys: &[UnitKey], at: Timestamp) -> Result<Vec<Deletion>, SqliteError> {
    let mut written = Vec::with_capacity(keys.len());
    for key in keys {
        let Some(unit) = units::find(session, key)? else { continue };
        let (name, status) = name_and_status(session, key, Some(unit))?;
        let bytes = session
            .connection
            .prepare_cached("SELECT coalesce(sum(size), 0) FROM archives WHERE unit = ?1")?
            .query_row([unit.id], |row| row.get::<_, i64>(0))
            .map(unsigned)?;
        let deletion = Deletion {
            at,
            key: key.clone(),
            name,
            status,
            done: RemovalOutcome::Forgotten,
            reason: "gone".to_owned(),
            detail: "no longer in its archive directory".to_owned(),
            time: unit.time,
            bytes,
        };
        deletions::write(session, &deletion)?;
        presence::forget(session, std::slice::from_ref(key))?;
        withdraw(session, std::slice::from_ref(key))?;
        written.push(deletion);
    }
    Ok(written)
}

/// Name and status in the archive of a unit.
fn name_and_status(session: &Session<'_>, key: &UnitKey, unit: Option<Unit>) -> Result<(Option<String>, Option<String>), SqliteError> {
    let Some(unit) = unit else { return Ok((None, None)) };
    let sql = match key {
        UnitKey::Application(_) => "SELECT name, status FROM applications WHERE unit = ?1",
        UnitKey::LegacyJob(..) => "SELECT name, status FROM jobs WHERE unit = ?1",
    };
    let found =
        session.connection.prepare_cached(sql)?.query_row([unit.id], |row| Ok((row.get("name")?, row.get("status")?))).optional()?;
    Ok(found.unwrap_or_default())
}
