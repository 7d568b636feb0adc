//! Turns of expensive requests: each client has a few at a time, so that no client takes the turns of the others.
//!
//! A client is a user, a token or a certificate; one that is not signed in is its address. Requests beyond the share of a client wait for
//! its earlier ones, a few of them and not for long; others get a 429. How many run at a time in all is bounded by the queues of the index,
//! and here for answers that take long to send.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::{Identity, IdentityKind, Peer};
use crate::api::http::error::ApiError;

/// Requests of one client that wait, per request that it may have at a time.
const WAITING: usize = 4;

/// Longest time that a request waits for an earlier one of its client.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Time after which a refused client may try again.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Exports and downloads that are sent at the same time, of all clients.
const MAX_LONG: usize = 256;

/// The cost of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::api) enum Cost {
    /// It walks over many rows.
    Walk,
    /// It walks, and its answer takes as long as the client reads it.
    Long,
}

/// A client, as turns are shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::api) enum Key {
    Named(IdentityKind, Arc<str>),
    At(IpAddr),
    Unknown,
}

impl Key {
    /// The client of a request.
    pub(in crate::api) fn of(request: &Request) -> Self {
        let client = request.extensions().get::<Arc<Identity>>();
        if let Some((name, client)) = client.and_then(|client| Some((client.name.clone()?, client))) {
            return Self::Named(client.kind, name);
        }
        request.extensions().get::<Peer>().map_or(Self::Unknown, |peer| Self::At(peer.address))
    }
}

/// The turns of one client.
struct Queue {
    turns: Arc<Semaphore>,
    /// Its requests that run or wait.
    requests: usize,
}

/// The turns of all clients.
pub(in crate::api) struct Turns {
    /// Requests of one client at a time.
    share: usize,
    clients: Mutex<HashMap<Key, Queue>>,
    long: Arc<Semaphore>,
}

/// A request that has its turn, until dropped.
pub(in crate::api) struct Turn {
    turns: Arc<Turns>,
    key: Key,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut clients = self.turns.clients();
        if let Some(queue) = clients.get_mut(&self.key) {
            queue.requests -= 1;
            if queue.requests == 0 {
                clients.remove(&self.key);
            }
        }
    }
}

impl Turns {
    /// `share`: requests of one client at a time.
    pub(in crate::api) fn new(share: usize) -> Self {
        Self { share: share.max(1), clients: Mutex::default(), long: Arc::new(Semaphore::new(MAX_LONG)) }
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<Key, Queue>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn of a client.
    ///
    /// # Errors
    /// 429: it has too many requests; 503: too many answers are being sent.
    pub(in crate::api) async fn turn(self: &Arc<Self>, key: Key, cost: Cost) -> Result<Turn, ApiError> {
        let turns = {
            let mut clients = self.clients();
            let queue = clients.entry(key.clone()).or_insert_with(|| Queue { turns: Arc::new(Semaphore::new(self.share)), requests: 0 });
            if queue.requests >= self.share.saturating_mul(1 + WAITING) {
                return Err(ApiError::too_many_expensive(RETRY_AFTER));
            }
            queue.requests += 1;
            Arc::clone(&queue.turns)
        };
        // Counted from here on.
        let mut turn = Turn { turns: Arc::clone(self), key, permits: Vec::new() };
        let own = tokio::time::timeout(LONGEST_WAIT, turns.acquire_owned()).await;
        // The semaphore is never closed.
        turn.permits.push(own.ok().and_then(Result::ok).ok_or_else(|| ApiError::too_many_expensive(RETRY_AFTER))?);
        if cost == Cost::Long {
            let long = Arc::clone(&self.long).try_acquire_owned();
            let message = "Too many exports and downloads are being sent: try again in a few seconds.";
            turn.permits.push(long.map_err(|_none| ApiError::overloaded(message, RETRY_AFTER))?);
        }
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;

    use super::*;

    fn key(number: u8) -> Key {
        Key::At(IpAddr::from([127, 0, 0, number]))
    }

    #[tokio::test]
    async fn a_client_waits_for_itself_alone_and_is_refused_beyond_its_queue() {
        let turns = Arc::new(Turns::new(2));
        let mut running = vec![turns.turn(key(1), Cost::Walk).await.unwrap(), turns.turn(key(1), Cost::Walk).await.unwrap()];
        let mut waiting: Vec<_> = (0..2 * WAITING).map(|_| Box::pin(turns.turn(key(1), Cost::Walk))).collect();
        for each in &mut waiting {
            assert!(poll!(each).is_pending());
        }
        let refused = turns.turn(key(1), Cost::Walk).await.err().unwrap();
        assert_eq!(refused.status(), 429);
        // Other clients have turns of their own, also a user at that address.
        let named = Key::Named(IdentityKind::User, "a".into());
        assert!(turns.turn(key(2), Cost::Walk).await.is_ok() && turns.turn(named, Cost::Long).await.is_ok());
        // One that stops waiting makes room, and one that ends makes a turn.
        drop(waiting.pop());
        let mut next = Box::pin(turns.turn(key(1), Cost::Walk));
        assert!(poll!(&mut next).is_pending());
        drop(running.pop());
        assert!(waiting.remove(0).await.is_ok());
        drop((running, waiting, next));
        assert!(turns.clients().is_empty(), "clients without requests are forgotten");
    }
}
