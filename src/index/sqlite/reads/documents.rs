//! Documents: finds the archive and the location in its pack, and reads the bytes.

use std::sync::LazyLock;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::archive::Owner;
use crate::directory::{FileKind, Fingerprint};
use crate::index::error::IndexError;
use crate::index::model::{CopySelector, Document, DocumentAnswer, DocumentBeginning, Fault, UnitKey, Validity};
use crate::index::query::Part;
use crate::index::sqlite::acts::precedence::{APPLICATION_COPIES, JOB_COPIES, RANK, VISIBLE};
use crate::index::sqlite::reads::unread;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{QUEUED, fault_column, signed, unit_key};
use crate::pack;

/// [`Fault::Content`] as stored.
pub(in crate::index::sqlite) const REFUSED: i64 = fault_column(Some(Fault::Content));

/// Maximum number of bytes of one chunk.
const CHUNK: u64 = 256 << 10;

/// The archive file of the owner itself.
pub(in crate::index::sqlite) fn own_file(owner: Owner) -> FileKind {
    match owner {
        Owner::Application(_) => FileKind::Summary,
        Owner::Job(job) => FileKind::Job(job),
    }
}

/// The copy that answers for an owner.
pub(in crate::index::sqlite) struct Copied {
    pub(in crate::index::sqlite) unit: UnitKey,
    overview: bool,
    served: Option<Fingerprint>,
    missing: bool,
    pack: Option<i64>,
    /// The version that is present now could not be read because of its content.
    refused: bool,
    /// The archive is listed and still to be read for the first time.
    queued: bool,
}

fn copy_query(copies: &str, id: &str, of_cluster: &str) -> String {
    format!(
        "SELECT d.url, u.cluster, u.name AS unit, x.overview, a.served, u.gone_since IS NOT NULL OR a.gone_since IS NOT NULL AS missing,
                p.id AS pack, coalesce(a.parsed = 0 AND a.fault = {REFUSED}, 0) AS refused, coalesce(a.fault = {QUEUED}, 0) AS queued
         FROM {copies} LEFT JOIN packs p ON p.unit = a.unit AND p.file = a.file
         WHERE x.{id} = ?1 AND {VISIBLE} AND (?2 IS NULL OR d.url = ?2) AND (?3 IS NULL OR {of_cluster}) ORDER BY {RANK} LIMIT 1"
    )
}

static APPLICATION_COPY: LazyLock<String> = LazyLock::new(|| copy_query(APPLICATION_COPIES, "application", "u.cluster = ?3"));
static JOB_COPY: LazyLock<String> = LazyLock::new(|| copy_query(JOB_COPIES, "job", "u.cluster = ?3 OR o.cluster = ?3"));

/// The copy that answers for an owner, by precedence, with its overview.
pub(in crate::index::sqlite) fn find_copy(
    connection: &Connection,
    owner: Owner,
    copy: &CopySelector,
) -> Result<Option<(Copied, Option<String>)>, SqliteError> {
    let (sql, id) = match &owner {
        Owner::Application(id) => (&*APPLICATION_COPY, id.as_bytes()),
        Owner::Job(id) => (&*JOB_COPY, id.as_bytes()),
    };
    Ok(connection
        .prepare_cached(sql)?
        .query_row(params![id, copy.directory, copy.cluster], |row| {
            let unit = unit_key(row)?;
            let overview: Option<String> = row.get("overview")?;
            let served = row.get("served")?;
            Ok((
                Copied {
                    unit,
                    overview: overview.is_some(),
                    served,
                    missing: row.get("missing")?,
                    pack: row.get("pack")?,
                    refused: row.get("refused")?,
                    queued: row.get("queued")?,
                },
                overview,
            ))
        })
        .optional()?)
}

/// Whether there is a copy that answers for an owner.
pub(in crate::index) fn is_indexed(connection: &Connection, owner: Owner) -> Result<bool, SqliteError> {
    Ok(find_copy(connection, owner, &CopySelector::default())?.is_some())
}

/// The archived overview object of one copy, if it is listed.
pub(in crate::index) fn overview_of(connection: &Connection, owner: Owner, copy: &CopySelector) -> Result<Option<String>, SqliteError> {
    Ok(find_copy(connection, owner, copy)?.and_then(|(copied, overview)| overview.filter(|_| copied.overview)))
}

/// Finds the first of these paths that the archive of the owner holds, and reads up to `limit` bytes of that document.
pub(in crate::index) fn beginning(
    shared: &IndexState,
    owner: Owner,
    paths: &[String],
    copy: &CopySelector,
    limit: usize,
) -> Result<DocumentBeginning, SqliteError> {
    // Before the snapshot: see `Stamps`.
    let stamp = shared.stamps.now(owner);
    let begin = || shared.pool.read(|connection| begin(connection, shared, owner, paths, copy, limit));
    let (mut answer, mut path, mut text) = begin()?;
    if let DocumentAnswer::Found(document) = &answer
        && (text.len() as u64) < document.length
    {
        // The lease was taken after the snapshot, so the pack may have been evicted in between. A new snapshot shows that. A document that
        // was read whole needs no more of its pack.
        let pack = document.pack;
        if !shared.pool.read(|connection| pack_exists(connection, pack))? {
            (answer, path, text) = begin()?;
        }
    }
    let validity = match &answer {
        DocumentAnswer::Found(document) if *copy == CopySelector::default() => Some(Validity { stamp, pack: document.pack }),
        _ => None,
    };
    Ok(DocumentBeginning { answer, path, text, validity })
}

fn begin(
    connection: &Connection,
    shared: &IndexState,
    owner: Owner,
    paths: &[String],
    copy: &CopySelector,
    limit: usize,
) -> Result<(DocumentAnswer, usize, Bytes), SqliteError> {
    let (answer, path) = look_up(connection, shared, owner, paths, copy)?;
    let text = match &answer {
        DocumentAnswer::Found(document) if limit > 0 => {
            shared.note_read(document.pack);
            chunk(connection, document, 0, limit).inspect_err(|failure| {
                if matches!(failure, SqliteError::Index(IndexError::Damaged(_))) {
                    shared.note_damage(document.pack);
                }
            })?
        }
        _ => Bytes::new(),
    };
    Ok((answer, path, text))
}

fn look_up(
    connection: &Connection,
    shared: &IndexState,
    owner: Owner,
    paths: &[String],
    copy: &CopySelector,
) -> Result<(DocumentAnswer, usize), SqliteError> {
    let Some((copied, _)) = find_copy(connection, owner, copy)? else {
        return Ok((
            unread::of_owner(connection, &Part::Everything, owner, copy)?.map_or(DocumentAnswer::Unknown, DocumentAnswer::Unreadable),
            0,
        ));
    };
    let unread = || unread::of_file(connection, &copied.unit, own_file(owner));
    if copied.queued && !copied.missing {
        return Ok((DocumentAnswer::Evicted(copied.unit), 0));
    }
    let Some(fingerprint) = copied.served else {
        return Ok((unread()?.map_or(DocumentAnswer::NotArchived, DocumentAnswer::Unreadable), 0));
    };
    let Some((pack, lease)) = copied.pack.and_then(|pack| Some((pack, shared.leases.take(pack)?))) else {
        if copied.refused
            && !copied.missing
            && let Some(unread) = unread()?
        {
            return Ok((DocumentAnswer::Unreadable(unread), 0));
        }
        return Ok((if copied.missing { DocumentAnswer::Lost } else { DocumentAnswer::Evicted(copied.unit) }, 0));
    };
    let mut query = connection.prepare_cached("SELECT n, directory FROM parts WHERE pack = ?1 ORDER BY n DESC")?;
    for (number, path) in paths.iter().enumerate() {
        let mut parts = query.query([pack])?;
        // From the last part to the first, because the last of equal paths counts.
        while let Some(part) = parts.next()? {
            let directory = part.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            let place = pack::find(directory, path).inspect_err(|_| shared.note_damage(pack))?;
            if let Some(place) = place {
                let part = part.get(0)?;
                return Ok((DocumentAnswer::Found(Document { length: place.length, fingerprint, pack, part, place, lease }), number));
            }
        }
    }
    Ok((DocumentAnswer::NotInArchive, 0))
}

fn pack_exists(connection: &Connection, pack: i64) -> Result<bool, SqliteError> {
    Ok(connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM packs WHERE id = ?1)")?.query_row([pack], |row| row.get(0))?)
}

/// Reads a chunk of a document, of at most `limit` bytes.
pub(in crate::index) fn chunk(connection: &Connection, document: &Document, position: u64, limit: usize) -> Result<Bytes, SqliteError> {
    let wanted = document.length.saturating_sub(position).min(CHUNK).min(limit as u64);
    if wanted == 0 {
        return Ok(Bytes::new());
    }
    let (further, frame, offset) = document.place.seek(position);
    let mut query = connection.prepare_cached("SELECT directory, frames FROM parts WHERE pack = ?1 AND n = ?2")?;
    let mut parts = query.query(params![document.pack, signed(u64::from(document.part).saturating_add(further))])?;
    let Some(part) = parts.next()? else { return Err(missing(connection, document.pack)?) };
    let blob = |column| part.get_ref(column).and_then(|value| value.as_blob().map_err(rusqlite::Error::from));
    let bytes = pack::unpack(blob(0)?, blob(1)?, frame, offset, wanted)?;
    if bytes.is_empty() {
        return Err(pack::Damaged("a part ends before its document".to_owned()).into());
    }
    Ok(Bytes::from(bytes))
}

/// The error for a part that is missing: its pack was replaced or forgotten, or the file is damaged.
fn missing(connection: &Connection, pack: i64) -> Result<SqliteError, SqliteError> {
    Ok(if pack_exists(connection, pack)? {
        pack::Damaged("a part is missing".to_owned()).into()
    } else {
        IndexError::Failed("the archive was replaced while its document was read: request the document again".to_owned()).into()
    })
}
