//! Walks: reads of many rows, such as searches and statistics. Few of them run at a time, on threads of low priority.
//!
//! Each kind has its own queue, and the kinds take turns, so many searches do not delay lists. A queue is bounded: if it is full, a
//! request is refused at once instead of timing out later. A walk that takes too long, or that no client waits for, is interrupted.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::index::error::IndexError;
use crate::tasks::Workers;

/// The purpose of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    History,
    Facets,
    Statistics,
    Search,
    Export,
}

impl Kind {
    const ALL: [Self; 6] = [Self::List, Self::History, Self::Facets, Self::Statistics, Self::Search, Self::Export];
}

/// How a walk behaves if its queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// It is refused, and the client tries again later.
    Refuse,
    /// It waits: the answer has begun already and must not end early.
    Wait,
}

/// Maximum number of waiting requests of one kind.
const MAX_WAITING: usize = 32;

/// Longest time that a request waits for its turn before it is refused.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Minimum interval of log lines about refused requests.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// The queues, and the threads that walk.
pub(super) struct Walks {
    workers: Workers,
    queues: [Queue; Kind::ALL.len()],
    /// How long a walk may take.
    timeout: Duration,
    /// When refused requests were last logged.
    logged: Mutex<Option<Instant>>,
}

struct Queue {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Walks {
    /// Starts this many threads. If there are several, one kind uses at most all but one of them.
    pub(super) fn start(threads: usize, timeout: Duration) -> Self {
        let turns = threads.saturating_sub(1).max(1);
        let queue = |_| Queue { turns: Arc::new(Semaphore::new(turns)), waiting: AtomicUsize::new(0) };
        Self { workers: Workers::start("index-walker", threads), queues: Kind::ALL.map(queue), timeout, logged: Mutex::default() }
    }

    /// Waits for the turn of a kind, then runs the work on one of the threads. The work asks [`Over`] whether it should end.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        kind: Kind,
        patience: Patience,
        work: impl FnOnce(Over) -> T + Send + 'static,
    ) -> Result<T, IndexError> {
        let queue = &self.queues[kind as usize];
        let turn = match patience {
            Patience::Refuse => {
                let turn = tokio::time::timeout(LONGEST_WAIT, queue.turn_or_refusal()).await;
                turn.unwrap_or(Err(IndexError::Busy)).inspect_err(|error| self.log_refusal(kind, error))?
            }
            Patience::Wait => queue.turn().await?,
        };
        let wanted = Wanted::default();
        let abandoned = Arc::clone(&wanted.abandoned);
        let timeout = self.timeout;
        let work = move || {
            let done = work(Over { abandoned, deadline: Instant::now() + timeout });
            drop(turn);
            done
        };
        Ok(self.workers.run(work).await)
    }

    /// Logs that requests are refused, at most once per interval.
    fn log_refusal(&self, kind: Kind, error: &IndexError) {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if *error == IndexError::Busy && logged.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            *logged = Some(Instant::now());
            tracing::warn!(
                "requests of the kind {kind:?} are refused with 503, because {MAX_WAITING} of them wait already or the first has waited too long: see historyserver_http_requests_total"
            );
        }
    }

    /// Refuses all waiting and further walks.
    pub(super) fn close(&self) {
        self.queues.iter().for_each(|queue| queue.turns.close());
    }
}

impl Queue {
    async fn turn(&self) -> Result<OwnedSemaphorePermit, IndexError> {
        Arc::clone(&self.turns).acquire_owned().await.map_err(|_closed| IndexError::Closed)
    }

    /// Waits for a turn, unless the queue is full.
    async fn turn_or_refusal(&self) -> Result<OwnedSemaphorePermit, IndexError> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let join = |waiting: usize| (waiting < MAX_WAITING).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, join).map_err(|_full| IndexError::Busy)?;
        let _waits = Waits(&self.waiting);
        self.turn().await
    }
}

/// A waiting request, counted until dropped.
struct Waits<'q>(&'q AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A client that waits for a walk, until dropped.
#[derive(Default)]
struct Wanted {
    abandoned: Arc<AtomicBool>,
}

impl Drop for Wanted {
    fn drop(&mut self) {
        self.abandoned.store(true, Ordering::Release);
    }
}

/// Whether a walk should end.
pub(super) struct Over {
    abandoned: Arc<AtomicBool>,
    deadline: Instant,
}

impl Over {
    /// True if no client waits for it any more, or it has taken too long.
    pub(super) fn is_over(&self) -> bool {
        self.abandoned.load(Ordering::Acquire) || Instant::now() >= self.deadline
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::future::join_all;
    use futures::poll;

    use super::*;

    const LONG: Duration = Duration::from_mins(10);

    /// Occupies a kind until the sender is dropped.
    fn hold(walks: &Walks, kind: Kind) -> (mpsc::Sender<()>, impl Future<Output = Result<(), IndexError>>) {
        let (release, held) = mpsc::channel::<()>();
        (
            release,
            walks.run(kind, Patience::Refuse, move |_| {
                // Ends with the sender.
                let _ = held.recv();
            }),
        )
    }

    #[tokio::test]
    async fn beyond_a_bounded_queue_requests_are_refused_but_not_those_that_have_begun() {
        let walks = Walks::start(1, LONG);
        let (release, held) = hold(&walks, Kind::Search);
        let mut held = Box::pin(held);
        assert!(poll!(&mut held).is_pending());
        let mut waiting: Vec<_> =
            (0..MAX_WAITING).map(|number| Box::pin(walks.run(Kind::Search, Patience::Refuse, move |_| number))).collect();
        for each in &mut waiting {
            assert!(poll!(each).is_pending());
        }
        assert_eq!(walks.run(Kind::Search, Patience::Refuse, |_| ()).await, Err(IndexError::Busy));
        let mut patient = Box::pin(walks.run(Kind::Search, Patience::Wait, |_| "patient"));
        assert!(poll!(&mut patient).is_pending());
        // A client that stops waiting makes room for another.
        drop(waiting.pop());
        let mut next = Box::pin(walks.run(Kind::Search, Patience::Refuse, |_| 99));
        assert!(poll!(&mut next).is_pending());
        drop(release);
        held.await.unwrap();
        assert_eq!(join_all(waiting).await, (0..MAX_WAITING - 1).map(Ok).collect::<Vec<_>>());
        assert_eq!((patient.await, next.await), (Ok("patient"), Ok(99)));
    }

    #[tokio::test]
    async fn kinds_take_turns() {
        let walks = Walks::start(1, LONG);
        let order = Arc::new(Mutex::new(Vec::new()));
        let noting = |kind: Kind, number: u32| {
            let order = Arc::clone(&order);
            Box::pin(walks.run(kind, Patience::Refuse, move |_| order.lock().unwrap().push((kind, number))))
        };
        let (release, held) = hold(&walks, Kind::Statistics);
        let mut held = Box::pin(held);
        assert!(poll!(&mut held).is_pending());
        let mut all: Vec<_> = (0..20).map(|number| noting(Kind::Search, number)).collect();
        all.push(noting(Kind::List, 0));
        for each in &mut all {
            assert!(poll!(each).is_pending());
        }
        drop(release);
        held.await.unwrap();
        join_all(all).await;
        let order = order.lock().unwrap();
        let place = order.iter().position(|each| *each == (Kind::List, 0)).unwrap();
        assert!(place <= 2, "a list came after {place} searches");
    }

    #[tokio::test]
    async fn a_walk_is_over_when_no_client_waits_for_it_or_its_time_is_up() {
        let walks = Walks::start(1, LONG);
        let (begun, is_begun) = mpsc::channel();
        let (ended, is_ended) = mpsc::channel();
        let mut abandoned = Box::pin(walks.run(Kind::Search, Patience::Refuse, move |over| {
            begun.send(()).unwrap();
            while !over.is_over() {
                std::thread::yield_now();
            }
            ended.send(()).unwrap();
        }));
        assert!(poll!(&mut abandoned).is_pending());
        is_begun.recv().unwrap();
        drop(abandoned);
        is_ended.recv().unwrap();
        assert!(walks.run(Kind::Search, Patience::Refuse, |over| !over.is_over()).await.unwrap());
        let hasty = Walks::start(1, Duration::ZERO);
        assert!(hasty.run(Kind::Search, Patience::Refuse, |over| over.is_over()).await.unwrap());
    }

    #[tokio::test]
    async fn a_closed_index_answers_those_that_wait() {
        let walks = Walks::start(1, LONG);
        let (release, held) = hold(&walks, Kind::Search);
        let mut held = Box::pin(held);
        assert!(poll!(&mut held).is_pending());
        let mut waiting = Box::pin(walks.run(Kind::Search, Patience::Refuse, |_| ()));
        assert!(poll!(&mut waiting).is_pending());
        walks.close();
        assert_eq!(waiting.await, Err(IndexError::Closed));
        drop(release);
        held.await.unwrap();
    }
}
