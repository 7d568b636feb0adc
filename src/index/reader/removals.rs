//! Reads of retention: units that are to be removed, and the record of those that were.

use crate::clock::Millis;
use crate::index::error::IndexError;
use crate::index::model::{Deletion, HeldCleanup, Page, Pending, PendingRemoval, UnitKey};
use crate::index::reader::IndexReader;
use crate::index::sqlite;
use crate::index::sqlite::store::pool::Lane;

impl IndexReader {
    /// What is to be removed, by directory, cluster and id, from a cursor on.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`] and others.
    pub async fn pending_removals(&self, which: Pending, cursor: Option<String>, limit: usize) -> Result<Page<PendingRemoval>, IndexError> {
        self.read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::pending(connection, which, cursor.as_deref(), limit)))
            .await
    }

    /// Whether a unit is on record as expired, and so is not listed, whether it was ever read or not.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn is_expired(&self, unit: &UnitKey) -> Result<bool, IndexError> {
        let unit = unit.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::is_expired(connection, &unit))).await
    }

    /// The record of what was deleted and forgotten, newest first, from a cursor on.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`] and others.
    pub async fn deletions(&self, cursor: Option<String>, limit: usize) -> Result<Page<Deletion>, IndexError> {
        self.read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::deletions(connection, cursor.as_deref(), limit)))
            .await
    }

    /// Cleanups that the guard holds back.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn held_cleanups(&self) -> Result<Vec<HeldCleanup>, IndexError> {
        self.read_in(Lane::Lists, |shared| shared.pool.read(sqlite::held_cleanups)).await
    }

    /// When the last refresh was that was noted, by the clock of its time.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn last_refresh(&self) -> Result<Option<Millis>, IndexError> {
        self.read(|shared| shared.pool.read(sqlite::last_refresh)).await
    }
}
