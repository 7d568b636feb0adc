//! The thread that writes: takes acts from a channel and commits them in batches.
//!
//! A batch is committed when nothing more comes for a moment, and at most 250 ms after its first act; at once when somebody waits
//! and nothing else is queued. Each act is whole: one that fails leaves nothing behind and does not touch its neighbours. Between
//! batches the thread keeps house in small steps: evicts, forgets directories taken out of the configuration, gives pages back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::clock::Millis;
use crate::data_directory::DataDirectory;
use crate::index::error::IndexError;
use crate::index::model::Urgency;
use crate::index::opening::IndexOptions;
use crate::index::sqlite::acts::eviction::{self, BroughtBack};
use crate::index::sqlite::reads::overviews::count_listed;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::session::{Effects, Session};
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::{checks, connection};
use crate::index::sqlite::tables::directories::{self, Directories};

/// Longest time between the first act of a batch and its commit.
const BATCH: Duration = Duration::from_millis(250);

/// A batch that nothing was added to for this long is committed.
const LULL: Duration = Duration::from_millis(20);

/// How often the thread looks for housework while nothing comes.
const IDLE: Duration = Duration::from_secs(2);

/// How often the thread looks whether its files still lie where they were opened.
const CHECK: Duration = Duration::from_secs(1);

/// Pages given back to the file system in one step, and pages kept for what comes next.
const PAGES_PER_STEP: i64 = 256;
const PAGES_KEPT: i64 = 1024;

/// What is told to the caller of an act, after the commit or instead of it.
pub(in crate::index) type Answer = Box<dyn FnOnce(Result<(), IndexError>) + Send>;

/// An act: runs within the transaction, or is told that there is none.
pub(in crate::index) type Act = Box<dyn FnOnce(Result<&mut Session<'_>, IndexError>, &IndexState) -> Answer + Send>;

/// What the thread is asked to do.
pub(in crate::index) enum Command {
    /// Write.
    Act(Urgency, Act),
    /// Finish and end.
    Close(oneshot::Sender<()>),
}

/// The writer.
pub(in crate::index) struct Thread {
    options: IndexOptions,
    data_directory: DataDirectory,
    shared: Arc<IndexState>,
    store: Option<Store>,
    brought_back: BroughtBack,
    housework: bool,
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
        let brought_back = BroughtBack::new(options.brought_back_grace);
        Self {
            options,
            data_directory,
            shared,
            store: None,
            brought_back,
            housework: true,
            counting: Counting::default(),
            checking: Checking::default(),
            checked: Instant::now(),
        }
    }

    /// Opens the file for writing, once that is possible, and reads its counters.
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
        open_counters(&connection, &self.shared)?;
        self.data_directory.note_files();
        self.store = Some(Store { connection, directories });
        self.shared.pool.reset(false);
        Ok(())
    }

    /// Where the index lies, and how it was to be opened.
    pub(in crate::index) fn place(&self) -> (&DataDirectory, &IndexOptions) {
        (&self.data_directory, &self.options)
    }

    /// Works until all writing handles are gone, or one of them closes the index.
    pub(in crate::index) fn run(mut self, commands: &Receiver<Command>) {
        let mut closing = None;
        loop {
            self.check();
            let wait = if self.housework { Duration::ZERO } else { self.checking.pause().min(IDLE) };
            match commands.recv_timeout(wait) {
                Ok(Command::Act(urgency, act)) => closing = self.batch(urgency, act, commands),
                Ok(Command::Close(done)) => closing = Some(done),
                Err(RecvTimeoutError::Timeout) => self.housework = self.keep_house(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if closing.is_some() {
                break;
            }
        }
        self.close();
        if let Some(done) = closing {
            // Whoever asked may have gone.
            let _ = done.send(());
        }
    }

    /// Tells the server, once, when the data directory or a file in it was deleted or replaced. From then on nothing is written.
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

    /// Collects a batch and commits it. Gives back the request to close that ended it, if one did.
    fn batch(&mut self, urgency: Urgency, first: Act, commands: &Receiver<Command>) -> Option<oneshot::Sender<()>> {
        let started = Instant::now();
        let mut closing = None;
        self.housework = true;
        let (mut urgent, mut next) = (urgency == Urgency::Now, Some(first));
        let result = self.transaction(|session, shared, answers| {
            while let Some(act) = next.take() {
                answers.push(act(Ok(&mut *session), shared));
                if session.connection.is_autocommit() {
                    // SQLite gave up the whole transaction: the disk is full, most likely.
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

    /// Runs work in one transaction, evicts with it, and publishes what it led to. Answers are given after the commit.
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
            failure.told(self.data_directory.path())
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
            self.brought_back.add(std::mem::take(&mut session.effects.brought_back));
            let more = eviction::evict(&mut session, self.options.max_pack_bytes, &self.shared.leases, &mut self.brought_back)?;
            if session.effects.lists {
                connection.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'generation'")?.execute([])?;
            }
            connection.prepare_cached("COMMIT")?.execute([])?;
            Ok(more)
        });
        if ended.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        self.shared.leases.pardon();
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

    /// One small step of what can wait. Says whether there is more to do at once.
    fn keep_house(&mut self) -> bool {
        let now = self.options.clock.now();
        let result = self.step(now);
        match result {
            Ok(more) => more,
            Err(error) => {
                // The next act that fails tells the user; this comes back every two seconds.
                tracing::debug!("housework of the index failed: {error}");
                false
            }
        }
    }

    fn step(&mut self, now: Millis) -> Result<bool, IndexError> {
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
                tracing::info!("forgotten: an archive directory that has not been configured for a long time");
                store.directories.unconfigured.retain(|(id, _)| *id != directory);
            }
            return Ok(true);
        }
        let more = self.give_pages_back().map_err(|failure| failure.told(self.data_directory.path()))?;
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
                return Err(failure.told(self.data_directory.path()));
            }
        };
        if step.is_due() {
            self.transaction(|session, _, _| session.whole(|session| checks::mend(session, &step)))?;
        }
        Ok(())
    }

    fn forgettable_directory(&self, now: Millis) -> Option<i64> {
        let remembered = Millis::try_from(self.options.remember_unconfigured.as_millis()).unwrap_or(Millis::MAX);
        let unconfigured = &self.store.as_ref()?.directories.unconfigured;
        unconfigured.iter().find(|(_, since)| now.saturating_sub(*since) >= remembered).map(|(id, _)| *id)
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

    /// Writes down what is left, empties the WAL and lets go of the file and of the lock.
    fn close(mut self) {
        if self.shared.has_notes()
            && let Err(error) = self.transaction(|_, _, _| Ok(()))
        {
            tracing::debug!("the last reads could not be noted: {error}");
        }
        self.shared.pool.close();
        self.shared.walks.close();
        if let Some(Store { connection, .. }) = self.store.take()
            && let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        {
            tracing::debug!("the index could not be checkpointed at its end, which the next start does: {error}");
        }
    }
}

/// Reads the counters of the file at its opening, and counts what is listed.
pub(in crate::index) fn open_counters(connection: &Connection, shared: &IndexState) -> Result<(), SqliteError> {
    shared.counters.note_listed(count_listed(connection)?);
    read_counters(connection, shared)
}

/// Reads the counters that the file keeps.
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

/// Where the comparison of rows with their digests stands. All are compared after the start, when damage was met, and once a day.
struct Checking {
    table: checks::Table,
    /// Key of the last row that was compared.
    after: i64,
    /// When the next rows are compared.
    next: Instant,
    /// When digests were made last for rows that had none.
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
    /// Rows of one step: some milliseconds.
    const ROWS: usize = 1_000;
    /// Between two steps.
    const PAUSE: Duration = Duration::from_millis(50);
    /// After a step that failed.
    const AFTER_FAILURE: Duration = Duration::from_mins(1);
    /// Between two comparisons of all rows.
    const REST: Duration = Duration::from_hours(24);

    /// Time until the next step.
    fn pause(&self) -> Duration {
        let next = self.made.map_or(self.next, |made| self.next.max(made + Self::PAUSE));
        next.saturating_duration_since(Instant::now())
    }

    /// Compares all rows once more, at once. What is under way ends first: else somebody who asks for a bad row all the time would keep
    /// the comparison from ever coming to it.
    fn begin_again(&mut self) {
        self.next = self.next.min(Instant::now());
        self.again = self.table == checks::Table::Jobs || self.after != i64::MIN;
    }

    /// Takes a step. Rows that have no digest yet come first.
    fn step(&mut self, connection: &Connection) -> Result<checks::Step, SqliteError> {
        let now = Instant::now();
        if self.made.is_some_and(|made| now < made + Self::PAUSE) {
            return Ok(checks::Step::default());
        }
        self.made = Some(now);
        let new = checks::look_for_new(connection, Self::ROWS)?;
        if new.is_due() || now < self.next {
            return Ok(new);
        }
        let step = checks::look(connection, self.table, self.after, Self::ROWS).inspect_err(|_| self.next = now + Self::AFTER_FAILURE)?;
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

/// Counts what is listed, so that probes need not.
#[derive(Default)]
struct Counting {
    /// Lists have changed since it was counted.
    stale: bool,
    /// When it was last counted, and how long that took.
    last: Option<(Instant, Duration)>,
}

impl Counting {
    /// Counting takes at most this part of the time.
    const PART: u32 = 20;

    /// Counts when something has changed and counting was not dear lately. One that fails is tried again with the next change.
    fn count_if_due(&mut self, connection: &Connection, shared: &IndexState) {
        let due = self.last.is_none_or(|(at, took)| took < Duration::from_millis(2) || at.elapsed() >= took * Self::PART);
        if self.stale && due {
            let begun = Instant::now();
            match count_listed(connection) {
                Ok(listed) => shared.counters.note_listed(listed),
                Err(failure) => tracing::debug!("what is listed could not be counted: {}", failure.told(&shared.data_directory)),
            }
            *self = Self { stale: false, last: Some((Instant::now(), begun.elapsed())) };
        }
    }
}

/// Publishes what a commit led to.
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
    fn a_comparison_of_rows_that_is_under_way_ends_before_damage_lets_it_begin_again() {
        let later = Instant::now() + Checking::REST;
        let mut under_way = Checking { table: checks::Table::Jobs, after: 5, next: later, ..Checking::default() };
        under_way.begin_again();
        assert!(under_way.again && under_way.table == checks::Table::Jobs && under_way.after == 5 && under_way.pause().is_zero());
        let mut resting = Checking { next: later, ..Checking::default() };
        resting.begin_again();
        assert!(!resting.again && resting.pause().is_zero());
    }
}
