//! Errors below the index, and the [`IndexError`] that callers get for them.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::data_directory::DataDirectoryError;
use crate::index::error::IndexError;
use crate::pack::Damaged;

/// An error of SQLite, or one that is already as callers get it.
#[derive(Debug)]
pub(in crate::index) enum SqliteError {
    /// An error of SQLite. It does not name the data directory yet.
    Sqlite(rusqlite::Error),
    /// An error that is returned as it is.
    Index(IndexError),
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<IndexError> for SqliteError {
    fn from(error: IndexError) -> Self {
        Self::Index(error)
    }
}

impl From<DataDirectoryError> for SqliteError {
    fn from(error: DataDirectoryError) -> Self {
        Self::Index(error.into())
    }
}

impl From<Damaged> for SqliteError {
    fn from(error: Damaged) -> Self {
        Self::Index(IndexError::Damaged(error.to_string()))
    }
}

impl SqliteError {
    /// The error for callers: a sentence that names the data directory and says what to do.
    pub(in crate::index) fn into_index_error(self, data_directory: &Path) -> IndexError {
        let error = match self {
            Self::Index(error) => return error,
            Self::Sqlite(error) => error,
        };
        let place = format!("the data directory {} (historyserver.data.dir)", data_directory.display());
        let served = "indexed applications are still served";
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                IndexError::Unwritable(format!("{place} is full: free some space, or lower historyserver.cache.max-size; {served}"))
            }
            Some(
                ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen | ErrorCode::AuthorizationForStatementDenied,
            ) => IndexError::Unwritable(format!("{place} cannot be written: make it writable for this process ({error}); {served}")),
            Some(ErrorCode::SystemIoFailure | ErrorCode::FileLockingProtocolFailed | ErrorCode::NoLargeFileSupport) => {
                IndexError::Unwritable(format!("{place} fails to read or write: check its disk and free space ({error}); {served}"))
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => IndexError::Damaged(format!(
                "the index in {place} is damaged ({error}): a restart moves it aside and builds a new one from the archives"
            )),
            _ if is_unexpected(&error) => IndexError::Damaged(format!(
                "the index in {place} holds values that this server did not write ({error}), so its disk may be failing: check the disk. The \
                 values are repaired from the archives if that is possible; otherwise a restart builds a new index"
            )),
            _ => IndexError::Failed(format!("the index in {place} failed: {error}")),
        }
    }

    /// Whether a statement was interrupted.
    pub(in crate::index) fn is_interruption(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
    }

    /// Whether the file itself is damaged: SQLite reports it, or it holds values that this server does not write.
    pub(in crate::index) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) || is_unexpected(error)
            }
            Self::Index(_) => false,
        }
    }
}

/// Whether a value is not of the kind that this server writes: text that is not UTF-8, another type, a number out of range, an id of
/// another length, a required row that is missing; or whether a statement does not fit the tables.
fn is_unexpected(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
            | Error::QueryReturnedNoRows
            | Error::SqlInputError { .. }
    )
}
