//! The error type of the index.

use crate::data_directory::DataDirectoryError;

/// The error of every act and read of the index.
///
/// One failed commit fails all acts of its batch, so an error is cloned; its sentence therefore holds the text of its cause, and names
/// the directory or file and what to do. Callers distinguish these cases:
///
/// | variants | returned by | what a caller does |
/// | --- | --- | --- |
/// | [`NewerSchema`](Self::NewerSchema), [`Owned`](Self::Owned) | [`open`](super::open) | ends the program with the sentence |
/// | [`Unwritable`](Self::Unwritable) | [`open`](super::open), acts | at the start as above; later tries again with the next refresh |
/// | [`Damaged`](Self::Damaged) | acts and reads | answers 500; a damaged pack is dropped and its archive read again |
/// | [`InvalidCursor`](Self::InvalidCursor) | reads of pages | answers 400 |
/// | [`Busy`](Self::Busy), [`TookTooLong`](Self::TookTooLong) | reads of many rows | answers 503; the client tries again |
/// | [`Closed`](Self::Closed) | acts and reads | stops: the server is shutting down |
/// | [`Failed`](Self::Failed) | all | logs the sentence; a refresh tries again |
///
/// An act that returns an error has changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The data directory cannot be written: it is full, read-only or lost. Indexed applications are still served.
    #[error("{0}")]
    Unwritable(String),
    /// The index file belongs to a newer version of this server.
    #[error("{0}")]
    NewerSchema(String),
    /// Another process owns the data directory.
    #[error("{0}")]
    Owned(String),
    /// A stored pack or the index file is damaged.
    #[error("{0}")]
    Damaged(String),
    /// The cursor of a page is damaged, or belongs to another list, filter or sort.
    #[error("this cursor does not lead to a page: begin again without one")]
    InvalidCursor,
    /// Too many long reads wait already, or this one has waited too long.
    #[error("too many requests of this kind are waiting")]
    Busy,
    /// A read exceeded its time limit and was interrupted.
    #[error("the read exceeded its time limit (historyserver.web.query-timeout)")]
    TookTooLong,
    /// The writer was shut down.
    #[error("the index is closed")]
    Closed,
    /// Any other failure. The sentence is for the log.
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
