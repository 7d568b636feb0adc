//! The reading handle.

mod backfill;
mod contents;
mod removals;
mod scoped;

pub use scoped::ScopedReader;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::query::Scope;
use super::sqlite::{self, Connection};
use super::walks::{Kind, Over, Patience};
use crate::archive::Owner;
use crate::directory::FoundFile;
use crate::ids::JobId;
use crate::index::error::IndexError;
use crate::index::model::{CopySelector, Document, DocumentAnswer, Figures, Generation, KnownDirectory, Listed, OverviewList, UnitKey};
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::pool::Lane;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::names::{ClusterName, DirectoryUrl};
use crate::problem::Problem;

/// Reads the index. Cheap to clone; never waits for the writer.
#[derive(Clone)]
pub struct IndexReader {
    shared: Arc<IndexState>,
}

impl IndexReader {
    pub(in crate::index) fn new(shared: Arc<IndexState>) -> Self {
        Self { shared }
    }

    /// All that is known of a directory.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn known(&self, directory: &DirectoryUrl) -> Result<KnownDirectory, IndexError> {
        let url = directory.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::known(connection, &url))).await
    }

    /// Waits until the data directory, or a file in it, is found deleted or replaced by somebody; the error says what, and that nothing
    /// is written any more.
    pub async fn data_directory_lost(&self) -> IndexError {
        self.shared.until_lost().await
    }

    /// Counter that changes whenever [`IndexReader::known`] of any directory would answer differently. Not stored.
    #[must_use]
    pub fn known_version(&self) -> u64 {
        self.shared.counters.known.load(Ordering::Acquire)
    }

    /// See [`Generation`]. Reads no rows.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.shared.generation()
    }

    /// See [`Listed`]. Reads no rows.
    #[must_use]
    pub fn listed(&self) -> Listed {
        self.shared.counters.listed()
    }

    /// Gives the objects of a merged overview to `row`, newest first, until it breaks off; all from one snapshot, whose generation is
    /// the answer.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview(
        &self,
        list: OverviewList,
        row: impl FnMut(&str) -> ControlFlow<()> + Send + 'static,
    ) -> Result<Generation, IndexError> {
        self.scoped(Scope::everything()).overview(list, row).await
    }

    /// The archived overview object of one copy, by precedence, if it is listed.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn overview_of(&self, owner: Owner, copy: &CopySelector) -> Result<Option<String>, IndexError> {
        let copy = copy.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::overview_of(connection, owner, &copy))).await
    }

    /// Listed jobs by state: for `/overview`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_states(&self) -> Result<Vec<(String, u64)>, IndexError> {
        self.scoped(Scope::everything()).job_states().await
    }

    /// Ids and states of listed jobs, newest first: for `/jobs`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn job_ids(&self) -> Result<Vec<(JobId, String)>, IndexError> {
        self.scoped(Scope::everything()).job_ids().await
    }

    /// Finds the document with this path of this owner, in the copy that precedence or `copy` names.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn document(&self, owner: Owner, path: &str, copy: &CopySelector) -> Result<DocumentAnswer, IndexError> {
        let (path, copy) = (path.to_owned(), copy.clone());
        self.read_in(Lane::Point, move |shared| sqlite::document(shared, owner, &path, &copy)).await
    }

    /// Reads the next chunk of a document, from `position` on: at most 256 KiB. Holds nothing between calls.
    ///
    /// # Errors
    /// [`IndexError::Damaged`]; [`IndexError::Failed`] when the archive was replaced meanwhile.
    pub async fn document_chunk(&self, document: &Document, position: u64) -> Result<Bytes, IndexError> {
        self.document_piece(document, position, usize::MAX).await
    }

    /// The same, of at most so many bytes.
    ///
    /// # Errors
    /// As there.
    pub async fn document_piece(&self, document: &Document, position: u64, most: usize) -> Result<Bytes, IndexError> {
        let document = document.clone();
        self.read_in(Lane::Point, move |shared| {
            if position == 0 {
                shared.note_read(document.pack);
            }
            let chunk = shared.pool.read(|connection| sqlite::chunk(connection, &document, position, most));
            if matches!(chunk, Err(SqliteError::Index(IndexError::Damaged(_)))) {
                shared.note_damage(document.pack);
            }
            chunk
        })
        .await
    }

    /// Problems on record, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problems(&self, limit: usize) -> Result<Vec<Problem>, IndexError> {
        self.read(move |shared| shared.pool.read(|connection| sqlite::list_problems(connection, limit))).await
    }

    /// Figures, from memory or cheap queries.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn figures(&self) -> Result<Figures, IndexError> {
        self.scoped(Scope::everything()).figures().await
    }

    /// Where the archive files of a unit lie, for bringing it back: path, kind, and version as last tried; gone ones left out.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_files(&self, unit: &UnitKey) -> Result<Vec<FoundFile>, IndexError> {
        let unit = unit.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_files(connection, &unit))).await
    }

    /// Whether a directory held archives and now holds none at all, as far as its last listing tells.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn has_vanished(&self, directory: &DirectoryUrl) -> Result<bool, IndexError> {
        let directory = directory.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::has_vanished(connection, &directory))).await
    }

    /// Clusters of a directory that hold, or held, applications.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn clusters(&self, directory: &DirectoryUrl) -> Result<Vec<ClusterName>, IndexError> {
        let directory = directory.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::clusters(connection, &directory))).await
    }

    /// Reads for the server's own work: what others wait for has lanes of its own.
    pub(in crate::index) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&IndexState) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        self.read_in(Lane::Upkeep, query).await
    }

    /// Reads in a lane, which has few places at a time.
    pub(in crate::index) async fn read_in<T: Send + 'static>(
        &self,
        lane: Lane,
        query: impl FnOnce(&IndexState) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let permit = self.shared.pool.permit(lane).await?;
        let shared = self.shared.clone();
        crate::tasks::spawn_blocking(move || {
            let result = query(&shared).map_err(|failure| shared.told(failure));
            drop(permit);
            result
        })
        .await
    }

    /// Looks at many rows from one snapshot, when it is the turn of this kind. Ends early when it takes too long, or when this is dropped.
    pub(in crate::index) async fn walk<T: Send + 'static>(
        &self,
        kind: Kind,
        patience: Patience,
        query: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let shared = self.shared.clone();
        let read = move |over: Over| shared.pool.read_until(move || over.is_over(), query).map_err(|failure| shared.told(failure));
        self.shared.walks.run(kind, patience, read).await?
    }
}
