//! The reading handle within a scope.

mod contents;
mod flink_lists;

use std::sync::Arc;

use crate::index::error::IndexError;
use crate::index::model::CopySelector;
use crate::index::query::{
    Copies, FacetQuery, Facets, ListKind, ListPage, ListQuery, RunFigures, Scope, SearchPage, SearchQuery, Statistics, StatisticsQuery,
};
use crate::index::reader::IndexReader;
use crate::index::sqlite;
use crate::index::sqlite::store::pool::Lane;
use crate::index::walks::{Kind, Patience};

/// Reads the index within a [`Scope`]. Each answer comes from one snapshot.
#[derive(Clone)]
pub struct ScopedReader {
    reader: IndexReader,
    scope: Arc<Scope>,
}

impl IndexReader {
    /// Limits the handle to a scope.
    #[must_use]
    pub fn scoped(&self, scope: impl Into<Arc<Scope>>) -> ScopedReader {
        ScopedReader { reader: self.clone(), scope: scope.into() }
    }

    /// This handle for a client that may see every directory.
    #[must_use]
    pub fn everything(&self) -> ScopedReader {
        self.scoped(Scope::everything())
    }
}

impl ScopedReader {
    /// A page of a list.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`]: the cursor is damaged, or of another filter or sort; and others.
    pub async fn page(&self, query: ListQuery) -> Result<ListPage, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(Kind::List, Patience::Refuse, move |connection| sqlite::list_page(connection, &scope, &query)).await
    }

    /// A page of a list whose rows have [`RunFacts`](crate::index::query::RunFacts).
    ///
    /// # Errors
    /// As of [`ScopedReader::page`].
    pub async fn page_with_run_facts(&self, query: ListQuery) -> Result<ListPage, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(Kind::List, Patience::Refuse, move |connection| sqlite::list_page_with_run_facts(connection, &scope, &query)).await
    }

    /// A page of a list, with figures of each of its rows.
    ///
    /// # Errors
    /// As of [`ScopedReader::page`].
    pub async fn runs(&self, query: ListQuery) -> Result<(ListPage, Vec<RunFigures>), IndexError> {
        self.run_page(Kind::History, Patience::Refuse, query).await
    }

    /// The same for an export. Pages after the first one wait for their turn and are never refused.
    ///
    /// # Errors
    /// As of [`ScopedReader::page`].
    pub async fn exported(&self, query: ListQuery) -> Result<(ListPage, Vec<RunFigures>), IndexError> {
        let patience = if query.cursor.is_some() { Patience::Wait } else { Patience::Refuse };
        self.run_page(Kind::Export, patience, query).await
    }

    async fn run_page(&self, kind: Kind, patience: Patience, query: ListQuery) -> Result<(ListPage, Vec<RunFigures>), IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(kind, patience, move |connection| sqlite::run_page(connection, &scope, &query)).await
    }

    /// Counts of a list.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn facets(&self, query: FacetQuery) -> Result<Facets, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(Kind::Facets, Patience::Refuse, move |connection| sqlite::facets(connection, &scope, &query)).await
    }

    /// Statistics of a range of time.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn statistics(&self, query: StatisticsQuery) -> Result<Statistics, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(Kind::Statistics, Patience::Refuse, move |connection| sqlite::statistics(connection, &scope, &query)).await
    }

    /// One application or job by id, in the copy that precedence or `copy` selects, with all its copies. `None`: it does not exist.
    ///
    /// # Errors
    /// [`IndexError`].
    pub async fn copies(&self, kind: ListKind, id: [u8; 16], copy: CopySelector) -> Result<Option<Copies>, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader
            .read_in(Lane::Point, move |shared| shared.pool.read(|connection| sqlite::copies(connection, &scope, kind, id, &copy)))
            .await
    }

    /// A page of found items.
    ///
    /// # Errors
    /// [`IndexError::InvalidCursor`]: the cursor is damaged, or of another search; and others.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage, IndexError> {
        let scope = Arc::clone(&self.scope);
        self.reader.walk(Kind::Search, Patience::Refuse, move |connection| sqlite::search(connection, &scope, &query)).await
    }
}
