//! The pipeline of a round: units are read, and their changes are written, many at a time.
//!
//! As long as there is room for every new unit, each is read whole at once. As soon as more wait, lists come first: new units are listed
//! by their summaries, newest first, and their archives are read when the whole directory is listed, newest first.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet, VecDeque};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use super::duty::Duty;
use super::error::RoundError;
use super::failed_fetches::FailedFetches;
use super::plan::{Plan, Probed};
use super::retries::{Attempts, Retries, Retry};
use crate::directory::Directory;
use crate::index::{FileOutcome, IndexError, IndexWriter, KnownDirectory, UnitChange, UnitKey, UnitListing, Urgency};
use crate::ingest::task::Task;
use crate::ingest::{Ingest, Ingested, ProbedUnit};
use crate::telemetry::IngestReason;

/// Units that are fetched and parsed at once.
const UNITS_IN_FLIGHT: usize = 16;

/// New units that are listed together.
const UNITS_LISTED_AT_ONCE: usize = 64;

/// Such groups whose summaries are read at once, and such groups that wait for the index.
const LISTINGS_IN_FLIGHT: usize = 4;
const LISTINGS_WRITTEN_AT_ONCE: usize = 64;

/// Changes that wait for the index at once; their packs are in memory.
const CHANGES_IN_FLIGHT: usize = 1_024;

/// Limit of units that one round probes before they may be deleted: new archives wait for no more than these.
const PROBES_IN_A_ROUND: usize = 2_000;

/// A number of `ingested` units after which the status is published.
const PUBLISH_EVERY: u64 = 64;

/// Reads of one round that wait or run, and their results.
pub(super) struct Pipeline {
    ingest: Ingest,
    writer: IndexWriter,
    directory: Directory,
    duty: Duty,
    /// Units with files that are new or changed, except those of the next two.
    tasks: VecDeque<Task>,
    /// Units that the index does not know.
    new: BinaryHeap<Newest>,
    /// Units that are listed, or cannot be listed before they are read.
    queued: BinaryHeap<Newest>,
    /// More units were new than there was room for.
    lists_first: bool,
    listing: FuturesUnordered<BoxFuture<'static, (Vec<Task>, Vec<UnitListing>)>>,
    listed: FuturesUnordered<BoxFuture<'static, Result<Vec<Task>, IndexError>>>,
    retries: Option<Retries>,
    probes: VecDeque<Task>,
    /// Units that are not retried in this round: they are read or removed in it.
    busy: HashSet<UnitKey>,
    reading: FuturesUnordered<BoxFuture<'static, Read>>,
    writing: FuturesUnordered<BoxFuture<'static, Result<u64, IndexError>>>,
    results: PipelineResult,
}

/// The results of a pipeline.
#[derive(Default)]
pub(super) struct PipelineResult {
    /// Units that were read and written.
    pub(super) ingested: u64,
    /// Retries that were read by a command and may change a verdict.
    pub(super) read_by_command: u64,
    /// Files of units that are not in the index, and can be read.
    pub(super) readable: Probed,
}

/// A unit that was read.
enum Read {
    /// For the index; with the retry, if it was one.
    Ingested(Option<Retry>, Result<Option<Ingested>, IndexError>),
    /// Only to find out whether it can be read.
    Probed(ProbedUnit),
}

/// A task; the one with the newest file comes first.
struct Newest(Task);

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Newest {}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Newest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.newest.cmp(&other.0.newest)
    }
}

/// A read or a write that has ended.
pub(super) struct Step(StepResult);

enum StepResult {
    Written(Result<u64, IndexError>),
    Read(Box<Read>),
    Listing(Vec<Task>, Vec<UnitListing>),
    Listed(Result<Vec<Task>, IndexError>),
}

impl Pipeline {
    pub(super) fn new(ingest: Ingest, writer: IndexWriter, directory: Directory, duty: Duty) -> Self {
        ingest.begin_round(directory.url());
        Self {
            ingest,
            writer,
            directory,
            duty,
            tasks: VecDeque::new(),
            new: BinaryHeap::new(),
            queued: BinaryHeap::new(),
            lists_first: false,
            listing: FuturesUnordered::new(),
            listed: FuturesUnordered::new(),
            retries: None,
            probes: VecDeque::new(),
            busy: HashSet::new(),
            reading: FuturesUnordered::new(),
            writing: FuturesUnordered::new(),
            results: PipelineResult::default(),
        }
    }

    /// Queues tasks of the listing.
    pub(super) fn queue(&mut self, tasks: Vec<Task>, known: &KnownDirectory) {
        self.busy.extend(tasks.iter().map(|task| &task.key).filter(|key| known.unit(key).is_some()).cloned());
        if self.duty == Duty::All {
            self.sort(tasks, known);
        }
    }

    fn sort(&mut self, tasks: impl IntoIterator<Item = Task>, known: &KnownDirectory) {
        for task in tasks {
            match known.unit(&task.key) {
                None => self.new.push(Newest(task)),
                Some(unit) if unit.is_queued() => self.queued.push(Newest(task)),
                Some(_) => self.tasks.push_back(task),
            }
        }
    }

    /// Excludes the units of a plan from the retries of this round.
    pub(super) fn exclude(&mut self, plan: &Plan) {
        let expired = plan.expire.iter().map(|removal| &removal.key);
        let read = plan.tasks.iter().map(|task| &task.key).chain(plan.unread.iter().map(|unread| &unread.key));
        self.busy.extend(expired.chain(read).chain(&plan.forget).chain(&plan.below_hidden_names).cloned());
    }

    /// Queues the tasks that waited for the verdict, and the probes of units that may be deleted.
    pub(super) fn queue_plan(&mut self, plan: &mut Plan, known: &KnownDirectory) {
        if self.duty == Duty::All {
            self.sort(plan.tasks.drain(..), known);
        } else {
            self.probes.extend(plan.tasks.drain(..));
        }
        self.probes.extend(plan.unread.iter_mut().filter_map(|unread| unread.task.take()).take(PROBES_IN_A_ROUND));
    }

    /// Queues the retries of this round, chosen without the units that `choose` is given.
    pub(super) fn queue_retries(&mut self, choose: impl FnOnce(&HashSet<UnitKey>) -> Retries) {
        self.retries = Some(choose(&self.busy));
    }

    /// Starts as many reads as there is room for. Probes come after the archives that are to be served. `all_found`: the listing of the
    /// directory has ended.
    pub(super) fn start_reads(&mut self, all_found: bool) {
        self.lists_first |= self.new.len() > UNITS_IN_FLIGHT.saturating_sub(self.reading.len());
        if self.lists_first {
            self.start_listing();
        } else {
            self.tasks.extend(self.new.drain().map(|Newest(task)| task));
        }
        let lists_first = self.lists_first && !(all_found && self.new.is_empty() && self.listing.is_empty() && self.listed.is_empty());
        while self.reading.len() < UNITS_IN_FLIGHT && self.writing.len() < CHANGES_IN_FLIGHT {
            let (ingest, directory) = (self.ingest.clone(), self.directory.clone());
            let read = if let Some(task) = self.tasks.pop_front() {
                async move { Read::Ingested(None, Ok(Some(ingest.ingest(&directory, task, IngestReason::Refresh).await))) }.boxed()
            } else if lists_first {
                return;
            } else if let Some(Newest(task)) = self.queued.pop() {
                if ingest.was_demanded(&task) {
                    self.results.ingested += 1;
                    continue;
                }
                async move { Read::Ingested(None, Ok(Some(ingest.ingest(&directory, task, IngestReason::Refresh).await))) }.boxed()
            } else if let Some(retry) = self.retries.as_mut().and_then(Retries::next) {
                async move {
                    let ingested = ingest.retry(&directory, retry.key.clone(), retry.files.clone()).await;
                    Read::Ingested(Some(retry), ingested)
                }
                .boxed()
            } else if let Some(task) = self.probes.pop_front() {
                async move { Read::Probed(ingest.probe(&directory, task).await) }.boxed()
            } else {
                return;
            };
            self.reading.push(read);
        }
    }

    /// Starts to read the summaries of new units, newest first.
    fn start_listing(&mut self) {
        while !self.new.is_empty() && self.listing.len() < LISTINGS_IN_FLIGHT && self.listed.len() < LISTINGS_WRITTEN_AT_ONCE {
            let tasks: Vec<Task> = std::iter::from_fn(|| self.new.pop()).take(UNITS_LISTED_AT_ONCE).map(|Newest(task)| task).collect();
            let (ingest, directory) = (self.ingest.clone(), self.directory.clone());
            let listing = async move {
                let listings = ingest.listings(&directory, &tasks).await;
                (tasks, listings)
            };
            self.listing.push(listing.boxed());
        }
    }

    /// Whether nothing waits or runs.
    pub(super) fn is_idle(&self) -> bool {
        self.pending() == 0 && self.probes.is_empty() && self.retries.as_ref().is_none_or(|retries| retries.len() == 0)
    }

    /// Units that are still to be ingested, as far as known.
    pub(super) fn pending(&self) -> u64 {
        let listing = (self.listing.len() + self.listed.len()) * UNITS_LISTED_AT_ONCE;
        (self.tasks.len() + self.new.len() + listing + self.queued.len() + self.reading.len() + self.writing.len()) as u64
    }

    /// Waits for the next read or write to end; `None` when none is running.
    pub(super) async fn next(&mut self) -> Option<Step> {
        tokio::select! {
            biased;
            Some((tasks, listings)) = self.listing.next() => Some(Step(StepResult::Listing(tasks, listings))),
            Some(listed) = self.listed.next() => Some(Step(StepResult::Listed(listed))),
            Some(written) = self.writing.next() => Some(Step(StepResult::Written(written))),
            Some(read) = self.reading.next() => Some(Step(StepResult::Read(Box::new(read)))),
            else => None,
        }
    }

    /// Takes the result of a read or a write. Returns whether the status is to be published.
    ///
    /// # Errors
    /// [`RoundError::Index`] when the index could not be read or written.
    pub(super) fn take(
        &mut self,
        Step(step): Step,
        attempts: &mut Attempts,
        failed_fetches: &mut FailedFetches,
    ) -> Result<bool, RoundError> {
        match step {
            StepResult::Written(written) => {
                self.results.ingested += written?;
                return Ok(self.results.ingested.is_multiple_of(PUBLISH_EVERY));
            }
            StepResult::Listing(tasks, listings) => {
                let writer = self.writer.clone();
                self.listed.push(async move { writer.list(listings).await.map(|()| tasks) }.boxed());
            }
            StepResult::Listed(tasks) => {
                self.queued.extend(tasks?.into_iter().map(Newest));
                return Ok(true);
            }
            StepResult::Read(read) => match *read {
                Read::Probed(probed) => self.take_probed(probed, failed_fetches),
                Read::Ingested(retry, ingested) => {
                    if let Some(ingested) = ingested? {
                        self.take_ingested(retry.as_ref(), ingested, attempts, failed_fetches)?;
                    }
                }
            },
        }
        Ok(false)
    }

    fn take_probed(&mut self, probed: ProbedUnit, failed_fetches: &mut FailedFetches) {
        let ProbedUnit { key, readable, claimable, unreadable, in_flight: _in_flight } = probed;
        if let Some(change) = unreadable {
            failed_fetches.note(&change);
            self.write(change, 1);
        }
        if let Some(task) = claimable {
            if self.duty == Duty::All {
                self.tasks.push_back(task);
            }
        } else if !readable.is_empty() {
            self.results.readable.insert(key, readable);
        }
    }

    fn take_ingested(
        &mut self,
        retry: Option<&Retry>,
        ingested: Ingested,
        attempts: &mut Attempts,
        failed_fetches: &mut FailedFetches,
    ) -> Result<(), RoundError> {
        let Ingested { change, in_flight, index_error } = ingested;
        if let Some(error) = index_error {
            return Err(RoundError::Index(error));
        }
        failed_fetches.note(&change);
        let was_read = change.files.iter().any(|file| matches!(file.outcome, FileOutcome::Parsed { .. }));
        if let Some(retry) = retry {
            attempts.note(&change, &retry.files);
            if let Some(retries) = &mut self.retries {
                retries.note(retry, was_read);
            }
            self.results.read_by_command += u64::from(was_read && self.duty != Duty::All);
        }
        let counts = u64::from(retry.is_none() || was_read);
        // The documents are compressed by now: the memory that is held until the commit is small.
        drop(in_flight);
        if !(change.files.is_empty() && change.problems.is_empty()) {
            self.write(change, counts);
        }
        Ok(())
    }

    /// Writes a change to the index; it counts as this many ingested units.
    fn write(&self, change: UnitChange, counts: u64) {
        let writer = self.writer.clone();
        let written = async move {
            let changes = writer.apply(change, Urgency::Batched).await?;
            changes.log();
            Ok(counts)
        };
        self.writing.push(written.boxed());
    }

    pub(super) fn finish(self) -> PipelineResult {
        self.results
    }
}
