//! The writing handle.

mod backfill;
mod removals;

use std::sync::mpsc::Sender;

use futures::future::try_join_all;
use tokio::sync::oneshot;

use super::sqlite;
use crate::clock::Timestamp;
use crate::directory::FileKind;
use crate::index::error::IndexError;
use crate::index::model::{Presence, StagedPack, UnitChange, UnitKey, UnitListing, Urgency};
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::store::writer_thread::{Act, Ahead, Answer, Command};
use crate::names::DirectoryUrl;
use crate::pack::Part;
use crate::problem::{Problem, ProblemChanges};

/// Maximum number of units that one transaction forgets or marks, so that other acts do not wait long.
pub(in crate::index) const GROUP: usize = 500;

/// Units that one act lists: with more, the undo log of the act gets long, which SQLite walks for each statement.
const LISTED_IN_AN_ACT: usize = 8;

/// Changes the index. One per data directory; all acts go through one thread, which ends with the last handle.
#[derive(Clone)]
pub struct IndexWriter {
    commands: Sender<Command>,
    /// Acts that overtake the queue.
    ahead: Ahead,
}

impl IndexWriter {
    pub(in crate::index) fn new(commands: Sender<Command>, ahead: Ahead) -> Self {
        Self { commands, ahead }
    }

    /// Applies the result of an ingest in one transaction. Returns the problems that appeared and those that were resolved.
    ///
    /// Answers after the commit, so send the next change without waiting for this one: a batch holds what arrives within 250 ms. A change
    /// for a waiting client overtakes those that are queued.
    ///
    /// # Errors
    /// [`IndexError`]; nothing of the change is then visible.
    pub async fn apply(&self, change: UnitChange, urgency: Urgency) -> Result<ProblemChanges, IndexError> {
        let work = move |session: &mut Session<'_>| sqlite::apply(session, change, urgency);
        if urgency == Urgency::Batched {
            return self.act(urgency, work).await;
        }
        let (answer, answered) = oneshot::channel();
        // The caller may no longer wait.
        self.ahead.push(act(work, move |result| drop(answer.send(result))));
        self.commands.send(Command::Ahead).map_err(|_closed| IndexError::Closed)?;
        answered.await.map_err(|_closed| IndexError::Closed)?
    }

    /// Lists new units before their archives are read. Units that are known by now are left alone.
    ///
    /// # Errors
    /// [`IndexError`]; some of the units may then not be listed.
    pub async fn list(&self, units: Vec<UnitListing>) -> Result<(), IndexError> {
        let mut units = units.into_iter().peekable();
        let mut acts = Vec::new();
        while units.peek().is_some() {
            let some: Vec<_> = units.by_ref().take(LISTED_IN_AN_ACT).collect();
            acts.push(self.act(Urgency::Batched, move |session| sqlite::list(session, &some)));
        }
        try_join_all(acts).await.map(drop)
    }

    /// Writes parts of an archive that is still being read. Blocking: for the thread that parses.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn stage(&self, staged: Option<StagedPack>, parts: Vec<Part>) -> Result<StagedPack, IndexError> {
        let before = staged.as_ref().map(|staged| (staged.id, staged.parts));
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.send(
            Urgency::Now,
            move |session| sqlite::stage(session, before, &parts),
            move |result| {
                // The caller may no longer wait.
                let _ = answer.send(result);
            },
        )?;
        let (id, parts) = answered.recv().map_err(|_closed| IndexError::Closed)??;
        if let Some(mut staged) = staged {
            staged.parts = parts;
            return Ok(staged);
        }
        let writer = self.clone();
        Ok(StagedPack { id, parts, discard: Box::new(move |id| writer.discard(id)) })
    }

    /// Records units and files that are missing from their directory, or present again. Missing units can still be browsed, and their
    /// problems are hidden. A missing unit that was never read is forgotten.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_presence(&self, changes: Vec<Presence>, at: Timestamp) -> Result<ProblemChanges, IndexError> {
        let mut all = ProblemChanges::default();
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let group: Vec<_> = changes.by_ref().take(GROUP).collect();
            let mut changed = self.act(Urgency::Now, move |session| sqlite::note(session, &group, at)).await?;
            all.appeared.append(&mut changed.appeared);
            all.resolved.append(&mut changed.resolved);
        }
        Ok(all)
    }

    /// Forgets units with all rows below them, at most 500 units in one transaction.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let group: Vec<_> = units.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::forget(session, &group)).await?;
        }
        Ok(())
    }

    /// Records the result of a listing of a directory: whether it held archives, and whether it suddenly holds none.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_listing(
        &self,
        directory: &DirectoryUrl,
        held_archives: bool,
        vanished: bool,
        at: Timestamp,
    ) -> Result<(), IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::note_listing(session, &url, held_archives, vanished, at)).await
    }

    /// Forgets single missing files of units that are still present.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget_files(&self, files: Vec<(UnitKey, FileKind)>) -> Result<(), IndexError> {
        let mut files = files.into_iter().peekable();
        while files.peek().is_some() {
            let group: Vec<_> = files.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::forget_files(session, &group)).await?;
        }
        Ok(())
    }

    /// Marks units as expired, which hides them at once; `None` removes the mark.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn mark_expired(&self, units: Vec<UnitKey>, at: Option<Timestamp>) -> Result<(), IndexError> {
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let group: Vec<_> = units.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::expire(session, &group, at)).await?;
        }
        Ok(())
    }

    /// Replaces the problems of a directory that are not of units (obstacles of listings, the directory itself).
    /// Returns those that appeared and those that were resolved.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn set_listing_problems(&self, directory: &DirectoryUrl, problems: Vec<Problem>) -> Result<ProblemChanges, IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::replace_of_listing(session, &url, problems)).await
    }

    /// Commits the queued acts, checkpoints and closes the index.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).is_ok() {
            // An error means that the thread has ended already.
            let _ = closed.await;
        }
    }

    /// Deletes staged parts, unless an archive has taken them. Does not wait. If the index is closed, the next start deletes them.
    fn discard(&self, staged: i64) {
        let _ = self.send(Urgency::Batched, move |session| sqlite::discard(session, staged), drop::<Result<(), IndexError>>);
    }

    pub(in crate::index) async fn act<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let (answer, answered) = oneshot::channel();
        self.send(urgency, work, move |result| {
            // The caller may no longer wait.
            let _ = answer.send(result);
        })?;
        answered.await.map_err(|_closed| IndexError::Closed)?
    }

    /// Sends an act to the thread. Its result is passed to `answer` after the commit.
    fn send<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&mut Session<'_>) -> Result<T, SqliteError> + Send + 'static,
        answer: impl FnOnce(Result<T, IndexError>) + Send + 'static,
    ) -> Result<(), IndexError> {
        self.commands.send(Command::Act(urgency, act(work, answer))).map_err(|_closed| IndexError::Closed)
    }
}

/// An act of the thread, which runs whole or not at all. Its result is passed to `answer` after the commit.
fn act<T: Send + 'static>(
    work: impl FnOnce(&mut Session<'_>) -> Result<T, SqliteError> + Send + 'static,
    answer: impl FnOnce(Result<T, IndexError>) + Send + 'static,
) -> Act {
    let span = tracing::Span::current();
    Box::new(move |session: Result<&mut Session<'_>, IndexError>, shared: &IndexState| -> Answer {
        let _entered = span.enter();
        let result = session.and_then(|session| session.whole(work).map_err(|failure| shared.index_error(failure)));
        Box::new(move |committed| answer(result.and_then(|value| committed.map(|()| value))))
    })
}
