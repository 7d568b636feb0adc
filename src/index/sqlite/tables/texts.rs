//! Texts that are searched: written in the same transaction as the rows they are of, each distinct one once.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, params};
use sha1::{Digest as _, Sha1};

use crate::archive::facts::{ExceptionFacts, Facts};
use crate::directory::FileKind;
use crate::index::model::texts::{Text, TextKind};
use crate::index::query::ListKind;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::pack::{pack_text, unpack_text};

/// Statements of one kind of row.
struct Statements {
    of: &'static str,
    add: &'static str,
    remove: &'static str,
}

const APPLICATIONS: Statements = Statements {
    of: "SELECT text FROM application_texts WHERE application = ?1",
    add: "INSERT INTO application_texts (application, text) VALUES (?1, ?2)",
    remove: "DELETE FROM application_texts WHERE application = ?1 AND text = ?2",
};

const JOBS: Statements = Statements {
    of: "SELECT text FROM job_texts WHERE job = ?1",
    add: "INSERT INTO job_texts (job, text) VALUES (?1, ?2)",
    remove: "DELETE FROM job_texts WHERE job = ?1 AND text = ?2",
};

/// Replaces the texts of the application or job of an archive.
pub(in crate::index::sqlite) fn write_of_archive(
    connection: &Connection,
    unit: i64,
    file: FileKind,
    told: &Facts,
) -> Result<(), SqliteError> {
    let owner = match file {
        FileKind::Summary => Some((ListKind::Applications, unit)),
        FileKind::Job(job) => connection
            .prepare_cached("SELECT id FROM jobs WHERE unit = ?1 AND job = ?2")?
            .query_row(params![unit, job.as_bytes()], |row| Ok((ListKind::Jobs, row.get(0)?)))
            .optional()?,
    };
    let Some((kind, row)) = owner else { return Ok(()) };
    write(connection, kind, row, &Text::of_facts(told))
}

/// Replaces the texts of the failure of a job whose own archive reports none.
pub(in crate::index::sqlite) fn write_failure(
    connection: &Connection,
    job: i64,
    failure: Option<&ExceptionFacts>,
) -> Result<(), SqliteError> {
    let kinds = Text::KINDS_OF_EXCEPTIONS.map(TextKind::number);
    connection
        .prepare_cached(
            "DELETE FROM job_texts WHERE job = ?1 AND text IN (SELECT t.text FROM job_texts t JOIN texts ON texts.id = t.text
             WHERE t.job = ?1 AND texts.kind IN (?2, ?3, ?4))",
        )?
        .execute(params![job, kinds[0], kinds[1], kinds[2]])?;
    for text in failure.map(Text::of_exception).unwrap_or_default() {
        let text = id(connection, &text)?;
        connection.prepare_cached("INSERT OR IGNORE INTO job_texts (job, text) VALUES (?1, ?2)")?.execute(params![job, text])?;
    }
    Ok(())
}

/// Replaces the texts of an application or a job.
pub(in crate::index::sqlite) fn write(connection: &Connection, kind: ListKind, row: i64, texts: &[Text]) -> Result<(), SqliteError> {
    let statements = match kind {
        ListKind::Applications => APPLICATIONS,
        ListKind::Jobs => JOBS,
    };
    let before: Vec<i64> = connection.prepare_cached(statements.of)?.query_map([row], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let now: BTreeSet<i64> = texts.iter().map(|text| id(connection, text)).collect::<Result<_, _>>()?;
    let mut add = connection.prepare_cached(statements.add)?;
    for text in now.iter().filter(|text| !before.contains(text)) {
        add.execute(params![row, text])?;
    }
    let mut remove = connection.prepare_cached(statements.remove)?;
    for text in before.iter().filter(|text| !now.contains(text)) {
        remove.execute(params![row, text])?;
    }
    Ok(())
}

/// The row of a text; it is added if it is missing.
fn id(connection: &Connection, text: &Text) -> Result<i64, SqliteError> {
    let (kind, digest) = (text.kind.number(), digest(text));
    if let Some(id) = find(connection, kind, digest, &text.content)? {
        return Ok(id);
    }
    let id: i64 = connection
        .prepare_cached("INSERT INTO texts (kind, digest, content) VALUES (?1, ?2, ?3) RETURNING id")?
        .query_row(params![kind, digest, pack_text(&text.content)], |row| row.get(0))?;
    connection.prepare_cached("INSERT INTO texts_search (rowid, words) VALUES (?1, ?2)")?.execute(params![id, text.keys()])?;
    Ok(id)
}

/// The row of a text that is stored. Most texts are, and to decompress one costs a fraction of compressing it for a comparison.
fn find(connection: &Connection, kind: i64, digest: i64, content: &str) -> Result<Option<i64>, SqliteError> {
    let mut query = connection.prepare_cached("SELECT id, content FROM texts WHERE digest = ?1 AND kind = ?2")?;
    let mut rows = query.query([digest, kind])?;
    while let Some(row) = rows.next()? {
        let stored = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        // A damaged text equals none.
        if unpack_text(stored).is_ok_and(|stored| stored == content) {
            return Ok(Some(row.get(0)?));
        }
    }
    Ok(None)
}

fn digest(text: &Text) -> i64 {
    let digest = Sha1::new().chain_update([text.kind.number().to_le_bytes()[0]]).chain_update(&text.content).finalize();
    digest.iter().take(8).fold(0, |number: i64, byte| number << 8 | i64::from(*byte))
}
