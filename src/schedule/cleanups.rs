//! The times of cleanups: after every refresh or at times of the day, and on request.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::cron::{self, Schedule};
use super::periodic::Activator;
use crate::clock::{Clock, Timestamp};
use crate::index::{HeldReason, IndexError, IndexReader, IndexWriter};
use crate::refresh::RefreshStatus;
use crate::retention::cleanup::{Cleanup, CleanupReport, CleanupScope, CleanupStatus};
use crate::tasks;

/// Number of upcoming cleanups that the status shows.
const UPCOMING: usize = 3;

/// Requests cleanups. Cheap to clone.
#[derive(Clone)]
pub struct Cleaner {
    cleanup: Cleanup,
    writer: IndexWriter,
    reader: IndexReader,
    clock: Clock,
    requests: watch::Sender<u64>,
}

impl Cleaner {
    /// A handle for this cleanup. [`run`] carries out its requests.
    #[must_use]
    pub fn new(cleanup: Cleanup, writer: IndexWriter, reader: IndexReader, clock: Clock) -> Self {
        Self { cleanup, writer, reader, clock, requests: watch::Sender::new(0) }
    }

    /// Requests a refresh and a cleanup after it. Returns the number that [`CleanupStatus::requested`] reaches when the cleanup is done.
    /// One cleanup answers all requests that were made before it began.
    #[must_use]
    pub fn request(&self) -> u64 {
        let mut number = 0;
        self.requests.send_modify(|requests| {
            *requests += 1;
            number = *requests;
        });
        number
    }

    /// Confirms the held cleanup with this plan. Returns `false` if there is no such cleanup.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn confirm(&self, plan: &str) -> Result<bool, IndexError> {
        for held in self.reader.held_cleanups().await? {
            if held.plan == plan {
                let now = self.clock.now();
                let confirmed = self.writer.confirm_cleanup(&held.directory, plan, now).await?;
                if confirmed && held.reason == HeldReason::Clock {
                    // The confirmation means that the clock is right: the next process may rely on this time.
                    self.writer.note_refresh(now).await?;
                }
                return Ok(confirmed);
            }
        }
        Ok(false)
    }

    /// The status of the cleanups.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<CleanupStatus> {
        self.cleanup.status()
    }
}

/// The other parts of the server that cleanups depend on.
pub struct Surroundings {
    /// The status of the refreshes.
    pub refreshed: watch::Receiver<RefreshStatus>,
    /// Starts the next refresh at once.
    pub activator: Activator,
    /// Times of cleanups; `None`: after every refresh.
    pub schedule: Option<Schedule>,
    /// The time.
    pub clock: Clock,
}

/// Runs cleanups until `stop` is cancelled, one at a time. A cleanup that an earlier process began is finished first.
pub async fn run(cleaner: Cleaner, surroundings: Surroundings, stop: CancellationToken) {
    let Surroundings { mut refreshed, activator, schedule, clock } = surroundings;
    let mut requests = cleaner.requests.subscribe();
    let (tick, mut ticks) = mpsc::channel::<Timestamp>(1);
    let after_refresh = if schedule.is_some() { CleanupScope::Failed } else { CleanupScope::Due };
    let ticking = schedule.map(|schedule| {
        let (cleanup, times, now) = (cleaner.cleanup.clone(), schedule.clone(), clock.clone());
        cleanup.note_next(times.upcoming(now.now(), UPCOMING));
        let fire = move |time: Timestamp, fired| {
            tracing::debug!(%fired, "a time of historyserver.archive.retention.cron is reached");
            cleanup.note_next(times.upcoming(now.now().max(time), UPCOMING));
            // One waiting tick is enough.
            let _ = tick.try_send(time);
        };
        tasks::spawn(cron::run(schedule, clock.clone(), stop.clone(), fire))
    });
    let mut seen = refreshed.borrow().rounds();
    clean(&cleaner.cleanup, CleanupScope::Interrupted, &refreshed, &stop).await;
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Ok(()) = requests.changed() => {
                let number = *requests.borrow_and_update();
                refresh(&activator, &mut refreshed, &stop).await;
                let report = clean(&cleaner.cleanup, CleanupScope::Due, &refreshed, &stop).await;
                seen = refreshed.borrow().rounds();
                cleaner.cleanup.note_requested(number, report);
            }
            Some(_time) = ticks.recv() => {
                refresh(&activator, &mut refreshed, &stop).await;
                clean(&cleaner.cleanup, CleanupScope::Due, &refreshed, &stop).await;
                seen = refreshed.borrow().rounds();
            }
            Ok(()) = refreshed.changed() => {
                let rounds = refreshed.borrow_and_update().rounds();
                if rounds != seen {
                    seen = rounds;
                    clean(&cleaner.cleanup, after_refresh, &refreshed, &stop).await;
                }
            }
        }
    }
    if let Some(ticking) = ticking
        && let Err(error) = ticking.await
    {
        tracing::error!("the schedule of cleanups ended unexpectedly: {error}");
    }
}

/// Runs a full scan of every directory before a cleanup, so that the cleanup uses the present state.
async fn refresh(activator: &Activator, refreshed: &mut watch::Receiver<RefreshStatus>, stop: &CancellationToken) {
    let number = activator.full_scan();
    tokio::select! {
        () = stop.cancelled() => {}
        ended = refreshed.wait_for(|status| status.directories.iter().all(|directory| directory.full_scans >= number)) => {
            if ended.is_err() {
                tracing::debug!("no refresh before the cleanup: the refreshes have ended");
            }
        }
    }
}

/// Runs one cleanup in a task of its own, so that a panic does not end the schedule.
async fn clean(
    cleanup: &Cleanup,
    scope: CleanupScope,
    refreshed: &watch::Receiver<RefreshStatus>,
    stop: &CancellationToken,
) -> CleanupReport {
    note_judged(cleanup, &refreshed.borrow());
    let (cleanup, stop) = (cleanup.clone(), stop.clone());
    match tasks::spawn(async move { cleanup.run(scope, &stop).await }).await {
        Ok(report) => report,
        Err(error) => {
            tracing::error!("a cleanup ended unexpectedly: {error}; the next one runs as scheduled");
            CleanupReport { error: Some("it ended unexpectedly; see the log of the server".to_owned()), ..CleanupReport::default() }
        }
    }
}

/// Allows a cleanup to use the recorded verdicts of the directories that this process has listed completely.
pub fn note_judged(cleanup: &Cleanup, refreshed: &RefreshStatus) {
    let listed = refreshed.directories.iter().filter(|directory| directory.last_listed.is_some());
    listed.for_each(|directory| cleanup.note_judged(&directory.url));
}
