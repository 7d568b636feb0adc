//! The status of the refreshes, published while they run.

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::index::HeldCleanup;
use crate::names::DirectoryUrl;
use crate::problem::Problem;

/// State of the refreshes, published while they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RefreshStatus {
    /// Refreshes finished since start.
    pub finished: u64,
    /// Number of the last request that was done; see `POST /api/v1/refresh`.
    pub requested: u64,
    /// When the running refresh started; `null` while none runs.
    pub running_since: Option<Millis>,
    /// When the last refresh finished.
    pub last_finished: Option<Millis>,
    /// When the next refresh is due.
    pub next: Option<Millis>,
    /// Units that the running refresh has still to ingest, as far as known.
    pub pending: u64,
    /// State of each configured archive directory.
    pub directories: Vec<DirectoryStatus>,
}

impl RefreshStatus {
    /// Problems that could not be recorded.
    pub fn unstored(&self) -> impl Iterator<Item = &Problem> {
        self.directories.iter().flat_map(|directory| &directory.unstored)
    }
}

/// State of one archive directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DirectoryStatus {
    /// The directory.
    pub url: DirectoryUrl,
    /// `waiting` (not listed yet), `listed`, `missing`, `failed` or `vanished`.
    pub state: DirectoryState,
    /// A problem of the directory, also where it was listed and another directory is likely meant.
    pub reason: Option<String>,
    /// When it was last listed completely.
    pub last_listed: Option<Millis>,
    /// Milliseconds that the last quick scan took.
    pub look_ms: Option<u64>,
    /// Milliseconds that the last full scan took.
    pub audit_ms: Option<u64>,
    /// When the next full scan is due.
    pub next_audit: Option<Millis>,
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
    /// Problems that could not be recorded because the data directory cannot be written. They are shown with the recorded ones.
    #[serde(skip)]
    pub unstored: Vec<Problem>,
}

impl DirectoryStatus {
    /// The status of a directory before its first refresh.
    #[must_use]
    pub fn new(url: DirectoryUrl) -> Self {
        Self {
            url,
            state: DirectoryState::Waiting,
            reason: None,
            last_listed: None,
            look_ms: None,
            audit_ms: None,
            next_audit: None,
            units: 0,
            unread: 0,
            held_back: None,
            hidden: 0,
            unfetched: 0,
            unstored: Vec::new(),
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
