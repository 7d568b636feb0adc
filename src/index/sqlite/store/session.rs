//! One act of the writer within a transaction, and its effects after the commit.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::archive::Owner;
use crate::index::error::IndexError;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::stamps::Slot;
use crate::names::DirectoryUrl;

/// Effects of a transaction so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::index::sqlite) struct Effects {
    /// The content of a list changed.
    pub(in crate::index::sqlite) lists: bool,
    /// The result of `known` changed.
    pub(in crate::index::sqlite) known: bool,
    /// Packs that were restored for a waiting client.
    pub(in crate::index::sqlite) restored: Vec<i64>,
    /// Packs evicted and packs forgotten with their unit.
    pub(in crate::index::sqlite) evictions: u64,
}

/// The writing connection within a transaction.
pub(in crate::index) struct Session<'c> {
    pub(in crate::index::sqlite) connection: &'c Connection,
    pub(in crate::index::sqlite) effects: Effects,
    /// Owners whose documents may have changed, with those of acts that failed.
    changed: Vec<Slot>,
    directories: &'c HashMap<DirectoryUrl, i64>,
    /// The error for which SQLite rolled back the whole transaction.
    given_up: Option<rusqlite::ffi::Error>,
}

impl<'c> Session<'c> {
    pub(in crate::index::sqlite) fn new(connection: &'c Connection, directories: &'c HashMap<DirectoryUrl, i64>) -> Self {
        Self { connection, effects: Effects::default(), changed: Vec::new(), directories, given_up: None }
    }

    /// Notes that the documents of an owner, or the copy that answers for it, may have changed.
    pub(in crate::index::sqlite) fn note_changed(&mut self, owner: Owner) {
        self.changed.push(Slot::of(owner));
    }

    /// Owners whose documents may have changed.
    pub(in crate::index::sqlite) fn changed(&self) -> &[Slot] {
        &self.changed
    }

    /// Row id of a configured directory.
    pub(in crate::index::sqlite) fn directory(&self, url: &DirectoryUrl) -> Result<i64, SqliteError> {
        self.directories.get(url).copied().ok_or_else(|| {
            SqliteError::Index(IndexError::Failed(format!(
                "the archive directory {url} is not configured: add it to historyserver.archive.fs.dir"
            )))
        })
    }

    /// The error that ended the transaction for all its acts.
    pub(in crate::index::sqlite) fn given_up(&self) -> SqliteError {
        match self.given_up {
            Some(error) => SqliteError::Sqlite(rusqlite::Error::SqliteFailure(error, None)),
            None => IndexError::Failed("the transaction ended early".to_owned()).into(),
        }
    }

    /// Runs an act that leaves nothing behind when it fails.
    pub(in crate::index) fn whole<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, SqliteError>) -> Result<T, SqliteError> {
        let before = self.effects.clone();
        self.connection.prepare_cached("SAVEPOINT act")?.execute([])?;
        match act(self) {
            Ok(value) => {
                self.connection.prepare_cached("RELEASE act")?.execute([])?;
                Ok(value)
            }
            Err(failure) => {
                self.effects = before;
                // After some errors, a full disk among them, SQLite has rolled back the whole transaction by itself.
                if self.connection.is_autocommit() {
                    self.given_up = match &failure {
                        SqliteError::Sqlite(error) => error.sqlite_error().copied(),
                        SqliteError::Index(_) => None,
                    };
                } else {
                    self.connection.execute_batch("ROLLBACK TO act; RELEASE act")?;
                }
                Err(failure)
            }
        }
    }
}
