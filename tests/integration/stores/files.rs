//! The files of an archive directory in a store, as tests see them.

use std::collections::BTreeSet;

/// Paths of all files in the store.
#[derive(Debug)]
pub(super) struct Files(pub(super) BTreeSet<String>);

/// The id of the application or legacy job that a file belongs to.
pub(super) fn unit(file: &str) -> Option<String> {
    let parts: Vec<&str> = file.split('/').collect();
    match parts[..] {
        ["archives", _, "applications", application, ..] => Some(application.trim_end_matches("_$folder$").to_owned()),
        ["archives", job] if job.len() == 32 => Some(job.to_owned()),
        _ => None,
    }
}

impl Files {
    fn units(&self, of_applications: bool) -> BTreeSet<String> {
        self.0.iter().filter(|file| file.contains("/applications/") == of_applications).filter_map(|file| unit(file)).collect()
    }

    /// Ids of the applications.
    pub(super) fn applications(&self) -> BTreeSet<String> {
        self.units(true)
    }

    /// Ids of the legacy jobs.
    pub(super) fn jobs(&self) -> BTreeSet<String> {
        self.units(false)
    }
}
