//! Whether archives beyond the limits can be deleted with the credentials of each archive directory.

use crate::config::Config;
use crate::directory::{Directory, DirectoryErrorKind};

/// Logs a warning for each directory that the configured limits cannot delete in.
pub(super) async fn warn_of_missing_permissions(directories: Vec<Directory>) {
    for directory in directories {
        match directory.may_delete().await {
            Err(error) if error.kind == DirectoryErrorKind::Denied => tracing::warn!(
                directory.url = %directory.url(),
                "the limits of retention cannot delete archives: {}, or set historyserver.archive.retain-remote-beyond-local-limit to true",
                error.message
            ),
            // A store that does not answer is reported by its refreshes.
            Ok(()) | Err(_) => {}
        }
    }
}

/// Whether archives are deleted at all.
pub(super) fn deletes(config: &Config) -> bool {
    config.retention.has_limit() && !config.retention.retain_remote_beyond_local_limit
}
