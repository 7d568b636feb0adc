//! Natural keys: what is kept, and which copy of it is meant.

use crate::directory::{ClusterName, DirectoryUrl};
use crate::ids::{ApplicationId, JobId};

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

/// What archives are kept under: an application with all its files, or one legacy job archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UnitKey {
    /// An application: summary and job archives.
    Application(ApplicationKey),
    /// A legacy job archive.
    LegacyJob(DirectoryUrl, JobId),
}

/// Which copy of a document is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copy {
    /// Only copies in this archive directory.
    pub directory: Option<String>,
    /// Only copies in this cluster.
    pub cluster: Option<String>,
}
