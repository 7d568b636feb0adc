//! The thread that writes: takes acts from a channel and commits them in batches.
//!
//! A batch is committed when no act arrives for a moment, at most 250 ms after its first act, and at once if a client waits and the
//! queue is empty. Each act is atomic: one that fails changes nothing and does not affect its neighbours. Between batches the thread
//! does maintenance in small steps: it evicts packs, forgets directories that are no longer configured, and frees pages.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::clock::Timestamp;
use crate::data_directory::DataDirectory;
use crate::index::error::IndexError;
use crate::index::model::Urgency;
use crate::index::options::IndexOptions;
use crate::index::sqlite::acts::eviction::{self, Restored};
use crate::index::sqlite::reads::overviews::count_listed;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::session::{Effects, Session};
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::{checks, connection};
use crate::index::sqlite::tables::directories::{self, Directories};

/// Longest time between the first act of a batch and its commit.
const BATCH: Duration = Duration::from_millis(250);

/// A batch is committed when no act was added for this long.
const LULL: Duration = Duration::from_millis(20);

/// Interval of maintenance while no act arrives.
const IDLE: Duration = Duration::from_secs(2);

/// Interval of checks whether the files are still at their paths.
const CHECK: Duration = Duration::from_secs(1);

/// Pages freed in one step, and free pages that are kept for the next writes.
const PAGES_PER_STEP: i64 = 256;
const PAGES_KEPT: i64 = 1024;

/// Sends the result of an act to its caller, after the commit or instead of it.
pub(in crate::index) type Answer = Box<dyn FnOnce(Result<(), IndexError>) + Send>;

/// An act: gets the session of the transaction, or the error for which there is none.
pub(in crate::index) type Act = Box<dyn FnOnce(Result<&mut Session<'_>, IndexError>, &IndexState) -> Answer + Send>;

/// A command for the thread.
pub(in crate::index) enum Command {
    /// Runs an act.
    Act(Urgency, Act),
    /// An act overtakes what is queued: see [`Ahead`].
    Ahead,
    /// Commits what is queued, closes the file and ends the thread.
    Close(oneshot::Sender<()>),
}

/// Acts that a client waits for: they overtake the queue, and are committed at once.
#[derive(Clone, Default)]
pub(in crate::index) struct Ahead(Arc<Mutex<VecDeque<Act>>>);

impl Ahead {
    /// Adds an act; a [`Command::Ahead`] must follow.
    pub(in crate::index) fn push(&self, act: Act) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(act);
    }

    fn pop(&self) -> Option<Act> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// The writer.
pub(in crate::index) struct Thread {
    options: IndexOptions,
    data_directory: DataDirectory,
    shared: Arc<IndexState>,
    store: Option<Store>,
    ahead: Ahead,
    restored: Restored,
    maintenance: bool,
    counting: Counting,
    checking: Checking,
    checked: Instant,
}

/// The open file.
struct Store {
    connection: Connection,
    directories: Directories,
}

impl Thread {
    pub(in crate::index) fn new(options: IndexOptions, data_directory: DataDirectory, shared: Arc<IndexState>) -> Self {
        let restored = Restored::new(options.restored_grace);
        Self {
            options,
            data_directory,
            shared,
            store: None,
            ahead: Ahead::default(),
            restored,
            maintenance: true,
            counting: Counting::default(),
            checking: Checking::default(),
            checked: Instant::now(),
        }
    }

    /// Opens the file for writing, if that is possible, and reads its counters.
    pub(in crate::index) fn open(&mut self) -> Result<(), SqliteError> {
        if self.store.is_some() {
            return Ok(());
        }
        self.data_directory.writable()?;
        self.data_directory.prepare_index()?;
        let mut connection = connection::open_writer(&self.data_directory.index_file(), self.options.max_file_pages)?;
        let directories = directories::configure(&mut connection, &self.options.directories, self.options.clock.now())?;
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM packs WHERE unit IS NULL", [])?;
        eviction::check_bytes(&mut Session::new(&transaction, &directories.configured))?;
        transaction.commit()?;
        // The configured directories may show other copies.
        self.shared.stamps.end_all();
        open_counters(&connection, &self.shared)?;
        self.data_directory.note_files();
        self.store = Some(Store { connection, directories });
        self.shared.pool.reset(false);
        Ok(())
    }

    /// The acts that overtake the queue.
    pub(in crate::index) fn ahead(&self) -> Ahead {
        self.ahead.clone()
    }

    /// The data directory and the options of the index.
    pub(in crate::index) fn place(&self) -> (&DataDirectory, &IndexOptions) {
        (&self.data_directory, &self.options)
    }

    /// Runs until all writing handles are dropped, or one of them closes the index.
    pub(in crate::index) fn run(mut self, commands: &Receiver<Command>) {
        let mut closing = None;
        loop {
            self.check();
            let wait = if self.maintenance { Duration::ZERO } else { self.checking.pause().min(IDLE) };
            match commands.recv_timeout(wait) {
                Ok(Command::Act(urgency, act)) => closing = self.batch(urgency, act, commands),
                // Its act may be committed already, with the batch before.
                Ok(Command::Ahead) => closing = self.ahead.pop().and_then(|act| self.batch(Urgency::Now, act, commands)),
                Ok(Command::Close(done)) => closing = Some(done),
                Err(RecvTimeoutError::Timeout) => self.maintenance = self.maintain(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if closing.is_some() {
                break;
            }
        }
        self.close();
        if let Some(done) = closing {
            // The caller may no longer wait.
            let _ = done.send(());
        }
    }

    /// Reports to the server, once, that the data directory or a file in it was deleted or replaced. From then on nothing is written.
    fn check(&mut self) {
        if self.shared.lost().is_some() || self.checked.elapsed() < CHECK {
            return;
        }
        self.checked = Instant::now();
        if let Err(error) = self.data_directory.check() {
            tracing::error!("{error}");
            self.shared.note_lost(error.into());
        }
    }

    /// Collects a batch and commits it. Returns the command to close, if one ended the batch.
    fn batch(&mut self, urgency: Urgency, first: Act, commands: &Receiver<Command>) -> Option<oneshot::Sender<()>> {
        let started = Instant::now();
        let mut closing = None;
        self.maintenance = true;
        let (mut urgent, mut next) = (urgency == Urgency::Now, Some(first));
        let (ahead, mut overtaken) = (self.ahead.clone(), false);
        let result = self.transaction(|session, shared, answers| {
            while let Some(act) = next.take() {
                answers.push(act(Ok(&mut *session), shared));
                if session.connection.is_autocommit() {
                    // SQLite has rolled back the whole transaction: probably the disk is full.
                    break;
                }
                next = ahead.pop();
                overtaken |= next.is_some();
                if next.is_some() {
                    continue;
                }
                if overtaken {
                    break;
                }
                let left = BATCH.saturating_sub(started.elapsed());
                if left.is_zero() {
                    break;
                }
                match commands.recv_timeout(if urgent { Duration::ZERO } else { left.min(LULL) }) {
                    Ok(Command::Act(urgency, act)) => {
                        urgent |= urgency == Urgency::Now;
                        next = Some(act);
                    }
                    Ok(Command::Ahead) => {
                        next = ahead.pop();
                        overtaken = true;
                    }
                    Ok(Command::Close(done)) => closing = Some(done),
                    Err(_nothing_comes) => {}
                }
            }
            Ok(())
        });
        if let (Err(error), Some(act)) = (result, next) {
            act(Err(error), &self.shared)(Ok(()));
        }
        closing
    }

    /// Runs work in one transaction, evicts packs in it, and publishes its effects. Results are sent after the commit.
    fn transaction(
        &mut self,
        work: impl FnOnce(&mut Session<'_>, &IndexState, &mut Vec<Answer>) -> Result<(), SqliteError>,
    ) -> Result<bool, IndexError> {
        let mut answers = Vec::new();
        let result = self.try_transaction(work, &mut answers);
        let told = result.map_err(|failure| {
            if failure.is_damage() {
                self.data_directory.suspect_damage();
            }
            failure.into_index_error(self.data_directory.path())
        });
        for answer in answers {
            answer(told.as_ref().map(|_more| ()).map_err(Clone::clone));
        }
        told
    }

    fn try_transaction(
        &mut self,
        work: impl FnOnce(&mut Session<'_>, &IndexState, &mut Vec<Answer>) -> Result<(), SqliteError>,
        answers: &mut Vec<Answer>,
    ) -> Result<bool, SqliteError> {
        if let Some(lost) = self.shared.lost() {
            return Err(lost.into());
        }
        self.open()?;
        let Some(store) = &self.store else { return Err(IndexError::Closed.into()) };
        let connection = &store.connection;
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let notes = self.shared.take_notes();
        let mut session = Session::new(connection, &store.directories.configured);
        let worked = work(&mut session, &self.shared, answers);
        let ended = worked.and_then(|()| {
            if connection.is_autocommit() {
                return Err(session.given_up());
            }
            eviction::write_notes(&mut session, &notes)?;
            self.restored.add(std::mem::take(&mut session.effects.restored));
            let more = eviction::evict(&mut session, self.options.max_pack_bytes, &self.shared.leases, &mut self.restored)?;
            if session.effects.lists {
                connection.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'generation'")?.execute([])?;
            }
            self.shared.stamps.end(session.changed());
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(more)
        });
        // Also after a failure: SQLite may have committed all the same.
        self.shared.stamps.end(session.changed());
        if ended.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        self.shared.leases.unbar();
        match ended {
            Ok(more) => {
                let effects = session.effects;
                publish(connection, &self.shared, &effects)?;
                self.counting.stale |= effects.lists;
                self.counting.count_if_due(connection, &self.shared);
                Ok(more)
            }
            Err(failure) => {
                self.shared.return_notes(notes);
                Err(failure)
            }
        }
    }

    /// One small step of maintenance. Returns whether there is more to do at once.
    fn maintain(&mut self) -> bool {
        let now = self.options.clock.now();
        let result = self.step(now);
        match result {
            Ok(more) => more,
            Err(error) => {
                // Not a warning: the next act that fails reports it, and this is repeated every two seconds.
                tracing::debug!("maintenance of the index failed and is tried again: {error}");
                false
            }
        }
    }

    fn step(&mut self, now: Timestamp) -> Result<bool, IndexError> {
        if self.shared.lost().is_some() {
            return Ok(false);
        }
        let Some(store) = &self.store else { return Ok(false) };
        self.counting.count_if_due(&store.connection, &self.shared);
        let over_budget = self.shared.counters.pack_bytes.load(Ordering::Relaxed) > self.options.max_pack_bytes;
        if (over_budget || self.shared.has_notes()) && self.transaction(|_, _, _| Ok(()))? {
            return Ok(true);
        }
        if let Some(directory) = self.forgettable_directory(now) {
            let mut gone = false;
            let limit = u32::try_from(eviction::GROUP).unwrap_or(u32::MAX);
            self.transaction(|session, _, _| {
                gone = session.whole(|session| directories::forget_some(session, directory, limit))?;
                Ok(())
            })?;
            if let (true, Some(store)) = (gone, &mut self.store) {
                tracing::info!("forgot an archive directory that has not been configured for a long time");
                store.directories.unconfigured.retain(|(id, _)| *id != directory);
            }
            return Ok(true);
        }
        let more = self.give_pages_back().map_err(|failure| failure.into_index_error(self.data_directory.path()))?;
        if !more {
            self.check_some()?;
        }
        Ok(more)
    }

    /// Compares some rows with their digests.
    fn check_some(&mut self) -> Result<(), IndexError> {
        if self.shared.take_suspicion() {
            self.checking.begin_again();
        }
        let Some(store) = &self.store else { return Ok(()) };
        let step = match self.checking.step(&store.connection) {
            Ok(step) => step,
            Err(failure) => {
                if failure.is_damage() {
                    self.data_directory.suspect_damage();
                }
                return Err(failure.into_index_error(self.data_directory.path()));
            }
        };
        if step.is_due() {
            self.transaction(|session, _, _| session.whole(|session| checks::repair(session, &step)))?;
        }
        Ok(())
    }

    fn forgettable_directory(&self, now: Timestamp) -> Option<i64> {
        let unconfigured = &self.store.as_ref()?.directories.unconfigured;
        unconfigured.iter().find(|(_, since)| now.since(*since) >= self.options.remember_unconfigured).map(|(id, _)| *id)
    }

    fn give_pages_back(&self) -> Result<bool, SqliteError> {
        let Some(Store { connection, .. }) = &self.store else { return Ok(false) };
        let free: i64 = connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
        if free <= PAGES_KEPT {
            return Ok(false);
        }
        connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES_PER_STEP})"))?;
        Ok(free - PAGES_PER_STEP > PAGES_KEPT)
    }

    /// Stores the last notes, empties the WAL, and closes the file and the lock.
    fn close(mut self) {
        if self.shared.has_notes()
            && let Err(error) = self.transaction(|_, _, _| Ok(()))
        {
            tracing::debug!("the last reads could not be stored: {error}");
        }
        self.shared.pool.close();
        self.shared.walks.close();
        if let Some(Store { connection, .. }) = self.store.take()
            && let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            tracing::debug!("the index could not be checkpointed when it was closed; the next start does that: {error}");
        }
    }
}

/// Reads the counters of the file when it is opened, and counts the listed applications and jobs.
pub(in crate::index) fn open_counters(connection: &Connection, shared: &IndexState) -> Result<(), SqliteError> {
    shared.counters.note_listed(count_listed(connection)?);
    read_counters(connection, shared)
}

/// Reads the stored counters.
fn read_counters(connection: &Connection, shared: &IndexState) -> Result<(), SqliteError> {
    let mut query = connection.prepare_cached("SELECT value FROM meta WHERE name = ?1")?;
    let mut read = |name: &str| query.query_row([name], |row| row.get::<_, i64>(0));
    let counters = &shared.counters;
    counters.index.store(read("index")?.cast_unsigned(), Ordering::Release);
    counters.generation.store(read("generation")?.cast_unsigned(), Ordering::Release);
    counters.pack_bytes.store(read("pack_bytes")?.cast_unsigned(), Ordering::Release);
    counters.gone_pack_bytes.store(read("gone_pack_bytes")?.cast_unsigned(), Ordering::Release);
    shared.resume_reads(read("reads")?);
    Ok(())
}

/// Progress of the comparison of rows with their digests. All rows are compared after the start, after damage was found, and daily.
struct Checking {
    table: checks::Table,
    /// Key of the last row that was compared.
    after: i64,
    /// When the next rows are compared.
    next: Instant,
    /// When digests were last computed for rows without one.
    made: Option<Instant>,
    /// All rows are to be compared once more after this time.
    again: bool,
}

impl Default for Checking {
    fn default() -> Self {
        Self { table: checks::Table::Applications, after: i64::MIN, next: Instant::now(), made: None, again: false }
    }
}

impl Checking {
    /// Rows of one step: a few milliseconds.
    const ROWS: usize = 1_000;
    /// Pause between two steps.
    const PAUSE: Duration = Duration::from_millis(50);
    /// Pause after a step that failed.
    const AFTER_FAILURE: Duration = Duration::from_mins(1);
    /// Pause between two comparisons of all rows.
    const REST: Duration = Duration::from_hours(24);

    /// Time until the next step.
    fn pause(&self) -> Duration {
        let next = self.made.map_or(self.next, |made| self.next.max(made + Self::PAUSE));
        next.saturating_duration_since(Instant::now())
    }

    /// Starts another comparison of all rows at once. A running one ends first: otherwise a client that reads a damaged row again and
    /// again would keep the comparison from ever reaching that row.
    fn begin_again(&mut self) {
        self.next = self.next.min(Instant::now());
        self.again = self.table == checks::Table::Jobs || self.after != i64::MIN;
    }

    /// Runs one step. Rows without a digest come first.
    fn step(&mut self, connection: &Connection) -> Result<checks::Step, SqliteError> {
        let now = Instant::now();
        if self.made.is_some_and(|made| now < made + Self::PAUSE) {
            return Ok(checks::Step::default());
        }
        self.made = Some(now);
        let new = checks::digest_new(connection, Self::ROWS)?;
        if new.is_due() || now < self.next {
            return Ok(new);
        }
        let step =
            checks::compare(connection, self.table, self.after, Self::ROWS).inspect_err(|_| self.next = now + Self::AFTER_FAILURE)?;
        match (step.last, self.table) {
            (Some(last), _) => self.after = last,
            (None, checks::Table::Applications) => (self.table, self.after) = (checks::Table::Jobs, i64::MIN),
            (None, checks::Table::Jobs) => {
                let next = if self.again { now } else { now + Self::REST };
                *self = Self { next, made: self.made, ..Self::default() };
            }
        }
        Ok(step)
    }
}

/// Counts the listed applications and jobs, so that probes need no query.
#[derive(Default)]
struct Counting {
    /// Lists have changed since the last count.
    stale: bool,
    /// When the last count was, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Counting {
    /// Counting takes at most one part in this many of the time.
    const PART: u32 = 20;

    /// Counts if lists have changed and the last counts were cheap. A count that fails is repeated after the next change.
    fn count_if_due(&mut self, connection: &Connection, shared: &IndexState) {
        let due = self.last.is_none_or(|(at, took)| took < Duration::from_millis(2) || at.elapsed() >= took * Self::PART);
        if self.stale && due {
            let begun = Instant::now();
            match count_listed(connection) {
                Ok(listed) => shared.counters.note_listed(listed),
                Err(failure) => tracing::debug!(
                    "the listed applications and jobs could not be counted: {}",
                    failure.into_index_error(&shared.data_directory)
                ),
            }
            *self = Self { stale: false, last: Some((Instant::now(), begun.elapsed())) };
        }
    }
}

/// Publishes the effects of a commit.
fn publish(connection: &Connection, shared: &IndexState, effects: &Effects) -> Result<(), SqliteError> {
    read_counters(connection, shared)?;
    shared.counters.evictions.fetch_add(effects.evictions, Ordering::Relaxed);
    if effects.known {
        shared.counters.known.fetch_add(1, Ordering::AcqRel);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_of_rows_that_is_running_ends_before_damage_starts_it_again() {
        let later = Instant::now() + Checking::REST;
        let mut under_way = Checking { table: checks::Table::Jobs, after: 5, next: later, ..Checking::default() };
        under_way.begin_again();
        assert!(under_way.again && under_way.table == checks::Table::Jobs && under_way.after == 5 && under_way.pause().is_zero());
        let mut resting = Checking { next: later, ..Checking::default() };
        resting.begin_again();
        assert!(!resting.again && resting.pause().is_zero());
    }
}
