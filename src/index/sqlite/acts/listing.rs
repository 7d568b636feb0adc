//! Lists new units by what their summaries say, before their archives are read.

use crate::archive::NamedJob;
use crate::directory::FileKind;
use crate::ids::JobId;
use crate::index::model::{UnitKey, UnitListing};
use crate::index::sqlite::acts::{links, precedence};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::file_key;
use crate::index::sqlite::tables::units::{self, Touched};
use crate::index::sqlite::tables::{applications_and_jobs, archives, list_rows};

/// Lists units. Those that are known by now, or are to be removed, are left alone.
pub(in crate::index) fn list(session: &mut Session<'_>, listings: &[UnitListing]) -> Result<(), SqliteError> {
    let mut added = Vec::new();
    for listing in listings {
        added.extend(add(session, listing)?);
    }
    // Together, because each further statement after a new name would have the index of names written to the file.
    list_rows::add_names(session.connection, added.iter().flat_map(|added| names(added.listing)))?;
    for Added { unit, listing, jobs, touched } in added {
        precedence::settle(session, &touched)?;
        if matches!(listing.key, UnitKey::Application(_)) {
            let directory = session.directory(listing.key.directory())?;
            links::settle(session, directory, &jobs)?;
        }
        list_rows::sync(session.connection, unit)?;
    }
    Ok(())
}

/// A unit that was added.
struct Added<'l> {
    unit: i64,
    listing: &'l UnitListing,
    jobs: Vec<JobId>,
    /// Its ids of which there are other copies.
    touched: Touched,
}

/// Adds the rows of a unit; `None` if it is known, or is to be removed.
fn add<'l>(session: &mut Session<'_>, listing: &'l UnitListing) -> Result<Option<Added<'l>>, SqliteError> {
    let UnitListing { key, files, application, jobs } = listing;
    let summary = files.iter().filter(|file| file.kind == FileKind::Summary).map(|file| file.version.modified).max();
    let time = summary.or_else(|| files.iter().map(|file| file.version.modified).max()).unwrap_or_default();
    let Some(unit) = units::insert_queued(session, key, time)? else { return Ok(None) };
    for file in files {
        archives::insert_queued(session, unit, key, file)?;
    }
    // Other copies are rare: only then the shown copy must be chosen among them.
    let mut touched = Touched::default();
    if let (UnitKey::Application(key), Some(record)) = (key, application) {
        let alone = !precedence::has_application(session, key.id)?;
        applications_and_jobs::list_application(session, unit, key.id, record, alone)?;
        touched.applications.extend((!alone).then_some(key.id));
    }
    let named = application.as_ref().map_or(&[][..], |record| &record.jobs);
    let unnamed = files.iter().filter_map(|file| match file.kind {
        FileKind::Job(job) if named.iter().all(|named| named.id != job) => Some((job, None)),
        FileKind::Job(_) | FileKind::Summary => None,
    });
    let all: Vec<(JobId, Option<NamedJob>)> = named.iter().map(|named| (named.id, Some(*named))).chain(unnamed).collect();
    for (job, named) in &all {
        let record = jobs.iter().find(|(id, _)| id == job).map(|(_, record)| record);
        let alone = !precedence::has_job(session, *job)?;
        applications_and_jobs::list_job(session, unit, *job, *named, record, alone)?;
        touched.jobs.extend((!alone).then_some(*job));
    }
    session.effects.lists = true;
    Ok(Some(Added { unit, listing, jobs: all.into_iter().map(|(job, _)| job).collect(), touched }))
}

/// Names that lists show of a unit.
fn names(listing: &UnitListing) -> impl Iterator<Item = &str> {
    listing.application.iter().map(|record| record.name.as_str()).chain(listing.jobs.iter().map(|(_, record)| record.name.as_str()))
}

/// Takes back what was listed of a file that cannot be read. Returns the ids whose shown copy may be another one now.
pub(in crate::index::sqlite) fn unlist(session: &mut Session<'_>, unit: i64, kind: FileKind) -> Result<Touched, SqliteError> {
    let ids = units::ids(session, unit)?;
    session.effects.lists = true;
    match kind {
        FileKind::Summary => {
            applications_and_jobs::clear_summary(session.connection, unit)?;
            Ok(ids)
        }
        FileKind::Job(job) => {
            applications_and_jobs::clear_job(session.connection, unit, file_key(&kind))?;
            Ok(Touched { applications: Vec::new(), jobs: vec![job] })
        }
    }
}
