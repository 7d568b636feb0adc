//! The run that deletes and forgets what is on record as expired.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::delete::{self, Outcome, Step, Witness};
use crate::clock::{Backoff, Clock, Millis};
use crate::directory::Directory;
use crate::index::{
    Deletion, Done, Expiry, FailedAttempt, IndexError, IndexReader, IndexWriter, MarkState, Pending, PendingRemoval, Removal, UnitKey,
};
use crate::names::DirectoryUrl;
use crate::telemetry;

/// Units whose removal is put on record with one commit.
const GROUP: usize = 256;

/// Units that are deleted at the same time.
const IN_FLIGHT: usize = 16;

/// Pause before a deletion that failed is retried.
const RETRY: Backoff = Backoff { first: 30_000, limit: 60 * 60 * 1_000 };

/// Everything a cleanup needs; made once by the composition root. Cheap to clone; runs wait for one another.
#[derive(Clone)]
pub struct Cleanup {
    shared: Arc<Shared>,
}

struct Shared {
    directories: BTreeMap<DirectoryUrl, Directory>,
    writer: IndexWriter,
    reader: IndexReader,
    clock: Clock,
    record_ttl: Millis,
    witness: Witness,
    status: watch::Sender<CleanupStatus>,
    running: tokio::sync::Mutex<()>,
    /// Directories that were listed whole, and judged, by this process.
    judged: Mutex<BTreeSet<DirectoryUrl>>,
}

/// State of the cleanups, published while they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CleanupStatus {
    /// Cleanups finished since start.
    pub finished: u64,
    /// When the one now running started.
    pub running_since: Option<Millis>,
    /// What the last one did.
    pub last: Option<CleanupReport>,
    /// Number of the last request that was done; see `POST /api/v1/cleanup`.
    pub requested: u64,
    /// What the last cleanup did that somebody asked for.
    pub last_requested: Option<CleanupReport>,
    /// When the next ones are due, by `historyserver.archive.retention.cron`; empty: after every refresh.
    pub next: Vec<Millis>,
}

/// What one cleanup did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CleanupReport {
    /// When it started.
    pub started: Millis,
    /// Milliseconds that it took.
    pub took_ms: u64,
    /// Applications and legacy jobs whose archives were deleted, links and those already gone among them.
    pub deleted: u64,
    /// Those that were only forgotten.
    pub forgotten: u64,
    /// Bytes of what was deleted, as judged.
    pub bytes: u64,
    /// Those left for the next refresh to judge again, because they had changed.
    pub changed: u64,
    /// Those that could not be deleted and are tried again.
    pub failed: u64,
    /// Why the run ended early, if it did.
    pub error: Option<String>,
}

/// Which of what is on record a run removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that is due.
    Due,
    /// Only what failed before and is due again.
    Failed,
    /// Only what an earlier process had begun: what is half gone is finished, of the rest nothing is taken.
    Begun,
}

/// What came of one deletion.
enum Attempt {
    Ended(Outcome),
    /// It was begun by an earlier process, and nothing is missing: the next refresh judges it again.
    Untouched,
    Failed {
        failure: String,
        touched: bool,
    },
}

impl Cleanup {
    /// A cleanup over these directories; what it does can be watched. `record_ttl`: how long the record of deletions is kept.
    #[must_use]
    pub fn new(
        directories: impl IntoIterator<Item = Directory>,
        writer: IndexWriter,
        reader: IndexReader,
        clock: Clock,
        record_ttl: Millis,
    ) -> Self {
        Self::witnessed(directories, writer, reader, clock, record_ttl, Arc::new(|_| {}))
    }

    /// A cleanup whose steps are told to `witness`.
    #[must_use]
    pub fn witnessed(
        directories: impl IntoIterator<Item = Directory>,
        writer: IndexWriter,
        reader: IndexReader,
        clock: Clock,
        record_ttl: Millis,
        witness: Witness,
    ) -> Self {
        let directories = directories.into_iter().map(|directory| (directory.url().clone(), directory)).collect();
        let (status, running, judged) = (watch::Sender::default(), tokio::sync::Mutex::default(), Mutex::default());
        Self { shared: Arc::new(Shared { directories, writer, reader, clock, record_ttl, witness, status, running, judged }) }
    }

    /// What the cleanups do.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<CleanupStatus> {
        self.shared.status.subscribe()
    }

    /// Notes that a directory was listed whole, and judged, by this process. Before that, nothing is removed of what is on record for
    /// it: an earlier process may have judged by other limits.
    pub fn note_judged(&self, directory: &DirectoryUrl) {
        let mut judged = self.shared.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if !judged.contains(directory) {
            judged.insert(directory.clone());
        }
    }

    /// Publishes when the next cleanups are due.
    pub fn note_next(&self, next: Vec<Millis>) {
        self.shared.status.send_modify(|status| status.next = next);
    }

    /// Publishes that everything asked for up to this number is done.
    pub fn note_requested(&self, number: u64, report: CleanupReport) {
        self.shared.status.send_modify(|status| {
            status.requested = number;
            status.last_requested = Some(report);
        });
    }

    /// Removes what is due, or what was begun. Ends early, at a safe point, when `stop` is cancelled.
    pub async fn run(&self, extent: Extent, stop: &CancellationToken) -> CleanupReport {
        let _alone = self.shared.running.lock().await;
        let (started, passed) = (self.shared.clock.now(), self.shared.clock.passed());
        self.shared.status.send_modify(|status| status.running_since = Some(started));
        let _ended = Ended(&self.shared.status);
        let mut report = CleanupReport { started, ..CleanupReport::default() };
        if let Err(error) = self.remove(extent, stop, &mut report).await {
            tracing::warn!("the cleanup ended early: {error}");
            report.error = Some(error.to_string());
        }
        report.took_ms = u64::try_from(self.shared.clock.passed().saturating_sub(passed).as_millis()).unwrap_or(u64::MAX);
        if report.deleted + report.forgotten + report.failed + report.changed > 0 {
            tracing::info!(
                deleted = report.deleted,
                forgotten = report.forgotten,
                failed = report.failed,
                changed = report.changed,
                archive.size_bytes = report.bytes,
                duration_ms = report.took_ms,
                "cleaned up"
            );
        }
        let removals =
            [("deleted", report.deleted), ("forgotten", report.forgotten), ("changed", report.changed), ("failed", report.failed)];
        telemetry::cleaned_up(Duration::from_millis(report.took_ms), report.error.is_none(), removals, report.bytes);
        self.shared.status.send_modify(|status| {
            // At once with the report: who waits for that finds no run going on.
            status.running_since = None;
            status.finished += 1;
            status.last = Some(report.clone());
        });
        report
    }

    async fn remove(&self, extent: Extent, stop: &CancellationToken, report: &mut CleanupReport) -> Result<(), IndexError> {
        let now = report.started;
        let which = match extent {
            Extent::Due => Pending::Due(now),
            Extent::Failed => Pending::Failed(now),
            Extent::Begun => Pending::Begun(now),
        };
        let judged = self.shared.judged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut cursor = None;
        loop {
            let mut page = self.shared.reader.pending_removals(which, cursor, GROUP).await?;
            page.rows.retain(|each| each.state == MarkState::Begun || judged.contains(each.expiry.key.directory()));
            self.remove_group(page.rows, extent, stop, report).await?;
            cursor = page.next;
            if cursor.is_none() || stop.is_cancelled() {
                break;
            }
        }
        if extent == Extent::Due {
            self.shared.writer.prune_deletions(now.saturating_sub(self.shared.record_ttl)).await?;
        }
        Ok(())
    }

    async fn remove_group(
        &self,
        group: Vec<PendingRemoval>,
        extent: Extent,
        stop: &CancellationToken,
        report: &mut CleanupReport,
    ) -> Result<(), IndexError> {
        let (delete, forget): (Vec<_>, Vec<_>) = group.into_iter().partition(|each| each.expiry.removal == Removal::Delete);
        let mut done: Vec<(Expiry, Done)> = forget.into_iter().map(|each| (each.expiry, Done::Forgotten)).collect();
        let keys: Vec<UnitKey> = delete.iter().map(|each| each.expiry.key.clone()).collect();
        let standing = if keys.is_empty() { Vec::new() } else { self.shared.writer.begin_removals(keys).await? };
        let delete = delete.into_iter().filter(|each| standing.contains(&each.expiry.key)).take_while(|_| !stop.is_cancelled());
        if !standing.is_empty() {
            (self.shared.witness)(Step::Begun);
        }
        let (mut changed, mut untouched, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut deleting = futures::stream::iter(delete.map(|each| self.attempt(each, extent))).buffer_unordered(IN_FLIGHT);
        while let Some((each, attempt)) = deleting.next().await {
            let mut expiry = each.expiry;
            match attempt {
                Attempt::Ended(Outcome::Done(what, note)) => {
                    if let Some(note) = note {
                        expiry.detail = format!("{}; {note}", expiry.detail);
                    }
                    done.push((expiry, what));
                }
                Attempt::Ended(Outcome::Kept(note)) => {
                    expiry.detail = format!("{}; {note}", expiry.detail);
                    expiry.removal = Removal::Forget;
                    done.push((expiry, Done::Forgotten));
                }
                Attempt::Ended(Outcome::Changed) => changed.push(expiry.key),
                Attempt::Untouched => untouched.push(expiry.key),
                Attempt::Failed { failure, touched } => {
                    let pause = RETRY.pause(each.attempts.saturating_add(1));
                    if each.attempts == 0 {
                        tracing::warn!(archive.path = ?expiry.folder.as_str(), "an expired archive could not be deleted: {failure}");
                    }
                    let next_attempt = self.shared.clock.now() + pause;
                    let half_gone = touched || each.state == MarkState::Begun;
                    failed.push(FailedAttempt { key: expiry.key, failure, next_attempt, half_gone });
                }
            }
        }
        (report.changed, report.failed) = (report.changed + changed.len() as u64, report.failed + failed.len() as u64);
        // Together, after the last: one that fails must not hold up the others.
        if !changed.is_empty() {
            self.shared.writer.abandon_removals(changed).await?;
        }
        if !untouched.is_empty() {
            self.shared.writer.put_back_removals(untouched).await?;
        }
        if !failed.is_empty() {
            self.shared.writer.fail_removals(failed).await?;
        }
        if done.is_empty() {
            return Ok(());
        }
        let written = self.shared.writer.finish_removals(done, self.shared.clock.now()).await?;
        (self.shared.witness)(Step::Forgotten);
        for deletion in &written {
            super::log(deletion);
            count(deletion, report);
        }
        Ok(())
    }

    async fn attempt(&self, each: PendingRemoval, extent: Extent) -> (PendingRemoval, Attempt) {
        let url = each.expiry.key.directory();
        let Some(directory) = self.shared.directories.get(url) else {
            let failure = format!("the archive directory {url} is not configured (historyserver.archive.fs.dir)");
            return (each, Attempt::Failed { failure, touched: false });
        };
        if extent == Extent::Begun {
            match delete::is_untouched(directory, &each.expiry).await {
                Ok(true) => return (each, Attempt::Untouched),
                Ok(false) => {}
                Err(error) => return (each, Attempt::Failed { failure: error.message, touched: true }),
            }
        }
        let attempt = match delete::delete(directory, &each.expiry, &self.shared.witness).await {
            Ok(outcome) => Attempt::Ended(outcome),
            Err(failed) => Attempt::Failed { failure: failed.error.message, touched: failed.touched },
        };
        (each, attempt)
    }
}

/// Publishes that no cleanup runs any more, however it ended.
struct Ended<'status>(&'status watch::Sender<CleanupStatus>);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|status| status.running_since = None);
    }
}

fn count(deletion: &Deletion, report: &mut CleanupReport) {
    match deletion.done {
        Done::Deleted => {
            report.deleted += 1;
            report.bytes += deletion.bytes;
        }
        Done::LinkRemoved | Done::AlreadyGone => report.deleted += 1,
        Done::Forgotten => report.forgotten += 1,
    }
}
