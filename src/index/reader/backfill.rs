//! Reads of the backfill: archives whose facts are to be derived again.

use crate::index::error::IndexError;
use crate::index::model::{DerivedPage, DerivingPosition, Underived};
use crate::index::reader::IndexReader;
use crate::index::sqlite;

impl IndexReader {
    /// Number of archives whose facts are out of date.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn underived(&self) -> Result<Underived, IndexError> {
        self.read(|shared| shared.pool.read(sqlite::underived)).await
    }

    /// Derives the facts of at most `limit` archives from their packs. Changes nothing, and reads only the index.
    ///
    /// # Errors
    /// [`IndexError`]. A pack that cannot be read is no error: it is reported in the page.
    pub async fn derive(&self, after: Option<DerivingPosition>, limit: usize) -> Result<DerivedPage, IndexError> {
        self.read(move |shared| shared.pool.read(|connection| sqlite::derive(connection, after.as_ref(), limit))).await
    }
}
