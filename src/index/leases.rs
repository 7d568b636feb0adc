//! Which packs are being read, so that they are not evicted under their readers.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the readers of each pack. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Leases {
    readers: Arc<Mutex<HashMap<i64, usize>>>,
}

impl Leases {
    /// Keeps a pack until the lease is dropped. Whoever takes one looks afterwards whether the pack is still there:
    /// the eviction that is just being committed did not see the lease.
    pub(super) fn take(&self, pack: i64) -> Lease {
        *self.lock().entry(pack).or_default() += 1;
        Lease(Arc::new(Held { pack, leases: self.clone() }))
    }

    /// Packs that are being read.
    pub(super) fn held(&self) -> HashSet<i64> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, usize>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut readers = self.leases.lock();
        if let Some(count) = readers.get_mut(&self.pack) {
            *count -= 1;
            if *count == 0 {
                readers.remove(&self.pack);
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
        let first = leases.take(7);
        let second = leases.take(7);
        let copy = second.clone();
        drop((first, second));
        assert!(leases.held().contains(&7));
        drop(copy);
        assert!(leases.held().is_empty());
    }
}
