//! Packs and their parts.

use rusqlite::{OptionalExtension as _, params};

use crate::clock::Timestamp;
use crate::index::error::IndexError;
use crate::index::model::Pack;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::signed;
use crate::pack::Part;

/// Replaces the documents of an archive. They get a new id, so a reader of the old ones gets them complete or gets an error.
pub(in crate::index::sqlite) fn replace(
    session: &mut Session<'_>,
    unit: i64,
    file: &[u8],
    pack: &Pack,
    modified: Timestamp,
) -> Result<i64, SqliteError> {
    let connection = session.connection;
    let former: Option<(i64, i64)> = connection
        .prepare_cached("SELECT id, last_read FROM packs WHERE unit = ?1 AND file = ?2")?
        .query_row(params![unit, file], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let mut last_read = 0;
    if let Some((id, read)) = former {
        last_read = read;
        connection.prepare_cached("DELETE FROM packs WHERE id = ?1")?.execute([id])?;
    }
    match pack {
        Pack::Whole(parts) => {
            let bytes: u64 = parts.iter().map(Part::stored_bytes).sum();
            connection
                .prepare_cached("INSERT INTO packs (unit, file, bytes, last_read, modified) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![unit, file, signed(bytes), last_read, modified])?;
            let id = connection.last_insert_rowid();
            add_parts(session, id, 0, parts)?;
            Ok(id)
        }
        Pack::Staged(staged) => {
            let taken = connection
                .prepare_cached(
                    "UPDATE packs SET unit = ?2, file = ?3, last_read = ?4, modified = ?5
                     WHERE id = ?1 AND unit IS NULL AND ?6 = (SELECT count(*) FROM parts WHERE pack = ?1)",
                )?
                .execute(params![staged.id, unit, file, last_read, modified, staged.parts])?;
            if taken == 0 { Err(lost_parts()) } else { Ok(staged.id) }
        }
    }
}

/// The pack of an archive, if it holds exactly these documents.
pub(in crate::index::sqlite) fn equal(session: &Session<'_>, unit: i64, file: &[u8], pack: &Pack) -> Result<Option<i64>, SqliteError> {
    let connection = session.connection;
    let kept: Option<i64> = connection
        .prepare_cached("SELECT id FROM packs WHERE unit = ?1 AND file = ?2")?
        .query_row(params![unit, file], |row| row.get(0))
        .optional()?;
    let Some(kept) = kept else { return Ok(None) };
    let equal = match pack {
        Pack::Whole(parts) => {
            let mut stored = connection.prepare_cached("SELECT directory, frames FROM parts WHERE pack = ?1 ORDER BY n")?;
            let mut rows = stored.query([kept])?;
            let mut equal = true;
            for part in parts {
                equal = equal
                    && match rows.next()? {
                        Some(row) => {
                            row.get_ref(0)?.as_blob() == Ok(&part.directory[..]) && row.get_ref(1)?.as_blob() == Ok(&part.frames[..])
                        }
                        None => false,
                    };
            }
            equal && rows.next()?.is_none()
        }
        Pack::Staged(staged) => connection
            .prepare_cached(
                "SELECT ?3 = (SELECT count(*) FROM parts WHERE pack = ?1) AND ?3 = (
                     SELECT count(*) FROM parts AS old JOIN parts AS new ON new.pack = ?2 AND new.n = old.n
                     WHERE old.pack = ?1 AND old.directory = new.directory AND old.frames = new.frames
                 )",
            )?
            .query_row(params![kept, staged.id, staged.parts], |row| row.get(0))?,
    };
    Ok(equal.then_some(kept))
}

/// Keeps a stored pack that holds the same documents as the new one, which is discarded.
pub(in crate::index::sqlite) fn keep(session: &mut Session<'_>, kept: i64, pack: &Pack) -> Result<i64, SqliteError> {
    if let Pack::Staged(staged) = pack {
        discard(session, staged.id)?;
    }
    Ok(kept)
}

/// Writes parts of an archive that is still being read. Returns the id of the pack and its number of parts.
pub(in crate::index) fn stage(session: &mut Session<'_>, staged: Option<(i64, u32)>, parts: &[Part]) -> Result<(i64, u32), SqliteError> {
    let bytes: u64 = parts.iter().map(Part::stored_bytes).sum();
    let connection = session.connection;
    let (id, first) = match staged {
        None => {
            connection.prepare_cached("INSERT INTO packs (bytes) VALUES (?1)")?.execute([signed(bytes)])?;
            (connection.last_insert_rowid(), 0)
        }
        Some((id, first)) => {
            let grown = connection
                .prepare_cached("UPDATE packs SET bytes = bytes + ?2 WHERE id = ?1 AND unit IS NULL")?
                .execute(params![id, signed(bytes)])?;
            if grown == 0 {
                return Err(lost_parts());
            }
            (id, first)
        }
    };
    let added = add_parts(session, id, first, parts)?;
    Ok((id, added))
}

/// Deletes staged parts that are not needed any more.
pub(in crate::index) fn discard(session: &mut Session<'_>, staged: i64) -> Result<(), SqliteError> {
    session.connection.prepare_cached("DELETE FROM packs WHERE id = ?1 AND unit IS NULL")?.execute([staged])?;
    Ok(())
}

/// Writes parts from the number `first` on. Returns the number of the next part.
fn add_parts(session: &Session<'_>, pack: i64, first: u32, parts: &[Part]) -> Result<u32, SqliteError> {
    let mut insert = session.connection.prepare_cached("INSERT INTO parts (pack, n, directory, frames) VALUES (?1, ?2, ?3, ?4)")?;
    let mut n = first;
    for part in parts {
        insert.execute(params![pack, n, part.directory, part.frames])?;
        n += 1;
    }
    Ok(n)
}

fn lost_parts() -> SqliteError {
    SqliteError::Index(IndexError::Failed(
        "the staged parts of a large archive are missing from the index; the archive is read again".to_owned(),
    ))
}
