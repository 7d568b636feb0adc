//! Why an operation on an archive directory failed.

use std::fmt::Display;
use std::io;

/// Why an operation on an archive directory failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct DirectoryError {
    /// What kind of failure, for the decision what to do next.
    pub kind: DirectoryErrorKind,
    /// A sentence: what, where, what to do. Free of credentials.
    pub message: String,
}

/// Kinds of failure of an archive directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum DirectoryErrorKind {
    /// The file is not there.
    NotFound,
    /// The store refuses: permissions or credentials.
    Denied,
    /// Links out of the root, not a regular file, a path or an option that cannot be meant.
    Refused,
    /// The store cannot be reached or failed; worth another try.
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

    /// An error of the file system: `doing` says what was tried (`read`, `list`), `what` with which file or folder.
    pub(super) fn io(doing: &str, what: &dyn Display, error: &io::Error) -> Self {
        let (kind, hint) = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (DirectoryErrorKind::NotFound, ""),
            io::ErrorKind::PermissionDenied => {
                (DirectoryErrorKind::Denied, "; give the user that the history server runs as permission to do so")
            }
            _ => (DirectoryErrorKind::Unavailable, ""),
        };
        Self::new(kind, format!("cannot {doing} {what}: {error}{hint}"))
    }

    /// The receiver of a listing went away, so that the rest of it was not sent.
    pub(super) fn nobody_listens() -> Self {
        Self::unavailable("the listing was stopped before its end")
    }
}
