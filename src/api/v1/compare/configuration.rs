//! Configurations of two jobs, from their archived documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::flink::document;
use crate::api::http::error::ApiError;
use crate::api::state::Shared;
use crate::archive::facts::Deriver;
use crate::archive::{Owner, SensitiveKeys};
use crate::ids::JobId;
use crate::index::CopySelector;
use crate::index::query::Item;

/// Documents of a job that contain its configuration.
const DOCUMENTS: [&str; 2] = ["config", "jobmanager/config"];

/// Maximum size of such a document in bytes.
const MAX_DOCUMENT: u64 = 8 << 20;

/// A configuration key with different values.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct ConfigurationDifference {
    key: String,
    /// Null: the left job does not have the key.
    left: Option<String>,
    /// Null: the right job does not have the key.
    right: Option<String>,
}

/// The configuration of this copy, with its sensitive values. An evicted archive is fetched again first; `None`: its documents are lost, or
/// the client may not see its configuration.
pub(super) async fn of(shared: &Arc<Shared>, id: JobId, item: &Item) -> Result<Option<BTreeMap<String, String>>, ApiError> {
    let owner = Owner::Job(id);
    let copy = CopySelector { directory: Some(item.directory.clone()), cluster: Some(item.cluster.clone().unwrap_or_default()) };
    if !shared.scoped().shown_parts(owner, &copy).await?.is_some_and(|parts| parts.configuration) {
        return Ok(None);
    }
    let mut deriver = Deriver::new(owner);
    for below in DOCUMENTS {
        let path = format!("/jobs/{id}/{below}");
        match document::whole_in(shared, owner, &path, copy.clone(), MAX_DOCUMENT).await {
            Ok(Some(text)) => deriver.document(&path, &String::from_utf8_lossy(&text)),
            Ok(None) => {}
            Err(error) if error.status() == StatusCode::GONE => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let mut entries = BTreeMap::new();
    for entry in deriver.finish().configuration {
        // The configuration of the job comes first, and takes precedence over that of its cluster.
        entries.entry(entry.key).or_insert(entry.value);
    }
    Ok(Some(entries))
}

/// The differences by key, with sensitive values masked, and the number of keys with equal values.
pub(super) fn differences(
    left: &BTreeMap<String, String>,
    right: &BTreeMap<String, String>,
    sensitive: &SensitiveKeys,
) -> (Vec<ConfigurationDifference>, u64) {
    let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let all = keys.len();
    let differing = keys.into_iter().filter(|key| left.get(*key) != right.get(*key));
    let found: Vec<_> = differing
        .map(|key| {
            let shown = |value: &String| sensitive.shown(key, value).into_owned();
            ConfigurationDifference { key: key.clone(), left: left.get(key).map(shown), right: right.get(key).map(shown) }
        })
        .collect();
    let equal = (all - found.len()) as u64;
    (found, equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_keys_and_other_values_are_differences() {
        let entries = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let left = entries(&[("a", "1"), ("b", "2"), ("c", "3"), ("x.password", "1")]);
        let right = entries(&[("b", "2"), ("c", "4"), ("d", ""), ("x.password", "2")]);
        let (found, equal) = differences(&left, &right, &SensitiveKeys::default());
        let difference = |key: &str, left: Option<&str>, right: Option<&str>| ConfigurationDifference {
            key: key.to_owned(),
            left: left.map(str::to_owned),
            right: right.map(str::to_owned),
        };
        let expected = [
            difference("a", Some("1"), None),
            difference("c", Some("3"), Some("4")),
            difference("d", None, Some("")),
            difference("x.password", Some("******"), Some("******")),
        ];
        assert_eq!((found.as_slice(), equal), (expected.as_slice(), 1));
    }
}
