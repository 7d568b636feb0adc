//! Acts and queries of retention: what is to be removed, and what was.

use crate::clock::Millis;
use crate::index::error::IndexError;
use crate::index::model::{Deletion, Done, Expiry, FailedAttempt, FollowedLimits, HeldCleanup, MarkState, UnitKey, Urgency};
use crate::index::sqlite;
use crate::index::writer::{GROUP, IndexWriter};
use crate::names::DirectoryUrl;

impl IndexWriter {
    /// Puts verdicts on record, in groups. [`MarkState::Marked`] hides them at once, whether they were ever read or not.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn mark(&self, expiries: Vec<Expiry>, state: MarkState, at: Millis) -> Result<(), IndexError> {
        let mut expiries = expiries.into_iter().peekable();
        while expiries.peek().is_some() {
            let group: Vec<_> = expiries.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::mark(session, &group, state, at)).await?;
        }
        Ok(())
    }

    /// Takes verdicts back, except of what is being deleted already. What they are of is listed again.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unmark(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let group: Vec<_> = units.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::unmark(session, &group)).await?;
        }
        Ok(())
    }

    /// Notes that the guard holds the cleanup of a directory back, or, with `None`, that it does not.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn hold_cleanup(&self, directory: &DirectoryUrl, held: Option<HeldCleanup>) -> Result<(), IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::hold(session, &url, held.as_ref())).await
    }

    /// Lets the cleanup through that the guard holds back in a directory. `false` when there is none with this plan any more.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn confirm_cleanup(&self, directory: &DirectoryUrl, plan: &str, at: Millis) -> Result<bool, IndexError> {
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
            self.release_held(keys, at).await?;
        }
    }

    /// Marks those of these units that are held back.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn release_held(&self, units: Vec<UnitKey>, at: Millis) -> Result<(), IndexError> {
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let group: Vec<_> = units.by_ref().take(GROUP).collect();
            self.act(Urgency::Now, move |session| sqlite::release(session, &group, at)).await?;
        }
        Ok(())
    }

    /// Notes the limits that a cleanup of a directory goes by, and that was not held back.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_followed_limits(&self, directory: &DirectoryUrl, limits: FollowedLimits) -> Result<(), IndexError> {
        let url = directory.clone();
        self.act(Urgency::Now, move |session| sqlite::note_followed(session, &url, &limits)).await
    }

    /// Notes that files of these units are about to be deleted. Gives back those for which that still stands: only these may be.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn begin_removals(&self, units: Vec<UnitKey>) -> Result<Vec<UnitKey>, IndexError> {
        self.act(Urgency::Now, move |session| sqlite::begin(session, &units)).await
    }

    /// Takes verdicts back although deletions were begun, because the files are others than those that were judged.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn abandon_removals(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::abandon(session, &units)).await
    }

    /// Takes back that deletions were begun, since nothing was taken away; the verdicts stay, until they are judged again.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn put_back_removals(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::put_back(session, &units)).await
    }

    /// Notes that attempts failed, and when the next are due.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn fail_removals(&self, attempts: Vec<FailedAttempt>) -> Result<(), IndexError> {
        self.act(Urgency::Now, move |session| sqlite::fail(session, &attempts)).await
    }

    /// Forgets units, with all below them, and puts it on record in the same transaction. Gives back what was put on record.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn finish_removals(&self, done: Vec<(Expiry, Done)>, at: Millis) -> Result<Vec<Deletion>, IndexError> {
        self.act(Urgency::Now, move |session| sqlite::finish(session, &done, at)).await
    }

    /// Forgets units that are gone from their directory, with all below them, and puts it on record.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget_gone(&self, units: Vec<UnitKey>, at: Millis) -> Result<Vec<Deletion>, IndexError> {
        let mut written = Vec::new();
        let mut units = units.into_iter().peekable();
        while units.peek().is_some() {
            let group: Vec<_> = units.by_ref().take(GROUP).collect();
            written.append(&mut self.act(Urgency::Now, move |session| sqlite::forget_gone(session, &group, at)).await?);
        }
        Ok(written)
    }

    /// Takes entries of the record out that are older than `before`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn prune_deletions(&self, before: Millis) -> Result<(), IndexError> {
        while self.act(Urgency::Batched, move |session| sqlite::prune(session, before, GROUP)).await? == GROUP {}
        Ok(())
    }

    /// Notes when the last refresh was, by the clock.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_refresh(&self, at: Millis) -> Result<(), IndexError> {
        self.act(Urgency::Batched, move |session| sqlite::note_refresh(session, at)).await
    }
}
