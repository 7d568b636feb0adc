//! Reads of the backfill: archives whose facts are to be derived again.

use crate::index::error::IndexError;
use crate::index::model::{DerivedPage, DerivingPosition, Underived};
use crate::index::reader::IndexReader;
use crate::index::sqlite;

impl IndexReader {
    /// How many archives there are to derive from.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn underived(&self) -> Result<Underived, IndexError> {
        self.read(|shared| shared.pool.read(sqlite::underived)).await
    }

    /// Derives from at most `limit` archives whose packs are here. Changes nothing, and reads nothing but the index.
    ///
    /// # Errors
    /// [`IndexError`]; a pack that cannot be read is none, but in the answer.
    pub async fn derive(&self, after: Option<DerivingPosition>, limit: usize) -> Result<DerivedPage, IndexError> {
        self.read(move |shared| shared.pool.read(|connection| sqlite::derive(connection, after.as_ref(), limit))).await
    }
}
