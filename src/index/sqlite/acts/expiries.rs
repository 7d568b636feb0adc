//! Units that were judged: held back, marked, or forgotten while their archives stay.

use rusqlite::{Connection, Row, params};

use crate::clock::Millis;
use crate::directory::FileKind;
use crate::ids::{ApplicationId, JobId};
use crate::index::model::{Expiry, FailedRemoval, HeldCleanup, HeldReason, JudgedFile, Mark, MarkState, Marks, Removal, UnitKey};
use crate::index::sqlite::acts::presence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{application_id, fingerprint, job_id, signed, stored, unit_columns, unsigned};
use crate::names::{ClusterName, DirectoryUrl, FilePath};

/// Failures that are told; more of them have the same cause.
const FAILURES: i64 = 100;

pub(in crate::index::sqlite) const HELD: i64 = 0;
pub(in crate::index::sqlite) const MARKED: i64 = 1;
pub(in crate::index::sqlite) const BEGUN: i64 = 2;
pub(in crate::index::sqlite) const FORGOTTEN: i64 = 3;

pub(in crate::index::sqlite) fn state_column(state: MarkState) -> i64 {
    match state {
        MarkState::Held => HELD,
        MarkState::Marked => MARKED,
        MarkState::Begun => BEGUN,
        MarkState::Forgotten => FORGOTTEN,
    }
}

pub(in crate::index::sqlite) fn state(column: i64) -> MarkState {
    match column {
        HELD => MarkState::Held,
        MARKED => MarkState::Marked,
        BEGUN => MarkState::Begun,
        _ => MarkState::Forgotten,
    }
}

fn removal_column(removal: Removal) -> i64 {
    match removal {
        Removal::Delete => 0,
        Removal::Forget => 1,
        Removal::ForgetGone => 2,
    }
}

pub(in crate::index::sqlite) fn removal(column: i64) -> Removal {
    match column {
        0 => Removal::Delete,
        1 => Removal::Forget,
        _ => Removal::ForgetGone,
    }
}

/// Length of a judged file as stored.
const FILE: usize = 24;

fn files_column(files: &[JudgedFile]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(files.len() * FILE);
    for file in files {
        // No job has the id 0: Flink draws them at random.
        let id = match file.kind {
            FileKind::Summary => [0; 16],
            FileKind::Job(job) => *job.as_bytes(),
        };
        bytes.extend(id);
        bytes.extend(stored(file.fingerprint).to_be_bytes());
    }
    bytes
}

pub(in crate::index::sqlite) fn files(column: &[u8]) -> Vec<JudgedFile> {
    let (files, _) = column.as_chunks::<FILE>();
    files
        .iter()
        .map(|file| {
            let (mut id, mut version) = ([0; 16], [0; 8]);
            id.copy_from_slice(&file[..16]);
            version.copy_from_slice(&file[16..]);
            let kind = if id == [0; 16] { FileKind::Summary } else { FileKind::Job(JobId::from_bytes(id)) };
            JudgedFile { kind, fingerprint: fingerprint(i64::from_be_bytes(version)) }
        })
        .collect()
}

/// Key of a unit in columns 0 (cluster) and 1 (name).
pub(in crate::index::sqlite) fn key(row: &Row<'_>, directory: &DirectoryUrl) -> rusqlite::Result<UnitKey> {
    let cluster = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(if cluster.is_empty() {
        UnitKey::LegacyJob(directory.clone(), job_id(row, 1)?)
    } else {
        UnitKey::application(directory, &ClusterName::new(cluster), application_id(row, 1)?)
    })
}

/// The application that a job belongs to, in this column and the next.
pub(in crate::index::sqlite) fn owner(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<(ClusterName, ApplicationId)>> {
    let Some(cluster) = row.get::<_, Option<String>>(column)? else { return Ok(None) };
    Ok(Some((ClusterName::new(cluster), application_id(row, column + 1)?)))
}

/// What is on record of a directory, for the plan.
pub(in crate::index::sqlite) fn marks(connection: &Connection, directory: i64, url: &DirectoryUrl) -> Result<Marks, SqliteError> {
    let mut marks = Marks::default();
    let mut query = connection.prepare_cached(
        "SELECT cluster, name, state, removal, confirmed, time, bytes, verified FROM expiries WHERE directory = ?1 ORDER BY cluster",
    )?;
    let mut rows = query.query([directory])?;
    let mut cluster = ClusterName::new("");
    while let Some(row) = rows.next()? {
        let mark = Mark {
            state: state(row.get(2)?),
            removal: removal(row.get(3)?),
            confirmed: row.get(4)?,
            time: row.get(5)?,
            bytes: unsigned(row.get(6)?),
            verified: row.get(7)?,
        };
        let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
        if name.is_empty() {
            marks.legacy_jobs.insert(job_id(row, 1)?, mark);
            continue;
        }
        if cluster.as_str() != name {
            cluster = ClusterName::new(name);
        }
        marks.applications.insert((cluster.clone(), application_id(row, 1)?), mark);
    }
    let failed = connection
        .prepare_cached(
            "SELECT cluster, name, folder, failure, next_attempt FROM expiries WHERE directory = ?1 AND failure IS NOT NULL LIMIT ?2",
        )?
        .query_map(params![directory, FAILURES], |row| {
            let (folder, failure): (String, String) = (row.get(2)?, row.get(3)?);
            Ok(FailedRemoval { key: key(row, url)?, folder: FilePath::new(folder), failure, next_attempt: row.get(4)? })
        })?
        .collect::<Result<_, _>>()?;
    marks.failed = failed;
    marks.held = held(connection, Some(directory))?.pop();
    Ok(marks)
}

/// Cleanups held back, in one directory or in all that are configured.
pub(in crate::index::sqlite) fn held(connection: &Connection, directory: Option<i64>) -> Result<Vec<HeldCleanup>, SqliteError> {
    Ok(connection
        .prepare_cached(
            "SELECT d.url, h.plan, h.units, h.of, h.since, h.reason FROM held_cleanups h JOIN directories d ON d.id = h.directory
             WHERE d.position IS NOT NULL AND (?1 IS NULL OR d.id = ?1) ORDER BY d.position",
        )?
        .query_map([directory], |row| {
            let url: String = row.get(0)?;
            let (units, of) = (unsigned(row.get(2)?), unsigned(row.get(3)?));
            let reason: String = row.get(5)?;
            Ok(HeldCleanup {
                directory: DirectoryUrl::new(url),
                plan: row.get(1)?,
                units,
                of,
                since: row.get(4)?,
                // One that is not known holds all back.
                reason: HeldReason::parse(&reason).unwrap_or(HeldReason::TooMuch),
            })
        })?
        .collect::<Result<_, _>>()?)
}

/// Puts verdicts on record; marked ones are hidden with it.
pub(in crate::index) fn mark(session: &mut Session<'_>, expiries: &[Expiry], state: MarkState, at: Millis) -> Result<(), SqliteError> {
    for expiry in expiries {
        let directory = session.directory(expiry.key.directory())?;
        let (cluster, name) = unit_columns(&expiry.key);
        session
            .connection
            .prepare_cached(
                "INSERT INTO expiries (directory, cluster, name, state, removal, reason, detail, time, bytes, at, folder, files, verified,
                     owner_cluster, owner)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
                 ON CONFLICT DO UPDATE SET state = excluded.state, removal = excluded.removal, reason = excluded.reason,
                     detail = excluded.detail, time = excluded.time, bytes = excluded.bytes, at = excluded.at,
                     folder = excluded.folder, files = excluded.files, verified = excluded.verified,
                     owner_cluster = excluded.owner_cluster, owner = excluded.owner WHERE expiries.state <> 2",
            )?
            .execute(params![
                directory,
                cluster,
                name,
                state_column(state),
                removal_column(expiry.removal),
                expiry.reason,
                expiry.detail,
                expiry.time,
                signed(expiry.bytes),
                at,
                expiry.folder.as_str(),
                files_column(&expiry.files),
                expiry.verified,
                expiry.owner.as_ref().map(|(cluster, _)| cluster.as_str()),
                expiry.owner.as_ref().map(|(_, id)| id.as_bytes()),
            ])?;
        session.effects.known = true;
        if state == MarkState::Marked {
            presence::expire(session, std::slice::from_ref(&expiry.key), Some(at))?;
        }
    }
    Ok(())
}

/// Whether a unit is hidden by a verdict.
pub(in crate::index) fn is_expired(connection: &Connection, key: &UnitKey) -> Result<bool, SqliteError> {
    let (cluster, name) = unit_columns(key);
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM expiries e JOIN directories d ON d.id = e.directory
             WHERE d.url = ?1 AND e.cluster = ?2 AND e.name = ?3 AND e.state <> 0)",
        )?
        .query_row(params![key.directory().as_str(), cluster, name], |row| row.get(0))?)
}

/// Takes verdicts back, except of what is being deleted: they are listed again.
pub(in crate::index) fn unmark(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        let directory = session.directory(key.directory())?;
        let (cluster, name) = unit_columns(key);
        let taken = session
            .connection
            .prepare_cached("DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state <> 2")?
            .execute(params![directory, cluster, name])?;
        if taken > 0 {
            session.effects.known = true;
            presence::expire(session, std::slice::from_ref(key), None)?;
        }
    }
    Ok(())
}

/// Notes that the guard holds a cleanup back, or, with `None`, that it does not any more.
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

/// Lets through what the guard holds back in a directory, if its plan is still this one. Says whether it is.
/// What was held back is then marked with [`release`].
pub(in crate::index) fn confirm(session: &mut Session<'_>, url: &DirectoryUrl, plan: &str) -> Result<bool, SqliteError> {
    let directory = session.directory(url)?;
    let confirmed = session
        .connection
        .prepare_cached("DELETE FROM held_cleanups WHERE directory = ?1 AND plan = ?2")?
        .execute(params![directory, plan])?;
    if confirmed > 0 {
        session
            .connection
            .prepare_cached("UPDATE expiries SET confirmed = 1 WHERE directory = ?1 AND state IN (0, 1)")?
            .execute([directory])?;
        // What is missing or empty is believed to be meant so.
        session
            .connection
            .prepare_cached("UPDATE directories SET vanished_since = 0 WHERE id = ?1 AND vanished_since IS NOT NULL")?
            .execute([directory])?;
        session.effects.known = true;
    }
    Ok(confirmed > 0)
}

/// At most `limit` units of a directory that are held back and were confirmed.
pub(in crate::index) fn confirmed(session: &mut Session<'_>, url: &DirectoryUrl, limit: usize) -> Result<Vec<UnitKey>, SqliteError> {
    let directory = session.directory(url)?;
    let keys = session
        .connection
        .prepare_cached("SELECT cluster, name FROM expiries WHERE directory = ?1 AND state = 0 AND confirmed = 1 LIMIT ?2")?
        .query_map(params![directory, signed(limit as u64)], |row| key(row, url))?
        .collect::<Result<_, _>>()?;
    Ok(keys)
}

/// Marks those of these units that are held back.
pub(in crate::index) fn release(session: &mut Session<'_>, keys: &[UnitKey], at: Millis) -> Result<(), SqliteError> {
    for key in keys {
        let directory = session.directory(key.directory())?;
        let (cluster, name) = unit_columns(key);
        let released = session
            .connection
            .prepare_cached("UPDATE expiries SET state = 1 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state = 0")?
            .execute(params![directory, cluster, name])?;
        if released > 0 {
            session.effects.known = true;
            presence::expire(session, std::slice::from_ref(key), Some(at))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Fingerprint;

    #[test]
    fn judged_files_come_back_as_stored() {
        let judged = [
            JudgedFile { kind: FileKind::Summary, fingerprint: Fingerprint(u64::MAX) },
            JudgedFile { kind: FileKind::Job(JobId::from_bytes([7; 16])), fingerprint: Fingerprint(3) },
        ];
        assert_eq!(files(&files_column(&judged)), judged);
        assert_eq!(files(&[]), []);
    }

    #[test]
    fn states_and_removals_come_back_as_stored() {
        for each in [MarkState::Held, MarkState::Marked, MarkState::Begun, MarkState::Forgotten] {
            assert_eq!(state(state_column(each)), each);
        }
        for each in [Removal::Delete, Removal::Forget, Removal::ForgetGone] {
            assert_eq!(removal(removal_column(each)), each);
        }
    }
}
