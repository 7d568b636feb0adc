//! Natural keys of units, and selectors of copies.

use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, DirectoryUrl};

/// One copy of an application: ids repeat across directories and clusters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationKey {
    /// Archive directory.
    pub directory: DirectoryUrl,
    /// Cluster within it.
    pub cluster: ClusterName,
    /// Id.
    pub id: ApplicationId,
}

/// The key of a unit: an application with all its files, or one legacy job archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKey {
    /// An application: summary and job archives.
    Application(ApplicationKey),
    /// A legacy job archive.
    LegacyJob(DirectoryUrl, JobId),
}

impl UnitKey {
    /// The key of an application.
    #[must_use]
    pub fn application(directory: &DirectoryUrl, cluster: &ClusterName, id: ApplicationId) -> Self {
        Self::Application(ApplicationKey { directory: directory.clone(), cluster: cluster.clone(), id })
    }

    /// The archive directory that the unit is in.
    #[must_use]
    pub fn directory(&self) -> &DirectoryUrl {
        match self {
            Self::Application(key) => &key.directory,
            Self::LegacyJob(directory, _) => directory,
        }
    }
}

/// Selects copies of an application or job; the default selects all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CopySelector {
    /// Only copies in this archive directory.
    pub directory: Option<String>,
    /// Only copies in this cluster; empty: only a legacy job archive, which has no cluster.
    pub cluster: Option<String>,
}
