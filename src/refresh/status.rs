//! The status of the refreshes, published while they run.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::index::HeldCleanup;
use crate::names::DirectoryUrl;
use crate::problem::Problem;

use super::store_requests::StoreRequests;

/// State of the refreshes, published while they run. Each archive directory is refreshed at its own pace.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct RefreshStatus {
    /// Refreshes finished since start in every archive directory: the smallest of their numbers.
    pub finished: u64,
    /// Number of the last request that was done in every archive directory; see `POST /api/v1/refresh`.
    pub requested: u64,
    /// When the first of the running refreshes started; `null` while none runs.
    pub running_since: Option<Timestamp>,
    /// When the last refresh of any archive directory finished.
    pub last_finished: Option<Timestamp>,
    /// When the next refresh of any archive directory is due.
    pub next: Option<Timestamp>,
    /// Units that the running refreshes have still to ingest, as far as known.
    pub pending: u64,
    /// State of each configured archive directory.
    pub directories: Vec<DirectoryStatus>,
}

impl RefreshStatus {
    /// Problems that could not be recorded.
    pub fn unstored(&self) -> impl Iterator<Item = &Problem> {
        self.directories.iter().flat_map(|directory| &directory.unstored)
    }

    /// Refreshes of single directories that finished since start.
    #[must_use]
    pub fn rounds(&self) -> u64 {
        self.directories.iter().map(|directory| directory.finished).sum()
    }

    /// Derives the values of the whole from those of the directories.
    pub(super) fn combine(&mut self) {
        let each = || self.directories.iter();
        self.finished = each().map(|directory| directory.finished).min().unwrap_or_default();
        self.requested = each().map(|directory| directory.requested).min().unwrap_or_default();
        self.running_since = each().filter_map(|directory| directory.running_since).min();
        self.last_finished = each().filter_map(|directory| directory.last_finished).max();
        self.next = each().filter_map(|directory| directory.next).min();
        self.pending = each().map(|directory| directory.pending).sum();
    }
}

/// State of one archive directory.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DirectoryStatus {
    /// The directory.
    pub url: DirectoryUrl,
    /// `waiting` (not listed yet), `listed`, `missing`, `failed` or `vanished`.
    pub state: DirectoryState,
    /// A problem of the directory, also where it was listed and another directory is likely meant.
    pub reason: Option<String>,
    /// Refreshes of this directory finished since start.
    pub finished: u64,
    /// When its running refresh started; `null` while none runs.
    pub running_since: Option<Timestamp>,
    /// When its next refresh is due; `null` while one runs.
    pub next: Option<Timestamp>,
    /// Units that its running refresh has still to ingest, as far as known.
    pub pending: u64,
    /// When it was last listed completely.
    pub last_listed: Option<Timestamp>,
    /// Milliseconds that the last quick scan took.
    pub look_ms: Option<u64>,
    /// Milliseconds that the last full scan took.
    pub audit_ms: Option<u64>,
    /// When the next full scan is due.
    pub next_audit: Option<Timestamp>,
    /// Applications and legacy jobs in the last complete listing.
    pub units: u64,
    /// Applications and legacy jobs beyond a limit that must be read before they may be deleted.
    pub unread: u64,
    /// The cleanup that is held until it is confirmed.
    pub held_back: Option<HeldCleanup>,
    /// Folders and files that a listing could not read, or did not read because they are too many.
    pub hidden: u64,
    /// Applications and legacy jobs of which a file could not be fetched.
    pub unfetched: u64,
    /// The requests to its store, and the cost of its listings; `null` where requests are not counted.
    pub requests: Option<StoreRequests>,
    /// Problems that could not be recorded because the data directory cannot be written. They are shown with the recorded ones.
    #[serde(skip)]
    pub unstored: Vec<Problem>,
    /// Number of the last request that was done.
    #[serde(skip)]
    pub requested: u64,
    /// Number of the last activation with a full scan that was done.
    #[serde(skip)]
    pub full_scans: u64,
    /// When its last refresh finished.
    #[serde(skip)]
    pub last_finished: Option<Timestamp>,
}

impl DirectoryStatus {
    /// The status of a directory before its first refresh.
    #[must_use]
    pub fn new(url: DirectoryUrl) -> Self {
        Self {
            url,
            state: DirectoryState::Waiting,
            reason: None,
            finished: 0,
            running_since: None,
            next: None,
            pending: 0,
            last_listed: None,
            look_ms: None,
            audit_ms: None,
            next_audit: None,
            units: 0,
            unread: 0,
            held_back: None,
            hidden: 0,
            unfetched: 0,
            requests: None,
            unstored: Vec::new(),
            requested: 0,
            full_scans: 0,
            last_finished: None,
        }
    }
}

/// How the last listing of a directory ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DirectoryState {
    /// Not listed yet by this process.
    Waiting,
    /// Listed completely.
    Listed,
    /// Does not exist. A directory that held archives is `vanished` first.
    Missing,
    /// Could not be listed.
    Failed,
    /// Held archives and now holds none at all.
    Vanished,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_hangs_holds_back_requests_and_nothing_of_the_others() {
        let directory = |finished, requested, running_since: Option<i64>, next: Option<i64>| DirectoryStatus {
            finished,
            requested,
            running_since: running_since.map(Timestamp::from_millis),
            next: next.map(Timestamp::from_millis),
            pending: 2,
            last_finished: Some(Timestamp::from_millis(finished.cast_signed())),
            ..DirectoryStatus::new(DirectoryUrl::new("file:///archives"))
        };
        let directories = vec![directory(7, 3, None, Some(90)), directory(1, 0, Some(20), None), directory(5, 3, Some(30), None)];
        let mut status = RefreshStatus { directories, ..RefreshStatus::default() };
        status.combine();
        assert_eq!((status.finished, status.requested, status.rounds()), (1, 0, 13));
        let times = [status.running_since, status.next, status.last_finished].map(|time| time.map(Timestamp::as_millis));
        assert_eq!((times, status.pending), ([Some(20), Some(90), Some(7)], 6));
    }
}
