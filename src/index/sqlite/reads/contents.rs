//! Contents of the archives of one unit: files, and pages of documents.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::archive::Owner;
use crate::directory::{FileKind, FileVersion, FoundFile};
use crate::ids::JobId;
use crate::index::cursor::Cursors;
use crate::index::model::{ArchivedFile, CopySelector, DocumentList, DocumentPage, ListedDocument, Page, UnitArchives, UnitKey};
use crate::index::query::Part;
use crate::index::sqlite::reads::documents::{REFUSED, find_copy, own_file};
use crate::index::sqlite::reads::unread;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{QUEUED, file_key, unit_columns, unsigned, usual_path};
use crate::names::FilePath;
use crate::pack;

/// One archive file of a unit and its pack.
struct Archive {
    unit: UnitKey,
    kind: FileKind,
    file: FoundFile,
    read: bool,
    missing: bool,
    pack: Option<i64>,
    /// The version that is present now could not be read because of its content.
    refused: bool,
    /// It is listed and still to be read for the first time.
    queued: bool,
}

/// The last document of a page.
#[derive(Serialize, Deserialize)]
struct Position {
    file: Vec<u8>,
    part: i64,
    number: usize,
}

fn archives(connection: &Connection, key: &UnitKey, only: Option<FileKind>) -> Result<Vec<Archive>, SqliteError> {
    let (cluster, name) = unit_columns(key);
    let found = connection
        .prepare_cached(
            "SELECT a.file, a.path, a.size, a.modified, a.etag, a.served IS NOT NULL AS read,
                    u.gone_since IS NOT NULL OR a.gone_since IS NOT NULL AS missing, p.id AS pack, a.parsed = 0 AND a.fault = ?5 AS refused,
                    a.fault = ?6 AS queued
             FROM units u JOIN directories d ON d.id = u.directory JOIN archives a ON a.unit = u.id
             LEFT JOIN packs p ON p.unit = a.unit AND p.file = a.file
             WHERE d.url = ?1 AND u.cluster = ?2 AND u.name = ?3 AND (?4 IS NULL OR a.file = ?4) ORDER BY a.file",
        )?
        .query_map(params![key.directory().as_str(), cluster, name, only.as_ref().map(file_key), REFUSED, QUEUED], |row| archive(key, row))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

fn archive(key: &UnitKey, row: &Row<'_>) -> rusqlite::Result<Archive> {
    let kind = row.get("file")?;
    let path = row.get::<_, Option<String>>("path")?.map_or_else(|| usual_path(key, kind), FilePath::new);
    let version = FileVersion { size: unsigned(row.get("size")?), modified: row.get("modified")?, etag: row.get("etag")? };
    Ok(Archive {
        unit: key.clone(),
        kind,
        file: FoundFile { path, kind, version },
        read: row.get("read")?,
        missing: row.get("missing")?,
        pack: row.get("pack")?,
        refused: row.get("refused")?,
        queued: row.get("queued")?,
    })
}

/// Archive files of an application, including its flat jobs; of a job, or with `own`, only the file of the owner.
fn archives_of(connection: &Connection, key: &UnitKey, only: Option<FileKind>) -> Result<Vec<Archive>, SqliteError> {
    let mut found = archives(connection, key, only)?;
    if only.is_none() {
        let (cluster, name) = unit_columns(key);
        let beside: Vec<JobId> = connection
            .prepare_cached(
                "SELECT x.job FROM directories d JOIN units o ON o.directory = d.id JOIN jobs x ON x.owner = o.id
                 JOIN units u ON u.id = x.unit
                 WHERE d.url = ?1 AND o.cluster = ?2 AND o.name = ?3 AND u.expired_at IS NULL",
            )?
            .query_map(params![key.directory().as_str(), cluster, name], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for job in beside {
            found.extend(archives(connection, &UnitKey::LegacyJob(key.directory().clone(), job), None)?);
        }
        found.sort_by(|left, right| file_key(&left.kind).cmp(file_key(&right.kind)));
    }
    Ok(found)
}

/// Archive files of the copy that answers for an owner.
pub(in crate::index) fn unit_archives(
    connection: &Connection,
    owner: Owner,
    copy: &CopySelector,
) -> Result<Option<UnitArchives>, SqliteError> {
    let Some((copied, _)) = find_copy(connection, owner, copy)? else { return Ok(None) };
    let only = matches!(owner, Owner::Job(_)).then(|| own_file(owner));
    let files = archives_of(connection, &copied.unit, only)?;
    let files = files
        .into_iter()
        .map(|each| ArchivedFile {
            unit: each.unit,
            file: each.file,
            gone: each.missing,
            kept: each.pack.is_some(),
            read: each.read || each.queued,
        })
        .collect();
    Ok(Some(UnitArchives { files }))
}

/// A page of documents.
pub(in crate::index) fn document_page(connection: &Connection, page: &DocumentPage) -> Result<DocumentList, SqliteError> {
    let cursors = Cursors::<Position>::of(&("documents", page.owner, &page.copy, page.own));
    let after = page.cursor.as_deref().map(|cursor| cursors.position(cursor)).transpose()?;
    let Some((copied, _)) = find_copy(connection, page.owner, &page.copy)? else {
        return Ok(unread::of_owner(connection, &Part::Everything, page.owner, &page.copy)?
            .map_or(DocumentList::Unknown, DocumentList::Unreadable));
    };
    let only = (page.own || matches!(page.owner, Owner::Job(_))).then(|| own_file(page.owner));
    let archives = archives_of(connection, &copied.unit, only)?;
    if let Some(queued) = archives.iter().find(|archive| archive.queued && !archive.missing) {
        return Ok(DocumentList::Evicted(queued.unit.clone()));
    }
    let read: Vec<Archive> = archives.into_iter().filter(|archive| archive.read).collect();
    if read.is_empty() {
        let unread = unread::of_file(connection, &copied.unit, own_file(page.owner))?;
        return Ok(unread.map_or(DocumentList::NotArchived, DocumentList::Unreadable));
    }
    let mut missing = read.iter().filter(|archive| archive.pack.is_none() && !archive.missing);
    if let Some(refused) = missing.clone().find(|archive| archive.refused)
        && let Some(unread) = unread::of_file(connection, &refused.unit, refused.kind)?
    {
        return Ok(DocumentList::Unreadable(unread));
    }
    if let Some(missing) = missing.next() {
        return Ok(DocumentList::Evicted(missing.unit.clone()));
    }
    if read.iter().all(|archive| archive.pack.is_none()) {
        return Ok(DocumentList::Lost);
    }
    let mut rows = Vec::new();
    let mut last = None;
    for archive in &read {
        let Some(pack) = archive.pack else { continue };
        let key = file_key(&archive.kind);
        let begin = match &after {
            Some(after) if key < after.file.as_slice() => continue,
            Some(after) if key == after.file.as_slice() => Some((after.part, after.number)),
            _ => None,
        };
        let owner = match archive.kind {
            FileKind::Summary => page.owner,
            FileKind::Job(job) => Owner::Job(job),
        };
        for (part, number, path, bytes) in documents(connection, pack, begin, page.limit + 1 - rows.len())? {
            if rows.len() == page.limit {
                let next = last.map(|last| cursors.after(&last)).transpose()?;
                return Ok(DocumentList::Page(copied.unit, Page { rows, next }));
            }
            last = Some(Position { file: key.to_owned(), part, number });
            rows.push(ListedDocument { owner, path, bytes });
        }
    }
    Ok(DocumentList::Page(copied.unit, Page { rows, next: None }))
}

/// The first documents of a pack after a position, in archive order; of equal paths the last. Parts are read from the last to the
/// first, so a path that was seen already is skipped. Only the page and one number per path are kept in memory.
fn documents(
    connection: &Connection,
    pack: i64,
    after: Option<(i64, usize)>,
    limit: usize,
) -> Result<VecDeque<(i64, usize, String, u64)>, SqliteError> {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut found = VecDeque::new();
    let mut query = connection.prepare_cached("SELECT n, directory FROM parts WHERE pack = ?1 AND n >= ?2 ORDER BY n DESC")?;
    let mut parts = query.query(params![pack, after.map_or(0, |(part, _)| part)])?;
    while let Some(row) = parts.next()? {
        let part: i64 = row.get(0)?;
        let listed = pack::list(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?)?;
        for (number, (path, place)) in listed.into_iter().enumerate().rev() {
            if after.is_some_and(|after| (part, number) <= after) {
                break;
            }
            if seen.insert(hasher.hash_one(&path)) {
                found.push_front((part, number, path, place.length));
                found.truncate(limit);
            }
        }
    }
    Ok(found)
}
