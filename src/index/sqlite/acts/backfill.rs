//! Backfill: facts that an older server did not derive from archives are derived from their packs.

use rusqlite::{Connection, params};

use crate::archive::facts::DERIVATION_VERSION;
use crate::archive::{self, Derivation, Owner, Record};
use crate::directory::FileKind;
use crate::ids::ApplicationId;
use crate::index::model::{Derived, DerivedPage, DerivingPosition, Underived};
use crate::index::sqlite::acts::links;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::{signed, unsigned};
use crate::index::sqlite::tables::{applications_and_jobs, facts, list_rows, units};
use crate::pack::Unpacker;

/// Number of archives whose facts are out of date.
pub(in crate::index) fn underived(connection: &Connection) -> Result<Underived, SqliteError> {
    let count = |packs: &str| -> Result<u64, SqliteError> {
        let sql = format!(
            "SELECT count(*) FROM archives a INDEXED BY archives_by_derived WHERE a.derived < ?1 AND a.served IS NOT NULL
             AND {packs} (SELECT 1 FROM packs p WHERE p.unit = a.unit AND p.file = a.file)"
        );
        Ok(connection.prepare_cached(&sql)?.query_row([DERIVATION_VERSION], |row| row.get(0)).map(unsigned)?)
    };
    Ok(Underived { kept: count("EXISTS")?, evicted: count("NOT EXISTS")? })
}

/// Derives the facts of up to `limit` archives whose packs are stored, last ingested first.
pub(in crate::index) fn derive(
    connection: &Connection,
    after: Option<&DerivingPosition>,
    limit: usize,
) -> Result<DerivedPage, SqliteError> {
    let (unit, file) = after.map_or((i64::MAX, &[][..]), |after| (after.unit, after.file.as_slice()));
    let found: Vec<(DerivingPosition, i64, FileKind, [u8; 16])> = connection
        .prepare_cached(
            "SELECT a.unit, a.file, p.id, u.name FROM archives a JOIN packs p ON p.unit = a.unit AND p.file = a.file
             JOIN units u ON u.id = a.unit
             WHERE (a.unit, a.file) < (?1, ?2) AND a.derived < ?3 ORDER BY a.unit DESC, a.file DESC LIMIT ?4",
        )?
        .query_map(params![unit, file, DERIVATION_VERSION, signed(limit as u64)], |row| {
            let position = DerivingPosition { unit: row.get(0)?, file: row.get(1)? };
            Ok((position, row.get(2)?, row.get(1)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let next = found.last().filter(|_| found.len() == limit).map(|(position, ..)| position.clone());
    let mut page = DerivedPage { derived: Vec::with_capacity(found.len()), failed: Vec::new(), next };
    for (_, pack, kind, name) in found {
        let owner = match kind {
            FileKind::Summary => Owner::Application(ApplicationId::from_bytes(name)),
            FileKind::Job(job) => Owner::Job(job),
        };
        match read(connection, pack, owner) {
            Ok(derived) => page.derived.push(Derived { pack, derived: Box::new(derived) }),
            Err(SqliteError::Index(error)) => page.failed.push(error.to_string()),
            Err(failure) => return Err(failure),
        }
    }
    Ok(page)
}

fn read(connection: &Connection, pack: i64, owner: Owner) -> Result<archive::Derived, SqliteError> {
    let mut derivation = Derivation::new(owner);
    let mut unpacker = Unpacker::default();
    let mut query = connection.prepare_cached("SELECT directory, frames FROM parts WHERE pack = ?1 ORDER BY n")?;
    let mut parts = query.query([pack])?;
    while let Some(part) = parts.next()? {
        let blob = |column| part.get_ref(column).and_then(|value| value.as_blob().map_err(rusqlite::Error::from));
        // An archive of another owner was refused when it was read.
        unpacker.part(blob(0)?, blob(1)?, |path, document| {
            let _ = derivation.document(path, document);
        })?;
    }
    unpacker.finish()?;
    Ok(derivation.finish())
}

/// Writes derived facts. Skips packs that were replaced meanwhile: a new ingest has derived the facts already. Returns the number
/// written.
pub(in crate::index) fn write_derived(session: &mut Session<'_>, derived: &[Derived]) -> Result<u64, SqliteError> {
    let connection = session.connection;
    let mut written = 0;
    for Derived { pack, derived } in derived {
        let updated = connection
            .prepare_cached(
                "UPDATE archives SET derived = ?2 FROM packs
                 WHERE packs.id = ?1 AND archives.unit = packs.unit AND archives.file = packs.file AND archives.derived < ?2
                 RETURNING archives.unit, archives.file, (SELECT name FROM units WHERE id = archives.unit)",
            )?
            .query_map(params![pack, DERIVATION_VERSION], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        for (unit, kind, name) in updated {
            match (kind, &derived.record) {
                (FileKind::Summary, Some(Record::Application(record))) => {
                    applications_and_jobs::write_application(session, unit, name, Some(record))?;
                    applications_and_jobs::write_named_jobs(session, unit, false, &record.jobs)?;
                }
                (FileKind::Job(job), Some(Record::Job(record))) => {
                    applications_and_jobs::write_job(session, unit, job, Some(record))?;
                }
                _ => {}
            }
            facts::write(connection, unit, kind, &derived.facts)?;
            let mut jobs = units::ids(session, unit)?.jobs;
            if let FileKind::Job(job) = kind {
                jobs.retain(|known| *known == job);
            }
            let directory = connection.prepare_cached("SELECT directory FROM units WHERE id = ?1")?.query_row([unit], |row| row.get(0))?;
            links::settle(session, directory, &jobs)?;
            list_rows::sync(connection, unit)?;
            written += 1;
        }
    }
    Ok(written)
}
