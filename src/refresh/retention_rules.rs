//! The configuration of retention for a refresh.

use crate::retention::policy::Policy;

/// The retention rules of the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RetentionRules {
    /// The limits.
    pub policy: Policy,
    /// `historyserver.archive.retain-remote-beyond-local-limit`: an expired archive is forgotten, and its files stay.
    pub keep_archives: bool,
    /// `historyserver.archive.retention.max-delete-fraction`, if it is configured; 1 is off.
    pub max_delete_fraction: Option<f64>,
}
