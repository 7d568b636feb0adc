//! When cleanups run: after every refresh, or at times of the day, and when somebody asks.

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::cron::{self, Schedule};
use super::periodic::Activator;
use crate::clock::{Clock, Millis};
use crate::index::{HeldReason, IndexError, IndexReader, IndexWriter};
use crate::refresh::RefreshStatus;
use crate::retention::cleanup::{Cleanup, CleanupReport, CleanupStatus, Extent};
use crate::tasks;

/// Times of the next cleanups that are told.
const TOLD: usize = 3;

/// Asks for cleanups. Cheap to clone.
#[derive(Clone)]
pub struct Cleaner {
    cleanup: Cleanup,
    writer: IndexWriter,
    reader: IndexReader,
    clock: Clock,
    requests: watch::Sender<u64>,
}

impl Cleaner {
    /// Somebody to ask for this cleanup; [`run`] does what is asked for.
    #[must_use]
    pub fn new(cleanup: Cleanup, writer: IndexWriter, reader: IndexReader, clock: Clock) -> Self {
        Self { cleanup, writer, reader, clock, requests: watch::Sender::new(0) }
    }

    /// Asks for a refresh and a cleanup after it. Gives back the number that [`CleanupStatus::requested`] reaches when it is done.
    /// Requests that come before one is begun are answered by it together.
    #[must_use]
    pub fn request(&self) -> u64 {
        let mut number = 0;
        self.requests.send_modify(|requests| {
            *requests += 1;
            number = *requests;
        });
        number
    }

    /// Lets the cleanup with this plan through that the guard holds back. `false`: there is none, or not any more.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn confirm(&self, plan: &str) -> Result<bool, IndexError> {
        for held in self.reader.held_cleanups().await? {
            if held.plan == plan {
                let now = self.clock.now();
                let confirmed = self.writer.confirm_cleanup(&held.directory, plan, now).await?;
                if confirmed && held.reason == HeldReason::Clock {
                    // Whoever lets it delete says that the clock is right: a next process may start from that.
                    self.writer.note_refresh(now).await?;
                }
                return Ok(confirmed);
            }
        }
        Ok(false)
    }

    /// What the cleanups do.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<CleanupStatus> {
        self.cleanup.status()
    }
}

/// What the cleanups need to know of the rest.
pub struct Surroundings {
    /// When refreshes are done.
    pub refreshed: watch::Receiver<RefreshStatus>,
    /// Makes the next refresh start at once.
    pub activator: Activator,
    /// Times of the day; `None`: after every refresh.
    pub schedule: Option<Schedule>,
    /// The time.
    pub clock: Clock,
}

/// Runs cleanups until `stop` is cancelled; never two at a time. What an earlier process had begun is finished first.
pub async fn run(cleaner: Cleaner, surroundings: Surroundings, stop: CancellationToken) {
    let Surroundings { mut refreshed, activator, schedule, clock } = surroundings;
    let mut requests = cleaner.requests.subscribe();
    let (tick, mut ticks) = mpsc::channel::<Millis>(1);
    let usual = if schedule.is_some() { Extent::Failed } else { Extent::Due };
    let ticking = schedule.map(|schedule| {
        let (cleanup, times, now) = (cleaner.cleanup.clone(), schedule.clone(), clock.clone());
        cleanup.note_next(times.upcoming(now.now(), TOLD));
        let fire = move |time: Millis, fired| {
            tracing::debug!(%fired, "a time of historyserver.archive.retention.cron has come");
            cleanup.note_next(times.upcoming(now.now().max(time), TOLD));
            // One that waits already is as good as two.
            let _ = tick.try_send(time);
        };
        tasks::spawn(cron::run(schedule, clock.clone(), stop.clone(), fire))
    });
    let mut seen = refreshed.borrow().finished;
    clean(&cleaner.cleanup, Extent::Begun, &refreshed, &stop).await;
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Ok(()) = requests.changed() => {
                let number = *requests.borrow_and_update();
                refresh(&activator, &mut refreshed, &stop).await;
                let report = clean(&cleaner.cleanup, Extent::Due, &refreshed, &stop).await;
                seen = refreshed.borrow().finished;
                cleaner.cleanup.note_requested(number, report);
            }
            Some(_time) = ticks.recv() => {
                refresh(&activator, &mut refreshed, &stop).await;
                clean(&cleaner.cleanup, Extent::Due, &refreshed, &stop).await;
                seen = refreshed.borrow().finished;
            }
            Ok(()) = refreshed.changed() => {
                let finished = refreshed.borrow_and_update().finished;
                if finished != seen {
                    seen = finished;
                    clean(&cleaner.cleanup, usual, &refreshed, &stop).await;
                }
            }
        }
    }
    if let Some(ticking) = ticking
        && let Err(error) = ticking.await
    {
        tracing::error!("the times of the cleanups have ended: {error}");
    }
}

/// Has everything listed before a cleanup, so that it does what is true now.
async fn refresh(activator: &Activator, refreshed: &mut watch::Receiver<RefreshStatus>, stop: &CancellationToken) {
    let status = refreshed.borrow().clone();
    // One that is running may have passed by what has changed: wait for the one after it.
    let wanted = status.finished + 1 + u64::from(status.running_since.is_some());
    activator.full_scan();
    tokio::select! {
        () = stop.cancelled() => {}
        ended = refreshed.wait_for(|status| status.finished >= wanted) => {
            if ended.is_err() {
                tracing::debug!("no refresh before the cleanup: refreshes have ended");
            }
        }
    }
}

/// One cleanup, in a task of its own: a panic in it leaves the next scheduled.
async fn clean(cleanup: &Cleanup, extent: Extent, refreshed: &watch::Receiver<RefreshStatus>, stop: &CancellationToken) -> CleanupReport {
    note_judged(cleanup, &refreshed.borrow());
    let (cleanup, stop) = (cleanup.clone(), stop.clone());
    match tasks::spawn(async move { cleanup.run(extent, &stop).await }).await {
        Ok(report) => report,
        Err(error) => {
            tracing::error!("a cleanup ended unexpectedly, the next one runs as scheduled: {error}");
            CleanupReport { error: Some("it ended unexpectedly: the server's log says more".to_owned()), ..CleanupReport::default() }
        }
    }
}

/// Lets a cleanup have what is on record for the directories that this process has listed whole.
pub fn note_judged(cleanup: &Cleanup, refreshed: &RefreshStatus) {
    let listed = refreshed.directories.iter().filter(|directory| directory.last_listed.is_some());
    listed.for_each(|directory| cleanup.note_judged(&directory.url));
}
