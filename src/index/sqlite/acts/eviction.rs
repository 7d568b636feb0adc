//! Keeps the packs within their budget.
//!
//! First the packs of archives that are still present are evicted, least recently read first (of those never read, the oldest archive
//! first); they are ingested again on request. Then units whose archives are missing are forgotten, those missing longest first.
//!
//! Two kinds of packs are safe for a while, because otherwise a budget smaller than one pack could never serve a document: packs that
//! are being read, and packs that were just restored for a waiting client. Safe packs never cause missing units to be forgotten.

use std::collections::{HashSet, VecDeque};
use std::time::{Duration, Instant};

use rusqlite::{OptionalExtension as _, params};

use crate::archive::Owner;
use crate::directory::FileKind;
use crate::index::leases::Leases;
use crate::index::sqlite::acts::presence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};

/// Maximum number of rows that one transaction deletes, so that no act waits long for the writer.
pub(in crate::index::sqlite) const GROUP: usize = 500;

/// Maximum number of restored units that are safe at the same time.
const BROUGHT_BACK: usize = 64;

/// Packs that were restored for a waiting client.
#[derive(Debug)]
pub(in crate::index::sqlite) struct Restored {
    grace: Duration,
    packs: VecDeque<(Instant, Vec<i64>)>,
}

impl Restored {
    pub(in crate::index::sqlite) fn new(grace: Duration) -> Self {
        Self { grace, packs: VecDeque::new() }
    }

    pub(in crate::index::sqlite) fn add(&mut self, packs: Vec<i64>) {
        if !packs.is_empty() {
            self.packs.push_back((Instant::now(), packs));
            if self.packs.len() > BROUGHT_BACK {
                self.packs.pop_front();
            }
        }
    }

    /// Packs that are still within their grace.
    pub(in crate::index::sqlite) fn safe(&mut self) -> impl Iterator<Item = i64> {
        while self.packs.front().is_some_and(|(since, _)| since.elapsed() >= self.grace) {
            self.packs.pop_front();
        }
        self.packs.iter().flat_map(|(_, packs)| packs.iter().copied())
    }
}

/// Bytes of all packs, and of packs whose archives are missing.
pub(in crate::index::sqlite) fn bytes(session: &Session<'_>) -> Result<(u64, u64), SqliteError> {
    let mut query = session.connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let mut read = |name: &str| query.query_row([name], |row| row.get(0)).map(unsigned);
    Ok((read("pack_bytes")?, read("gone_pack_bytes")?))
}

/// Evicts until the packs fit the budget, at most [`GROUP`] packs. They are barred from readers until the transaction has ended.
/// Returns whether there is more to do.
pub(in crate::index::sqlite) fn evict(
    session: &mut Session<'_>,
    budget: u64,
    leases: &Leases,
    restored: &mut Restored,
) -> Result<bool, SqliteError> {
    let (total, gone) = bytes(session)?;
    if total <= budget {
        return Ok(false);
    }
    let restored: HashSet<i64> = restored.safe().collect();
    let spare = |pack| restored.contains(&pack) || !leases.bar(pack);
    let (victims, freed) = present_victims(session, total - budget, spare)?;
    for pack in &victims {
        note_changed(session, *pack)?;
        session.connection.prepare_cached("DELETE FROM packs WHERE id = ?1")?.execute([pack])?;
    }
    session.effects.evictions += victims.len() as u64;
    if !victims.is_empty() {
        tracing::debug!(packs = victims.len(), freed_bytes = freed, "evicted packs; their archives are read again on request");
    }
    if victims.len() >= GROUP {
        return Ok(true);
    }
    if gone <= budget {
        return Ok(false);
    }
    forget_missing(session, budget, gone - budget, spare)
}

/// Notes that the documents of a pack change.
fn note_changed(session: &mut Session<'_>, pack: i64) -> Result<(), SqliteError> {
    let owner = session
        .connection
        .prepare_cached("SELECT p.file, u.name FROM packs p JOIN units u ON u.id = p.unit WHERE p.id = ?1")?
        .query_row([pack], |row| {
            Ok(match row.get(0)? {
                FileKind::Summary => Owner::Application(row.get(1)?),
                FileKind::Job(job) => Owner::Job(job),
            })
        })
        .optional()?;
    if let Some(owner) = owner {
        session.note_changed(owner);
    }
    Ok(())
}

fn present_victims(session: &Session<'_>, excess: u64, spare: impl Fn(i64) -> bool) -> Result<(Vec<i64>, u64), SqliteError> {
    let mut query = session.connection.prepare_cached(
        "SELECT id, bytes FROM packs INDEXED BY packs_by_eviction WHERE gone_since IS NULL AND unit IS NOT NULL
         ORDER BY last_read, modified, id",
    )?;
    let mut rows = query.query([])?;
    let (mut victims, mut freed) = (Vec::new(), 0);
    while freed < excess && victims.len() < GROUP {
        let Some(row) = rows.next()? else { break };
        let pack = row.get(0)?;
        if !spare(pack) {
            victims.push(pack);
            freed += unsigned(row.get(1)?);
        }
    }
    Ok((victims, freed))
}

fn forget_missing(session: &mut Session<'_>, budget: u64, excess: u64, spare: impl Fn(i64) -> bool) -> Result<bool, SqliteError> {
    let victims: Vec<(i64, Vec<u8>, u64, String)> = {
        let mut query = session.connection.prepare_cached(
            "SELECT p.id, p.unit, p.file, p.bytes, d.url || '/' || iif(u.cluster = '', '', u.cluster || '/applications/') || lower(hex(u.name))
             FROM packs p INDEXED BY packs_by_eviction JOIN units u ON u.id = p.unit JOIN directories d ON d.id = u.directory
             WHERE p.gone_since IS NOT NULL ORDER BY p.gone_since, p.last_read, p.modified, p.id",
        )?;
        let mut rows = query.query([])?;
        let (mut victims, mut freed) = (Vec::new(), 0);
        while freed < excess && victims.len() < GROUP {
            let Some(row) = rows.next()? else { break };
            if !spare(row.get(0)?) {
                let bytes = unsigned(row.get(3)?);
                freed += bytes;
                victims.push((row.get(1)?, row.get(2)?, bytes, row.get(4)?));
            }
        }
        victims
    };
    let more = victims.len() >= GROUP;
    for (unit, file, bytes, place) in victims {
        let unit_gone: Option<bool> = session
            .connection
            .prepare_cached("SELECT max(gone_since IS NOT NULL) FROM units WHERE id = ?1")?
            .query_row([unit], |row| row.get(0))?;
        // `None`: forgotten already with another of its packs.
        let Some(unit_gone) = unit_gone else { continue };
        if unit_gone {
            presence::forget_row(session, unit)?;
        } else {
            presence::forget_file_row(session, unit, &file)?;
        }
        session.effects.evictions += 1;
        tracing::info!(
            archive.path = place,
            archive.size_bytes = bytes,
            budget_bytes = budget,
            "forgot an application or job whose archive is missing from its directory, because historyserver.cache.max-size is reached"
        );
    }
    Ok(more)
}

/// Stores which packs were read, and deletes packs that cannot be unpacked, so that they are ingested again.
pub(in crate::index::sqlite) fn write_notes(
    session: &mut Session<'_>,
    notes: &crate::index::sqlite::store::index_state::Notes,
) -> Result<(), SqliteError> {
    let mut latest = 0;
    for (pack, at) in &notes.read {
        session.connection.prepare_cached("UPDATE packs SET last_read = ?2 WHERE id = ?1")?.execute(params![pack, at])?;
        latest = latest.max(*at);
    }
    if latest > 0 {
        session.connection.prepare_cached("UPDATE meta SET value = max(value, ?1) WHERE name = 'reads'")?.execute([latest])?;
    }
    for pack in &notes.damaged {
        note_changed(session, *pack)?;
        let dropped = session.connection.prepare_cached("DELETE FROM packs WHERE id = ?1 AND gone_since IS NULL")?.execute([pack])?;
        if dropped > 0 {
            tracing::warn!("a stored pack was damaged and was deleted; its archive is read again on request");
        }
    }
    Ok(())
}

/// Corrects the counters of bytes if they differ from the packs.
pub(in crate::index::sqlite) fn check_bytes(session: &mut Session<'_>) -> Result<(), SqliteError> {
    let counted = bytes(session)?;
    let (total, gone): (i64, i64) = session.connection.query_row(
        "SELECT coalesce(sum(bytes), 0), coalesce(sum(bytes) FILTER (WHERE gone_since IS NOT NULL), 0) FROM packs",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if counted != (unsigned(total), unsigned(gone)) {
        tracing::warn!(counted = ?counted, stored = ?(total, gone), "the counters of stored bytes in the index were wrong and have been corrected");
        for (name, value) in [("pack_bytes", total), ("gone_pack_bytes", gone)] {
            session.connection.execute("UPDATE meta SET value = ?2 WHERE name = ?1", params![name, signed(unsigned(value))])?;
        }
    }
    Ok(())
}
