//! Errors of a round.

use crate::directory::DirectoryError;
use crate::index::IndexError;

/// The reason why the round of a directory ended without a conclusion.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error("the archive directory could not be listed")]
    Listing(#[source] DirectoryError),
    #[error("the index could not be read or written")]
    Index(#[from] IndexError),
    /// A fault of this program; its message is in the log.
    #[error("the refresh ended by a fault of the program")]
    Panicked,
    #[error("the server is shutting down")]
    Stopped,
}
