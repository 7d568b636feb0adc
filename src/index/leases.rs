//! Leases of packs that are being read, so that they are not evicted.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the readers of each pack. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    readers: HashMap<i64, usize>,
    /// Packs that the writer is evicting: they had no reader, and get none until the eviction is committed.
    barred: HashSet<i64>,
}

impl Leases {
    /// Keeps a pack until the lease is dropped; `None` if it is being evicted.
    ///
    /// The caller then checks in a new snapshot that the pack still exists: it may have been evicted after the snapshot in which it was
    /// found.
    pub(super) fn take(&self, pack: i64) -> Option<Lease> {
        let mut state = self.lock();
        if state.barred.contains(&pack) {
            return None;
        }
        *state.readers.entry(pack).or_default() += 1;
        Some(Lease(Arc::new(Held { pack, leases: self.clone() })))
    }

    /// Bars a pack from new readers until [`Leases::unbar`]. Returns false if the pack is being read.
    pub(super) fn bar(&self, pack: i64) -> bool {
        let mut state = self.lock();
        let free = !state.readers.contains_key(&pack);
        if free {
            state.barred.insert(pack);
        }
        free
    }

    /// Admits readers again, after the evictions were committed or rolled back.
    pub(super) fn unbar(&self) {
        self.lock().barred.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a pack from being evicted. All leases compare equal: documents are compared by their location.
#[derive(Debug, Clone)]
pub(super) struct Lease(#[expect(dead_code, reason = "held for its drop")] Arc<Held>);

impl PartialEq for Lease {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Lease {}

#[derive(Debug)]
struct Held {
    pack: i64,
    leases: Leases,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut state = self.leases.lock();
        if let Some(count) = state.readers.get_mut(&self.pack) {
            *count -= 1;
            if *count == 0 {
                state.readers.remove(&self.pack);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_held_until_its_last_reader_has_gone() {
        let leases = Leases::default();
        let first = leases.take(7).unwrap();
        let second = leases.take(7).unwrap();
        let copy = second.clone();
        drop((first, second));
        assert!(!leases.bar(7));
        drop(copy);
        assert!(leases.bar(7));
    }

    #[test]
    fn a_pack_that_is_being_evicted_takes_no_readers_until_that_is_over() {
        let leases = Leases::default();
        assert!(leases.bar(7));
        assert!(leases.take(7).is_none() && leases.take(8).is_some());
        leases.unbar();
        assert!(leases.take(7).is_some());
    }
}
