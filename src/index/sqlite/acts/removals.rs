//! Carrying out what was judged: begun, failed, done.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::Millis;
use crate::index::cursor::Cursors;
use crate::index::model::{Deletion, Done, Expiry, FailedAttempt, HeldCleanup, Page, Pending, PendingRemoval, Removal, UnitKey};
use crate::index::sqlite::acts::expiries::{self, BEGUN, FORGOTTEN, MARKED};
use crate::index::sqlite::acts::presence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unit_columns, unsigned};
use crate::index::sqlite::tables::deletions;
use crate::index::sqlite::tables::units::{self, Unit};
use crate::names::{DirectoryUrl, FilePath};

/// What is to be removed, in order of its key, from a cursor on.
pub(in crate::index) fn pending(
    connection: &Connection,
    which: Pending,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<PendingRemoval>, SqliteError> {
    let cursors = Cursors::<(String, String, [u8; 16])>::of(&"removals");
    let after = cursor.map(|cursor| cursors.position(cursor)).transpose()?.unwrap_or_default();
    let (states, due): (&str, Option<Millis>) = match which {
        Pending::All => ("e.state IN (0, 1, 2)", None),
        // What is held back waits, except what was confirmed or begun.
        Pending::Due(now) => ("(e.state = 2 OR (e.state = 1 AND (e.confirmed = 1 OR NOT holds_all)))", Some(now)),
        Pending::Failed(now) => {
            ("(e.state = 2 OR (e.state = 1 AND e.failure IS NOT NULL AND (e.confirmed = 1 OR NOT holds_all)))", Some(now))
        }
        Pending::Begun(now) => ("e.state = 2", Some(now)),
    };
    // What waits for the clock or for a time alone lets the rest pass.
    let holds_all = "(h.plan IS NOT NULL AND h.reason NOT IN ('clock', 'times'))";
    let states = states.replace("holds_all", holds_all);
    let mut query = connection.prepare_cached(&format!(
        "SELECT e.cluster, e.name, d.url, e.state, e.removal, e.reason, e.detail, e.time, e.bytes, e.folder, e.files,
                e.at, e.attempts, e.next_attempt, e.failure, (e.state = 0 OR {holds_all}) AND e.confirmed = 0 AND e.state <> 2,
                coalesce(a.name, j.name), e.verified, e.owner_cluster, e.owner
         FROM expiries e JOIN directories d ON d.id = e.directory
         LEFT JOIN held_cleanups h ON h.directory = e.directory
         LEFT JOIN units u ON u.directory = e.directory AND u.cluster = e.cluster AND u.name = e.name
         LEFT JOIN applications a ON a.unit = u.id AND e.cluster <> ''
         LEFT JOIN jobs j ON j.unit = u.id AND j.job = e.name AND e.cluster = ''
         WHERE d.position IS NOT NULL AND {states} AND (?1 IS NULL OR e.next_attempt IS NULL OR e.next_attempt <= ?1)
           AND (d.url, e.cluster, e.name) > (?2, ?3, ?4)
         ORDER BY d.url, e.cluster, e.name LIMIT ?5"
    ))?;
    let mut rows: Vec<PendingRemoval> = query
        .query_map(params![due, after.0, after.1, after.2, signed(limit as u64 + 1)], |row| {
            let url: String = row.get(2)?;
            let folder: String = row.get(9)?;
            Ok(PendingRemoval {
                expiry: Expiry {
                    key: expiries::key(row, &DirectoryUrl::new(url))?,
                    removal: expiries::removal(row.get(4)?),
                    reason: row.get(5)?,
                    detail: row.get(6)?,
                    time: row.get(7)?,
                    bytes: unsigned(row.get(8)?),
                    folder: FilePath::new(folder),
                    files: expiries::files(row.get_ref(10)?.as_blob().map_err(rusqlite::Error::from)?),
                    verified: row.get(17)?,
                    owner: expiries::owner(row, 18)?,
                },
                state: expiries::state(row.get(3)?),
                held: row.get(15)?,
                at: row.get(11)?,
                name: row.get(16)?,
                attempts: row.get(12)?,
                next_attempt: row.get(13)?,
                failure: row.get(14)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let next = cursors.cut(&mut rows, limit, |last| {
        let (cluster, name) = unit_columns(&last.expiry.key);
        (last.expiry.key.directory().as_str().to_owned(), cluster.to_owned(), *name)
    })?;
    Ok(Page { rows, next })
}

/// Notes that files are about to be deleted. Gives back the units for which that still stands.
pub(in crate::index) fn begin(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<Vec<UnitKey>, SqliteError> {
    let mut standing = Vec::with_capacity(keys.len());
    for key in keys {
        let directory = session.directory(key.directory())?;
        let (cluster, name) = unit_columns(key);
        let begun = session
            .connection
            .prepare_cached("UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (1, 2)")?
            .execute(params![directory, cluster, name, BEGUN])?;
        if begun > 0 {
            session.effects.known = true;
            standing.push(key.clone());
        }
    }
    Ok(standing)
}

/// Takes verdicts back although deletions were begun: what is there now was never judged.
pub(in crate::index) fn abandon(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        let directory = session.directory(key.directory())?;
        let (cluster, name) = unit_columns(key);
        session
            .connection
            .prepare_cached("DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3")?
            .execute(params![directory, cluster, name])?;
    }
    session.effects.known = true;
    presence::expire(session, keys, None)
}

/// Takes back that deletions were begun.
pub(in crate::index) fn put_back(session: &mut Session<'_>, keys: &[UnitKey]) -> Result<(), SqliteError> {
    for key in keys {
        let directory = session.directory(key.directory())?;
        let (cluster, name) = unit_columns(key);
        session
            .connection
            .prepare_cached("UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3")?
            .execute(params![directory, cluster, name, MARKED])?;
    }
    session.effects.known = true;
    Ok(())
}

/// Notes that attempts failed, and when the next are due.
pub(in crate::index) fn fail(session: &mut Session<'_>, attempts: &[FailedAttempt]) -> Result<(), SqliteError> {
    for attempt in attempts {
        let directory = session.directory(attempt.key.directory())?;
        let (cluster, name) = unit_columns(&attempt.key);
        let state = if attempt.half_gone { BEGUN } else { MARKED };
        session
            .connection
            .prepare_cached(
                "UPDATE expiries SET state = ?6, attempts = attempts + 1, failure = ?4, next_attempt = ?5
                 WHERE directory = ?1 AND cluster = ?2 AND name = ?3",
            )?
            .execute(params![directory, cluster, name, attempt.failure, attempt.next_attempt, state])?;
    }
    session.effects.known = true;
    Ok(())
}

/// Forgets units with all below them and puts that on record, in the same transaction.
/// Gives back what was written: one that stands no more is left alone.
pub(in crate::index) fn finish(session: &mut Session<'_>, done: &[(Expiry, Done)], at: Millis) -> Result<Vec<Deletion>, SqliteError> {
    let mut written = Vec::with_capacity(done.len());
    for (expiry, done) in done {
        let unit = units::find(session, &expiry.key)?;
        if expiry.removal == Removal::ForgetGone && unit.is_none_or(|unit| unit.gone_since.is_none()) {
            // Forgotten by somebody else, or back.
            expiries::unmark(session, std::slice::from_ref(&expiry.key))?;
            continue;
        }
        let directory = session.directory(expiry.key.directory())?;
        let (cluster, name) = unit_columns(&expiry.key);
        let sql = if expiry.removal == Removal::Forget {
            "UPDATE expiries SET state = ?4 WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (1, 2)"
        } else {
            "DELETE FROM expiries WHERE directory = ?1 AND cluster = ?2 AND name = ?3 AND state IN (1, 2) AND ?4 IS NOT NULL"
        };
        let stands = session.connection.prepare_cached(sql)?.execute(params![directory, cluster, name, FORGOTTEN])?;
        if stands == 0 {
            continue;
        }
        session.effects.known = true;
        let (title, status) = told(session, &expiry.key, unit)?;
        let deletion = Deletion {
            at,
            key: expiry.key.clone(),
            name: title,
            status,
            done: *done,
            reason: expiry.reason.clone(),
            detail: expiry.detail.clone(),
            time: expiry.time,
            bytes: expiry.bytes,
        };
        deletions::write(session, &deletion)?;
        presence::forget(session, std::slice::from_ref(&expiry.key))?;
        written.push(deletion);
    }
    Ok(written)
}

/// Forgets what is gone from its directory, and puts that on record.
pub(in crate::index) fn forget_gone(session: &mut Session<'_>, keys: &[UnitKey], at: Millis) -> Result<Vec<Deletion>, SqliteError> {
    let mut written = Vec::with_capacity(keys.len());
    for key in keys {
        let Some(unit) = units::find(session, key)? else { continue };
        let (name, status) = told(session, key, Some(unit))?;
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
            done: Done::Forgotten,
            reason: "gone".to_owned(),
            detail: "no longer in its archive directory".to_owned(),
            time: unit.time,
            bytes,
        };
        deletions::write(session, &deletion)?;
        presence::forget(session, std::slice::from_ref(key))?;
        expiries::unmark(session, std::slice::from_ref(key))?;
        written.push(deletion);
    }
    Ok(written)
}

/// Name and status that the archive of a unit told.
fn told(session: &Session<'_>, key: &UnitKey, unit: Option<Unit>) -> Result<(Option<String>, Option<String>), SqliteError> {
    let Some(unit) = unit else { return Ok((None, None)) };
    let sql = match key {
        UnitKey::Application(_) => "SELECT name, status FROM applications WHERE unit = ?1",
        UnitKey::LegacyJob(..) => "SELECT name, status FROM jobs WHERE unit = ?1",
    };
    let told = session.connection.prepare_cached(sql)?.query_row([unit.id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(told.unwrap_or_default())
}

/// Cleanups that the guard holds back.
pub(in crate::index) fn held_cleanups(connection: &Connection) -> Result<Vec<HeldCleanup>, SqliteError> {
    expiries::held(connection, None)
}
