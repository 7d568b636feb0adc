//! Units that were read because a client asked for them, while they still wait in the queue of a refresh.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Ingest;
use super::task::Task;
use crate::directory::{FileKind, Fingerprint};
use crate::index::{UnitChange, UnitKey};
use crate::names::DirectoryUrl;

/// The version of each file that was read.
type Versions = Vec<(FileKind, Fingerprint)>;

/// The versions of the files that were read, by unit.
#[derive(Default)]
pub(super) struct Demanded(Mutex<HashMap<UnitKey, Versions>>);

impl Demanded {
    fn lock(&self) -> MutexGuard<'_, HashMap<UnitKey, Versions>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a unit that was read, and is in the index.
    pub(super) fn note(&self, unit: UnitKey, versions: Versions) {
        self.lock().insert(unit, versions);
    }

    /// Forgets what was read for clients in a directory.
    pub(super) fn forget(&self, directory: &DirectoryUrl) {
        self.lock().retain(|unit, _| unit.directory() != directory);
    }
}

/// The versions of the files of a change.
pub(super) fn versions(change: &UnitChange) -> Versions {
    change.files.iter().map(|file| (file.kind, file.version.fingerprint())).collect()
}

impl Ingest {
    /// Whether all files of a queued task were read for a client meanwhile, in the version that was listed.
    #[must_use]
    pub fn was_demanded(&self, task: &Task) -> bool {
        let Some(read) = self.inner.demanded.lock().remove(&task.key) else { return false };
        task.files.iter().all(|file| read.contains(&(file.kind, file.version.fingerprint())))
    }
}
