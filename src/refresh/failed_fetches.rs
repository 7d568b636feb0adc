//! The units of a directory with a file that its store did not return. No IO.

use std::collections::HashSet;

use crate::index::{Fault, FileOutcome, KnownDirectory, KnownUnit, UnitChange, UnitKey};
use crate::names::DirectoryUrl;

/// Units with files that could not be fetched.
#[derive(Debug, Default)]
pub(super) struct FailedFetches(HashSet<UnitKey>);

impl FailedFetches {
    /// The units that the index knows in a directory, except missing and expired ones.
    pub(super) fn of(directory: &DirectoryUrl, known: &KnownDirectory) -> Self {
        let applications = known.applications.iter().map(|((cluster, id), unit)| (UnitKey::application(directory, cluster, *id), unit));
        let legacy_jobs = known.legacy_jobs.iter().map(|(job, unit)| (UnitKey::LegacyJob(directory.clone(), *job), unit));
        Self(applications.chain(legacy_jobs).filter(|(_, unit)| is_unfetched(unit)).map(|(key, _)| key).collect())
    }

    /// Notes the result of reading a unit.
    pub(super) fn note(&mut self, change: &UnitChange) {
        let failed = |outcome: &FileOutcome| matches!(outcome, FileOutcome::Unreadable { fault: Fault::Store, .. });
        if change.files.iter().any(|file| failed(&file.outcome)) {
            self.0.insert(change.key.clone());
        } else if !change.files.is_empty() {
            // Another file of the unit may still fail: the index is read again for that.
            self.0.remove(&change.key);
        }
    }

    /// The number of units.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

fn is_unfetched(unit: &KnownUnit) -> bool {
    let present = unit.gone_since.is_none() && unit.expired_at.is_none();
    present && unit.files.iter().any(|file| !file.parsed && !file.gone && file.fault == Some(Fault::Store))
}
