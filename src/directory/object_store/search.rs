//! The search for clusters in an object store: the next steps of a listing, and its findings.
//!
//! Every folder of the root and every known cluster is listed. Deeper folders are searched with a bounded number of requests, since the
//! root may contain many other objects. A quick scan does not search known clusters; a full scan does.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::object_store::ObjectMeta;

use crate::directory::found::Extent;
use crate::directory::layout;
use crate::directory::level::Sights;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, is_hidden};

/// Maximum number of requests of a search in a quick scan, besides one for each folder of the root.
const MAX_QUICK_SCAN_REQUESTS: usize = 64;
/// Maximum number of requests of a search in a full scan.
const MAX_FULL_SCAN_REQUESTS: usize = 1_000;
/// Maximum number of folders that one listing reports.
const MAX_REPORTED: usize = 16;

/// A step of a listing.
#[derive(Debug)]
pub(super) enum Work {
    /// The applications of a cluster.
    Cluster(ClusterName),
    /// A folder that may belong to a cluster, or contain folders of clusters.
    Search(String),
    /// Whether archives lie below a folder with a hidden name.
    Hidden(String),
    /// Whether archives lie below a folder that is too deep.
    Deep(String),
}

/// State that the requests of a listing share.
pub(super) struct Search {
    full_scan: bool,
    known: HashSet<ClusterName>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: HashSet<ClusterName>,
    requests_left: usize,
    reported: usize,
    skipped: Option<String>,
    sights: Sights,
}

impl Search {
    pub(super) fn new(extent: &Extent, known: &[ClusterName]) -> Self {
        let full_scan = matches!(extent, Extent::Full);
        let requests_left = if full_scan { MAX_FULL_SCAN_REQUESTS } else { MAX_QUICK_SCAN_REQUESTS };
        Self { full_scan, known: known.iter().cloned().collect(), state: Mutex::new(State { requests_left, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The steps for the folders of the root and for known clusters in deeper folders.
    pub(super) fn begin(&self, folders: Vec<String>) -> Vec<Work> {
        let mut works = Vec::new();
        for cluster in &self.known {
            if cluster.as_str().contains('/') && !cluster.is_hidden() {
                works.extend(self.cluster(cluster.as_str()));
            }
        }
        works.extend(folders.into_iter().flat_map(|folder| self.folder(folder)));
        works
    }

    /// The steps for folders that a listing in one piece has passed over.
    pub(super) fn passed_over(folders: Vec<String>) -> Vec<Work> {
        folders.into_iter().filter(|folder| !is_hidden(folder.as_bytes())).map(Work::Search).collect()
    }

    /// Whether a known cluster is in a folder of the root.
    pub(super) fn knows_below(&self, folder: &str) -> bool {
        self.known.iter().any(|cluster| cluster.as_str().split('/').next() == Some(folder))
    }

    /// The steps for a folder.
    fn folder(&self, path: String) -> Vec<Work> {
        if is_hidden(layout::file_name(&path).as_bytes()) {
            return self.may_tell().then_some(Work::Hidden(path)).into_iter().collect();
        }
        if path.split('/').count() > layout::MAX_SEGMENTS {
            return self.may_tell().then_some(Work::Deep(path)).into_iter().collect();
        }
        let mut works = Vec::new();
        // A folder `applications` in the root is only searched for findings about the level.
        let is_known = self.known.contains(path.as_str());
        if is_known || path == layout::APPLICATIONS {
            works.extend(self.cluster(&path));
        }
        if !is_known || self.full_scan {
            works.push(Work::Search(path));
        }
        works
    }

    /// The step that lists a cluster, unless it was started before.
    pub(super) fn cluster(&self, path: &str) -> Option<Work> {
        let cluster = ClusterName::new(path);
        self.state().begun.insert(cluster.clone()).then_some(Work::Cluster(cluster))
    }

    /// Whether a folder may be reported: in a full scan, up to the maximum number.
    fn may_tell(&self) -> bool {
        let mut state = self.state();
        let may = self.full_scan && state.reported < MAX_REPORTED;
        state.reported += usize::from(may);
        may
    }

    /// Subtracts one request from the remaining ones. The first page of a folder of the root is free.
    pub(super) fn may_ask(&self, path: &str, is_first: bool) -> bool {
        let mut state = self.state();
        if is_first && !path.contains('/') {
            return true;
        }
        if state.requests_left == 0 {
            state.skipped.get_or_insert_with(|| path.to_owned());
            return false;
        }
        state.requests_left -= 1;
        true
    }

    /// Records that a cluster has applications.
    pub(super) fn note_cluster(&self, cluster: &ClusterName) {
        let mut state = self.state();
        match cluster.as_str().split_once('/') {
            None => state.sights.has_archives = true,
            Some((first, _)) if layout::ends_with_an_id(cluster.as_str()) => {
                state.sights.archive_directories.insert(first.to_owned());
            }
            Some(_) => {}
        }
    }

    /// Records findings of an object directly in the root.
    pub(super) fn note_root(&self, name: &str, is_job: bool) {
        let mut state = self.state();
        state.sights.has_archives |= is_job;
        state.sights.is_application |= name == layout::SUMMARY;
    }

    /// Processes one page of a folder: returns the steps for its folders, and records findings about the level of the root.
    pub(super) fn page<'p>(
        &self,
        path: &str,
        folders: impl Iterator<Item = &'p str>,
        objects: &[ObjectMeta],
        name: impl Fn(&ObjectMeta) -> Option<&str>,
    ) -> Vec<Work> {
        let mut works = Vec::new();
        let is_applications = path == layout::APPLICATIONS;
        let mut of_an_application = false;
        for folder in folders {
            let last = layout::file_name(folder);
            if is_applications {
                self.state().sights.is_cluster |= ApplicationId::from_name(last.as_bytes()).is_ok();
            } else if last == layout::APPLICATIONS {
                works.extend(self.cluster(path));
            } else {
                of_an_application |= last == layout::JOBS;
                works.extend(self.folder(folder.to_owned()));
            }
        }
        if path.contains('/') || is_applications {
            return works;
        }
        let mut job_archives = false;
        for last in objects.iter().filter_map(name).map(layout::file_name) {
            of_an_application |= last == layout::SUMMARY;
            job_archives |= JobId::from_name(last.as_bytes()).is_ok();
        }
        let sights = &mut self.state().sights;
        sights.holds_applications |= of_an_application && layout::ends_with_an_id(path);
        if job_archives && path == layout::JOBS {
            sights.is_application = true;
        } else if job_archives {
            sights.archive_directories.insert(path.to_owned());
        }
        works
    }

    /// Whether a folder must be listed as a cluster although its search ended early.
    pub(super) fn unless_begun(&self, path: &str) -> Option<Work> {
        if path.contains('/') { None } else { self.cluster(path) }
    }

    /// The findings, and the first folder that was not searched, if it is reported.
    pub(super) fn finish(self) -> (Sights, Option<String>) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let reported = self.full_scan && !state.sights.holds_applications;
        (state.sights, state.skipped.filter(|_| reported))
    }
}

/// Whether an object is probably an archive, by its key.
pub(super) fn is_like_an_archive(key: &str) -> bool {
    let name = layout::file_name(key);
    name == layout::SUMMARY || JobId::from_name(name.as_bytes()).is_ok()
}
