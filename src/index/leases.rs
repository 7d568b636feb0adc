//! Which packs are being read, so that they are not evicted under their readers.

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
    /// Packs that the writer is evicting right now: it did not see a reader, so none may come until that is committed.
    condemned: HashSet<i64>,
}

impl Leases {
    /// Keeps a pack until the lease is dropped; `None` when it is being evicted.
    ///
    /// Whoever takes one looks afterwards, from a new snapshot, whether the pack is still there: it may have been evicted since the
    /// snapshot that it was found in.
    pub(super) fn take(&self, pack: i64) -> Option<Lease> {
        let mut state = self.lock();
        if state.condemned.contains(&pack) {
            return None;
        }
        *state.readers.entry(pack).or_default() += 1;
        Some(Lease(Arc::new(Held { pack, leases: self.clone() })))
    }

    /// Bars a pack from new readers until [`Leases::pardon`]. Says whether that could be done: nobody reads it.
    pub(super) fn condemn(&self, pack: i64) -> bool {
        let mut state = self.lock();
        let free = !state.readers.contains_key(&pack);
        if free {
            state.condemned.insert(pack);
        }
        free
    }

    /// After the evictions are committed, or rolled back.
    pub(super) fn pardon(&self) {
        self.lock().condemned.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a pack from being evicted. All leases are equal: a document is compared by where it lies.
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
        assert!(!leases.condemn(7));
        drop(copy);
        assert!(leases.condemn(7));
    }

    #[test]
    fn a_pack_that_is_being_evicted_takes_no_readers_until_that_is_over() {
        let leases = Leases::default();
        assert!(leases.condemn(7));
        assert!(leases.take(7).is_none() && leases.take(8).is_some());
        leases.pardon();
        assert!(leases.take(7).is_some());
    }
}
