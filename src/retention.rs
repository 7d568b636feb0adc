//! What is kept in an archive directory and for how long, and the removal of what is not.
//!
//! [`policy`] judges, without IO. A refresh puts its verdicts on record in the index, unless the [`guard`] holds them back.
//! [`delete`] alone deletes in archive directories, and only what is on record. [`cleanup`] is the run that does so.

pub mod cleanup;
pub mod delete;
pub mod followed;
pub mod guard;
pub mod plausibility;
pub mod policy;
pub mod trust;

use crate::index::{Deletion, UnitKey};

/// Says in the log what was deleted or forgotten.
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
