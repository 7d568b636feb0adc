//! Reads of problems, removals, documents and archive files within a scope.

use std::sync::Arc;

use bytes::Bytes;

use crate::archive::{Owner, is_configuration};
use crate::index::error::IndexError;
use crate::index::model::{
    CopySelector, Deletion, DocumentAnswer, DocumentBeginning, DocumentList, DocumentPage, HeldCleanup, Page, ProblemFilter,
    RecordedRemoval, RemovalFilter, ShownParts, UnitArchives, UnitKey, Unread, Validity,
};
use crate::index::query::{ListKind, Total};
use crate::index::reader::ScopedReader;
use crate::index::sqlite::store::index_state::IndexState;
use crate::index::sqlite::store::pool::Lane;
use crate::index::sqlite::{self, Seen};
use crate::problem::Problem;

impl ScopedReader {
    /// Recorded problems after a cursor, oldest first, with their number.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn problem_page(
        &self,
        filter: ProblemFilter,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<(Page<Problem>, Total), IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader
            .read_in(Lane::Lists, move |shared| {
                shared.pool.read(|connection| sqlite::problem_page(connection, &scope.view, &filter, cursor.as_deref(), limit))
            })
            .await
    }

    /// Removals of the next cleanups after a cursor. A page may have fewer rows than requested, or no rows, and still have a next page.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn removals(&self, cursor: Option<String>, limit: usize) -> Result<Page<RecordedRemoval>, IndexError> {
        let mut page = self.reader.removals(RemovalFilter::All, cursor, limit).await?;
        let units = page.rows.iter().map(|row| (row.removal.key.clone(), row.name.clone())).collect();
        page.rows = self.visible(page.rows, units).await?;
        Ok(page)
    }

    /// Finished removals after a cursor, newest first. A page may have fewer rows than requested, or no rows, and still have a next page.
    ///
    /// # Errors
    /// [`IndexError`], [`IndexError::InvalidCursor`] among them.
    pub async fn deletions(&self, cursor: Option<String>, limit: usize) -> Result<Page<Deletion>, IndexError> {
        let mut page = self.reader.deletions(cursor, limit).await?;
        let units = page.rows.iter().map(|row| (row.key.clone(), row.name.clone())).collect();
        page.rows = self.visible(page.rows, units).await?;
        Ok(page)
    }

    /// The rows whose units, each with the name that it had, are in the scope.
    async fn visible<T>(&self, rows: Vec<T>, units: Vec<(UnitKey, Option<String>)>) -> Result<Vec<T>, IndexError> {
        if self.scope.is_everything() {
            return Ok(rows);
        }
        let scope = Arc::clone(&self.scope);
        let read = move |shared: &IndexState| shared.pool.read(|connection| sqlite::are_visible(connection, &scope.view, &units));
        let visible = self.reader.read_in(Lane::Lists, read).await?;
        Ok(rows.into_iter().zip(visible).filter_map(|(row, visible)| visible.then_some(row)).collect())
    }

    /// Cleanups that the guard holds.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn held_cleanups(&self) -> Result<Vec<HeldCleanup>, IndexError> {
        let mut held = self.reader.held_cleanups().await?;
        held.retain(|held| self.scope.admits(held.directory.as_str()));
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
        let hidden = |path: &String| !seen.configuration && is_configuration(path);
        // Numbered as requested.
        let paths: Vec<String> = paths.iter().map(|path| if hidden(path) { String::new() } else { path.clone() }).collect();
        self.reader.read_in(Lane::Point, move |shared| sqlite::beginning(shared, owner, &paths, &seen.copy, limit)).await
    }

    /// Whether a document that was read earlier, of the copy that precedence selects, is still the answer of the index for this reader.
    /// Reads no rows. Counts as a read of the document for the order of evictions.
    #[must_use]
    pub fn is_valid(&self, validity: &Validity) -> bool {
        let valid = self.scope.is_unlimited() && self.reader.shared.stamps.is_current(validity.stamp);
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
        let Some(seen) = self.seen(page.owner, &page.copy).await? else {
            return Ok(self.unread(page.owner, &page.copy).await?.map_or(DocumentList::Unknown, DocumentList::Unreadable));
        };
        let page = DocumentPage { copy: seen.copy, ..page };
        let read = move |shared: &IndexState| shared.pool.read(|connection| sqlite::document_page(connection, &page));
        let mut found = self.reader.read_in(Lane::Point, read).await?;
        if let DocumentList::Page(_, page) = &mut found
            && !seen.configuration
        {
            page.rows.retain(|document| !is_configuration(&document.path));
        }
        Ok(found)
    }

    /// Which more of an owner the client may see than its lists and details. `None`: it does not exist for the client.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn shown_parts(&self, owner: Owner, copy: &CopySelector) -> Result<Option<ShownParts>, IndexError> {
        if self.scope.is_unlimited() {
            return Ok(Some(ShownParts { configuration: true, download: true }));
        }
        Ok(self.seen(owner, copy).await?.map(|seen| ShownParts { configuration: seen.configuration, download: seen.download }))
    }

    /// The archive files of an owner. `None`: there are none that the client may download.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unit_archives(&self, owner: Owner, copy: &CopySelector) -> Result<Option<UnitArchives>, IndexError> {
        let Some(Seen { copy, .. }) = self.seen(owner, copy).await?.filter(|seen| seen.download) else { return Ok(None) };
        self.reader.read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unit_archives(connection, owner, &copy))).await
    }

    /// The reason why an owner is unknown, if its archive could not be read.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn unread(&self, owner: Owner, copy: &CopySelector) -> Result<Option<Unread>, IndexError> {
        let (scope, copy) = (Arc::clone(&self.scope), copy.clone());
        self.reader
            .read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::unread(connection, &scope.view, owner, &copy)))
            .await
    }

    /// The selected copy, among those in the scope.
    pub(super) async fn seen(&self, owner: Owner, copy: &CopySelector) -> Result<Option<Seen>, IndexError> {
        if self.scope.is_unlimited() {
            return Ok(Some(Seen { copy: copy.clone(), configuration: true, download: true }));
        }
        let (kind, id) = match &owner {
            Owner::Application(id) => (ListKind::Applications, *id.as_bytes()),
            Owner::Job(id) => (ListKind::Jobs, *id.as_bytes()),
        };
        let (scope, copy) = (Arc::clone(&self.scope), copy.clone());
        self.reader
            .read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::seen(connection, &scope, kind, id, &copy)))
            .await
    }
}
