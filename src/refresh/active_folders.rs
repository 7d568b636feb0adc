//! The folders of an archive directory where the next change is likely, which file events are watched for.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::directory::{FileKind, Found, FoundApplication};
use crate::ingest::task::OPEN_WINDOW;
use crate::names::{ClusterName, FilePath};

/// Limit of open applications that are remembered.
const MAX_APPLICATIONS: usize = 256;

/// Collects the folders while a listing runs.
#[derive(Default)]
pub(super) struct ActiveFolders {
    clusters: BTreeSet<ClusterName>,
    applications: BTreeSet<(Reverse<Timestamp>, FilePath)>,
}

impl ActiveFolders {
    /// Takes one piece of the listing.
    pub(super) fn take(&mut self, found: &Found, now: Timestamp) {
        let Found::Applications(applications) = found else { return };
        for application in applications {
            if !self.clusters.contains(&application.cluster) {
                self.clusters.insert(application.cluster.clone());
            }
            if let Some(newest) = open_since(application, now) {
                self.applications.insert((Reverse(newest), application.folder.clone()));
                if self.applications.len() > MAX_APPLICATIONS {
                    self.applications.pop_last();
                }
            }
        }
    }

    /// The folders that contain clusters, `applications/` of each cluster, then the open applications (and their `jobs/`), most recently
    /// modified first.
    pub(super) fn into_paths(self) -> Vec<FilePath> {
        let above = self.clusters.iter().flat_map(|cluster| cluster.folders().filter(|folder| *folder != cluster.as_str()));
        let above: BTreeSet<FilePath> = above.map(FilePath::new).collect();
        let clusters = self.clusters.iter().map(|cluster| FilePath::new(format!("{cluster}/applications")));
        let applications = self.applications.iter().flat_map(|(_, folder)| [folder.clone(), FilePath::new(format!("{folder}/jobs"))]);
        above.into_iter().chain(clusters).chain(applications).collect()
    }
}

/// Time of the newest file, if more files may come.
fn open_since(application: &FoundApplication, now: Timestamp) -> Option<Timestamp> {
    let files = application.files.as_ref()?;
    let newest = files.iter().map(|file| file.version.modified).max()?;
    let complete = files.iter().any(|file| file.kind == FileKind::Summary);
    (!complete || now.since(newest) < OPEN_WINDOW).then_some(newest)
}
