//! Names of archive directories, clusters and files, as types that cannot be confused.

mod host_pattern;
mod pattern;

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use host_pattern::HostPattern;
pub use pattern::Pattern;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, formatter)
            }
        }
    };
}

name! {
    /// Normalised URL of an archive directory, without credentials and without a trailing slash. It identifies the directory everywhere.
    DirectoryUrl
}
name! {
    /// Name of a cluster: Flink's `cluster.id`, 32 hex digits or any other name (`prod-eu`). It may have slashes (`team a/prod`),
    /// since it is the path of the cluster's folder below the root.
    ClusterName
}
name! {
    /// Path of a file below the root of its archive directory, as stored: segments joined by `/`, no leading slash.
    FilePath
}

impl ClusterName {
    /// Whether one of its folders has a hidden name. An index of an older version may contain such clusters.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        self.0.split('/').any(|segment| is_hidden(segment.as_bytes()))
    }

    /// The names of the folders above the cluster and its own: `a`, `a/b` and `a/b/c` of `a/b/c`.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| end).chain([self.0.len()]).map(|end| &self.0[..end])
    }
}

/// A name hashes as its text, so that maps can be searched by text.
impl Borrow<str> for ClusterName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Whether the name of a file or folder is hidden: it begins with `.` or `_`. Flink and Hadoop ignore hidden names, and so does this server.
#[must_use]
pub fn is_hidden(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'.' | b'_'))
}
