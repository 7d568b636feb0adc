//! What lists show of an application and its jobs, from its summary alone; of a legacy job, from the first bytes of its archive.
//!
//! Flink writes the objects of `/jobs/overview` into the summary, too, byte for byte (2.3.0). What cannot be read here without doubt is
//! left to the reading of the whole archives.

use serde_json::value::RawValue;

use super::application::ApplicationFindings;
use super::entry_path::{DocumentKind, EntryPaths};
use super::envelope::{Entry, Field, walk};
use super::members::Members;
use super::reader::check;
use super::{ApplicationRecord, ArchiveLimits, JobRecord, MAX_PATH_BYTES, Owner, ReadError, job};
use crate::ids::{ApplicationId, JobId};

/// An application and its jobs, as its summary describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryListing {
    /// The application.
    pub application: ApplicationRecord,
    /// The jobs that the summary describes, each once. Values that only a job's own archive has are missing.
    pub jobs: Vec<(JobId, JobRecord)>,
}

/// Reads what lists show from a whole summary. `None`: the summary is invalid, or has no name and state of this application.
#[must_use]
pub fn read_summary_listing(summary: &[u8], id: ApplicationId, limits: &ArchiveLimits) -> Option<SummaryListing> {
    let owner = Owner::Application(id);
    let (paths, limits) = (EntryPaths::new(owner), bounded(limits));
    let (mut findings, mut jobs) = (ApplicationFindings::new(id), Vec::new());
    let (mut own, mut other) = (false, false);
    walk(summary, &limits, &mut |_, entry| {
        match check(&paths, &limits, entry) {
            Ok((DocumentKind::Overview, _, json)) => other |= findings.overview(json).is_err(),
            Ok((DocumentKind::Details, _, json)) => {
                own = true;
                findings.details(json);
                jobs = jobs_of(json);
            }
            Ok((DocumentKind::Below, ..)) => own = true,
            Ok((DocumentKind::LegacyOverview, ..)) | Err(_) => {}
        }
        Ok(())
    })
    .ok()?;
    let (application, _flaw) = findings.finish();
    let application = application.filter(|_| own && !other)?;
    Some(SummaryListing { application, jobs })
}

/// The jobs in the document `/applications/<id>`.
fn jobs_of(details: &str) -> Vec<(JobId, JobRecord)> {
    let Some(members) = Members::parse(details) else { return Vec::new() };
    let mut jobs: Vec<(JobId, JobRecord)> = Vec::new();
    for object in members.elements("jobs") {
        if let Some((id, record)) = job_of(object)
            && jobs.iter().all(|(known, _)| *known != id)
        {
            jobs.push((id, record));
        }
    }
    jobs
}

fn job_of(object: &RawValue) -> Option<(JobId, JobRecord)> {
    let id = JobId::from_name(Members::parse(object.get())?.text("jid")?.as_bytes()).ok()?;
    Some((id, job::listed(id, object).ok().flatten()?))
}

/// Reads what lists show from the first bytes of a job archive. `None`: they do not hold the overview of this job.
#[must_use]
pub fn read_job_listing(head: &[u8], id: JobId, limits: &ArchiveLimits) -> Option<JobRecord> {
    let (paths, limits) = (EntryPaths::new(Owner::Job(id)), bounded(limits));
    let mut found = None;
    // The bytes end before the archive does: an error after the overview is expected, and the walk need not go on.
    let _ = walk(head, &limits, &mut |_, entry| {
        let Entry::Object { path: Field::Text(path), .. } = entry else { return Ok(()) };
        if !matches!(paths.check(path), Ok((DocumentKind::Overview, _))) {
            return Ok(());
        }
        let Ok((_, _, json)) = check(&paths, &limits, entry) else { return Ok(()) };
        let object = Members::parse(json).and_then(|members| members.elements("jobs").first().copied());
        found = object.and_then(|object| job::listed(id, object).ok().flatten());
        Err(ReadError::Source(std::io::ErrorKind::UnexpectedEof.into()))
    });
    found
}

fn bounded(limits: &ArchiveLimits) -> ArchiveLimits {
    ArchiveLimits { path_length: limits.path_length.min(MAX_PATH_BYTES), ..*limits }
}
