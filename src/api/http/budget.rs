//! How much memory answers may take that are made and not yet taken by their clients.
//!
//! What is in memory as a whole, such as a page of a list, is counted when its answer begins. When there is no room for it, the client
//! that has taken nothing of its own answer for the longest time is cut off; if there is none, the answer is a 503. What is made piece by
//! piece asks for [`Room`] before each piece: usually it gets a large one, and a small one when memory is short, which is always granted,
//! since there are never more than so many connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;

/// A client that has taken nothing for this long is cut off when memory is short.
const STALLED: Duration = Duration::from_secs(2);

/// Bytes of a small piece.
pub(in crate::api) const SMALL: usize = 8 << 10;

/// Those whose connections can be closed for want of memory.
pub(in crate::api) trait Stalled: Send + Sync {
    /// Closes the connection whose client has taken nothing for the longest time, if that is at least so long. Says whether there was one.
    fn close_stalled(&self, least: Duration) -> bool;
}

/// Memory for answers. Cheap to clone; clones share it.
#[derive(Clone)]
pub struct Budget {
    shared: Arc<Shared>,
}

struct Shared {
    bytes: usize,
    used: AtomicUsize,
    stalled: Mutex<Vec<Weak<dyn Stalled>>>,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { shared: Arc::new(Shared { bytes, used: AtomicUsize::new(0), stalled: Mutex::default() }) }
    }

    /// Bytes that are made and not taken.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.shared.used.load(Ordering::Relaxed) as u64
    }

    /// Lets connections be closed when memory is short, for as long as they are served.
    pub(in crate::api) fn may_close(&self, stalled: Weak<dyn Stalled>) {
        self.stalled(|all| {
            all.retain(|each| each.strong_count() > 0);
            all.push(stalled);
        });
    }

    /// Room for something that is in memory as a whole; `None`: there is none, and nobody can be cut off for it.
    pub(in crate::api) fn whole(&self, bytes: usize) -> Option<Room> {
        let room = self.take(bytes);
        if self.shared.used.load(Ordering::Relaxed) <= self.shared.bytes || bytes <= SMALL || self.close_stalled() {
            // Whoever is cut off gives its memory back in a moment.
            return Some(room);
        }
        None
    }

    /// Room for a piece of at most so many bytes, and at least a small one. Half of the memory is left for what is made as a whole.
    pub(in crate::api) fn piece(&self, most: usize) -> Room {
        let used = self.shared.used.load(Ordering::Relaxed);
        let is_there = used.saturating_add(most) <= self.shared.bytes / 2;
        self.take(if is_there { most } else { most.min(SMALL) })
    }

    /// Room for what is made for many at once, and has to be.
    pub(in crate::api) fn needed(&self, bytes: usize) -> Room {
        let room = self.take(bytes);
        if self.shared.used.load(Ordering::Relaxed) > self.shared.bytes {
            self.close_stalled();
        }
        room
    }

    fn take(&self, bytes: usize) -> Room {
        self.shared.used.fetch_add(bytes, Ordering::Relaxed);
        Room { bytes, budget: self.clone() }
    }

    fn close_stalled(&self) -> bool {
        let all: Vec<_> = self.stalled(|all| all.iter().filter_map(Weak::upgrade).collect());
        all.iter().any(|each| each.close_stalled(STALLED))
    }

    fn stalled<T>(&self, look: impl FnOnce(&mut Vec<Weak<dyn Stalled>>) -> T) -> T {
        look(&mut self.shared.stalled.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(32 << 20)
    }
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Budget").field("bytes", &self.shared.bytes).field("used", &self.used()).finish()
    }
}

/// Memory that is counted, until dropped.
pub(in crate::api) struct Room {
    bytes: usize,
    budget: Budget,
}

impl Room {
    /// Bytes that there is room for.
    pub(in crate::api) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Counts what was made, which may be less or more than was asked for, until it has been taken.
    pub(in crate::api) fn holding(mut self, made: Bytes) -> Bytes {
        self.resize(made.len());
        if made.is_empty() { made } else { Bytes::from_owner(Held { made, _room: self }) }
    }

    fn resize(&mut self, bytes: usize) {
        let used = &self.budget.shared.used;
        if bytes > self.bytes {
            used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.shared.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Held {
    made: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_large_until_half_is_used_and_small_from_then_on() {
        let budget = Budget::new(4 << 20);
        let first = budget.piece(1 << 20);
        let second = budget.piece(1 << 20);
        assert_eq!((first.bytes(), second.bytes(), budget.used()), (1 << 20, 1 << 20, 2 << 20));
        let small = budget.piece(1 << 20);
        assert_eq!(small.bytes(), SMALL);
        let held = first.holding(Bytes::from_static(b"made"));
        assert_eq!(budget.used(), (1 << 20) + SMALL as u64 + 4);
        let part = held.slice(1..2);
        drop((held, second, small));
        assert_eq!(budget.used(), 4, "a part keeps the whole");
        drop(part);
        assert_eq!(budget.used(), 0);
    }

    struct Clients(AtomicUsize);

    impl Stalled for Clients {
        fn close_stalled(&self, _least: Duration) -> bool {
            self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        }
    }

    #[test]
    fn without_room_a_stalled_client_is_cut_off_and_without_one_the_answer_is_refused() {
        let budget = Budget::new(1 << 20);
        let clients: Arc<dyn Stalled> = Arc::new(Clients(AtomicUsize::new(1)));
        budget.may_close(Arc::downgrade(&clients));
        let held = budget.whole(1 << 20).unwrap();
        let more = budget.whole(1 << 19);
        assert!(more.is_some(), "somebody was cut off");
        assert!(budget.whole(1 << 19).is_none());
        assert!(budget.whole(SMALL).is_some(), "small answers are always given");
        drop((held, more));
        assert_eq!(budget.used(), 0);
    }
}
