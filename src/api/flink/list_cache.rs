//! The lists of Flink that were made last, one of each kind.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::api::http::gzip;
use crate::index::Generation;

/// A list of Flink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum List {
    /// `/applications/overview`.
    Applications,
    /// `/jobs/overview`.
    Jobs,
    /// `/jobs`.
    JobIds,
}

impl List {
    /// Prefix of the tag of its answers.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Applications => "applications",
            Self::Jobs => "jobs",
            Self::JobIds => "ids",
        }
    }
}

/// The lists as they were made last.
#[derive(Default)]
pub(in crate::api) struct Lists {
    pub(super) applications: Mutex<Option<Arc<Made>>>,
    pub(super) jobs: Mutex<Option<Arc<Made>>>,
    pub(super) job_ids: Mutex<Option<Arc<Made>>>,
}

/// A list of one generation of the index.
pub(super) struct Made {
    pub(super) generation: Generation,
    pub(super) kept: Arc<gzip::Kept>,
}
