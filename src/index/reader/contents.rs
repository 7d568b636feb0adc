//! Reads of the contents of archives, and of problems, in pages.

use crate::archive::Owner;
use crate::index::error::IndexError;
use crate::index::model::{CopySelector, DocumentList, DocumentPage, Page, ProblemFilter, UnitArchives, Unread};
use crate::index::query::Total;
use crate::index::reader::IndexReader;
use crate::index::sqlite;
use crate::index::sqlite::store::pool::Lane;
use crate::names::DirectoryUrl;
use crate::problem::{Problem, ProblemCode};

impl IndexReader {
    /// Lists documents of an owner.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn document_page(&self, page: DocumentPage) -> Result<DocumentList, IndexError> {
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::document_page(connection, &page))).await
    }

    /// The archive files of the copy that answers for an owner; of a job only its own. `None`: nobody has heard of it.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_archives(&self, owner: Owner, copy: &CopySelector) -> Result<Option<UnitArchives>, IndexError> {
        let copy = copy.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_archives(connection, owner, &copy))).await
    }

    /// Why nothing is known of an owner, if that is because its archive could not be read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unread(&self, owner: Owner, copy: &CopySelector) -> Result<Option<Unread>, IndexError> {
        let copy = copy.clone();
        self.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unread(connection, owner, &copy))).await
    }

    /// Problems on record, oldest first, from a cursor on, with their number, which is counted up to ten thousand.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn problem_page(
        &self,
        filter: ProblemFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<(Page<Problem>, Total), IndexError> {
        self.read_in(Lane::Lists, move |shared| {
            shared.pool.read(|connection| sqlite::problem_page(connection, &filter, cursor.as_deref(), limit))
        })
        .await
    }

    /// Numbers of problems on record by directory and code.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn problem_counts(&self) -> Result<Vec<(DirectoryUrl, ProblemCode, u64)>, IndexError> {
        self.read_in(Lane::Figures, |shared| shared.pool.read(sqlite::problem_counts)).await
    }
}
