//! The reading handle.

mod backfill;
mod removals;
mod scoped;

pub use scoped::ScopedReader;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::sqlite::{self, Connection};
use super::walks::{Kind, Over, Patience};
use crate::archive::Owner;
use crate::directory::FoundFile;
use crate::index::error::IndexError;
use crate::index::model::{Generation, KnownDirectory, Listed, UnitKey};
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::pool::Lane;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::names::{ClusterName, DirectoryUrl};

/// Reads the index. Cheap to clone; never waits for the writer.
#[derive(Clone)]
pub struct IndexReader {
    shared: Arc<IndexState>,
}

impl IndexReader {
    pub(in crate::index) fn new(shared: Arc<IndexState>) -> Self {
        Self { shared }
    }

    /// The state of a directory in the index.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn known(&self, directory: &DirectoryUrl) -> Result<KnownDirectory, IndexError> {
        let url = directory.clone();
        self.read(move |shared| shared.pool.read(|connection| sqlite::known(connection, &url))).await
    }

    /// Waits until the data directory, or a file in it, is found deleted or replaced. Returns the error that says which; from then on
    /// nothing is written.
    pub async fn data_directory_lost(&self) -> IndexError {
        self.shared.until_lost().await
    }

    /// Counter that changes whenever the result of [`IndexReader::known`] changes for any directory. Not stored.
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

    /// The present archive files of a unit, to fetch them again: path, kind, and last tried version.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_files(&self, unit: &UnitKey) -> Result<Vec<FoundFile>, IndexError> {
        let unit = unit.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_files(connection, &unit))).await
    }

    /// Whether a document of an application or job can be answered to a client that may see everything.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn is_indexed(&self, owner: Owner) -> Result<bool, IndexError> {
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::is_indexed(connection, owner))).await
    }

    /// Whether a directory held archives, and its last listing found none.
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

    /// Reads for the server's own work. Reads that clients wait for have other lanes.
    pub(in crate::index) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&IndexState) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        self.read_in(Lane::Upkeep, query).await
    }

    /// Reads in a lane, which has a limit of concurrent reads.
    pub(in crate::index) async fn read_in<T: Send + 'static>(
        &self,
        lane: Lane,
        query: impl FnOnce(&IndexState) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let permit = self.shared.pool.permit(lane).await?;
        let shared = self.shared.clone();
        crate::tasks::spawn_blocking(move || {
            let result = query(&shared).map_err(|failure| shared.index_error(failure));
            drop(permit);
            result
        })
        .await
    }

    /// Reads many rows from one snapshot when it is the turn of this kind. Ends early if it takes too long or this future is dropped.
    pub(in crate::index) async fn walk<T: Send + 'static>(
        &self,
        kind: Kind,
        patience: Patience,
        query: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let shared = self.shared.clone();
        let read = move |over: Over| shared.pool.read_until(move || over.is_over(), query).map_err(|failure| shared.index_error(failure));
        self.shared.walks.run(kind, patience, read).await?
    }
}
