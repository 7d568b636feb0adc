//! The lists of Flink that were made last, one of each kind and scope.

use std::sync::{Arc, PoisonError};

use tokio::sync::Mutex;

use crate::api::http::gzip;
use crate::index::Generation;
use crate::index::query::Scope;

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

/// Scopes whose lists are kept besides those of everything. Clients with the same rules have the same scope.
const MAX_SCOPES: usize = 32;

/// A list as it was made last. Locked while it is made.
pub(super) type Kept = Arc<Mutex<Option<Arc<Made>>>>;

/// The lists as they were made last, of one scope.
#[derive(Default)]
struct OfScope {
    applications: Kept,
    jobs: Kept,
    job_ids: Kept,
}

/// The lists as they were made last.
#[derive(Default)]
pub(in crate::api) struct Lists {
    everything: OfScope,
    /// Of limited scopes, the last requested one last.
    limited: std::sync::Mutex<Vec<(Arc<Scope>, OfScope)>>,
}

impl OfScope {
    fn of(&self, list: List) -> Kept {
        Arc::clone(match list {
            List::Applications => &self.applications,
            List::Jobs => &self.jobs,
            List::JobIds => &self.job_ids,
        })
    }
}

impl Lists {
    /// The place of a list for clients with this scope.
    pub(super) fn of(&self, list: List, scope: &Arc<Scope>) -> Kept {
        if scope.is_everything() {
            return self.everything.of(list);
        }
        let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        let known = match limited.iter().position(|(known, _)| known.view == scope.view) {
            Some(place) => limited.remove(place),
            None => (Arc::clone(scope), OfScope::default()),
        };
        if limited.len() >= MAX_SCOPES {
            limited.remove(0);
        }
        let kept = known.1.of(list);
        limited.push(known);
        kept
    }
}

/// A list of one generation of the index.
pub(super) struct Made {
    pub(super) generation: Generation,
    pub(super) kept: Arc<gzip::Kept>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_with_one_scope_share_lists_and_no_others() {
        let lists = Lists::default();
        let scope = |directory: usize| Arc::new(Scope::of_directories([directory.to_string()]));
        let first = lists.of(List::Jobs, &scope(0));
        assert!(Arc::ptr_eq(&first, &lists.of(List::Jobs, &scope(0))));
        assert!(!Arc::ptr_eq(&first, &lists.of(List::JobIds, &scope(0))));
        assert!(!Arc::ptr_eq(&first, &lists.of(List::Jobs, &scope(1))));
        assert!(!Arc::ptr_eq(&first, &lists.of(List::Jobs, &Arc::new(Scope::everything()))));
        for number in 1..=MAX_SCOPES {
            lists.of(List::Jobs, &scope(number));
        }
        assert_eq!(lists.limited.lock().unwrap().len(), MAX_SCOPES);
        assert!(!Arc::ptr_eq(&first, &lists.of(List::Jobs, &scope(0))), "the scope that was not requested for the longest time is dropped");
    }
}
