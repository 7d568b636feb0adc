//! Applies the result of an ingest of one unit.

use crate::archive::Owner;
use crate::directory::FileKind;
use crate::index::model::{FileChange, FileOutcome, ParsedRecord, UnitChange, UnitKey, Urgency};
use crate::index::sqlite::acts::{links, listing, precedence, presence};
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::values::file_key;
use crate::index::sqlite::tables::units::{self, Touched, Unit};
use crate::index::sqlite::tables::{applications_and_jobs, archives, facts, list_rows, packs, problems};
use crate::problem::ProblemChanges;

/// Writes one change.
pub(in crate::index) fn apply(session: &mut Session<'_>, change: UnitChange, urgency: Urgency) -> Result<ProblemChanges, SqliteError> {
    let UnitChange { key, files, problems: found, at } = change;
    let directory = session.directory(key.directory())?;
    let known = units::find(session, &key)?;
    let mut unit = match known {
        Some(unit) => unit,
        None if files.is_empty() && found.is_empty() => return Ok(ProblemChanges::default()),
        None => units::insert(session, &key)?,
    };
    let before = unit;
    // A unit that was just added or listed has no problems, and no ids to look up.
    let problems_before = if known.is_some_and(|known| !known.queued) { problems::of_unit(session, unit.id)? } else { Vec::new() };
    let mut touched = Touched::default();
    let mut returned = false;
    // Whether the list rows may differ from those that the summary of a queued unit gave.
    let mut relist = !before.queued;
    for file in &files {
        let written = archives::write(session, unit.id, &key, file, at)?;
        returned |= written.was_missing;
        relist |= !written.was_queued || !matches!(file.outcome, FileOutcome::Parsed { .. });
        if written.was_queued && matches!(file.outcome, FileOutcome::Unreadable { .. }) {
            let unlisted = listing::unlist(session, unit.id, file.kind)?;
            touched.applications.extend(unlisted.applications);
            touched.jobs.extend(unlisted.jobs);
            unit.complete &= !is_main(&key, file.kind);
        }
        if let FileOutcome::Parsed { record, facts, pack, .. } = &file.outcome {
            session.note_changed(owner(&key, file.kind));
            let id = match written.same_pack {
                // Readers of its documents are not interrupted.
                Some(same) => packs::keep(session, same, pack)?,
                None => packs::replace(session, unit.id, file_key(&file.kind), pack, file.version.modified)?,
            };
            if urgency == Urgency::Now {
                session.effects.restored.push(id);
            }
            unit.complete |= is_main(&key, file.kind);
            relist |= write_record(session, unit.id, &key, file, record.as_deref(), known.is_none(), &mut touched)?;
            if !written.derived {
                facts::write(session.connection, unit.id, file.kind, facts)?;
            }
        }
    }
    if !files.is_empty() {
        unit.time = units::time(session, unit.id)?;
        // Its files were fetched, so it is present.
        unit.gone_since = None;
        unit.queued = before.queued && archives::any_queued(session, unit.id)?;
    }
    if unit != before {
        units::update(session, &unit)?;
    }
    // Once its queued archives are read, every id of the unit that changes is touched.
    let before = Unit { queued: unit.queued, ..before };
    if returned || unit.gone_since != before.gone_since {
        presence::restore_packs(session, unit.id)?;
        session.effects.lists = true;
    }
    if known.is_some() && (returned || unit != before) {
        let all = units::ids(session, unit.id)?;
        touched.applications.extend(all.applications);
        touched.jobs.extend(all.jobs);
    }
    touched.applications.dedup();
    touched.jobs.sort_unstable();
    touched.jobs.dedup();
    precedence::settle(session, &touched)?;
    if !files.is_empty() {
        links::settle(session, directory, &touched.jobs)?;
        if relist || facts::any_failure(session.connection, unit.id)? {
            list_rows::sync(session.connection, unit.id)?;
        }
    }
    let tried: Vec<_> = files.into_iter().map(|file| (file.path, file.kind)).collect();
    if known.is_some() || !found.is_empty() {
        problems::replace_of_unit(session, (directory, unit.id), &tried, found)?;
        let problems_after = problems::of_unit(session, unit.id)?;
        return Ok(problems::changes(problems_before, &problems_after));
    }
    Ok(ProblemChanges::default())
}

/// The owner of the documents of a file.
fn owner(key: &UnitKey, kind: FileKind) -> Owner {
    match (key, kind) {
        (_, FileKind::Job(job)) => Owner::Job(job),
        (UnitKey::LegacyJob(_, job), FileKind::Summary) => Owner::Job(*job),
        (UnitKey::Application(application), FileKind::Summary) => Owner::Application(application.id),
    }
}

/// Whether a file is the summary of an application, or a legacy job archive.
fn is_main(key: &UnitKey, kind: FileKind) -> bool {
    matches!((key, kind), (UnitKey::Application(_), FileKind::Summary) | (UnitKey::LegacyJob(..), _))
}

/// Writes the rows of the application or the job of a file. Returns whether a value that lists show changed.
fn write_record(
    session: &mut Session<'_>,
    unit: i64,
    key: &UnitKey,
    file: &FileChange,
    record: Option<&ParsedRecord>,
    new_unit: bool,
    touched: &mut Touched,
) -> Result<bool, SqliteError> {
    let changed = match (key, file.kind) {
        (UnitKey::Application(application), FileKind::Summary) => {
            let record = match record {
                Some(ParsedRecord::Application(record)) => Some(record),
                _ => None,
            };
            let changed = applications_and_jobs::write_application(session, unit, application.id, record)?;
            let jobs = record.map_or(&[][..], |record| &record.jobs);
            touched.applications.push(application.id);
            touched.jobs.extend(jobs.iter().map(|job| job.id));
            let unnamed = applications_and_jobs::write_named_jobs(session, unit, new_unit, jobs)?;
            let changed = changed || !unnamed.is_empty();
            touched.jobs.extend(unnamed);
            changed
        }
        (_, FileKind::Job(job)) => {
            let record = match record {
                Some(ParsedRecord::Job(record)) => Some(record),
                _ => None,
            };
            touched.jobs.push(job);
            applications_and_jobs::write_job(session, unit, job, record)?
        }
        (UnitKey::LegacyJob(..), FileKind::Summary) => false,
    };
    Ok(changed)
}
