//! The cleanup: deletes and forgets units whose removal is recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::delete::{self, Outcome, Step, Witness};
use crate::clock::{Backoff, Clock, Timestamp, whole_millis};
use crate::directory::Directory;
use crate::index::{
    Deletion, FailedAttempt, IndexError, IndexReader, IndexWriter, RecordedRemoval, Removal, RemovalAction, RemovalFilter, RemovalOutcome,
    RemovalState, UnitKey,
};
use crate::names::DirectoryUrl;
use crate::telemetry;

/// Units whose removal is recorded with one commit.
const GROUP: usize = 256;

/// Units that are deleted at once.
const IN_FLIGHT: usize = 16;

/// Pause before a deletion that failed is retried.
const RETRY: Backoff = Backoff { first: Duration::from_secs(30), limit: Duration::from_hours(1) };

/// Cleans up archive directories; made once by the composition root. Cheap to clone; runs wait for one another.
#[derive(Clone)]
pub struct Cleanup {
    inner: Arc<Inner>,
}

struct Inner {
    directories: BTreeMap<DirectoryUrl, Directory>,
    writer: IndexWriter,
    reader: IndexReader,
    clock: Clock,
    record_ttl: Duration,
    witness: Witness,
    status: watch::Sender<CleanupStatus>,
    running: tokio::sync::Mutex<()>,
    /// Directories that this process has listed completely and judged.
    judged: Mutex<BTreeSet<DirectoryUrl>>,
}

/// The status of the cleanups, published while they run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CleanupStatus {
    /// Cleanups finished since start.
    pub finished: u64,
    /// When the running cleanup started; `null` while none runs.
    pub running_since: Option<Timestamp>,
    /// The report of the last cleanup.
    pub last: Option<CleanupReport>,
    /// Number of the last request that was done; see `POST /api/v1/cleanup`.
    pub requested: u64,
    /// The report of the last cleanup that was requested.
    pub last_requested: Option<CleanupReport>,
    /// When the next cleanups are due, by `historyserver.archive.retention.cron`; empty: after every refresh.
    pub next: Vec<Timestamp>,
}

/// The report of one cleanup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CleanupReport {
    /// When it started.
    pub started: Timestamp,
    /// Its duration in milliseconds.
    pub took_ms: u64,
    /// Applications and legacy jobs whose archives were deleted, including links and archives that were missing already.
    pub deleted: u64,
    /// Applications and legacy jobs that were only forgotten.
    pub forgotten: u64,
    /// Bytes of the deleted archives, as they were judged.
    pub bytes: u64,
    /// Applications and legacy jobs that had changed: the next refresh judges them again.
    pub changed: u64,
    /// Applications and legacy jobs that could not be deleted and are retried.
    pub failed: u64,
    /// Why the run ended early, if it did.
    pub error: Option<String>,
}

/// The recorded removals that a cleanup carries out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupScope {
    /// All due removals.
    Due,
    /// Only removals that failed before and are due again.
    Failed,
    /// Only removals that an earlier process started: partly deleted units are finished, and no others are deleted.
    Interrupted,
}

/// The result of one deletion.
enum Attempt {
    Ended(Outcome),
    /// An earlier process started it, and no file is missing: the next refresh judges it again.
    Untouched,
    Failed {
        failure: String,
        touched: bool,
    },
}

impl Cleanup {
    /// A cleanup over these directories. `record_ttl`: how long the record of deletions is kept.
    #[must_use]
    pub fn new(
        directories: impl IntoIterator<Item = Directory>,
        writer: IndexWriter,
        reader: IndexReader,
        clock: Clock,
        record_ttl: Duration,
    ) -> Self {
        Self::witnessed(directories, writer, reader, clock, record_ttl, Arc::new(|_| {}))
    }

    /// A cleanup that reports its steps to `witness`.
    #[must_use]
    pub fn witnessed(
        directories: impl IntoIterator<Item = Directory>,
        writer: IndexWriter,
        reader: IndexReader,
        clock: Clock,
        record_ttl: Duration,
        witness: Witness,
    ) -> Self {
        let directories = directories.into_iter().map(|directory| (directory.url().clone(), directory)).collect();
        let (status, running, judged) = (watch::Sender::default(), tokio::sync::Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { directories, writer, reader, clock, record_ttl, witness, status, running, judged }) }
    }

    /// The status of the cleanups.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<CleanupStatus> {
        self.inner.status.subscribe()
    }

    /// Notes that this process has listed a directory completely and judged it. Before that, none of its recorded removals is carried
    /// out: an earlier process may have judged by other limits.
    pub fn note_judged(&self, directory: &DirectoryUrl) {
        let mut judged = self.inner.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if !judged.contains(directory) {
            judged.insert(directory.clone());
        }
    }

    /// Publishes when the next cleanups are due.
    pub fn note_next(&self, next: Vec<Timestamp>) {
        self.inner.status.send_modify(|status| status.next = next);
    }

    /// Publishes that all requests up to this number are done.
    pub fn note_requested(&self, number: u64, report: CleanupReport) {
        self.inner.status.send_modify(|status| {
            status.requested = number;
            status.last_requested = Some(report);
        });
    }

    /// Carries out the removals of a scope. Ends early, at a safe point, when `stop` is cancelled.
    pub async fn run(&self, scope: CleanupScope, stop: &CancellationToken) -> CleanupReport {
        let _alone = self.inner.running.lock().await;
        let (started, passed) = (self.inner.clock.now(), self.inner.clock.passed());
        self.inner.status.send_modify(|status| status.running_since = Some(started));
        let _ended = Ended(&self.inner.status);
        let mut report = CleanupReport { started, ..CleanupReport::default() };
        if let Err(error) = self.remove(scope, stop, &mut report).await {
            tracing::warn!("the cleanup ended early, and the next one continues it: {error}");
            report.error = Some(error.to_string());
        }
        report.took_ms = whole_millis(self.inner.clock.passed().saturating_sub(passed));
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
        self.inner.status.send_modify(|status| {
            // Together with the report: a client that waits for the report finds no cleanup running.
            status.running_since = None;
            status.finished += 1;
            status.last = Some(report.clone());
        });
        report
    }

    async fn remove(&self, scope: CleanupScope, stop: &CancellationToken, report: &mut CleanupReport) -> Result<(), IndexError> {
        let now = report.started;
        let filter = match scope {
            CleanupScope::Due => RemovalFilter::Due(now),
            CleanupScope::Failed => RemovalFilter::Failed(now),
            CleanupScope::Interrupted => RemovalFilter::Interrupted(now),
        };
        let judged = self.inner.judged.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut cursor = None;
        loop {
            let mut page = self.inner.reader.removals(filter, cursor, GROUP).await?;
            page.rows.retain(|each| each.state == RemovalState::Running || judged.contains(each.removal.key.directory()));
            self.remove_group(page.rows, scope, stop, report).await?;
            cursor = page.next;
            if cursor.is_none() || stop.is_cancelled() {
                break;
            }
        }
        if scope == CleanupScope::Due {
            self.inner.writer.prune_deletions(now - self.inner.record_ttl).await?;
        }
        Ok(())
    }

    async fn remove_group(
        &self,
        group: Vec<RecordedRemoval>,
        scope: CleanupScope,
        stop: &CancellationToken,
        report: &mut CleanupReport,
    ) -> Result<(), IndexError> {
        let (delete, forget): (Vec<_>, Vec<_>) = group.into_iter().partition(|each| each.removal.action == RemovalAction::Delete);
        let mut done: Vec<(Removal, RemovalOutcome)> = forget.into_iter().map(|each| (each.removal, RemovalOutcome::Forgotten)).collect();
        let keys: Vec<UnitKey> = delete.iter().map(|each| each.removal.key.clone()).collect();
        let standing = if keys.is_empty() { Vec::new() } else { self.inner.writer.start_removals(keys).await? };
        let delete = delete.into_iter().filter(|each| standing.contains(&each.removal.key)).take_while(|_| !stop.is_cancelled());
        if !standing.is_empty() {
            (self.inner.witness)(Step::Started);
        }
        let (mut changed, mut untouched, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut deleting = futures::stream::iter(delete.map(|each| self.attempt(each, scope))).buffer_unordered(IN_FLIGHT);
        while let Some((each, attempt)) = deleting.next().await {
            let mut removal = each.removal;
            match attempt {
                Attempt::Ended(Outcome::Done(what, note)) => {
                    if let Some(note) = note {
                        removal.detail = format!("{}; {note}", removal.detail);
                    }
                    done.push((removal, what));
                }
                Attempt::Ended(Outcome::Kept(note)) => {
                    removal.detail = format!("{}; {note}", removal.detail);
                    removal.action = RemovalAction::Forget;
                    done.push((removal, RemovalOutcome::Forgotten));
                }
                Attempt::Ended(Outcome::Changed) => changed.push(removal.key),
                Attempt::Untouched => untouched.push(removal.key),
                Attempt::Failed { failure, touched } => {
                    let pause = RETRY.pause(each.attempts.saturating_add(1));
                    if each.attempts == 0 {
                        tracing::warn!(archive.path = ?removal.folder.as_str(), "an expired archive could not be deleted, and is retried: {failure}");
                    }
                    let next_attempt = self.inner.clock.now() + pause;
                    let partly_deleted = touched || each.state == RemovalState::Running;
                    failed.push(FailedAttempt { key: removal.key, failure, next_attempt, partly_deleted });
                }
            }
        }
        (report.changed, report.failed) = (report.changed + changed.len() as u64, report.failed + failed.len() as u64);
        // Written together after the last attempt, so that one that fails does not delay the others.
        if !changed.is_empty() {
            self.inner.writer.abandon_removals(changed).await?;
        }
        if !untouched.is_empty() {
            self.inner.writer.reset_removals(untouched).await?;
        }
        if !failed.is_empty() {
            self.inner.writer.fail_removals(failed).await?;
        }
        if done.is_empty() {
            return Ok(());
        }
        let written = self.inner.writer.finish_removals(done, self.inner.clock.now()).await?;
        (self.inner.witness)(Step::Forgotten);
        for deletion in &written {
            super::log(deletion);
            count(deletion, report);
        }
        Ok(())
    }

    async fn attempt(&self, each: RecordedRemoval, scope: CleanupScope) -> (RecordedRemoval, Attempt) {
        let url = each.removal.key.directory();
        let Some(directory) = self.inner.directories.get(url) else {
            let failure = format!("the archive directory {url} is not configured (historyserver.archive.fs.dir)");
            return (each, Attempt::Failed { failure, touched: false });
        };
        if scope == CleanupScope::Interrupted {
            match delete::is_untouched(directory, &each.removal).await {
                Ok(true) => return (each, Attempt::Untouched),
                Ok(false) => {}
                Err(error) => return (each, Attempt::Failed { failure: error.message, touched: true }),
            }
        }
        let attempt = match delete::delete(directory, &each.removal, &self.inner.witness).await {
            Ok(outcome) => Attempt::Ended(outcome),
            Err(failed) => Attempt::Failed { failure: failed.error.message, touched: failed.touched },
        };
        (each, attempt)
    }
}

/// Publishes that no cleanup runs any more when it is dropped, also after a panic.
struct Ended<'status>(&'status watch::Sender<CleanupStatus>);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|status| status.running_since = None);
    }
}

fn count(deletion: &Deletion, report: &mut CleanupReport) {
    match deletion.done {
        RemovalOutcome::Deleted => {
            report.deleted += 1;
            report.bytes += deletion.bytes;
        }
        RemovalOutcome::LinkRemoved | RemovalOutcome::AlreadyGone => report.deleted += 1,
        RemovalOutcome::Forgotten => report.forgotten += 1,
    }
}
