//! Whether the server can answer, and whether its answers are complete. It is read from memory only: a probe must not wait for a busy
//! index, nor for a disk that does not answer.

use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{HeldCleanup, Listed};
use crate::names::DirectoryUrl;
use crate::problem::ProblemCode;
use crate::refresh::{DirectoryState, DirectoryStatus, RefreshStatus};

/// Whether the server can answer requests, and whether its lists are complete.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Readiness {
    /// Whether the server can answer: its index has applications or jobs, or the first listing has ended.
    pub(in crate::api) ready: bool,
    /// A sentence, if the server cannot answer.
    pub(in crate::api) reason: Option<String>,
    /// Whether all archives of all archive directories were read, and none is known to be missing since.
    pub(in crate::api) complete: bool,
    /// The reasons, if the server is not ready or not complete.
    pub(in crate::api) reasons: Vec<Reason>,
    /// Refreshes finished since start.
    pub(in crate::api) refreshes_finished: u64,
    /// Applications listed.
    pub(in crate::api) applications: u64,
    /// Jobs listed.
    pub(in crate::api) jobs: u64,
    /// Cleanups that are on hold until they are confirmed; they do not affect readiness.
    pub(in crate::api) cleanups_held_back: Vec<HeldCleanup>,
}

/// A reason why a server is not ready, or not complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReadinessReason)]
pub(in crate::api) struct Reason {
    /// For programs.
    pub(in crate::api) code: ReasonCode,
    /// The archive directory, if the reason is about one.
    pub(in crate::api) directory: Option<DirectoryUrl>,
    /// For people.
    pub(in crate::api) message: String,
}

/// Stable code of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = ReadinessReasonCode)]
pub(in crate::api) enum ReasonCode {
    /// The server is stopping: it is not ready.
    ShuttingDown,
    /// No archive directory was listed yet: the server is not ready.
    NothingListed,
    /// The first refresh since the start has not ended.
    FirstListing,
    /// An archive directory does not exist.
    DirectoryMissing,
    /// An archive directory held archives and now holds none.
    DirectoryVanished,
    /// An archive directory could not be listed.
    DirectoryUnreachable,
    /// The data directory cannot be written.
    IndexUnwritable,
    /// Folders or files could not be read, or were too many.
    ListingObstructed,
    /// Archives could not be fetched.
    ArchivesUnfetched,
}

impl Readiness {
    /// The readiness of this moment.
    pub(in crate::api) fn of(refresh: &RefreshStatus, listed: Listed, stopping: bool) -> Self {
        let mut reasons = unready(refresh, listed, stopping);
        let reason = reasons.first().map(|reason| reason.message.clone());
        let gaps: Vec<Reason> = refresh.directories.iter().flat_map(gaps).collect();
        // Without a directory there is nothing to read.
        let complete = gaps.is_empty();
        reasons.extend(gaps);
        Self {
            ready: reason.is_none(),
            reason,
            complete,
            reasons,
            refreshes_finished: refresh.finished,
            applications: listed.applications,
            jobs: listed.jobs,
            cleanups_held_back: refresh.directories.iter().filter_map(|directory| directory.held_back.clone()).collect(),
        }
    }
}

/// The reasons why the server cannot answer.
fn unready(refresh: &RefreshStatus, listed: Listed, stopping: bool) -> Vec<Reason> {
    let because = |code, message: &str| vec![Reason { code, directory: None, message: message.to_owned() }];
    let unlistable = |state| matches!(state, DirectoryState::Failed | DirectoryState::Vanished);
    let all_unlistable = !refresh.directories.is_empty() && refresh.directories.iter().all(|directory| unlistable(directory.state));
    if stopping {
        because(ReasonCode::ShuttingDown, "The server is shutting down.")
    } else if listed.applications > 0 || listed.jobs > 0 || (refresh.finished > 0 && !all_unlistable) {
        Vec::new()
    } else if refresh.finished > 0 {
        because(
            ReasonCode::NothingListed,
            "No archive directory could be listed yet: see `refresh.directories` in /api/v1/status for the reasons.",
        )
    } else {
        because(ReasonCode::NothingListed, "The first listing of the archive directories is still running.")
    }
}

/// The reasons why the lists may be incomplete for one directory.
fn gaps(directory: &DirectoryStatus) -> Vec<Reason> {
    let url = &directory.url;
    let because = |code, message: String| Reason { code, directory: Some(url.clone()), message };
    let reported = |otherwise: String| directory.reason.clone().unwrap_or(otherwise);
    let unwritable = directory.unstored.iter().any(|problem| problem.code == ProblemCode::IndexUnwritable);
    let of_listing = match directory.state {
        DirectoryState::Waiting => {
            Some(because(ReasonCode::FirstListing, format!("The first listing of {url} since the start has not ended.")))
        }
        DirectoryState::Missing => {
            Some(because(ReasonCode::DirectoryMissing, reported(format!("The archive directory {url} does not exist."))))
        }
        DirectoryState::Vanished => {
            Some(because(ReasonCode::DirectoryVanished, reported(format!("The archive directory {url} held archives and now holds none."))))
        }
        DirectoryState::Failed => {
            let code = if unwritable { ReasonCode::IndexUnwritable } else { ReasonCode::DirectoryUnreachable };
            Some(because(code, reported(format!("The archive directory {url} could not be listed."))))
        }
        DirectoryState::Listed => None,
    };
    let named = "see /api/v1/problems.";
    let hidden = (directory.hidden > 0).then(|| {
        let message = format!("{} folders or files of {url} could not be read: {named}", directory.hidden);
        because(ReasonCode::ListingObstructed, message)
    });
    let unfetched = (directory.unfetched > 0).then(|| {
        let message = format!("{} applications or job archives of {url} could not be fetched yet: {named}", directory.unfetched);
        because(ReasonCode::ArchivesUnfetched, message)
    });
    [of_listing, hidden, unfetched].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn directory(state: DirectoryState) -> DirectoryStatus {
        let last_listed = (state == DirectoryState::Listed).then_some(Timestamp::EPOCH);
        DirectoryStatus { state, last_listed, ..DirectoryStatus::new(DirectoryUrl::new("file:///archives")) }
    }

    fn refresh(finished: u64, directories: &[DirectoryStatus]) -> RefreshStatus {
        RefreshStatus { finished, directories: directories.to_vec(), ..RefreshStatus::default() }
    }

    fn codes(readiness: &Readiness) -> Vec<ReasonCode> {
        readiness.reasons.iter().map(|reason| reason.code).collect()
    }

    const NOTHING: Listed = Listed { applications: 0, jobs: 0 };
    const SOMETHING: Listed = Listed { applications: 0, jobs: 1 };

    #[test]
    fn a_server_is_ready_with_something_to_show_or_after_a_first_listing() {
        use DirectoryState::{Failed, Listed, Missing, Waiting};
        let ready = |finished, states: &[DirectoryState], listed, stopping| {
            let directories: Vec<_> = states.iter().map(|state| directory(*state)).collect();
            Readiness::of(&refresh(finished, &directories), listed, stopping).ready
        };
        assert!(!ready(0, &[Waiting], NOTHING, false));
        assert!(ready(0, &[Waiting], SOMETHING, false));
        assert!(ready(1, &[Missing], NOTHING, false), "no archive was written yet");
        assert!(ready(1, &[Failed, Listed], NOTHING, false));
        assert!(!ready(1, &[Failed], NOTHING, false));
        assert!(ready(1, &[Failed], SOMETHING, false));
        assert!(!ready(1, &[Listed], SOMETHING, true));
    }

    #[test]
    fn it_is_complete_only_while_nothing_is_known_to_be_missing_and_says_what_is() {
        let complete = Readiness::of(&refresh(3, &[directory(DirectoryState::Listed)]), SOMETHING, false);
        assert!(complete.complete && complete.reasons.is_empty() && complete.reason.is_none());
        let hidden = DirectoryStatus { hidden: 2, ..directory(DirectoryState::Listed) };
        let unfetched = DirectoryStatus { unfetched: 7, ..directory(DirectoryState::Listed) };
        for (broken, code, word) in [
            (directory(DirectoryState::Waiting), ReasonCode::FirstListing, "has not ended"),
            (directory(DirectoryState::Missing), ReasonCode::DirectoryMissing, "does not exist"),
            (directory(DirectoryState::Vanished), ReasonCode::DirectoryVanished, "holds none"),
            (directory(DirectoryState::Failed), ReasonCode::DirectoryUnreachable, "could not be listed"),
            (hidden, ReasonCode::ListingObstructed, "2 folders or files"),
            (unfetched, ReasonCode::ArchivesUnfetched, "7 applications"),
        ] {
            let both = Readiness::of(&refresh(3, &[directory(DirectoryState::Listed), broken]), SOMETHING, false);
            assert!(both.ready && !both.complete, "{both:?}");
            assert_eq!(codes(&both), [code]);
            assert!(both.reasons[0].message.contains(word) && both.reasons[0].message.contains("file:///archives"), "{both:?}");
        }
        let stopping = Readiness::of(&refresh(0, &[directory(DirectoryState::Waiting)]), NOTHING, true);
        assert_eq!(codes(&stopping), [ReasonCode::ShuttingDown, ReasonCode::FirstListing]);
        assert_eq!(stopping.reason.as_deref(), Some("The server is shutting down."));
    }
}
