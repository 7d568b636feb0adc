//! Errors of operations on archive directories.

use std::fmt::Display;
use std::io;

/// Error of an operation on an archive directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DirectoryError {
    /// The kind of failure.
    pub kind: DirectoryErrorKind,
    /// A sentence: what failed, where, and what to do. It contains no credentials.
    pub message: String,
}

/// Kinds of failure of an archive directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DirectoryErrorKind {
    /// The file does not exist.
    NotFound,
    /// Permissions or credentials are missing.
    Denied,
    /// The path or an option is invalid, is not a regular file, or is a link out of the root.
    Refused,
    /// The store is unreachable or failed. A retry may succeed.
    Unavailable,
}

impl DirectoryError {
    pub(super) fn new(kind: DirectoryErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(DirectoryErrorKind::Refused, message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(DirectoryErrorKind::Unavailable, message)
    }

    /// An error of the file system. `doing` is a verb (`read`, `list`), `what` the file or folder.
    pub(super) fn io(doing: &str, what: &dyn Display, error: &io::Error) -> Self {
        let (kind, hint) = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (DirectoryErrorKind::NotFound, ""),
            io::ErrorKind::PermissionDenied => (DirectoryErrorKind::Denied, "; grant this permission to the user of the history server"),
            _ => (DirectoryErrorKind::Unavailable, ""),
        };
        Self::new(kind, format!("cannot {doing} {what}: {error}{hint}"))
    }

    /// The receiver of a listing is closed, so that the rest of the listing cannot be sent.
    pub(super) fn receiver_closed() -> Self {
        Self::unavailable("the listing was stopped before its end")
    }
}
