//! Rows of archive files.

use rusqlite::{OptionalExtension as _, params};

use crate::archive::facts::DERIVATION_VERSION;
use crate::clock::Timestamp;
use crate::directory::{FileKind, Fingerprint, FoundFile};
use crate::index::model::{Fault, FileChange, FileOutcome, UnitKey};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{QUEUED, fault, fault_column, file_key, signed, usual_path};
use crate::index::sqlite::tables::packs;
use crate::names::FilePath;

/// A file's row, apart from its key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Archive {
    tried: Fingerprint,
    size: i64,
    modified: Timestamp,
    parsed: bool,
    racy: bool,
    gone_since: Option<Timestamp>,
    attempts: u32,
    next_attempt: Option<Timestamp>,
    served: Option<Fingerprint>,
    documents: i64,
    document_bytes: i64,
    etag: Option<String>,
    path: Option<String>,
    derived: u32,
    fault: Option<Fault>,
    tried_at: Timestamp,
    queued: bool,
}

/// The result of writing the row of a file.
pub(in crate::index::sqlite) struct Written {
    /// The file was missing before.
    pub(in crate::index::sqlite) was_missing: bool,
    /// The stored pack that holds exactly the same documents: the file was read again because a change could have been invisible.
    pub(in crate::index::sqlite) same_pack: Option<i64>,
    /// Its facts are up to date.
    pub(in crate::index::sqlite) derived: bool,
    /// It was listed before, and this was the first attempt to read it.
    pub(in crate::index::sqlite) was_queued: bool,
}

/// Writes the result of an ingest of a file at this time.
pub(in crate::index::sqlite) fn write(
    session: &mut Session<'_>,
    unit: i64,
    key: &UnitKey,
    change: &FileChange,
    at: Timestamp,
) -> Result<Written, SqliteError> {
    let before = find(session, unit, change.kind)?;
    let was_queued = before.as_ref().is_some_and(|before| before.queued);
    let tried = change.version.fingerprint();
    let mut archive = Archive {
        tried,
        size: signed(change.version.size),
        modified: change.version.modified,
        parsed: true,
        racy: change.racy,
        gone_since: None,
        attempts: 0,
        next_attempt: None,
        served: None,
        documents: 0,
        document_bytes: 0,
        etag: change.version.etag.clone(),
        path: unusual_path(key, change.kind, &change.path),
        derived: 0,
        fault: None,
        tried_at: Timestamp::EPOCH,
        queued: false,
    };
    let mut same_pack = None;
    let mut derived = false;
    match &change.outcome {
        FileOutcome::Parsed { documents, document_bytes, pack, .. } => {
            let again = before.as_ref().filter(|before| before.tried == tried && before.parsed);
            if again.is_some() {
                same_pack = packs::equal(session, unit, file_key(&change.kind), pack)?;
            }
            archive.served = match again.and_then(|before| before.served).filter(|_| same_pack.is_some()) {
                Some(same) => Some(same),
                None => Some(served(before.as_ref(), tried)),
            };
            archive.documents = signed(*documents);
            archive.document_bytes = signed(*document_bytes);
            archive.derived = DERIVATION_VERSION;
            derived = same_pack.is_some() && before.as_ref().is_some_and(|before| before.derived == DERIVATION_VERSION);
        }
        FileOutcome::Unreadable { fault, next_attempt } => {
            archive.parsed = false;
            archive.fault = Some(*fault);
            archive.tried_at = at;
            archive.next_attempt = *next_attempt;
            archive.attempts = 1;
            if let Some(before) = &before {
                if before.tried == tried {
                    archive.attempts = before.attempts.saturating_add(1);
                }
                archive.served = before.served;
                archive.documents = before.documents;
                archive.document_bytes = before.document_bytes;
                archive.derived = before.derived;
            }
        }
    }
    let was_missing = before.as_ref().is_some_and(|before| before.gone_since.is_some());
    if before.as_ref() != Some(&archive) {
        insert(session, unit, change.kind, &archive)?;
        session.effects.known |= before.is_none_or(|before| !before.is_only_another_failed_attempt(&archive));
    }
    Ok(Written { was_missing, same_pack, derived, was_queued })
}

/// Adds the row of a file that is listed and still to be read.
pub(in crate::index::sqlite) fn insert_queued(
    session: &Session<'_>,
    unit: i64,
    key: &UnitKey,
    file: &FoundFile,
) -> Result<(), SqliteError> {
    session
        .connection
        .prepare_cached(
            "INSERT INTO archives (unit, file, tried, size, modified, parsed, racy, attempts, etag, path, fault)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0, ?6, ?7, ?8)",
        )?
        .execute(params![
            unit,
            file_key(&file.kind),
            file.version.fingerprint(),
            signed(file.version.size),
            file.version.modified,
            file.version.etag,
            unusual_path(key, file.kind, &file.path),
            QUEUED,
        ])?;
    Ok(())
}

/// Whether a file of the unit is still to be read for the first time.
pub(in crate::index::sqlite) fn any_queued(session: &Session<'_>, unit: i64) -> Result<bool, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM archives WHERE unit = ?1 AND fault = ?2)")?
        .query_row(params![unit, QUEUED], |row| row.get(0))?)
}

/// The path of a file as stored: `None` where Flink puts it.
fn unusual_path(key: &UnitKey, kind: FileKind, path: &FilePath) -> Option<String> {
    (*path != usual_path(key, kind)).then(|| path.as_str().to_owned())
}

impl Archive {
    /// Whether the later row differs only by another failed attempt. Such a change does not count as a change of the known state: the
    /// retries keep it in memory, because reading the state of a whole directory after each attempt would be expensive.
    fn is_only_another_failed_attempt(&self, later: &Self) -> bool {
        let again = Self { attempts: later.attempts, next_attempt: later.next_attempt, tried_at: later.tried_at, ..self.clone() };
        !self.parsed && again == *later
    }
}

/// Fingerprint of the documents that are served now: that of the version, or a new one if the same version was read before and may have
/// been written again without a visible change. Documents with equal fingerprints are equal.
fn served(before: Option<&Archive>, tried: Fingerprint) -> Fingerprint {
    match before {
        Some(before) if before.tried == tried => match before.served {
            Some(served) if before.parsed && !before.racy => served,
            Some(served) => Fingerprint(served.0.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1)),
            None => tried,
        },
        _ => tried,
    }
}

fn find(session: &Session<'_>, unit: i64, kind: FileKind) -> Result<Option<Archive>, SqliteError> {
    Ok(session
        .connection
        .prepare_cached(
            "SELECT tried, size, modified, parsed, racy, gone_since, attempts, next_attempt, served, documents, document_bytes, etag, path,
                    derived, fault, tried_at
             FROM archives WHERE unit = ?1 AND file = ?2",
        )?
        .query_row(params![unit, file_key(&kind)], |row| {
            Ok(Archive {
                tried: row.get("tried")?,
                size: row.get("size")?,
                modified: row.get("modified")?,
                parsed: row.get("parsed")?,
                racy: row.get("racy")?,
                gone_since: row.get("gone_since")?,
                attempts: row.get("attempts")?,
                next_attempt: row.get("next_attempt")?,
                served: row.get("served")?,
                documents: row.get("documents")?,
                document_bytes: row.get("document_bytes")?,
                etag: row.get("etag")?,
                path: row.get("path")?,
                derived: row.get("derived")?,
                fault: fault(row.get("fault")?),
                queued: row.get::<_, i64>("fault")? == QUEUED,
                tried_at: row.get("tried_at")?,
            })
        })
        .optional()?)
}

fn insert(session: &Session<'_>, unit: i64, kind: FileKind, archive: &Archive) -> Result<(), SqliteError> {
    session
        .connection
        .prepare_cached(
            "INSERT INTO archives (unit, file, tried, size, modified, parsed, racy, gone_since, attempts, next_attempt, served,
                                   documents, document_bytes, etag, path, derived, fault, tried_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)
             ON CONFLICT (unit, file) DO UPDATE SET
                 tried = excluded.tried, size = excluded.size, modified = excluded.modified, parsed = excluded.parsed,
                 racy = excluded.racy, gone_since = excluded.gone_since, attempts = excluded.attempts,
                 next_attempt = excluded.next_attempt, served = excluded.served, documents = excluded.documents,
                 document_bytes = excluded.document_bytes, etag = excluded.etag, path = excluded.path, derived = excluded.derived,
                 fault = excluded.fault, tried_at = excluded.tried_at",
        )?
        .execute(params![
            unit,
            file_key(&kind),
            archive.tried,
            archive.size,
            archive.modified,
            archive.parsed,
            archive.racy,
            archive.gone_since,
            archive.attempts,
            archive.next_attempt,
            archive.served,
            archive.documents,
            archive.document_bytes,
            archive.etag,
            archive.path,
            archive.derived,
            fault_column(archive.fault),
            archive.tried_at,
        ])?;
    Ok(())
}

/// Deletes the row of a file, with its pack.
pub(in crate::index::sqlite) fn delete(session: &mut Session<'_>, unit: i64, file: &[u8]) -> Result<bool, SqliteError> {
    let deleted = session.connection.prepare_cached("DELETE FROM archives WHERE unit = ?1 AND file = ?2")?.execute(params![unit, file])?;
    session.effects.known |= deleted > 0;
    Ok(deleted > 0)
}

/// Whether any file of the unit was ever read.
pub(in crate::index::sqlite) fn any_served(session: &Session<'_>, unit: i64) -> Result<bool, SqliteError> {
    Ok(session
        .connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM archives WHERE unit = ?1 AND served IS NOT NULL)")?
        .query_row([unit], |row| row.get(0))?)
}
