//! The cleanup: deletes and forgets units whose removal is recorded.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::delete::together::{self, Doomed, Ended as EndedTogether, Sight};
use super::delete::{self, Outcome, Step, Witness};
use crate::clock::{Backoff, Clock, Timestamp, whole_millis};
use crate::directory::{Directory, DirectoryError, DirectoryErrorKind};
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

/// Units of an object store that are deleted together. Each is listed directly before, so the number also limits the time in between.
const TOGETHER: usize = 5_000;

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
    /// Object stores in which no deletion succeeded lately: whether deletions succeed is tested before the next one.
    troubled: Mutex<BTreeSet<DirectoryUrl>>,
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

/// The results of several deletions.
#[derive(Default)]
struct Attempts {
    done: Vec<(Removal, RemovalOutcome)>,
    changed: Vec<UnitKey>,
    untouched: Vec<UnitKey>,
    failed: Vec<FailedAttempt>,
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
        let (status, running) = (watch::Sender::default(), tokio::sync::Mutex::default());
        let (judged, troubled) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { directories, writer, reader, clock, record_ttl, witness, status, running, judged, troubled }) }
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
        let (mut together, mut put_off) = (Vec::new(), BTreeSet::new());
        loop {
            let mut page = self.inner.reader.removals(filter, cursor, GROUP).await?;
            page.rows.retain(|each| each.state == RemovalState::Running || judged.contains(each.removal.key.directory()));
            let (in_stores, others) = page.rows.into_iter().partition::<Vec<_>, _>(|each| self.is_deleted_together(&each.removal));
            self.remove_group(others, scope, stop, report).await?;
            // Rows come by directory, cluster and id, so the units of one batch lie near one another.
            for each in in_stores {
                let is_other =
                    together.first().is_some_and(|first: &RecordedRemoval| first.removal.key.directory() != each.removal.key.directory());
                if is_other || together.len() == TOGETHER {
                    self.remove_together(std::mem::take(&mut together), &mut put_off, stop, report).await?;
                }
                together.push(each);
            }
            cursor = page.next;
            if cursor.is_none() || stop.is_cancelled() {
                break;
            }
        }
        self.remove_together(together, &mut put_off, stop, report).await?;
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
        self.record(Attempts { done, changed, untouched, failed }, report).await
    }

    /// Records the results of attempts.
    async fn record(&self, attempts: Attempts, report: &mut CleanupReport) -> Result<(), IndexError> {
        let Attempts { mut done, changed, untouched, failed } = attempts;
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
        while !done.is_empty() {
            let rest = done.split_off(done.len().min(GROUP));
            let written = self.inner.writer.finish_removals(std::mem::replace(&mut done, rest), self.inner.clock.now()).await?;
            (self.inner.witness)(Step::Forgotten);
            for deletion in &written {
                super::log(deletion);
                count(deletion, report);
            }
        }
        Ok(())
    }

    fn is_deleted_together(&self, removal: &Removal) -> bool {
        let directory = self.inner.directories.get(removal.key.directory());
        removal.action == RemovalAction::Delete && directory.is_some_and(Directory::deletes_together)
    }

    /// Deletes units of one object store, by few requests.
    async fn remove_together(
        &self,
        batch: Vec<RecordedRemoval>,
        put_off: &mut BTreeSet<DirectoryUrl>,
        stop: &CancellationToken,
        report: &mut CleanupReport,
    ) -> Result<(), IndexError> {
        let Some(directory) = batch.first().and_then(|each| self.inner.directories.get(each.removal.key.directory())) else {
            return Ok(());
        };
        if stop.is_cancelled() {
            return Ok(());
        }
        let count = batch.len() as u64;
        let sights = match self.ready(directory, put_off).await {
            Ok(true) => together::survey(directory, &batch).await,
            Ok(false) => {
                report.failed += count;
                return Ok(());
            }
            Err(error) => Err(error),
        };
        let sights = match sights {
            Ok(sights) => sights,
            Err(error) => {
                put_off.insert(directory.url().clone());
                report.failed += count;
                warn_of_all(directory, &error);
                return Ok(());
            }
        };
        let mut attempts = Attempts::default();
        let mut doomed = Vec::with_capacity(batch.len());
        for (recorded, sight) in batch.into_iter().zip(sights) {
            match sight {
                Sight::Untouched => attempts.untouched.push(recorded.removal.key),
                Sight::Changed => attempts.changed.push(recorded.removal.key),
                Sight::ToDelete(objects) => doomed.push(Doomed { recorded, objects }),
            }
        }
        if !doomed.is_empty() {
            let keys = doomed.iter().map(|unit| unit.recorded.removal.key.clone()).collect();
            let standing: HashSet<UnitKey> = self.inner.writer.start_removals(keys).await?.into_iter().collect();
            doomed.retain(|unit| standing.contains(&unit.recorded.removal.key));
            (self.inner.witness)(Step::Started);
            let ended = together::delete(directory, &doomed, &self.inner.witness, stop).await;
            self.judge(directory, doomed, ended, put_off, &mut attempts, report);
        }
        self.record(attempts, report).await
    }

    /// Whether units of a store may be deleted now: `false` if this cleanup has failed there already. After a cleanup in which nothing could
    /// be deleted, one request tests whether deletions succeed.
    async fn ready(&self, directory: &Directory, put_off: &BTreeSet<DirectoryUrl>) -> Result<bool, DirectoryError> {
        if put_off.contains(directory.url()) {
            return Ok(false);
        }
        if self.troubled().contains(directory.url()) {
            directory.may_delete().await?;
            self.troubled().remove(directory.url());
        }
        Ok(true)
    }

    fn troubled(&self) -> MutexGuard<'_, BTreeSet<DirectoryUrl>> {
        self.inner.troubled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sorts the ends of deletions by what is recorded about them.
    fn judge(
        &self,
        directory: &Directory,
        doomed: Vec<Doomed>,
        ended: Vec<EndedTogether>,
        put_off: &mut BTreeSet<DirectoryUrl>,
        attempts: &mut Attempts,
        report: &mut CleanupReport,
    ) {
        let of_all = together::failure_of_all(&ended).cloned();
        let now = self.inner.clock.now();
        let mut others = 0;
        for (Doomed { recorded, .. }, ended) in doomed.into_iter().zip(ended) {
            let mut removal = recorded.removal;
            let (error, touched, known) = match ended {
                EndedTogether::Done(outcome, note) => {
                    if let Some(note) = note {
                        removal.detail = format!("{}; {note}", removal.detail);
                    }
                    attempts.done.push((removal, outcome));
                    continue;
                }
                EndedTogether::Changed => {
                    attempts.changed.push(removal.key);
                    continue;
                }
                // It stays running: the next start finishes it.
                EndedTogether::Stopped => continue,
                EndedTogether::Failed { error, touched } => (error, touched || recorded.state == RemovalState::Running, true),
                EndedTogether::Unknown(error) => (error, true, false),
            };
            // A failure of the whole directory is one problem. The next cleanup tries again as soon as deletions succeed.
            let is_first = attempts.failed.is_empty();
            if of_all.is_none() || is_first {
                let pause = if of_all.is_some() { Duration::ZERO } else { RETRY.pause(recorded.attempts.saturating_add(1)) };
                let failure = if of_all.is_some() { sentence(&error) } else { error.message };
                attempts.failed.push(FailedAttempt { key: removal.key, failure, next_attempt: now + pause, partly_deleted: touched });
                continue;
            }
            others += 1;
            if known && !touched {
                attempts.untouched.push(removal.key);
            }
        }
        report.failed += others;
        if let Some(error) = of_all {
            put_off.insert(directory.url().clone());
            self.troubled().insert(directory.url().clone());
            if let Some(first) = attempts.failed.first_mut().filter(|_| others > 0) {
                first.failure = format!("{}; {others} further archives of this directory wait for this", first.failure);
            }
            warn_of_all(directory, &error);
        } else if let Some(first) = attempts.failed.first() {
            let (url, count) = (directory.url(), attempts.failed.len());
            tracing::warn!(directory.url = %url, "{count} expired archives could not be deleted, and are retried: {}", first.failure);
        }
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

/// Warns of a failure that concerns all expired archives of a directory.
fn warn_of_all(directory: &Directory, error: &DirectoryError) {
    tracing::warn!(
        directory.url = %directory.url(),
        "the cleanup deletes nothing more in this directory, and the next cleanup tries again: {}",
        sentence(error)
    );
}

/// The sentence of an error, with the option that makes a missing permission unnecessary.
fn sentence(error: &DirectoryError) -> String {
    match error.kind {
        DirectoryErrorKind::Denied => {
            format!("{}, or set historyserver.archive.retain-remote-beyond-local-limit to true", error.message)
        }
        _ => error.message.clone(),
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
