//! Failures of the index.

use crate::data_directory::DataDirectoryError;

/// Failure of the index.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The data directory cannot take more: full, read-only, gone. What is indexed is still served.
    #[error("{0}")]
    Unwritable(String),
    /// The file belongs to a newer version of this server.
    #[error("{0}")]
    NewerSchema(String),
    /// Another process owns the data directory.
    #[error("{0}")]
    Owned(String),
    /// A stored pack or the file is damaged.
    #[error("{0}")]
    Damaged(String),
    /// The cursor of a page is damaged, or belongs to another list, filter or sort.
    #[error("the cursor is not valid for this list, filter and sort: start again without it")]
    InvalidCursor,
    /// Too many reads that take long wait already, or this one has waited too long.
    #[error("too many requests of this kind are waiting")]
    Busy,
    /// A read took longer than it may, and was interrupted.
    #[error("reading took longer than it may")]
    TookTooLong,
    /// The writer has been shut down.
    #[error("the index is closed")]
    Closed,
    /// Anything else; the text is for the log.
    #[error("{0}")]
    Failed(String),
}

impl From<DataDirectoryError> for IndexError {
    fn from(error: DataDirectoryError) -> Self {
        match error {
            DataDirectoryError::Owned(sentence) => Self::Owned(sentence),
            DataDirectoryError::Unwritable(sentence) => Self::Unwritable(sentence),
        }
    }
}
