//! The rows of Flink's own lists and the server's figures, within a scope: the copies that Flink's paths show.
//!
//! Flink's lists have only one copy of an id: the first one in the scope, by precedence. Lists of all copies ([`ScopedReader::page`])
//! include the others.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::archive::Owner;
use crate::ids::JobId;
use crate::index::error::IndexError;
use crate::index::model::{CopySelector, Document, Figures, Generation, Listed, OverviewList};
use crate::index::reader::ScopedReader;
use crate::index::sqlite::store::pool::Lane;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::sqlite::{self, Seen};
use crate::names::DirectoryUrl;
use crate::problem::ProblemCode;

impl ScopedReader {
    /// See [`Generation`]. Reads no rows.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.reader.generation()
    }

    /// Passes the objects of a merged overview to `row`, newest first, until it breaks. Returns the generation of the snapshot.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview(
        &self,
        list: OverviewList,
        row: impl FnMut(&str) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Generation, IndexError> {
        let scope = Arc::clone(&self.scope);
        let index = self.generation().index;
        let number = self
            .reader
            .read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::overview(connection, &scope, list, row)))
            .await?;
        Ok(Generation { index, number })
    }

    /// The archived overview object of one copy, by precedence, if it is listed.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview_of(&self, owner: Owner, copy: &CopySelector) -> Result<Option<String>, IndexError> {
        let Some(Seen { copy, .. }) = self.seen(owner, copy).await? else { return Ok(None) };
        self.reader.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::overview_of(connection, owner, &copy))).await
    }

    /// Listed jobs by state: for `/overview`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_states(&self) -> Result<Vec<(String, u64)>, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::job_states(connection, &scope))).await
    }

    /// Ids and states of listed jobs, newest first: for `/jobs`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_ids(&self) -> Result<Vec<(JobId, String)>, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.read_in(Lane::Lists, move |shared| shared.pool.read(|connection| sqlite::job_ids(connection, &scope))).await
    }

    /// The numbers of listed items, from memory, for all directories, whatever the scope.
    #[must_use]
    pub fn listed(&self) -> Listed {
        self.reader.listed()
    }

    /// Figures from memory or cheap queries. Bytes and evictions cover the whole index, whatever the scope.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn figures(&self) -> Result<Figures, IndexError> {
        let scope = Arc::clone(&self.scope);
        let counted = self.reader.read_in(Lane::Figures, move |shared| {
            let figures = shared.pool.read(|connection| sqlite::figures(connection, &scope, shared.counters.listed()))?;
            Ok(Figures { evictions: shared.counters.evictions.load(Ordering::Relaxed), ..figures })
        });
        counted.await
    }

    /// Number of recorded problems by directory and code, of directories that are wholly in the scope.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problem_counts(&self) -> Result<Vec<(DirectoryUrl, ProblemCode, u64)>, IndexError> {
        let mut counts = self.reader.read_in(Lane::Figures, |shared| shared.pool.read(sqlite::problem_counts)).await?;
        counts.retain(|(directory, ..)| self.scope.admits(directory.as_str()));
        Ok(counts)
    }

    /// Reads the next piece of a document that [`ScopedReader::document`] has found, from `position` on: at most `limit` bytes, and
    /// at most 256 KiB. Holds nothing between calls.
    ///
    /// # Errors
    /// [`IndexError::Damaged`]; [`IndexError::Failed`] if the archive was replaced since the document was found.
    pub async fn document_piece(&self, document: &Document, position: u64, limit: usize) -> Result<Bytes, IndexError> {
        let document = document.clone();
        self.reader
            .read_in(Lane::Point, move |shared| {
                if position == 0 {
                    shared.note_read(document.pack);
                }
                let chunk = shared.pool.read(|connection| sqlite::chunk(connection, &document, position, limit));
                if matches!(chunk, Err(SqliteError::Index(IndexError::Damaged(_)))) {
                    shared.note_damage(document.pack);
                }
                chunk
            })
            .await
    }
}
