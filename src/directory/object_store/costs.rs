//! The shape of a directory, as its last listing has shown it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::names::FilePath;

/// How the next listing should go about it.
#[derive(Debug, Default)]
pub(super) struct Costs {
    prefers_flat: AtomicBool,
    refuses_flat: AtomicBool,
    lists_ranges: AtomicBool,
    /// Price of one listing request in US dollars, if the store has a public price list.
    listing_price: Option<f64>,
    /// Folders whose last listing failed after a long wait.
    unresponsive: Mutex<HashSet<FilePath>>,
}

impl Costs {
    /// The costs of a store before the first listing. `lists_ranges`: it lists from a key on by itself.
    pub(super) fn new(lists_ranges: bool, listing_price: Option<f64>) -> Self {
        Self { lists_ranges: AtomicBool::new(lists_ranges), listing_price, ..Self::default() }
    }

    /// Price of one listing request in US dollars, if the store has a public price list.
    pub(super) fn listing_price(&self) -> Option<f64> {
        self.listing_price
    }

    /// Whether a long listing can be split into ranges of keys.
    pub(super) fn lists_ranges(&self) -> bool {
        self.lists_ranges.load(Ordering::Relaxed) && self.may_be_flat()
    }

    /// Whether the next listing should be in one piece.
    pub(super) fn prefers_flat(&self) -> bool {
        self.prefers_flat.load(Ordering::Relaxed) && self.may_be_flat()
    }

    /// Whether the store lists keys in their order.
    pub(super) fn may_be_flat(&self) -> bool {
        !self.refuses_flat.load(Ordering::Relaxed)
    }

    /// Records whether a listing in one piece was much cheaper than a request for each cluster.
    pub(super) fn note_flat(&self, was_cheap: bool) {
        self.prefers_flat.store(was_cheap, Ordering::Relaxed);
    }

    /// Records that the store does not list keys in their order.
    pub(super) fn refuse_flat(&self) {
        self.refuses_flat.store(true, Ordering::Relaxed);
    }

    /// Whether the store did not answer in time when a folder was listed last.
    pub(super) fn is_unresponsive(&self, folder: &FilePath) -> bool {
        self.unresponsive().contains(folder)
    }

    /// Records whether the store has answered in time when a folder was listed.
    pub(super) fn note_answer(&self, folder: &FilePath, answered: bool) {
        let mut unresponsive = self.unresponsive();
        if answered {
            unresponsive.remove(folder);
        } else {
            unresponsive.insert(folder.clone());
        }
    }

    fn unresponsive(&self) -> MutexGuard<'_, HashSet<FilePath>> {
        self.unresponsive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
