//! Shows without a query whether a document that was read earlier is still the answer of the index.
//!
//! Each owner has a counter; owners with the same digest share one. The writer raises the counters of the owners whose documents a
//! transaction may change twice: before the commit and after it. A reader notes the counter before its snapshot. So what it has read is
//! the answer of the index for as long as the counter is the same: a snapshot from before the commit was noted with a number that is
//! past by the time the commit is answered.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::archive::Owner;

/// Number of counters, 128 KiB. Owners that share a counter are read again when one of them changes.
const COUNTERS: usize = 16 << 10;

/// The counter of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) struct Slot(usize);

impl Slot {
    /// The same for an owner as long as the process runs.
    pub(in crate::index) fn of(owner: Owner) -> Self {
        let mut hasher = DefaultHasher::new();
        match owner {
            Owner::Application(id) => id.as_bytes().hash(&mut hasher),
            Owner::Job(id) => id.as_bytes().hash(&mut hasher),
        }
        #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
        Self(hasher.finish() as usize % COUNTERS)
    }
}

/// The state of the documents of an owner at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) struct Stamp {
    slot: Slot,
    number: u64,
}

/// The counters.
pub(in crate::index) struct Stamps(Box<[AtomicU64]>);

impl Default for Stamps {
    fn default() -> Self {
        Self((0..COUNTERS).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Stamps {
    /// The state now. To be taken before the snapshot of a read.
    pub(in crate::index) fn now(&self, owner: Owner) -> Stamp {
        let slot = Slot::of(owner);
        Stamp { slot, number: self.0[slot.0].load(Ordering::SeqCst) }
    }

    /// Whether the documents of the owner are still as they were.
    pub(in crate::index) fn is_current(&self, stamp: Stamp) -> bool {
        self.0[stamp.slot.0].load(Ordering::SeqCst) == stamp.number
    }

    /// Ends all stamps of these owners. The writer calls this before a commit and after it.
    pub(in crate::index) fn end(&self, changed: &[Slot]) {
        for slot in changed {
            self.0[slot.0].fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Ends all stamps.
    pub(in crate::index) fn end_all(&self) {
        for counter in &self.0 {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_ends_with_a_change_of_its_owner_and_not_with_others() {
        let stamps = Stamps::default();
        let [one, two] = ["0d6f4f6e8da5b7e7a3551550ff16c873", "0d6f4f6e8da5b7e7a3551550ff16c874"].map(|id| Owner::Job(id.parse().unwrap()));
        let (of_one, of_two) = (stamps.now(one), stamps.now(two));
        assert!(stamps.is_current(of_one) && stamps.is_current(of_two));
        stamps.end(&[Slot::of(one)]);
        assert!(!stamps.is_current(of_one) && stamps.is_current(of_two));
        assert!(stamps.is_current(stamps.now(one)));
        stamps.end_all();
        assert!(!stamps.is_current(of_two));
    }

    #[test]
    fn what_is_read_during_a_commit_ends_with_it() {
        let stamps = Stamps::default();
        let owner = Owner::Job("0d6f4f6e8da5b7e7a3551550ff16c873".parse().unwrap());
        stamps.end(&[Slot::of(owner)]);
        let between = stamps.now(owner);
        stamps.end(&[Slot::of(owner)]);
        assert!(!stamps.is_current(between));
    }
}
