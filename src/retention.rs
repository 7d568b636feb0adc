//! Which archives are kept, for how long, and how all others are removed.
//!
//! [`policy`] judges, without IO. A refresh records removals in the index, unless the [`guard`] holds them until they are confirmed.
//! [`cleanup`] carries out recorded removals. Only [`delete`] deletes in archive directories, and only what a removal records.

pub mod cleanup;
pub mod delete;
pub mod followed;
pub mod guard;
pub mod plausibility;
pub mod policy;
pub mod trust;

use crate::index::{Deletion, UnitKey};

/// Logs a deleted or forgotten unit.
pub fn log(deletion: &Deletion) {
    let name = deletion.name.as_deref().unwrap_or_default();
    let (directory, done, reason) = (deletion.key.directory(), deletion.done.as_str(), deletion.reason.as_str());
    match &deletion.key {
        UnitKey::Application(key) => tracing::info!(
            directory.url = %directory, cluster.id = ?key.cluster.as_str(), application.id = %key.id, application.name = name, done, reason,
            archive.size_bytes = deletion.bytes, "removed an application: {}", deletion.detail
        ),
        UnitKey::LegacyJob(_, job) => tracing::info!(
            directory.url = %directory, job.id = %job, job.name = name, done, reason, archive.size_bytes = deletion.bytes,
            "removed a legacy job archive: {}", deletion.detail
        ),
    }
}
