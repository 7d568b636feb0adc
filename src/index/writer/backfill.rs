//! The write of the backfill.

use crate::index::error::IndexError;
use crate::index::model::{Derived, Urgency};
use crate::index::sqlite;
use crate::index::writer::IndexWriter;

impl IndexWriter {
    /// Writes what was derived, but not of archives that were replaced, evicted or forgotten since. Gives back of how many.
    ///
    /// # Errors
    /// [`IndexError`]; nothing of it is then visible.
    pub async fn write_derived(&self, derived: Vec<Derived>) -> Result<u64, IndexError> {
        self.act(Urgency::Batched, move |session| sqlite::write_derived(session, &derived)).await
    }
}
