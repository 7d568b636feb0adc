//! What goes wrong inside, and the sentence it becomes outside.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::data_directory::DataDirectoryError;
use crate::index::error::IndexError;
use crate::pack::Damaged;

/// A failure inside of the index.
#[derive(Debug)]
pub(in crate::index) enum SqliteError {
    /// Of SQLite, still without the name of the data directory.
    Sqlite(rusqlite::Error),
    /// Already told.
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
    /// The failure as callers see it.
    pub(in crate::index) fn told(self, data_directory: &Path) -> IndexError {
        let error = match self {
            Self::Index(error) => return error,
            Self::Sqlite(error) => error,
        };
        let place = format!("the data directory {} (historyserver.data.dir)", data_directory.display());
        let served = "what is indexed is served meanwhile";
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => {
                IndexError::Unwritable(format!("{place} is full: free some space or lower historyserver.cache.max-size; {served}"))
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
                "the index in {place} holds something that was not written ({error}), so that its disk may be failing: it is mended from \
                 the archives if that is possible, and otherwise a restart moves it aside and builds a new one"
            )),
            _ => IndexError::Failed(format!("the index in {place} failed: {error}")),
        }
    }

    /// Whether a statement was interrupted.
    pub(in crate::index) fn is_interruption(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
    }

    /// Whether the file itself is damaged: SQLite says so, or it holds what this server does not write.
    pub(in crate::index) fn is_damage(&self) -> bool {
        match self {
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) || is_unexpected(error)
            }
            Self::Index(_) => false,
        }
    }
}

/// Whether a value is not of the kind that this server writes there: text that is not UTF-8, another type, a number out of range, an id
/// of another length, a row that is always there and is not. Or a statement does not fit the tables.
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
