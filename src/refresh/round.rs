//! The refresh of one archive directory, round by round.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::arrivals::Arrivals;
use super::duty::Duty;
use super::error::RoundError;
use super::failed_fetches::FailedFetches;
use super::pass::Pass;
use super::pipeline::Pipeline;
use super::plan::{Plan, Planner, Probed, Rules, is_open};
use super::retention_rules::RetentionRules;
use super::retries::{Attempts, Retries, RetryScope, RetryTime};
use super::status::{DirectoryState, DirectoryStatus};
use crate::clock::{Clock, Timestamp};
use crate::directory::{Directory, Extent, FileKind};
use crate::ids::ApplicationId;
use crate::index::{IndexError, IndexReader, IndexWriter, KnownDirectory, KnownUnit, RemovalState};
use crate::ingest::Ingest;
use crate::ingest::task::Task;
use crate::names::{ClusterName, FilePath};
use crate::problem::{Problem, ProblemCode, Subject};
use crate::retention::trust::{ClockTrust, Doubt};
use crate::telemetry;

/// Limit of rounds in one refresh of a server, while archives are to be read before they may be deleted.
const MAX_ROUNDS: usize = 3;

/// The refresh of one directory, and its state between rounds.
pub struct DirectoryRefresh {
    pub(super) directory: Directory,
    ingest: Ingest,
    pub(super) writer: IndexWriter,
    pub(super) reader: IndexReader,
    pub(super) rules: Rules,
    pub(super) retention: RetentionRules,
    /// New rules, if the configuration can change while the server runs.
    changes: Option<watch::Receiver<(Rules, RetentionRules)>>,
    pub(super) duty: Duty,
    pub(super) clock: Clock,
    /// Whether the clock may be trusted with verdicts by age.
    pub(super) trust: ClockTrust,
    /// When an earlier process last wrote to the data directory.
    pub(super) data_directory_written: Option<Timestamp>,
    /// Files that can be read and are not in the index.
    pub(super) probed: Arc<Probed>,
    /// Time of the last recorded refresh.
    pub(super) last_refresh: Option<Timestamp>,
    /// The content of the index, and its version.
    known: Option<(u64, Arc<KnownDirectory>)>,
    /// Failed attempts since that version.
    attempts: Attempts,
    /// Units of which a file could not be fetched.
    pub(super) failed_fetches: FailedFetches,
    /// When this was made. Content that an earlier process could not read is retried once.
    started: Timestamp,
    /// The files that the next round retries besides those that are due.
    retry: RetryScope,
    /// When the files of each application without a summary were listed last.
    pub(super) last_listed: Arc<Mutex<HashMap<(ClusterName, ApplicationId), Timestamp>>>,
    pub(super) status: DirectoryStatus,
    /// Time of the next quick scan (object stores).
    pub(super) next_quick_scan: Timestamp,
    /// Milliseconds that the last quick scan and the last full scan took in which every part of the directory answered.
    pub(super) quick_scan_cost_ms: Option<u64>,
    pub(super) full_scan_cost_ms: Option<u64>,
    /// Obstacles of the last full scan, and of the quick scans since.
    pub(super) obstacles: Vec<Problem>,
    /// Recorded problems of the directory; `None` before the first round.
    pub(super) recorded: Option<Vec<(ProblemCode, Subject, String)>>,
    /// The last failure that was logged, so that it is logged once.
    pub(super) logged: Option<String>,
    /// Folders below the root where the next change is likely, most important first.
    pub(super) active_folders: Vec<FilePath>,
}

/// The plan of a complete listing while it is carried out.
#[derive(Default)]
pub(super) struct Decision {
    pub(super) plan: Plan,
    /// Why the clock is not trusted.
    pub(super) doubt: Option<Doubt>,
    pub(super) expired: u64,
    pub(super) forgotten: u64,
    /// Units beyond a limit that must be read before that is certain.
    pub(super) unread: u64,
}

/// The numbers of one concluded round.
#[derive(Debug, Default)]
pub(super) struct RoundReport {
    pub(super) full: bool,
    pub(super) ingested: u64,
    pub(super) missing: u64,
    pub(super) returned: u64,
    pub(super) forgotten: u64,
    pub(super) expired: u64,
    /// Units beyond a limit that must be read before that is certain.
    pub(super) unread: u64,
    pub(super) units: Option<u64>,
    pub(super) vanished: bool,
    pub(super) exists: bool,
    /// Why another directory is likely meant.
    pub(super) doubt: Option<String>,
}

impl DirectoryRefresh {
    /// The refresh of one directory.
    #[must_use]
    pub fn new(directory: Directory, ingest: Ingest, writer: IndexWriter, reader: IndexReader, rules: Rules, clock: Clock) -> Self {
        let status = DirectoryStatus::new(directory.url().clone());
        let started = clock.now();
        Self {
            directory,
            ingest,
            writer,
            reader,
            rules,
            retention: RetentionRules::default(),
            changes: None,
            duty: Duty::All,
            clock,
            started,
            trust: ClockTrust::default(),
            data_directory_written: None,
            probed: Arc::default(),
            last_refresh: None,
            known: None,
            attempts: Attempts::default(),
            failed_fetches: FailedFetches::default(),
            retry: RetryScope::Store,
            last_listed: Arc::default(),
            status,
            next_quick_scan: Timestamp::EPOCH,
            quick_scan_cost_ms: None,
            full_scan_cost_ms: None,
            obstacles: Vec::new(),
            recorded: None,
            logged: None,
            active_folders: Vec::new(),
        }
    }

    /// Does less than everything: for commands that run without a server.
    #[must_use]
    pub fn with_duty(self, duty: Duty) -> Self {
        Self { duty, ..self }
    }

    /// Keeps only the archives that these rules retain.
    #[must_use]
    pub fn with_retention(self, retention: RetentionRules) -> Self {
        Self { retention, ..self }
    }

    /// Follows rules that change while the server runs. The first refresh after a change scans everything.
    #[must_use]
    pub fn with_changes(self, changes: watch::Receiver<(Rules, RetentionRules)>) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// Takes the rules if they have changed since the last refresh. Returns whether they have.
    fn take_changed_rules(&mut self) -> bool {
        let Some(changes) = &mut self.changes else { return false };
        // Without a sender there are no changes any more.
        let has_changed = changes.has_changed().unwrap_or(false);
        if has_changed {
            (self.rules, self.retention) = *changes.borrow_and_update();
        }
        has_changed
    }

    /// Doubts the clock where it disagrees with the time at which an earlier process last wrote to the data directory.
    #[must_use]
    pub fn with_data_directory_written(self, at: Option<Timestamp>) -> Self {
        Self { data_directory_written: at, ..self }
    }

    /// Makes the next round retry every archive that could not be read.
    pub(super) fn retry_everything(&mut self) {
        self.retry = RetryScope::All;
    }

    /// The root and the folders where the next change is likely, if the directory is local.
    pub(super) fn local_folders(&self) -> Vec<PathBuf> {
        let Some(root) = self.directory.local_root() else { return Vec::new() };
        std::iter::once(root.to_path_buf()).chain(self.active_folders.iter().map(|folder| root.join(folder.as_str()))).collect()
    }

    /// Runs one round, and more while archives are to be read before they may be deleted.
    pub(super) async fn run(&mut self, full: bool, stop: &CancellationToken, publish: impl Fn(&DirectoryStatus, u64)) {
        let now = self.clock.now();
        // A quick scan takes the name of a folder for an application: only a full scan shows that no archive is left.
        let vanished = self.status.state == DirectoryState::Vanished;
        let changed = self.take_changed_rules();
        let full = full || changed || vanished || self.status.next_audit.is_none_or(|due| due <= now);
        if !full && now < self.next_quick_scan {
            return;
        }
        let mut unread = u64::MAX;
        for round in 1.. {
            let started = Instant::now();
            let result = self.round(full, stop, &publish).await;
            let elapsed = started.elapsed();
            if !matches!(result, Err(RoundError::Stopped)) {
                telemetry::refreshed(self.directory.url(), elapsed, result.is_ok().then(|| self.clock.now()));
            }
            let left = result.as_ref().map_or(0, |report| report.unread);
            match result {
                Ok(report) => self.note_report(&report, elapsed),
                Err(error) => self.note_failure(error).await,
            }
            publish(&self.status, 0);
            // Archives that were read in this round may be judged now. A server reads the rest in its next refreshes; a command has none.
            if left == 0 || left >= unread || (self.duty == Duty::All && round == MAX_ROUNDS) {
                break;
            }
            unread = left;
        }
    }

    /// Lists the directory, ingests while the listing runs, carries out the plan and concludes.
    async fn round(
        &mut self,
        full: bool,
        stop: &CancellationToken,
        publish: &impl Fn(&DirectoryStatus, u64),
    ) -> Result<RoundReport, RoundError> {
        let known = self.known().await?;
        let now = self.clock.now();
        self.trust.measure(now, self.clock.passed());
        let probed = self.probed.clone();
        let planner = Planner::new(self.directory.url().clone(), &known, &probed, self.judging(), now);
        let extent = if full { Extent::Full } else { self.quick_scan(&known, now) };
        let mut pass = Pass::start(self.directory.clone(), extent, &known, planner, now);
        let mut pipeline = Pipeline::new(self.ingest.clone(), self.writer.clone(), self.directory.clone(), self.duty);
        let mut decision = Decision::default();
        let mut arrivals = None;
        loop {
            // Verdicts and removals follow a complete listing, and do not wait for the ingest.
            if let Some(planner) = pass.take_complete_planner() {
                // Limits on count and size let no unit be read before the next complete listing.
                if self.duty == Duty::All && !pipeline.is_idle() && !self.retention.policy.needs_ranks() {
                    let every = self.ingest.refresh_interval();
                    arrivals = Some(Arrivals::new(self.directory.clone(), known.clone(), self.judging(), every, planner.seen()));
                }
                decision = self.decide(planner, &known, &mut pipeline, now).await?;
                continue;
            }
            pipeline.start_reads(pass.is_over());
            if pass.is_over() && pipeline.is_idle() {
                break;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(RoundError::Stopped),
                Some(step) = pipeline.next() => {
                    if pipeline.take(step, &mut self.attempts, &mut self.failed_fetches)? {
                        publish(&self.status, pipeline.pending());
                    }
                }
                Some(tasks) = next_arrivals(arrivals.as_mut(), &self.clock) => {
                    pipeline.queue(tasks, &known);
                    publish(&self.status, pipeline.pending());
                }
                tasks = pass.next(), if !pass.is_over() => {
                    if let Some(tasks) = tasks {
                        pipeline.queue(tasks, &known);
                        publish(&self.status, pipeline.pending());
                    }
                }
            }
        }
        let listing = pass.finish().map_err(RoundError::Listing)?;
        Ok(self.conclude(full, &known, listing, decision, pipeline.finish(), now).await?)
    }

    /// Makes the plan of a complete listing, records its verdicts, and queues the reads that it needs.
    async fn decide(
        &mut self,
        mut planner: Planner<'_>,
        known: &KnownDirectory,
        pipeline: &mut Pipeline,
        now: Timestamp,
    ) -> Result<Decision, IndexError> {
        let doubt = self.doubt_of_clock(planner.times(), now).await?;
        if doubt.is_some() {
            planner.doubt_the_clock();
        }
        let mut plan = planner.finish(&self.rules);
        pipeline.exclude(&plan);
        self.drop_hidden(std::mem::take(&mut plan.below_hidden_names)).await?;
        let retained = self.retain(&mut plan, known, doubt.is_none(), now).await?;
        let unread = plan.unread.len() as u64 + u64::from(plan.doubted.unread);
        pipeline.queue_plan(&mut plan, known);
        if !plan.vanished {
            let time = RetryTime { now, started: self.started, scope: std::mem::replace(&mut self.retry, RetryScope::Due) };
            pipeline.queue_retries(|busy| Retries::choose(self.directory.url(), known, &self.attempts, busy, time));
        }
        Ok(Decision { plan, doubt, expired: retained.expired, forgotten: retained.forgotten, unread })
    }

    /// The content of the index for this directory; read again only when it has changed.
    async fn known(&mut self) -> Result<Arc<KnownDirectory>, IndexError> {
        let version = self.reader.known_version();
        if let Some((at, known)) = &self.known
            && *at == version
        {
            return Ok(known.clone());
        }
        let known = Arc::new(self.reader.known(self.directory.url()).await?);
        let jobs = |unit: &KnownUnit| unit.files.iter().filter(|file| file.kind != FileKind::Summary).count();
        let job_archives = known.applications.values().chain(known.legacy_jobs.values()).map(jobs).sum();
        telemetry::known(self.directory.url(), known.applications.len(), job_archives);
        self.failed_fetches = FailedFetches::of(self.directory.url(), &known);
        self.known = Some((version, known.clone()));
        self.attempts.clear();
        Ok(known)
    }

    /// A quick scan, which lists files only of applications that are open.
    fn quick_scan(&self, known: &Arc<KnownDirectory>, now: Timestamp) -> Extent {
        let (known, last_listed) = (known.clone(), self.last_listed.clone());
        Extent::Quick(Arc::new(move |cluster: &ClusterName, id: &ApplicationId| {
            let key = (cluster.clone(), *id);
            let unit = known.applications.get(&key);
            if known.removals.applications.get(&key).is_some_and(|recorded| unit.is_none() || recorded.state != RemovalState::Held) {
                // To be removed, and not to be read; a full scan sees whether it was rewritten.
                return false;
            }
            let incomplete = unit.is_some_and(|unit| !unit.complete);
            if !incomplete {
                return is_open(unit, None, now);
            }
            let mut last_listed = last_listed.lock().unwrap_or_else(PoisonError::into_inner);
            let open = is_open(unit, last_listed.get(&key).copied(), now);
            if open {
                last_listed.insert(key, now);
            }
            open
        }))
    }
}

/// Waits for the next scan for new units; `None` while the listing of the round runs.
async fn next_arrivals(arrivals: Option<&mut Arrivals>, clock: &Clock) -> Option<Vec<Task>> {
    Some(arrivals?.next(|| clock.now()).await)
}
