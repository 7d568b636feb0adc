//! Reads of problems, removals, documents and archive files within a scope.

use bytes::Bytes;

use crate::archive::Owner;
use crate::index::error::IndexError;
use crate::index::model::{
    CopySelector, Deletion, DocumentAnswer, DocumentBeginning, DocumentList, DocumentPage, HeldCleanup, Page, ProblemFilter,
    RecordedRemoval, RemovalFilter, UnitArchives, Unread, Validity,
};
use crate::index::query::{ListKind, Total};
use crate::index::reader::ScopedReader;
use crate::index::sqlite;
use crate::index::sqlite::store::pool::Lane;
use crate::problem::Problem;

impl ScopedReader {
    /// Recorded problems after a cursor, oldest first, with their number.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn problem_page(
        &self,
        mut filter: ProblemFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<(Page<Problem>, Total), IndexError> {
        let Some(directories) = self.scope.narrowed(&filter.directories) else {
            return Ok((Page { rows: Vec::new(), next: None }, Total { count: 0, exact: true }));
        };
        filter.directories = directories;
        self.reader
            .read_in(Lane::Lists, move |shared| {
                shared.pool.read(|connection| sqlite::problem_page(connection, &filter, cursor.as_deref(), limit))
            })
            .await
    }

    /// Removals of the next cleanups after a cursor. A page may have fewer rows than requested, or no rows, and still have a next page.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn removals(&self, cursor: Option<String>, limit: usize) -> Result<Page<RecordedRemoval>, IndexError> {
        let mut page = self.reader.removals(RemovalFilter::All, cursor, limit).await?;
        page.rows.retain(|row| self.scope.admits(&row.removal.key.directory().to_string()));
        Ok(page)
    }

    /// Finished removals after a cursor, newest first. A page may have fewer rows than requested, or no rows, and still have a next page.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn deletions(&self, cursor: Option<String>, limit: usize) -> Result<Page<Deletion>, IndexError> {
        let mut page = self.reader.deletions(cursor, limit).await?;
        page.rows.retain(|row| self.scope.admits(&row.key.directory().to_string()));
        Ok(page)
    }

    /// Cleanups that the guard holds.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn held_cleanups(&self) -> Result<Vec<HeldCleanup>, IndexError> {
        let mut held = self.reader.held_cleanups().await?;
        held.retain(|held| self.scope.admits(&held.directory.to_string()));
        Ok(held)
    }

    /// The location of a document.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn document(&self, owner: Owner, path: &str, copy: &CopySelector) -> Result<DocumentAnswer, IndexError> {
        self.document_beginning(owner, &[path.to_owned()], copy, 0).await.map(|beginning| beginning.answer)
    }

    /// The location of the first of these paths that the archive holds, and up to `limit` bytes of that document (at most 256 KiB), from
    /// one snapshot. The rest is read with [`ScopedReader::document_piece`].
    ///
    /// # Errors
    /// [`IndexError`]; [`IndexError::Damaged`] if the bytes cannot be unpacked.
    pub async fn document_beginning(
        &self,
        owner: Owner,
        paths: &[String],
        copy: &CopySelector,
        limit: usize,
    ) -> Result<DocumentBeginning, IndexError> {
        let Some(seen) = self.seen(owner, copy).await? else {
            let answer = self.unread(owner, copy).await?.map_or(DocumentAnswer::Unknown, DocumentAnswer::Unreadable);
            return Ok(DocumentBeginning { answer, path: 0, text: Bytes::new(), validity: None });
        };
        let paths = paths.to_vec();
        self.reader.read_in(Lane::Point, move |shared| sqlite::beginning(shared, owner, &paths, &seen, limit)).await
    }

    /// Whether a document that was read earlier, of the copy that precedence selects, is still the answer of the index for this reader.
    /// Reads no rows. Counts as a read of the document for the order of evictions.
    #[must_use]
    pub fn is_valid(&self, validity: &Validity) -> bool {
        let valid = self.scope.is_everything() && self.reader.shared.stamps.is_current(validity.stamp);
        if valid {
            self.reader.shared.note_read(validity.pack);
        }
        valid
    }

    /// The validity of a document that is read now, for tests of what keeps documents.
    #[cfg(test)]
    pub(crate) fn validity(&self, owner: Owner) -> Validity {
        Validity { stamp: self.reader.shared.stamps.now(owner), pack: 0 }
    }

    /// Documents of an owner.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn document_page(&self, page: DocumentPage) -> Result<DocumentList, IndexError> {
        let Some(copy) = self.seen(page.owner, &page.copy).await? else {
            return Ok(self.unread(page.owner, &page.copy).await?.map_or(DocumentList::Unknown, DocumentList::Unreadable));
        };
        let page = DocumentPage { copy, ..page };
        self.reader.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::document_page(connection, &page))).await
    }

    /// The archive files of an owner.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_archives(&self, owner: Owner, copy: &CopySelector) -> Result<Option<UnitArchives>, IndexError> {
        let Some(copy) = self.seen(owner, copy).await? else { return Ok(None) };
        self.reader.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_archives(connection, owner, &copy))).await
    }

    /// The reason why an owner is unknown, if its archive could not be read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unread(&self, owner: Owner, copy: &CopySelector) -> Result<Option<Unread>, IndexError> {
        let copy = copy.clone();
        let found =
            self.reader.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unread(connection, owner, &copy))).await?;
        Ok(found.filter(|unread| self.scope.admits(unread.unit.directory().as_str())))
    }

    /// The selected copy, among those in the scope.
    pub(super) async fn seen(&self, owner: Owner, copy: &CopySelector) -> Result<Option<CopySelector>, IndexError> {
        if self.scope.is_everything() {
            return Ok(Some(copy.clone()));
        }
        let (kind, id) = match &owner {
            Owner::Application(id) => (ListKind::Applications, *id.as_bytes()),
            Owner::Job(id) => (ListKind::Jobs, *id.as_bytes()),
        };
        let found = self.copies(kind, id, copy.clone()).await?;
        Ok(found.map(|found| CopySelector { directory: Some(found.item.directory), cluster: Some(found.item.cluster.unwrap_or_default()) }))
    }
}
