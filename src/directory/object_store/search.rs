//! The search for clusters in an object store: what is to be listed next, and what was seen on the way.
//!
//! Every folder of the root is looked at, and so is every cluster that is known. What lies deeper is searched with a bounded number
//! of requests: beside the archives there may be anything. A quick scan does not search clusters that it knows, a full scan does.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::object_store::ObjectMeta;

use crate::directory::found::Extent;
use crate::directory::layout;
use crate::directory::level::Sights;
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, is_hidden};

/// Requests that the search of a quick scan may cost, beside one for each folder of the root.
const QUICK_SCAN_REQUESTS: usize = 64;
/// Requests that the search of a full scan may cost.
const FULL_SCAN_REQUESTS: usize = 1_000;
/// Folders that are told of in one listing.
const MOST_TOLD: usize = 16;

/// Something to list.
#[derive(Debug)]
pub(super) enum Work {
    /// The applications of a cluster.
    Cluster(ClusterName),
    /// A folder that may be one of a cluster, or hold some.
    Search(String),
    /// Whether archives lie below a folder with a hidden name.
    Hidden(String),
    /// Whether archives lie below a folder that is too deep.
    Deep(String),
}

/// What a listing shares between its requests.
pub(super) struct Search {
    full_scan: bool,
    known: HashSet<ClusterName>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begun: HashSet<ClusterName>,
    requests_left: usize,
    told: usize,
    skipped: Option<String>,
    sights: Sights,
}

impl Search {
    pub(super) fn new(extent: &Extent, known: &[ClusterName]) -> Self {
        let full_scan = matches!(extent, Extent::Full);
        let requests_left = if full_scan { FULL_SCAN_REQUESTS } else { QUICK_SCAN_REQUESTS };
        Self { full_scan, known: known.iter().cloned().collect(), state: Mutex::new(State { requests_left, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with the folders of the root, and the clusters that are known elsewhere.
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

    /// What to do with a folder.
    fn folder(&self, path: String) -> Vec<Work> {
        if is_hidden(layout::file_name(&path).as_bytes()) {
            return self.may_tell().then_some(Work::Hidden(path)).into_iter().collect();
        }
        if path.split('/').count() > layout::MOST_SEGMENTS {
            return self.may_tell().then_some(Work::Deep(path)).into_iter().collect();
        }
        let mut works = Vec::new();
        // A folder `applications` in the root is searched for what it tells alone.
        let is_known = self.known.contains(path.as_str());
        if is_known || path == layout::APPLICATIONS {
            works.extend(self.cluster(&path));
        }
        if !is_known || self.full_scan {
            works.push(Work::Search(path));
        }
        works
    }

    /// The listing of a cluster, if it was not begun yet.
    pub(super) fn cluster(&self, path: &str) -> Option<Work> {
        let cluster = ClusterName::new(path);
        self.state().begun.insert(cluster.clone()).then_some(Work::Cluster(cluster))
    }

    /// Whether a folder may be told of: in a full scan, and not in any number.
    fn may_tell(&self) -> bool {
        let mut state = self.state();
        let may = self.full_scan && state.told < MOST_TOLD;
        state.told += usize::from(may);
        may
    }

    /// Takes one request out of those left. The first page of a folder of the root is free.
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

    /// Notes that a cluster has applications.
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

    /// Notes what an object directly in the root tells.
    pub(super) fn note_root(&self, name: &str, is_job: bool) {
        let mut state = self.state();
        state.sights.has_archives |= is_job;
        state.sights.is_application |= name == layout::SUMMARY;
    }

    /// Takes in one page of a folder: what to do with its folders, and what its files tell of the place of the root.
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

    /// Whether a folder has to be listed as a cluster although its search came to its end early.
    pub(super) fn unless_begun(&self, path: &str) -> Option<Work> {
        if path.contains('/') { None } else { self.cluster(path) }
    }

    /// What was seen, and the first folder that was not searched, where that is to be told.
    pub(super) fn finish(self) -> (Sights, Option<String>) {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let told = self.full_scan && !state.sights.holds_applications;
        (state.sights, state.skipped.filter(|_| told))
    }
}

/// Whether an object is likely an archive, by its key.
pub(super) fn is_like_an_archive(key: &str) -> bool {
    let name = layout::file_name(key);
    name == layout::SUMMARY || JobId::from_name(name.as_bytes()).is_ok()
}
