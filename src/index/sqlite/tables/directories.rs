//! Archive directories: which are configured, and how their listings ended.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::index::sqlite::acts::precedence;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::names::DirectoryUrl;

/// Stored directories.
#[derive(Debug, Default)]
pub(in crate::index::sqlite) struct Directories {
    /// Row ids of the configured ones.
    pub(in crate::index::sqlite) configured: HashMap<DirectoryUrl, i64>,
    /// Row ids of those that are no longer configured, and since when.
    pub(in crate::index::sqlite) unconfigured: Vec<(i64, Timestamp)>,
}

/// Applies the configuration: directories that are no longer configured are hidden at once, and shown again once they are configured.
pub(in crate::index::sqlite) fn configure(
    connection: &mut Connection,
    configured: &[DirectoryUrl],
    now: Timestamp,
) -> Result<Directories, SqliteError> {
    let stored = read(connection)?;
    let wanted: HashMap<&str, i64> = configured.iter().zip(0..).map(|(url, position)| (url.as_str(), position)).collect();
    let in_line = stored.iter().all(|row| row.position == wanted.get(row.url.as_str()).copied())
        && wanted.keys().all(|url| stored.iter().any(|row| row.url == *url));
    if !in_line {
        let transaction = connection.transaction()?;
        for row in &stored {
            if !wanted.contains_key(row.url.as_str()) {
                transaction.execute(
                    "UPDATE directories SET position = NULL, unconfigured_since = coalesce(unconfigured_since, ?2) WHERE id = ?1",
                    params![row.id, now],
                )?;
            }
        }
        for (url, position) in &wanted {
            transaction.execute(
                "INSERT INTO directories (url, position) VALUES (?1, ?2)
                 ON CONFLICT (url) DO UPDATE SET position = excluded.position, unconfigured_since = NULL",
                params![url, position],
            )?;
        }
        precedence::settle_all(&transaction)?;
        transaction.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'", [])?;
        transaction.commit()?;
    }
    let mut directories = Directories::default();
    for row in read(connection)? {
        match (row.position, row.unconfigured_since) {
            (Some(_), _) => {
                directories.configured.insert(DirectoryUrl::new(row.url), row.id);
            }
            (None, since) => directories.unconfigured.push((row.id, since.unwrap_or(now))),
        }
    }
    Ok(directories)
}

struct Row {
    id: i64,
    url: String,
    position: Option<i64>,
    unconfigured_since: Option<Timestamp>,
}

fn read(connection: &Connection) -> Result<Vec<Row>, SqliteError> {
    let mut query = connection.prepare("SELECT id, url, position, unconfigured_since FROM directories")?;
    let rows = query.query_map([], |row| {
        Ok(Row {
            id: row.get("id")?,
            url: row.get("url")?,
            position: row.get("position")?,
            unconfigured_since: row.get("unconfigured_since")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Forgets at most `limit` units of a directory that is not configured, and the directory with the last of them. Returns whether the
/// directory was forgotten.
pub(in crate::index::sqlite) fn forget_some(session: &mut Session<'_>, directory: i64, limit: u32) -> Result<bool, SqliteError> {
    // They are hidden already, so no list changes and no other copy is shown.
    let forgotten = session
        .connection
        .prepare_cached("DELETE FROM units WHERE id IN (SELECT id FROM units WHERE directory = ?1 LIMIT ?2)")?
        .execute(params![directory, limit])?;
    if forgotten > 0 {
        return Ok(false);
    }
    session.connection.prepare_cached("DELETE FROM directories WHERE id = ?1 AND position IS NULL")?.execute([directory])?;
    Ok(true)
}

/// Records the result of a listing.
pub(in crate::index) fn note_listing(
    session: &mut Session<'_>,
    url: &DirectoryUrl,
    held_archives: bool,
    vanished: bool,
    at: Timestamp,
) -> Result<(), SqliteError> {
    let directory = session.directory(url)?;
    let changed = session
        .connection
        .prepare_cached(
            "UPDATE directories SET held_archives = ?2, vanished_since = iif(?3, coalesce(vanished_since, ?4), NULL)
             WHERE id = ?1 AND (held_archives <> ?2 OR (vanished_since IS NOT NULL) <> ?3)",
        )?
        .execute(params![directory, held_archives, vanished, at])?;
    session.effects.known |= changed > 0;
    Ok(())
}
