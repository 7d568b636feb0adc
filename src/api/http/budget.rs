//! The memory of answers that wait for their clients.
//!
//! An answer that is in memory as a whole, such as a page of a list, is counted when it begins. If there is no room for it, the
//! connection of the client that has read nothing for the longest time is closed; if there is no such client, the answer is a 503. An
//! answer that is made in pieces requests [`Room`] before each piece: by default a large one, and a small one when memory is short. A
//! small one is always granted, since the number of connections is limited.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;

/// The connection of a client that has read nothing for this long is closed when memory is short.
const STALLED: Duration = Duration::from_secs(2);

/// Bytes of a small piece.
pub(in crate::api) const SMALL: usize = 8 << 10;

/// Connections that can be closed when memory is short.
pub(in crate::api) trait Stalled: Send + Sync {
    /// Closes the connection whose client has read nothing for the longest time, if that is `min` or more. Returns whether there was one.
    fn close_stalled(&self, min: Duration) -> bool;
}

/// Memory for answers. Clones share it.
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

    /// Bytes of answers that wait for their clients.
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

    /// Room for an answer that is in memory as a whole; `None`: there is no room, and no connection can be closed for it.
    pub(in crate::api) fn whole(&self, bytes: usize) -> Option<Room> {
        let room = self.take(bytes);
        if self.shared.used.load(Ordering::Relaxed) <= self.shared.bytes || bytes <= SMALL || self.close_stalled() {
            // The closed connection frees its memory in a moment.
            return Some(room);
        }
        None
    }

    /// Room for a piece of up to `max` bytes, and for a small piece in any case. Half of the memory is left for whole answers.
    pub(in crate::api) fn piece(&self, max: usize) -> Room {
        let used = self.shared.used.load(Ordering::Relaxed);
        let is_there = used.saturating_add(max) <= self.shared.bytes / 2;
        self.take(if is_there { max } else { max.min(SMALL) })
    }

    /// Room for an answer that is made for many clients at once. It is always granted.
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

    fn stalled<T>(&self, with: impl FnOnce(&mut Vec<Weak<dyn Stalled>>) -> T) -> T {
        with(&mut self.shared.stalled.lock().unwrap_or_else(PoisonError::into_inner))
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

    /// Counts the bytes that were made, which may be fewer or more than requested, until the client has read them.
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
        fn close_stalled(&self, _min: Duration) -> bool {
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
        assert!(more.is_some(), "a connection was closed");
        assert!(budget.whole(1 << 19).is_none());
        assert!(budget.whole(SMALL).is_some(), "small answers are always given");
        drop((held, more));
        assert_eq!(budget.used(), 0);
    }
}
