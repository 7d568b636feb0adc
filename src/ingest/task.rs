//! The files of one unit that an ingest fetches.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::directory::{FileKind, FoundFile};
use crate::index::UnitKey;

/// A file modified this shortly before its listing may be written again without a visible change of size and time.
pub const RACY_WINDOW: Duration = Duration::from_secs(2);

/// The files of applications that were modified this recently are listed by every quick scan.
pub const OPEN_WINDOW: Duration = Duration::from_mins(10);

/// Files of one unit that are to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The unit.
    pub key: UnitKey,
    /// Files that are new, changed or retried.
    pub files: Vec<FoundFile>,
    /// Failures in a row of the files that are retried unchanged.
    pub failures: Vec<(FileKind, u32)>,
    /// Whether the unit will have a summary file after this ingest (always true for legacy job archives).
    pub has_summary: bool,
    /// Time of its newest file: newest first is the order of work.
    pub newest: Timestamp,
}
