//! Places for connections, the share of each client, and the connections that are closed when no place is free.
//!
//! A connection has a *place*, or waits for one. A connection that waits is accepted too, so that probes are answered when all places are
//! taken; its other requests go on as soon as it has a place. If no place is free, an idle connection is closed for a new one, the
//! longest idle first, or else a connection whose client has read nothing for a while. No client can have more than its share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::counter;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::closed::CLOSED;
use crate::api::http::budget::Stalled;

/// Connections that wait for a place at a time. When there are more, the oldest of them stops waiting.
const WAITING: usize = 64;

/// The same for connections without a request yet: their requests may be in flight.
const WAITING_IN_SILENCE: usize = 256;

/// A new connection without a request for this long has no request in flight.
const SILENT: Duration = Duration::from_secs(1);

/// Time that a request waits until its connection has a place.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The connection of a client that has read nothing of its answer for this long is closed for others, if no connection is idle.
const STALLED: Duration = Duration::from_secs(10);

/// The client of a connection: one address, and with IPv6 one network of a household or a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let network = u128::from(address) & !u128::from(u64::MAX);
                Self(IpAddr::V6(Ipv6Addr::from(network)))
            }
        }
    }
}

/// One open connection. The task that serves it records its activity here.
pub(super) struct Connection {
    number: u64,
    client: Client,
    /// Cancelled to close it at once.
    pub(super) closed: CancellationToken,
    /// Cancelled to end its wait for a place.
    wait_ended: CancellationToken,
    activity: Mutex<Activity>,
    /// Counts events of all connections: it gives their order, so that the longest idle one is known.
    clock: Arc<AtomicU64>,
}

struct Activity {
    placed: bool,
    /// Whether there was a request yet.
    requested: bool,
    /// Requests whose answers are not finished.
    requests: usize,
    /// When the last of them ended, or the connection was opened: in the order of events, and by the clock.
    idle_since: (u64, Instant),
    /// Since when the client has read nothing although bytes are ready.
    stalled_since: Option<Instant>,
}

impl Connection {
    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes it, and counts the reason.
    fn close(&self, reason: &'static str) {
        counter!(CLOSED, "reason" => reason).increment(1);
        self.closed.cancel();
    }

    /// Records a request, until the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Request {
        let mut activity = self.activity();
        activity.requests += 1;
        activity.requested = true;
        drop(activity);
        Request(Arc::clone(self))
    }

    /// Records since when the client has read nothing; `None`: it reads.
    pub(super) fn note_stalled(&self, since: Option<Instant>) {
        self.activity().stalled_since = since;
    }

    pub(super) fn has_place(&self) -> bool {
        self.activity().placed
    }

    /// Whether it may be closed while it is idle: the first request of a new one may be in flight.
    fn can_be_spared(&self, silent: Duration) -> bool {
        let activity = self.activity();
        activity.requested || activity.idle_since.1.elapsed() >= silent
    }

    /// Since when it is idle.
    fn idle_since(&self) -> Option<(u64, Instant)> {
        let activity = self.activity();
        (activity.requests == 0 && activity.stalled_since.is_none()).then_some(activity.idle_since)
    }

    /// Since when it has been stalled, if that is long.
    fn stalled_since(&self, min: Duration) -> Option<Instant> {
        self.activity().stalled_since.filter(|since| since.elapsed() >= min)
    }
}

/// A request in work.
pub(super) struct Request(Arc<Connection>);

impl Drop for Request {
    fn drop(&mut self) {
        let mut activity = self.0.activity();
        activity.requests -= 1;
        activity.idle_since = (self.0.clock.fetch_add(1, Ordering::Relaxed), Instant::now());
    }
}

/// All connections of a listener.
pub(super) struct Places {
    max: usize,
    share: usize,
    longest_wait: Duration,
    silent: Duration,
    state: Mutex<State>,
    clock: Arc<AtomicU64>,
    /// Notified when a place becomes free.
    freed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    open: HashMap<u64, Arc<Connection>>,
    /// Places that are taken.
    placed: usize,
    /// The same by client.
    by_client: HashMap<Client, usize>,
}

impl Places {
    /// `max` places, and up to `share` of them for one client.
    pub(super) fn new(max: usize, share: usize) -> Self {
        Self { max, share, longest_wait: MAX_WAIT, silent: SILENT, state: Mutex::default(), clock: Arc::default(), freed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Accepts a connection. If no place is free, another connection is closed for it if possible, and until that has ended it waits.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Entered {
        let mut state = self.state();
        let connection = Arc::new(Connection {
            number: state.next,
            client: Client::from(address),
            closed: CancellationToken::new(),
            wait_ended: CancellationToken::new(),
            activity: Mutex::new(Activity {
                placed: false,
                requested: false,
                requests: 0,
                idle_since: (self.clock.fetch_add(1, Ordering::Relaxed), Instant::now()),
                stalled_since: None,
            }),
            clock: Arc::clone(&self.clock),
        });
        state.next += 1;
        if !self.place(&mut state, &connection) {
            self.make_room(&state, connection.client);
            let waiting = state.open.len() - state.placed;
            if waiting >= WAITING {
                end_one_wait(&state, self.silent);
            }
        }
        state.open.insert(connection.number, Arc::clone(&connection));
        Entered { places: Arc::clone(self), connection }
    }

    /// Gives a place to a connection, if there is one for it.
    fn place(&self, state: &mut State, connection: &Connection) -> bool {
        let share = state.by_client.get(&connection.client).copied().unwrap_or_default();
        if state.placed >= self.max || share >= self.share {
            return false;
        }
        state.placed += 1;
        state.by_client.insert(connection.client, share + 1);
        connection.activity().placed = true;
        true
    }

    /// Closes the longest idle or stalled connection: of the same client if that has its share, else of any client.
    fn make_room(&self, state: &State, client: Client) {
        let has_its_share = state.by_client.get(&client).is_some_and(|placed| *placed >= self.share);
        let candidates = || {
            let open = state.open.values().filter(|each| each.has_place() && !each.closed.is_cancelled());
            open.filter(move |each| !has_its_share || each.client == client)
        };
        let spare = candidates().filter(|each| each.can_be_spared(self.silent));
        let idle = spare.filter_map(|each| Some((each.idle_since()?, each))).min_by_key(|(since, _)| *since);
        if let Some((_, idle)) = idle {
            idle.close("idle");
        } else if let Some(stalled) = longest_stalled(candidates(), STALLED) {
            stalled.close("stalled");
        }
    }

    /// Waits until a connection has a place; false: it gets none in time.
    pub(super) async fn wait_for(&self, connection: &Connection) -> bool {
        let too_long = tokio::time::sleep(self.longest_wait);
        tokio::pin!(too_long);
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // From here on no notification is missed.
            freed.as_mut().enable();
            if connection.has_place() || self.place(&mut self.state(), connection) {
                return true;
            }
            tokio::select! {
                () = freed => {}
                () = connection.wait_ended.cancelled() => return false,
                // Connections that were new when it came may have turned out to be idle.
                () = tokio::time::sleep(self.silent), if !self.silent.is_zero() => self.make_room(&self.state(), connection.client),
                () = &mut too_long => return false,
            }
        }
    }

    fn leave(&self, connection: &Connection) {
        let mut state = self.state();
        state.open.remove(&connection.number);
        if connection.has_place() {
            state.placed -= 1;
            if let Some(placed) = state.by_client.get_mut(&connection.client) {
                *placed -= 1;
                if *placed == 0 {
                    state.by_client.remove(&connection.client);
                }
            }
        }
        drop(state);
        self.freed.notify_waiters();
    }
}

/// The connection whose client has read nothing for the longest time, if that is `min` or more.
fn longest_stalled<'c>(open: impl Iterator<Item = &'c Arc<Connection>>, min: Duration) -> Option<&'c Arc<Connection>> {
    open.filter_map(|each| Some((each.stalled_since(min)?, each))).min_by_key(|(since, _)| *since).map(|(_, each)| each)
}

impl Stalled for Places {
    fn close_stalled(&self, min: Duration) -> bool {
        let state = self.state();
        let open = state.open.values().filter(|each| !each.closed.is_cancelled());
        longest_stalled(open, min).inspect(|connection| connection.close("memory")).is_some()
    }
}

/// Of the connections without a place: closes the longest idle one, else ends the wait of the oldest one.
fn end_one_wait(state: &State, silent: Duration) {
    let waiting = || state.open.values().filter(|each| !each.has_place() && !each.closed.is_cancelled());
    let idle = waiting().filter_map(|each| Some((each.idle_since()?, each))).min_by_key(|(since, _)| *since);
    let asking = waiting().filter(|each| !each.wait_ended.is_cancelled() && each.idle_since().is_none());
    match (idle, asking.min_by_key(|each| each.number)) {
        (Some(((_, since), idle)), _) if since.elapsed() >= silent => idle.close("idle"),
        (_, Some(first)) => first.wait_ended.cancel(),
        (Some((_, idle)), None) if state.open.len() - state.placed >= WAITING_IN_SILENCE => idle.close("idle"),
        _ => {}
    }
}

/// An accepted connection, until dropped.
pub(super) struct Entered {
    pub(super) places: Arc<Places>,
    pub(super) connection: Arc<Connection>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.places.leave(&self.connection);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(max: usize, share: usize) -> Arc<Places> {
        Arc::new(Places { longest_wait: Duration::ZERO, silent: Duration::ZERO, ..Places::new(max, share) })
    }

    fn from(number: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, number])
    }

    fn closed(entered: &Entered) -> bool {
        entered.connection.closed.is_cancelled()
    }

    #[tokio::test]
    async fn the_longest_idle_connection_gives_its_place_to_a_new_one() {
        let places = Arc::new(Places { silent: Duration::ZERO, ..Places::new(3, 3) });
        let mut open: Vec<_> = (0..3).map(|number| places.enter(from(number))).collect();
        let busy = open[0].connection.begin();
        // Its request was answered: it has been idle for a shorter time than the third.
        drop(open[1].connection.begin());
        let new = places.enter(from(9));
        assert!(!new.connection.has_place());
        assert_eq!(open.iter().map(closed).collect::<Vec<_>>(), [false, false, true]);
        let waiting = places.wait_for(&new.connection);
        tokio::pin!(waiting);
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(open.pop());
        assert!(waiting.await && new.connection.has_place());
        drop(busy);
    }

    #[tokio::test]
    async fn a_new_connection_whose_first_request_may_be_on_its_way_is_not_closed_for_another() {
        let places = Arc::new(Places { silent: Duration::from_hours(1), ..Places::new(2, 2) });
        let (one, two) = (places.enter(from(1)), places.enter(from(2)));
        let _three = places.enter(from(3));
        assert!(!closed(&one) && !closed(&two));
        drop(two.connection.begin());
        let _four = places.enter(from(4));
        assert!(!closed(&one) && closed(&two));
    }

    #[tokio::test]
    async fn whoever_is_busy_keeps_its_place_unless_its_client_takes_nothing() {
        let places = places(2, 2);
        let (one, two) = (places.enter(from(1)), places.enter(from(2)));
        let _busy = (one.connection.begin(), two.connection.begin());
        let waiting = places.enter(from(3));
        assert!(!places.wait_for(&waiting.connection).await, "no connection can be closed");
        two.connection.note_stalled(Some(Instant::now()));
        let _another = places.enter(from(4));
        assert!(!closed(&one) && !closed(&two), "it may take something soon");
        two.connection.note_stalled(Instant::now().checked_sub(STALLED));
        let _another = places.enter(from(4));
        assert!(closed(&two) && !closed(&one));
    }

    #[tokio::test]
    async fn the_client_that_has_taken_nothing_for_longest_is_closed_first_for_want_of_memory() {
        let places = places(3, 3);
        let open: Vec<_> = (0..3).map(|number| places.enter(from(number))).collect();
        for (each, seconds) in open.iter().zip([5, 9, 1]) {
            each.connection.note_stalled(Instant::now().checked_sub(Duration::from_secs(seconds)));
        }
        let min = Duration::from_secs(2);
        assert!(places.close_stalled(min) && closed(&open[1]) && !closed(&open[0]));
        assert!(places.close_stalled(min) && closed(&open[0]));
        assert!(!places.close_stalled(min) && !closed(&open[2]));
    }

    #[tokio::test]
    async fn a_client_with_its_share_takes_places_from_itself_alone() {
        let places = places(4, 2);
        let other = places.enter(from(1));
        let (one, two) = (places.enter(from(2)), places.enter(from(2)));
        let third = places.enter(from(2));
        assert!(one.connection.has_place() && two.connection.has_place() && !third.connection.has_place());
        assert!(closed(&one) && !closed(&other));
        // Another client has room.
        assert!(places.enter(from(3)).connection.has_place());
        drop(one);
        assert!(places.wait_for(&third.connection).await);
    }

    #[tokio::test]
    async fn of_too_many_that_wait_one_that_asks_for_nothing_goes_then_the_one_that_came_first() {
        let places = Arc::new(Places { silent: Duration::ZERO, ..Places::new(1, 1) });
        let held = places.enter(from(0));
        let _busy = held.connection.begin();
        let waiting: Vec<_> = (0..WAITING).map(|_| places.enter(from(1))).collect();
        let _requests: Vec<_> = waiting.iter().skip(1).map(|each| each.connection.begin()).collect();
        let last = places.enter(from(2));
        let _asking = last.connection.begin();
        assert!(closed(&waiting[0]));
        let _one_more = places.enter(from(3));
        assert!(!places.wait_for(&waiting[1].connection).await);
        assert!(!closed(&waiting[1]) && !waiting[2].connection.wait_ended.is_cancelled());
    }

    #[tokio::test]
    async fn a_connection_that_has_just_come_may_have_a_request_on_its_way() {
        let places = Arc::new(Places { silent: Duration::from_hours(1), ..Places::new(1, 1) });
        let held = places.enter(from(0));
        let _busy = held.connection.begin();
        let waiting: Vec<_> = (0..WAITING_IN_SILENCE).map(|_| places.enter(from(1))).collect();
        assert_eq!(waiting.iter().filter(|each| closed(each)).count(), 0);
        let _one_more = places.enter(from(2));
        assert!(closed(&waiting[0]));
        let _request = waiting[9].connection.begin();
        let _another = places.enter(from(3));
        assert!(waiting[9].connection.wait_ended.is_cancelled() && !closed(&waiting[1]));
    }

    #[tokio::test]
    async fn what_has_ended_is_forgotten() {
        let places = places(2, 1);
        drop((places.enter(from(1)), places.enter(from(1)), places.enter(from(2))));
        let state = places.state();
        assert_eq!((state.open.len(), state.placed, state.by_client.len()), (0, 0, 0));
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_ipv6() {
        let of = |text: &str| Client::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    }
}
