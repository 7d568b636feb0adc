//! What is read of the index beside lists, within a scope: problems, removals, documents and archive files.

use crate::archive::Owner;
use crate::index::error::IndexError;
use crate::index::model::{
    CopySelector, Deletion, DocumentAnswer, DocumentList, DocumentPage, HeldCleanup, Page, Pending, PendingRemoval, ProblemFilter,
    UnitArchives, Unread,
};
use crate::index::query::{ListKind, Total};
use crate::index::reader::ScopedReader;
use crate::problem::Problem;

impl ScopedReader {
    /// Problems on record, oldest first, from a cursor on, with their number.
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
        self.reader.problem_page(filter, cursor, limit).await
    }

    /// What the next cleanups remove, from a cursor on. A page may have fewer rows than asked for, even none, and still lead on.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn pending_removals(&self, cursor: Option<String>, limit: usize) -> Result<Page<PendingRemoval>, IndexError> {
        let mut page = self.reader.pending_removals(Pending::All, cursor, limit).await?;
        page.rows.retain(|row| self.scope.admits(&row.expiry.key.directory().to_string()));
        Ok(page)
    }

    /// The record of removals, newest first, from a cursor on. A page may have fewer rows than asked for, even none, and still lead on.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn deletions(&self, cursor: Option<String>, limit: usize) -> Result<Page<Deletion>, IndexError> {
        let mut page = self.reader.deletions(cursor, limit).await?;
        page.rows.retain(|row| self.scope.admits(&row.key.directory().to_string()));
        Ok(page)
    }

    /// Cleanups that the guard holds back.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn held_cleanups(&self) -> Result<Vec<HeldCleanup>, IndexError> {
        let mut held = self.reader.held_cleanups().await?;
        held.retain(|held| self.scope.admits(&held.directory.to_string()));
        Ok(held)
    }

    /// Where a document is.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn document(&self, owner: Owner, path: &str, copy: &CopySelector) -> Result<DocumentAnswer, IndexError> {
        match self.seen(owner, copy).await? {
            Some(copy) => self.reader.document(owner, path, &copy).await,
            None => Ok(self.unread(owner, copy).await?.map_or(DocumentAnswer::Unknown, DocumentAnswer::Unreadable)),
        }
    }

    /// Documents of an owner.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn document_page(&self, page: DocumentPage) -> Result<DocumentList, IndexError> {
        match self.seen(page.owner, &page.copy).await? {
            Some(copy) => self.reader.document_page(DocumentPage { copy, ..page }).await,
            None => Ok(self.unread(page.owner, &page.copy).await?.map_or(DocumentList::Unknown, DocumentList::Unreadable)),
        }
    }

    /// The archive files of an owner.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_archives(&self, owner: Owner, copy: &CopySelector) -> Result<Option<UnitArchives>, IndexError> {
        match self.seen(owner, copy).await? {
            Some(copy) => self.reader.unit_archives(owner, &copy).await,
            None => Ok(None),
        }
    }

    /// Why nothing is known of an owner, if that is because its archive could not be read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unread(&self, owner: Owner, copy: &CopySelector) -> Result<Option<Unread>, IndexError> {
        let found = self.reader.unread(owner, copy).await?;
        Ok(found.filter(|unread| self.scope.admits(unread.unit.directory().as_str())))
    }

    /// The copy that is meant, among those that can be seen.
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
