//! Acts of retention: removals and held cleanups.

use crate::clock::Timestamp;
use crate::index::error::IndexError;
use crate::index::model::{Deletion, FailedAttempt, FollowedLimits, HeldCleanup, Removal, RemovalOutcome, RemovalState, UnitKey, Urgency};
use crate::index::sqlite;
use crate::index::sqlite::store::session::Session;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::writer::{GROUP, IndexWriter};
use crate::names::DirectoryUrl;

impl IndexWriter {
    /// Records removals. Units whose removal is [`RemovalState::Due`] are unlisted at once, also if they were never read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn record_removals(&self, removals: Vec<Removal>, state: RemovalState, at: Timestamp) -> Result<(), IndexError> {
        self.in_groups(removals, move |session, group| sqlite::record(session, group, state, at)).await.map(drop)
    }

    /// Withdraws removals that are not running: their units are listed again.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn withdraw_removals(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        self.in_groups(units, sqlite::withdraw).await.map(drop)
    }

    /// Records that the cleanup of a directory is held, or, with `None`, that it is not.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn hold_cleanup(&self, directory: &DirectoryUrl, held: Option<HeldCleanup>) -> Result<(), IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::hold(session, &url, held.as_ref())).await
    }

    /// Confirms the held cleanup of a directory. Returns `false` when no cleanup with this plan is held any more.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn confirm_cleanup(&self, directory: &DirectoryUrl, plan: &str, at: Timestamp) -> Result<bool, IndexError> {
        let (url, plan) = (directory.clone(), plan.to_owned());
        let confirmed = self.act(Urgency::Now, move |session| sqlite::confirm(session, &url, &plan)).await?;
        if !confirmed {
            return Ok(false);
        }
        loop {
            let url = directory.clone();
            let keys = self.act(Urgency::Now, move |session| sqlite::confirmed(session, &url, GROUP)).await?;
            if keys.is_empty() {
                return Ok(true);
            }
            self.release_removals(keys, at).await?;
        }
    }

    /// Makes the held removals among these units due.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn release_removals(&self, units: Vec<UnitKey>, at: Timestamp) -> Result<(), IndexError> {
        self.in_groups(units, move |session, group| sqlite::release(session, group, at)).await.map(drop)
    }

    /// Records the limits of a cleanup that was not held.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_followed_limits(&self, directory: &DirectoryUrl, limits: FollowedLimits) -> Result<(), IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::note_followed(session, &url, &limits)).await
    }

    /// Records that files of these units are about to be deleted. Returns the units whose removal still stands: only these may be deleted.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn start_removals(&self, units: Vec<UnitKey>) -> Result<Vec<UnitKey>, IndexError> {
        self.act(Urgency::Now, move |session| sqlite::start(session, &units)).await
    }

    /// Withdraws running removals, because the present files are not the files that were judged.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn abandon_removals(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::abandon(session, &units)).await
    }

    /// Makes running removals due again, because no file was deleted; the next refresh judges them again.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn reset_removals(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::reset(session, &units)).await
    }

    /// Records failed attempts, and when the next are due.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn fail_removals(&self, attempts: Vec<FailedAttempt>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::fail(session, &attempts)).await
    }

    /// Forgets units, with all below them, and records that in the same transaction. Returns the records.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn finish_removals(&self, done: Vec<(Removal, RemovalOutcome)>, at: Timestamp) -> Result<Vec<Deletion>, IndexError> {
        self.act(Urgency::Now, move |session| sqlite::finish(session, &done, at)).await
    }

    /// Forgets units that are missing from their directory, with all below them, and records that.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget_missing(&self, units: Vec<UnitKey>, at: Timestamp) -> Result<Vec<Deletion>, IndexError> {
        let written = self.in_groups(units, move |session, group| sqlite::forget_missing(session, group, at)).await?;
        Ok(written.into_iter().flatten().collect())
    }

    /// Deletes records of deletions that are older than `before`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn prune_deletions(&self, before: Timestamp) -> Result<(), IndexError> {
        while self.act(Urgency::Batched, move |session| sqlite::prune(session, before, GROUP)).await? == GROUP {}
        Ok(())
    }

    /// Records the time of the last refresh.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_refresh(&self, at: Timestamp) -> Result<(), IndexError> {
        self.act(Urgency::Batched, move |session| sqlite::note_refresh(session, at)).await
    }

    /// Runs an act for each group of these, with a transaction for each. Returns the results.
    async fn in_groups<T: Send + 'static, R: Send + 'static>(
        &self,
        all: Vec<T>,
        act: impl Fn(&mut Session<'_>, &[T]) -> Result<R, SqliteError> + Copy + Send + 'static,
    ) -> Result<Vec<R>, IndexError> {
        let mut results = Vec::new();
        let mut all = all.into_iter().peekable();
        while all.peek().is_some() {
            let group: Vec<_> = all.by_ref().take(GROUP).collect();
            results.push(self.act(Urgency::Now, move |session| act(session, &group)).await?);
        }
        Ok(results)
    }
}
