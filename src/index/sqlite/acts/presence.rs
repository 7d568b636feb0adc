//! Units and files that are missing, present again, expired or forgotten.

use rusqlite::{OptionalExtension as _, params};

use crate::clock::Timestamp;
use crate::directory::FileKind;
use crate::index::model::{Presence, UnitKey};
use crate::index::sqlite::acts::{links, listing, precedence};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{QUEUED, file_key};
use crate::index::sqlite::tables::units::{self, Unit};
use crate::index::sqlite::tables::{applications_and_jobs, archives, facts, list_rows, problems};
use crate::problem::ProblemChanges;

/// Records units and files that are missing or present again. Those that are unknown, or already recorded so, are left alone.
pub(in crate::index) fn note(session: &mut Session<'_>, changes: &[Presence], at: Timestamp) -> Result<ProblemChanges, SqliteError> {
    let mut all = ProblemChanges::default();
    for change in changes {
        let (Presence::UnitGone(key) | Presence::UnitBack(key) | Presence::FileGone(key, _) | Presence::FileBack(key, _)) = change;
        let Some(unit) = units::find(session, key)? else { continue };
        let before = problems::of_unit(session, unit.id)?;
        match change {
            Presence::UnitGone(_) => unit_missing(session, unit, at)?,
            Presence::UnitBack(_) => unit_returned(session, unit)?,
            Presence::FileGone(_, kind) => file_missing(session, unit, *kind, at)?,
            Presence::FileBack(_, kind) => file_returned(session, unit, *kind)?,
        }
        let mut changes = problems::changes(before, &problems::of_unit(session, unit.id)?);
        all.appeared.append(&mut changes.appeared);
        all.resolved.append(&mut changes.resolved);
    }
    Ok(all)
}

fn unit_missing(session: &mut Session<'_>, mut unit: Unit, at: Timestamp) -> Result<(), SqliteError> {
    if unit.gone_since.is_some() {
        return Ok(());
    }
    if !archives::any_served(session, unit.id)? {
        // Never read: there is nothing to browse.
        return delete(session, unit.id);
    }
    unit.gone_since = Some(at);
    units::update(session, &unit)?;
    session
        .connection
        .prepare_cached("UPDATE packs SET gone_since = ?2 WHERE unit = ?1 AND gone_since IS NULL")?
        .execute(params![unit.id, at])?;
    resettle(session, unit.id)
}

fn unit_returned(session: &mut Session<'_>, mut unit: Unit) -> Result<(), SqliteError> {
    if unit.gone_since.is_none() {
        return Ok(());
    }
    unit.gone_since = None;
    units::update(session, &unit)?;
    restore_packs(session, unit.id)?;
    resettle(session, unit.id)
}

fn file_missing(session: &mut Session<'_>, unit: Unit, kind: FileKind, at: Timestamp) -> Result<(), SqliteError> {
    let marked = session
        .connection
        .prepare_cached("UPDATE archives SET gone_since = ?3 WHERE unit = ?1 AND file = ?2 AND served IS NOT NULL AND gone_since IS NULL")?
        .execute(params![unit.id, file_key(&kind), at])?;
    if marked == 0 {
        session
            .connection
            .prepare_cached(
                "DELETE FROM problems WHERE unit = ?1 AND archive = ?2
                 AND EXISTS (SELECT 1 FROM archives WHERE unit = ?1 AND file = ?2 AND served IS NULL)",
            )?
            .execute(params![unit.id, file_key(&kind)])?;
        let deleted: Option<bool> = session
            .connection
            .prepare_cached("DELETE FROM archives WHERE unit = ?1 AND file = ?2 AND served IS NULL RETURNING fault = ?3")?
            .query_row(params![unit.id, file_key(&kind), QUEUED], |row| row.get(0))
            .optional()?;
        session.effects.known |= deleted.is_some();
        return if deleted == Some(true) { unlist_missing(session, unit, kind) } else { Ok(()) };
    }
    session
        .connection
        .prepare_cached("UPDATE packs SET gone_since = ?3 WHERE unit = ?1 AND file = ?2 AND gone_since IS NULL")?
        .execute(params![unit.id, file_key(&kind), at])?;
    resettle(session, unit.id)
}

/// Takes back what was listed of a file that was never read.
fn unlist_missing(session: &mut Session<'_>, mut unit: Unit, kind: FileKind) -> Result<(), SqliteError> {
    let ids = listing::unlist(session, unit.id, kind)?;
    unit.queued = archives::any_queued(session, unit.id)?;
    unit.complete &= kind != FileKind::Summary;
    unit.time = units::time(session, unit.id)?;
    units::update(session, &unit)?;
    let directory = units::directory(session, unit.id)?;
    links::settle(session, directory, &ids.jobs)?;
    list_rows::sync(session.connection, unit.id)?;
    precedence::settle(session, &ids)
}

fn file_returned(session: &mut Session<'_>, unit: Unit, kind: FileKind) -> Result<(), SqliteError> {
    let marked = session
        .connection
        .prepare_cached("UPDATE archives SET gone_since = NULL WHERE unit = ?1 AND file = ?2 AND gone_since IS NOT NULL")?
        .execute(params![unit.id, file_key(&kind)])?;
    if marked == 0 {
        return Ok(());
    }
    restore_packs(session, unit.id)?;
    resettle(session, unit.id)
}

/// Marks the packs of a unit as present or missing, like its archives.
pub(in crate::index::sqlite) fn restore_packs(session: &mut Session<'_>, unit: i64) -> Result<(), SqliteError> {
    session
        .connection
        .prepare_cached(
            "UPDATE packs SET gone_since = coalesce(
                 (SELECT gone_since FROM archives a WHERE a.unit = packs.unit AND a.file = packs.file),
                 (SELECT gone_since FROM units WHERE id = packs.unit))
             WHERE unit = ?1",
        )?
        .execute([unit])?;
    Ok(())
}

/// Updates lists, which mark missing units, and precedence, which prefers copies that are present.
fn resettle(session: &mut Session<'_>, unit: i64) -> Result<(), SqliteError> {
    session.effects.known = true;
    session.effects.lists = true;
    let ids = units::ids(session, unit)?;
    precedence::settle(session, &ids)
}

fn delete(session: &mut Session<'_>, unit: i64) -> Result<(), SqliteError> {
    let directory = session.connection.prepare_cached("SELECT directory FROM units WHERE id = ?1")?.query_row([unit], |row| row.get(0))?;
    let mut beside = links::beside(session, unit)?;
    let ids = units::delete(session, unit)?;
    session.effects.lists |= !beside.is_empty();
    beside.extend(&ids.jobs);
    links::settle(session, directory, &beside)?;
    precedence::settle(session, &ids)
}

/// Forgets units, with all rows below them.
pub(in crate::index) fn forget(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        if let Some(unit) = units::find(session, key)? {
            delete(session, unit.id)?;
        }
    }
    Ok(())
}

/// Forgets a unit by its row.
pub(in crate::index::sqlite) fn forget_row(session: &mut Session<'_>, unit: i64) -> Result<(), SqliteError> {
    delete(session, unit)
}

/// Forgets single files, with everything that was derived from them.
pub(in crate::index) fn forget_files(session: &mut Session<'_>, files: &[(UnitKey, FileKind)]) -> Result<(), SqliteError> {
    for (key, kind) in files {
        if let Some(unit) = units::find(session, key)? {
            forget_file_row(session, unit.id, file_key(kind))?;
        }
    }
    Ok(())
}

/// Forgets a single file by its row. A job that the summary names stays, as a job without an archive.
pub(in crate::index::sqlite) fn forget_file_row(session: &mut Session<'_>, unit: i64, file: &[u8]) -> Result<(), SqliteError> {
    if !archives::delete(session, unit, file)? {
        return Ok(());
    }
    let connection = session.connection;
    let ids = units::ids(session, unit)?;
    connection.prepare_cached("DELETE FROM problems WHERE unit = ?1 AND archive = ?2")?.execute(params![unit, file])?;
    if file.is_empty() {
        applications_and_jobs::clear_summary(connection, unit)?;
    } else {
        facts::delete_of_job(connection, unit, file)?;
        applications_and_jobs::clear_job(connection, unit, file)?;
        connection
            .prepare_cached("DELETE FROM job_texts WHERE job = (SELECT id FROM jobs WHERE unit = ?1 AND job = ?2)")?
            .execute(params![unit, file])?;
    }
    session.effects.lists = true;
    let directory = connection.prepare_cached("SELECT directory FROM units WHERE id = ?1")?.query_row([unit], |row| row.get(0))?;
    links::settle(session, directory, &ids.jobs)?;
    list_rows::sync(connection, unit)?;
    precedence::settle(session, &ids)
}

/// Marks units as expired; `None` removes the mark.
pub(in crate::index) fn expire(session: &mut Session<'_>, keys: &[UnitKey], at: Option<Timestamp>) -> Result<(), SqliteError> {
    for key in keys {
        let Some(unit) = units::find(session, key)? else { continue };
        let marked = session
            .connection
            .prepare_cached("UPDATE units SET expired_at = ?2 WHERE id = ?1 AND (expired_at IS NULL) <> (?2 IS NULL)")?
            .execute(params![unit.id, at])?;
        if marked > 0 {
            list_rows::sync(session.connection, unit.id)?;
            resettle(session, unit.id)?;
        }
    }
    Ok(())
}
