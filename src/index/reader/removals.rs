//! Reads of retention: removals, held cleanups and the record of deletions.

use crate::clock::Timestamp;
use crate::index::error::IndexError;
use crate::index::model::{Deletion, HeldCleanup, Page, RecordedRemoval, RemovalFilter, UnitKey};
use crate::index::reader::IndexReader;
use crate::index::sqlite;
use crate::index::sqlite::store::pool::Lane;

impl IndexReader {
    /// The removals of a filter, by directory, cluster and id, from a cursor on.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`] and others.
    pub async fn removals(&self, filter: RemovalFilter, cursor: Option<String>, limit: usize) -> Result<Page<RecordedRemoval>, IndexError> {
        self.read_in(Lane::Lists, move |shared| {
            shared.pool.read(|connection| sqlite::removal_page(connection, filter, cursor.as_deref(), limit))
        })
        .await
    }

    /// Whether a unit is unlisted because it is expired, also if it was never read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn is_expired(&self, unit: &UnitKey) -> Result<bool, IndexError> {
        let unit = unit.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::is_expired(connection, &unit))).await
    }

    /// The record of deletions, newest first, from a cursor on.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`] and others.
    pub async fn deletions(&self, cursor: Option<String>, limit: usize) -> Result<Page<Deletion>, IndexError> {
        self.read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::deletions(connection, cursor.as_deref(), limit)))
            .await
    }

    /// The held cleanups of all directories.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn held_cleanups(&self) -> Result<Vec<HeldCleanup>, IndexError> {
        self.read_in(Lane::Lists, |shared| shared.pool.read(sqlite::held_cleanups)).await
    }

    /// Time of the last recorded refresh.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn last_refresh(&self) -> Result<Option<Timestamp>, IndexError> {
        self.read(|shared| shared.pool.read(sqlite::last_refresh)).await
    }
}
