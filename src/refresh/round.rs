//! The round itself: lists each directory, ingests while the listing streams, then does what the plan says.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::active_folders::ActiveFolders;
use super::failed_fetches::FailedFetches;
use super::plan::{Plan, Planner, Probed, Rules, is_open};
use super::retain::RetentionRules;
use super::retries::{Attempts, Moment, Retries, Wish};
use super::status::{DirectoryState, DirectoryStatus, RefreshStatus};
use super::work::{Work, Worked};
use crate::clock::{Clock, Millis};
use crate::directory::{Directory, DirectoryError, Extent, FileKind, Found, Listed};
use crate::ids::ApplicationId;
use crate::index::{FileOutcome, IndexError, IndexReader, IndexWriter, KnownDirectory, KnownUnit, MarkState, UnitChange, UnitKey, Urgency};
use crate::ingest::task::Task;
use crate::ingest::{Ingest, Ingested, ProbedUnit};
use crate::names::{ClusterName, FilePath};
use crate::problem::{Problem, ProblemCode, Subject};
use crate::retention::trust::ClockTrust;
use crate::telemetry;

/// Units that are fetched and parsed at once.
const UNITS_IN_FLIGHT: usize = 16;

/// Changes that wait for the index at once; their packs are in memory.
const CHANGES_IN_FLIGHT: usize = 1_024;

/// Units that are only looked at before they may be deleted, in one round: new archives wait for no more than these.
const PROBED_IN_A_ROUND: usize = 2_000;

/// Rounds that a refresh of a server takes at most while something is to be read before it may be deleted.
const ROUNDS_AT_ONCE: usize = 3;

/// Everything a refresh needs; made once by the composition root.
pub struct Refresh {
    directories: Vec<DirectoryRefresh>,
    status: watch::Sender<RefreshStatus>,
    /// Local folders where the next change is likely.
    folders: watch::Sender<Vec<PathBuf>>,
    clock: Clock,
}

/// The refresh of one directory, and what it remembers between rounds.
pub struct DirectoryRefresh {
    pub(super) directory: Directory,
    ingest: Ingest,
    pub(super) writer: IndexWriter,
    pub(super) reader: IndexReader,
    pub(super) rules: Rules,
    pub(super) retention: RetentionRules,
    pub(super) duty: Duty,
    pub(super) clock: Clock,
    /// Whether the clock may be trusted with verdicts by age.
    pub(super) trust: ClockTrust,
    /// When an earlier process last wrote to the data directory.
    pub(super) data_directory_written: Option<Millis>,
    /// What was found to be readable and is not in the index.
    probed: Arc<Probed>,
    /// When the last refresh was that is on record.
    pub(super) last_refresh: Option<Millis>,
    /// What the index knew, and at which version of it.
    known: Option<(u64, Arc<KnownDirectory>)>,
    /// Failed attempts since then.
    attempts: Attempts,
    /// Units of which a file could not be fetched.
    pub(super) unfetched: FailedFetches,
    /// When this was made, for what an earlier process could not read.
    started: Millis,
    /// What the next round tries again besides what is due.
    wish: Wish,
    /// When the files of applications without a summary were listed last.
    last_listed: Arc<Mutex<HashMap<(ClusterName, ApplicationId), Millis>>>,
    pub(super) status: DirectoryStatus,
    /// When a quick scan may be made again (object stores).
    pub(super) next_quick_scan: Millis,
    /// Obstacles of the last full scan, and of the quick scans since.
    pub(super) obstacles: Vec<Problem>,
    /// Problems of the directory that are on record; `None` before the first round.
    pub(super) recorded: Option<Vec<(ProblemCode, Subject, String)>>,
    /// The last failure that was logged, so that it is logged once.
    pub(super) logged: Option<String>,
    /// Folders below the root where the next change is likely, most important first.
    lively: Vec<FilePath>,
}

/// What the refreshes of a directory are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Everything.
    All,
    /// Verdicts, and forgetting what is gone: of archives only what verdicts need is read.
    Retention,
    /// Verdicts alone: as before, and nothing is forgotten yet.
    Verdicts,
}

/// Why the round of a directory ended without a conclusion.
pub(super) enum Failure {
    Listing(DirectoryError),
    Index(IndexError),
    Stopped,
}

impl From<IndexError> for Failure {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

/// What a round of one directory did.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) full_scan: bool,
    pub(super) ingested: u64,
    pub(super) gone: u64,
    pub(super) back: u64,
    pub(super) forgotten: u64,
    pub(super) expired: u64,
    /// Beyond a limit, and to be read before that is certain.
    pub(super) unread: u64,
    pub(super) units: Option<u64>,
    pub(super) vanished: bool,
    pub(super) exists: bool,
    /// Why another directory is likely meant.
    pub(super) doubt: Option<String>,
}

impl Refresh {
    /// A refresh over these directories; what it does can be watched.
    #[must_use]
    pub fn new(directories: Vec<DirectoryRefresh>, clock: Clock) -> (Self, watch::Receiver<RefreshStatus>) {
        let status =
            RefreshStatus { directories: directories.iter().map(|each| each.status.clone()).collect(), ..RefreshStatus::default() };
        let (status, receiver) = watch::channel(status);
        let (folders, _) = watch::channel(directories.iter().flat_map(DirectoryRefresh::local_folders).collect());
        (Self { directories, status, folders, clock }, receiver)
    }

    /// Local folders where the next change is likely, most important first; changes after each round.
    #[must_use]
    pub fn folders(&self) -> watch::Receiver<Vec<PathBuf>> {
        self.folders.subscribe()
    }

    /// Runs one round over all directories side by side. `full_scan` requests a full scan even when none is due.
    /// Ends early, at a safe point, when `stop` is cancelled.
    pub async fn run(&mut self, full_scan: bool, stop: &CancellationToken) {
        let started = self.clock.now();
        self.status.send_modify(|status| {
            status.running_since = Some(started);
            status.next = None;
        });
        let status = &self.status;
        join_all(self.directories.iter_mut().enumerate().map(|(number, each)| async move {
            each.run(full_scan, stop, |directory, pending| {
                status.send_modify(|status| {
                    status.directories[number] = directory.clone();
                    status.pending = pending;
                });
            })
            .await;
        }))
        .await;
        let now = self.clock.now();
        let folders: Vec<PathBuf> = self.directories.iter().flat_map(DirectoryRefresh::local_folders).collect();
        self.folders.send_if_modified(|before| {
            let changed = *before != folders;
            *before = folders;
            changed
        });
        self.status.send_modify(|status| {
            status.finished += 1;
            status.running_since = None;
            status.last_finished = Some(now);
            status.pending = 0;
            status.directories = self.directories.iter().map(|each| each.status.clone()).collect();
        });
    }

    /// Has the next round try everything again that could not be read: somebody asks for it.
    pub fn try_everything_again(&mut self) {
        for directory in &mut self.directories {
            directory.wish = Wish::All;
        }
    }

    /// Publishes that what was asked for up to this number is done.
    pub fn note_requested(&self, requested: u64) {
        self.status.send_modify(|status| status.requested = requested);
    }

    /// Publishes when the next round is due.
    pub fn note_next(&self, next: Millis) {
        self.status.send_modify(|status| status.next = Some(next));
    }
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
            duty: Duty::All,
            clock,
            started,
            trust: ClockTrust::default(),
            data_directory_written: None,
            probed: Arc::default(),
            last_refresh: None,
            known: None,
            attempts: Attempts::default(),
            unfetched: FailedFetches::default(),
            wish: Wish::Store,
            last_listed: Arc::default(),
            status,
            next_quick_scan: 0,
            obstacles: Vec::new(),
            recorded: None,
            logged: None,
            lively: Vec::new(),
        }
    }

    /// Does less than everything: for commands that run without a server.
    #[must_use]
    pub fn with_duty(self, duty: Duty) -> Self {
        Self { duty, ..self }
    }

    /// Keeps only what these rules retain.
    #[must_use]
    pub fn with_retention(self, retention: RetentionRules) -> Self {
        Self { retention, ..self }
    }

    /// Doubts the clock where it disagrees with the time at which an earlier process last wrote to the data directory.
    #[must_use]
    pub fn with_data_directory_written(self, at: Option<Millis>) -> Self {
        Self { data_directory_written: at, ..self }
    }

    /// The root and the lively folders, if the directory is local.
    fn local_folders(&self) -> Vec<PathBuf> {
        let Some(root) = self.directory.local_root() else { return Vec::new() };
        std::iter::once(root.to_path_buf()).chain(self.lively.iter().map(|folder| root.join(folder.as_str()))).collect()
    }

    async fn run(&mut self, full_scan: bool, stop: &CancellationToken, publish: impl Fn(&DirectoryStatus, u64)) {
        let now = self.clock.now();
        // A quick scan takes a folder's name for an application: only a full scan tells that no archive is left.
        let vanished = self.status.state == DirectoryState::Vanished;
        let full_scan = full_scan || vanished || self.status.next_audit.is_none_or(|due| due <= now);
        if !full_scan && now < self.next_quick_scan {
            return;
        }
        let mut unread = u64::MAX;
        for round in 1.. {
            let started = Instant::now();
            let result = self.round(full_scan, stop, &publish).await;
            let elapsed = started.elapsed();
            let cost = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            if !matches!(result, Err(Failure::Stopped)) {
                telemetry::refreshed(self.directory.url(), elapsed, result.is_ok().then(|| self.clock.now()));
            }
            let left = result.as_ref().map_or(0, |done| done.unread);
            match result {
                Ok(done) => self.note_done(&done, cost),
                Err(Failure::Stopped) => {}
                Err(failure) => self.note_failure(&failure).await,
            }
            publish(&self.status, 0);
            // What was read in this round may be judged now. A server does the rest with its next refreshes; a command has none.
            if left == 0 || left >= unread || (self.duty == Duty::All && round == ROUNDS_AT_ONCE) {
                break;
            }
            unread = left;
        }
    }

    /// Lists, ingests and applies the plan.
    async fn round(
        &mut self,
        full_scan: bool,
        stop: &CancellationToken,
        publish: &impl Fn(&DirectoryStatus, u64),
    ) -> Result<Done, Failure> {
        let known = self.known().await?;
        let now = self.clock.now();
        let (directory, ingest) = (self.directory.clone(), self.ingest.clone());
        self.trust.measure(now, self.clock.passed());
        let mut doubt = None;
        let probed = self.probed.clone();
        let mut readable = Probed::new();
        let mut planner = Some(Planner::new(directory.url().clone(), &known, &probed, self.judging(), now));
        let mut obstacles = Vec::new();
        let mut lively = ActiveFolders::default();
        let mut done = Done { full_scan, ..Done::default() };
        let (sender, mut found) = mpsc::channel::<Found>(64);
        let extent = if full_scan { Extent::Full } else { self.quick_scan(&known, now) };
        let listing_started = Instant::now();
        let listing = directory.list(&extent, &known.clusters, sender);
        tokio::pin!(listing);

        let mut listed: Option<Result<Listed, DirectoryError>> = None;
        let mut plan = Plan::default();
        let mut all_found = false;
        let mut waiting: VecDeque<Task> = VecDeque::new();
        let mut retries: Option<Retries> = None;
        // Units that are not tried again in this round.
        let mut busy: HashSet<UnitKey> = HashSet::new();
        let mut to_probe: VecDeque<Task> = VecDeque::new();
        let mut reading = FuturesUnordered::new();
        let mut writing = FuturesUnordered::new();
        let mut listing_ms = 0;
        loop {
            if self.duty != Duty::All {
                waiting.clear();
            }
            while reading.len() < UNITS_IN_FLIGHT && writing.len() < CHANGES_IN_FLIGHT {
                // What is only looked at before it may be deleted comes after what is to be served.
                let retry = || retries.as_mut().and_then(Retries::next).map(Work::Retry);
                let work = waiting.pop_front().map(Work::Task).or_else(retry).or_else(|| to_probe.pop_front().map(Work::Probe));
                let Some(work) = work else { break };
                reading.push(work.done(&ingest, &directory));
            }
            // Verdicts and removals follow a complete listing, and do not wait for the ingest.
            if let (Some(Ok(_)), true) = (&listed, all_found)
                && let Some(mut planner) = planner.take()
            {
                doubt = self.doubt_of_clock(planner.times(), now).await?;
                if doubt.is_some() {
                    planner.doubt_the_clock();
                }
                plan = planner.finish(&self.rules);
                busy.extend(plan.put_aside.iter().cloned());
                self.put_aside(std::mem::take(&mut plan.put_aside)).await?;
                busy.extend(plan.expire.iter().map(|expiry| expiry.key.clone()));
                busy.extend(plan.forget.iter().chain(plan.tasks.iter().map(|task| &task.key)).cloned());
                busy.extend(plan.unread.iter().map(|unread| unread.key.clone()));
                let retained = self.retain(&mut plan, &known, doubt.is_none(), now).await?;
                (done.expired, done.forgotten) = (retained.expired, retained.forgotten);
                done.unread = plan.unread.len() as u64 + u64::from(plan.doubted.unread);
                if self.duty != Duty::All {
                    to_probe.extend(plan.tasks.drain(..));
                }
                to_probe.extend(plan.unread.iter_mut().filter_map(|unread| unread.task.take()).take(PROBED_IN_A_ROUND));
                waiting.extend(plan.tasks.drain(..));
                if !plan.vanished {
                    let moment = Moment { now, started: self.started, wish: std::mem::replace(&mut self.wish, Wish::Due) };
                    retries = Some(Retries::choose(directory.url(), &known, &self.attempts, &busy, moment));
                }
                continue;
            }
            let left = waiting.len() + retries.as_ref().map_or(0, Retries::len) + to_probe.len() + reading.len() + writing.len();
            if listed.is_some() && all_found && left == 0 {
                break;
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Failure::Stopped),
                Some(written) = writing.next() => {
                    let written: Result<u64, IndexError> = written;
                    done.ingested += written?;
                    if done.ingested.is_multiple_of(64) {
                        publish(&self.status, (waiting.len() + reading.len() + writing.len()) as u64);
                    }
                }
                Some(read) = reading.next() => {
                    let (retry, ingested) = match read {
                        Worked::Ingested(retry, ingested) => (retry, ingested?),
                        Worked::Probed(ProbedUnit { key, readable: files, claimable, unreadable, in_flight: _in_flight }) => {
                            if let Some(change) = unreadable {
                                self.unfetched.note(&change);
                                writing.push(write(self.writer.clone(), change, 1));
                            }
                            if let Some(task) = claimable {
                                waiting.push_back(task);
                            } else if !files.is_empty() {
                                readable.insert(key, files);
                            }
                            continue;
                        }
                    };
                    let Some(Ingested { change, in_flight, index_error }) = ingested else { continue };
                    if let Some(error) = index_error {
                        return Err(Failure::Index(error));
                    }
                    self.unfetched.note(&change);
                    let was_read = change.files.iter().any(|file| matches!(file.outcome, FileOutcome::Parsed { .. }));
                    if let Some(retry) = &retry {
                        self.attempts.note(&change, &retry.files);
                        if let Some(retries) = &mut retries {
                            retries.note(retry, was_read);
                        }
                        done.unread += u64::from(was_read && self.duty != Duty::All);
                    }
                    let counts = u64::from(retry.is_none() || was_read);
                    // The documents are compressed by now: what is held until the commit is small.
                    drop(in_flight);
                    if !(change.files.is_empty() && change.problems.is_empty()) {
                        writing.push(write(self.writer.clone(), change, counts));
                    }
                }
                ended = &mut listing, if listed.is_none() => {
                    // What was found before a failure is true, and is ingested all the same.
                    if ended.is_ok() {
                        telemetry::listed(directory.url(), full_scan, listing_started.elapsed());
                    }
                    listed = Some(ended);
                    listing_ms = u64::try_from(listing_started.elapsed().as_millis()).unwrap_or(u64::MAX);
                }
                piece = found.recv(), if !all_found => match piece {
                    Some(piece) => {
                        if let Found::Obstacle(obstacle) = &piece {
                            obstacles.push(self.obstacle(obstacle, now));
                        }
                        lively.take(&piece, now);
                        let tasks = planner.as_mut().map(|planner| planner.take(&piece)).unwrap_or_default();
                        busy.extend(tasks.iter().map(|task| &task.key).filter(|key| known.unit(key).is_some()).cloned());
                        waiting.extend(tasks);
                        publish(&self.status, (waiting.len() + reading.len() + writing.len()) as u64);
                    }
                    None => all_found = true,
                },
            }
        }
        let listed = listed.unwrap_or(Ok(Listed::default())).map_err(Failure::Listing)?;
        self.note_probed(readable, &plan);
        done.vanished = plan.vanished;
        done.exists = listed.exists;
        done.doubt.clone_from(&listed.doubt);
        if full_scan || !plan.vanished {
            done.units = Some(plan.units);
        }
        done.gone = plan.presence.iter().filter(|change| is_gone(change)).count() as u64;
        done.back = plan.presence.len() as u64 - done.gone;
        if !plan.presence.is_empty() {
            self.writer.note_presence(std::mem::take(&mut plan.presence), now).await?;
        }
        let holds = if plan.vanished { known.held_archives } else { plan.holds_archives };
        if holds != known.held_archives || plan.vanished != known.vanished_since.is_some() {
            self.writer.note_listing(self.directory.url(), holds, plan.vanished, now).await?;
        }
        if full_scan && !plan.vanished {
            self.obstacles = obstacles;
            let incomplete = |key: &(ClusterName, ApplicationId)| known.applications.get(key).is_some_and(|unit| !unit.complete);
            self.last_listed.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| incomplete(key));
        } else {
            let known: HashSet<_> = self.obstacles.iter().map(|each| (each.code, each.subject.clone())).collect();
            self.obstacles.extend(obstacles.into_iter().filter(|each| !known.contains(&(each.code, each.subject.clone()))));
        }
        let mut problems = self.obstacles.clone();
        problems.extend(plan.vanished.then(|| self.vanished(&known, now)));
        problems.extend(self.doubt(&listed, now).filter(|_| !plan.vanished));
        problems.extend(self.retention_problems(&plan, &known, doubt, now));
        self.note_problems(problems).await?;
        self.lively = lively.folders();
        if full_scan {
            self.status.audit_ms = Some(listing_ms);
        } else {
            self.status.look_ms = Some(listing_ms);
        }
        Ok(done)
    }

    /// Keeps what was found to be readable for as long as a verdict waits for it.
    fn note_probed(&mut self, readable: Probed, plan: &Plan) {
        if self.duty == Duty::All && (!self.probed.is_empty() || !readable.is_empty()) {
            let wanted: HashSet<&UnitKey> = plan.unread.iter().map(|unread| &unread.key).collect();
            Arc::make_mut(&mut self.probed).retain(|key, _| wanted.contains(key));
        }
        if !readable.is_empty() {
            Arc::make_mut(&mut self.probed).extend(readable);
        }
    }

    /// What the index knows of the directory; read again only when it has changed.
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
        self.unfetched = FailedFetches::of(self.directory.url(), &known);
        self.known = Some((version, known.clone()));
        self.attempts.clear();
        Ok(known)
    }

    /// A quick scan: files only of applications that are open.
    fn quick_scan(&self, known: &Arc<KnownDirectory>, now: Millis) -> Extent {
        let (known, last_listed) = (known.clone(), self.last_listed.clone());
        Extent::Quick(Arc::new(move |cluster: &ClusterName, id: &ApplicationId| {
            let key = (cluster.clone(), *id);
            let unit = known.applications.get(&key);
            if known.marks.applications.get(&key).is_some_and(|mark| unit.is_none() || mark.state != MarkState::Held) {
                // Judged, and not to be read; a full scan sees whether it was rewritten.
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

/// Writes a change to the index; gives back what was asked to be counted for it.
async fn write(writer: IndexWriter, change: UnitChange, counts: u64) -> Result<u64, IndexError> {
    let changes = writer.apply(change, Urgency::Batched).await?;
    changes.log();
    Ok(counts)
}

fn is_gone(change: &crate::index::Presence) -> bool {
    use crate::index::Presence;
    matches!(change, Presence::UnitGone(_) | Presence::FileGone(..))
}
