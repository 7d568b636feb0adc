//! The write of the backfill.

use crate::index::error::IndexError;
use crate::index::model::{Derived, Urgency};
use crate::index::sqlite;
use crate::index::writer::IndexWriter;

impl IndexWriter {
    /// Writes derived facts, except those of archives that were replaced, evicted or forgotten meanwhile. Returns the number written.
    ///
    /// # Errors
    /// [`IndexError`]; nothing is written then.
    pub async fn write_derived(&self, derived: Vec<Derived>) -> Result<u64, IndexError> {
        self.act(Urgency::Batched, move |session| sqlite::write_derived(session, &derived)).await
    }
}
