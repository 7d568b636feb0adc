//! Removals and held cleanups, for clients and for the cleanup.

use rusqlite::{Connection, named_params, params};

use crate::clock::Timestamp;
use crate::index::cursor::Cursors;
use crate::index::model::{HeldCleanup, HeldReason, Page, RecordedRemoval, RemovalFilter, RemovalState, UnitKey};
use crate::index::query::Part;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unit_columns, unsigned};
use crate::index::sqlite::tables::removals;
use crate::index::sqlite::visibility::Visibility;
use crate::names::DirectoryUrl;

/// A cleanup of the directory is held, and all due removals with it. Doubts about the clock or a time hold only the removals they concern.
const HOLDS_ALL: &str = "(h.plan IS NOT NULL AND h.reason NOT IN ('clock', 'times'))";

/// The removals of a filter, by directory, cluster and id, from a cursor on.
pub(in crate::index) fn page(
    connection: &Connection,
    filter: RemovalFilter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Page<RecordedRemoval>, SqliteError> {
    let cursors = Cursors::<(String, String, [u8; 16])>::of(&"removals");
    let after = cursor.map(|cursor| cursors.position(cursor)).transpose()?.unwrap_or_default();
    let released = format!("(e.confirmed = 1 OR NOT {HOLDS_ALL})");
    let (states, now): (String, Option<Timestamp>) = match filter {
        RemovalFilter::All => ("e.state IN (:held, :due, :running)".to_owned(), None),
        RemovalFilter::Due(now) => (format!("(e.state = :running OR (e.state = :due AND {released}))"), Some(now)),
        RemovalFilter::Failed(now) => {
            (format!("(e.state = :running OR (e.state = :due AND e.failure IS NOT NULL AND {released}))"), Some(now))
        }
        RemovalFilter::Interrupted(now) => ("e.state = :running".to_owned(), Some(now)),
    };
    let mut query = connection.prepare_cached(&format!(
        "SELECT e.cluster, e.name, d.url, e.state, e.removal, e.reason, e.detail, e.time, e.bytes, e.folder, e.files,
                e.at, e.attempts, e.next_attempt, e.failure, e.verified, e.owner_cluster, e.owner, coalesce(a.name, j.name) AS title,
                (e.state = :held OR (e.state = :due AND {HOLDS_ALL})) AND e.confirmed = 0 AS held
         FROM expiries e JOIN directories d ON d.id = e.directory
         LEFT JOIN held_cleanups h ON h.directory = e.directory
         LEFT JOIN units u ON u.directory = e.directory AND u.cluster = e.cluster AND u.name = e.name
         LEFT JOIN applications a ON a.unit = u.id AND e.cluster <> ''
         LEFT JOIN jobs j ON j.unit = u.id AND j.job = e.name AND e.cluster = ''
         WHERE d.position IS NOT NULL AND {states} AND (:now IS NULL OR e.next_attempt IS NULL OR e.next_attempt <= :now)
           AND (d.url, e.cluster, e.name) > (:after_url, :after_cluster, :after_name)
         ORDER BY d.url, e.cluster, e.name LIMIT :limit"
    ))?;
    let mut rows: Vec<RecordedRemoval> = query
        .query_map(
            named_params! {
                ":held": RemovalState::Held, ":due": RemovalState::Due, ":running": RemovalState::Running, ":now": now,
                ":after_url": after.0, ":after_cluster": after.1, ":after_name": after.2, ":limit": signed(limit as u64 + 1),
            },
            |row| {
                Ok(RecordedRemoval {
                    removal: removals::removal(row, &DirectoryUrl::new(row.get::<_, String>("url")?))?,
                    state: row.get("state")?,
                    held: row.get("held")?,
                    at: row.get("at")?,
                    name: row.get("title")?,
                    attempts: row.get("attempts")?,
                    next_attempt: row.get("next_attempt")?,
                    failure: row.get("failure")?,
                })
            },
        )?
        .collect::<Result<_, _>>()?;
    let next = cursors.cut(&mut rows, limit, |last| {
        let (cluster, name) = unit_columns(&last.removal.key);
        (last.removal.key.directory().as_str().to_owned(), cluster.to_owned(), *name)
    })?;
    Ok(Page { rows, next })
}

/// Whether a unit is unlisted because it is to be removed, or was forgotten while its archive stays.
pub(in crate::index) fn is_expired(connection: &Connection, key: &UnitKey) -> Result<bool, SqliteError> {
    let (cluster, name) = unit_columns(key);
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM expiries e JOIN directories d ON d.id = e.directory
             WHERE d.url = ?1 AND e.cluster = ?2 AND e.name = ?3 AND e.state <> ?4)",
        )?
        .query_row(params![key.directory().as_str(), cluster, name, RemovalState::Held], |row| row.get(0))?)
}

/// Which of these units, each with the name that it had, are in a part of the index, though they may have left the index.
pub(in crate::index) fn are_visible(
    connection: &Connection,
    part: &Part,
    units: &[(UnitKey, Option<String>)],
) -> Result<Vec<bool>, SqliteError> {
    let mut visibility = Visibility::of(part);
    units.iter().map(|(key, name)| visibility.key(connection, part, key, name.as_deref())).collect()
}

/// The held cleanups of all configured directories, or of one.
pub(in crate::index::sqlite) fn held(connection: &Connection, directory: Option<i64>) -> Result<Vec<HeldCleanup>, SqliteError> {
    Ok(connection
        .prepare_cached(
            "SELECT d.url, h.plan, h.units, h.of, h.since, h.reason FROM held_cleanups h JOIN directories d ON d.id = h.directory
             WHERE d.position IS NOT NULL AND (?1 IS NULL OR d.id = ?1) ORDER BY d.position",
        )?
        .query_map([directory], |row| {
            Ok(HeldCleanup {
                directory: DirectoryUrl::new(row.get::<_, String>("url")?),
                plan: row.get("plan")?,
                units: unsigned(row.get("units")?),
                of: unsigned(row.get("of")?),
                since: row.get("since")?,
                // An unknown reason, of a later version, holds all removals.
                reason: HeldReason::parse(&row.get::<_, String>("reason")?).unwrap_or(HeldReason::TooMuch),
            })
        })?
        .collect::<Result<_, _>>()?)
}

/// The held cleanups of all configured directories.
pub(in crate::index) fn held_cleanups(connection: &Connection) -> Result<Vec<HeldCleanup>, SqliteError> {
    held(connection, None)
}
