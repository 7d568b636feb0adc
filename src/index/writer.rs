//! The writing handle.

use super::{IndexError, Presence, StagedPack, UnitChange, UnitKey, Urgency};
use crate::clock::Millis;
use crate::directory::{DirectoryUrl, FileKind};
use crate::pack::Part;
use crate::problem::{Problem, ProblemChanges};

/// Changes the index. One per data directory; all acts go through one thread.
#[derive(Clone)]
pub struct IndexWriter {}

impl IndexWriter {
    /// Applies what an ingest found, in one transaction. Gives back the problems that appeared and went.
    ///
    /// Answers after the commit, so send the next change without waiting for this one: a batch holds what arrives within 250 ms.
    ///
    /// # Errors
    /// [`IndexError`]; nothing of the change is then visible.
    pub async fn apply(&self, _change: UnitChange, _urgency: Urgency) -> Result<ProblemChanges, IndexError> {
        unimplemented!("skeleton")
    }

    /// Writes parts of an archive that is still being read. Blocking: for the thread that parses.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn stage(&self, _staged: Option<StagedPack>, _parts: Vec<Part>) -> Result<StagedPack, IndexError> {
        unimplemented!("skeleton")
    }

    /// Notes what is gone from, or back in, its directory. What is gone stays browsable; its problems go with it.
    /// What was never readable leaves nothing to browse and is forgotten.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_presence(&self, _changes: Vec<Presence>, _at: Millis) -> Result<ProblemChanges, IndexError> {
        unimplemented!("skeleton")
    }

    /// Takes units out of the index, with all below them. In groups of at most 500 a transaction.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget(&self, _units: Vec<UnitKey>) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Notes how a listing of a directory ended: a complete one that held archives, or one that found it missing or wholly empty.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn note_listing(
        &self,
        _directory: &DirectoryUrl,
        _held_archives: bool,
        _vanished: bool,
        _at: Millis,
    ) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Takes single files out of the index that are gone from units still there.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn forget_files(&self, _files: Vec<(UnitKey, FileKind)>) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Marks units as expired: they are hidden at once. `None` takes the mark away.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn mark_expired(&self, _units: Vec<UnitKey>, _at: Option<Millis>) -> Result<(), IndexError> {
        unimplemented!("skeleton")
    }

    /// Replaces the problems of a directory that are not of units (obstacles of listings, the directory itself).
    /// Gives back those that appeared and those that went.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn set_listing_problems(&self, _directory: &DirectoryUrl, _problems: Vec<Problem>) -> Result<ProblemChanges, IndexError> {
        unimplemented!("skeleton")
    }

    /// Finishes what is queued, checkpoints and closes.
    pub async fn close(&self) {
        unimplemented!("skeleton")
    }
}
