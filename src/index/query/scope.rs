//! The part of the index that a client may see.
//!
//! A scope is decided for whole units: an application with all its jobs, or one legacy job archive. So the lists, the details, the
//! counts, the documents and the download of an application always agree.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

use crate::index::query::folding::fold;
use crate::names::{ClusterName, Pattern};
use crate::problem::Problem;

/// Which units a client may see, and of which it may see more.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Units that are listed, counted, found and shown.
    pub view: Part,
    /// Of these, the units whose configuration is shown.
    pub configuration: Part,
    /// Of these, the units whose archive files may be downloaded, and whose documents are shown with sensitive values.
    pub download: Part,
}

/// A set of units.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// All units.
    Everything,
    /// The units of any of these selections. None: no unit.
    Of(Arc<[Selection]>),
}

/// Units that meet all conditions. A unit without the value of a condition does not meet it, except where a pattern is `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Selection {
    /// The URL of the archive directory matches one of these; `None`: no condition.
    pub directories: Option<Vec<Pattern>>,
    /// The cluster matches one of these; `None`: no condition. That of a legacy job archive is empty.
    pub clusters: Option<Vec<Pattern>>,
    /// The name of the application, or of one of its jobs, matches one of these, without regard to case; `None`: no condition.
    pub names: Option<Vec<Pattern>>,
    /// The value of a configuration key; `None`: no condition.
    pub configuration: Option<ConfigurationValue>,
}

/// A condition on a configuration key of a job. The configuration of the job takes precedence over that of its cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConfigurationValue {
    /// The key, such as `pipeline.owner`.
    pub key: String,
    /// The value matches one of these.
    pub values: Vec<Pattern>,
}

impl Default for Scope {
    fn default() -> Self {
        Self::everything()
    }
}

impl Scope {
    /// All configured archive directories, with their configurations and archive files.
    #[must_use]
    pub fn everything() -> Self {
        Self { view: Part::Everything, configuration: Part::Everything, download: Part::Everything }
    }

    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { view: Part::nothing(), configuration: Part::nothing(), download: Part::nothing() }
    }

    /// Only these archive directories.
    #[must_use]
    pub fn of_directories(urls: impl IntoIterator<Item = String>) -> Self {
        let directories = urls.into_iter().map(Pattern::new).collect();
        let part = Part::of([Selection { directories: Some(directories), ..Selection::default() }]);
        Self { view: part.clone(), configuration: part.clone(), download: part }
    }

    /// Whether all units may be viewed.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.view == Part::Everything
    }

    /// Whether nothing is limited.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.is_everything() && self.configuration == Part::Everything && self.download == Part::Everything
    }

    /// Whether all units of an archive directory may be viewed.
    #[must_use]
    pub fn admits(&self, directory: &str) -> bool {
        self.view.has_whole(directory)
    }

    /// Whether a problem that belongs to no unit of the index may be viewed: one of a directory, a cluster, or an application that was
    /// never read.
    #[must_use]
    pub fn admits_problem(&self, problem: &Problem) -> bool {
        let subject = &problem.subject;
        self.view.has_unknown(subject.directory.as_str(), subject.cluster.as_ref().map(ClusterName::as_str), None)
    }

    /// A digest of what may be viewed, for tags of answers; `None`: everything may.
    #[must_use]
    pub fn digest(&self) -> Option<u64> {
        (!self.is_unlimited()).then(|| {
            let mut hasher = DefaultHasher::new();
            self.hash(&mut hasher);
            hasher.finish()
        })
    }
}

impl Part {
    /// No unit.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Of(Arc::default())
    }

    /// The units of any of these selections.
    #[must_use]
    pub fn of(selections: impl IntoIterator<Item = Selection>) -> Self {
        let selections: Vec<Selection> = selections.into_iter().collect();
        if selections.contains(&Selection::default()) { Self::Everything } else { Self::Of(selections.into()) }
    }

    /// The selections; `None`: everything.
    pub(in crate::index) fn selections(&self) -> Option<&Arc<[Selection]>> {
        match self {
            Self::Everything => None,
            Self::Of(selections) => Some(selections),
        }
    }

    /// Whether a unit with this place and name, and without a configuration, is in the set.
    #[must_use]
    pub fn has(&self, directory: &str, cluster: &str, name: &str) -> bool {
        self.has_unknown(directory, Some(cluster), Some(name))
    }

    fn any(&self, meets: impl Fn(&Selection) -> bool) -> bool {
        self.selections().is_none_or(|selections| selections.iter().any(meets))
    }

    /// Whether some unit of a directory can be in the set.
    pub(in crate::index) fn reaches(&self, directory: &str) -> bool {
        self.any(|selection| selection.is_in(directory))
    }

    /// Whether all units of a directory are in the set.
    pub(in crate::index) fn has_whole(&self, directory: &str) -> bool {
        self.any(|selection| selection.is_in(directory) && selection.is_of_directories())
    }

    /// Whether the set is decided by the archive directory alone.
    pub(in crate::index) fn is_by_directory(&self) -> bool {
        self.selections().is_none_or(|selections| selections.iter().all(Selection::is_of_directories))
    }

    /// Whether a unit that is not in the index is in the set. `cluster` is `None` for a whole directory, `name` where it is not known.
    pub(in crate::index) fn has_unknown(&self, directory: &str, cluster: Option<&str>, name: Option<&str>) -> bool {
        self.any(|selection| {
            selection.is_in(directory)
                && selection.configuration.is_none()
                && match cluster {
                    Some(cluster) => selection.has_cluster(cluster),
                    None => selection.clusters.is_none(),
                }
                && match name {
                    Some(name) => selection.has_name(&fold(name)),
                    None => selection.names.is_none(),
                }
        })
    }
}

impl Selection {
    fn is_of_directories(&self) -> bool {
        self.clusters.is_none() && self.names.is_none() && self.configuration.is_none()
    }

    /// Whether it has no conditions but on directory and cluster.
    pub(in crate::index) fn is_of_places(&self) -> bool {
        self.names.is_none() && self.configuration.is_none()
    }

    /// Whether a directory meets its condition. A local directory may be written as a path.
    pub(in crate::index) fn is_in(&self, url: &str) -> bool {
        let url = url.trim_end_matches('/');
        let path = url.strip_prefix("file://");
        self.directories.as_ref().is_none_or(|patterns| {
            patterns.iter().any(|pattern| {
                let matches = |text: &str| pattern.matches(text) || pattern.as_str().trim_end_matches('/') == text;
                matches(url) || path.is_some_and(matches)
            })
        })
    }

    /// Whether a cluster meets its condition.
    pub(in crate::index) fn has_cluster(&self, cluster: &str) -> bool {
        self.clusters.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(cluster)))
    }

    /// Whether a folded name meets its condition.
    pub(in crate::index) fn has_name(&self, folded: &str) -> bool {
        self.names.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| pattern.matches(folded)))
    }

    /// The selection with its patterns of names folded, as names are compared.
    #[must_use]
    pub fn folded(mut self) -> Self {
        self.names = self.names.map(|names| names.iter().map(|name| Pattern::new(fold(name.as_str()))).collect());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(*text)).collect()
    }

    #[test]
    fn a_directory_may_be_written_as_url_or_as_path() {
        let selection = |text| Selection { directories: Some(patterns(&[text])), ..Selection::default() };
        for text in ["file:///data/a", "file:///data/a/", "/data/a", "/data/a/", "/data/*"] {
            assert!(selection(text).is_in("file:///data/a/"), "{text}");
            assert!(!selection(text).is_in("file:///other/a/"), "{text}");
        }
        assert!(selection("s3://b/x").is_in("s3://b/x/") && !selection("s3://b").is_in("s3://b/x/"));
    }

    #[test]
    fn what_is_not_in_the_index_needs_a_selection_without_other_conditions() {
        let of_cluster = Selection { clusters: Some(patterns(&["a-*"])), ..Selection::default() };
        let part = Part::of([of_cluster]);
        assert!(part.has_unknown("file:///d/", Some("a-1"), None) && !part.has_unknown("file:///d/", Some("b"), None));
        assert!(!part.has_unknown("file:///d/", None, None), "a problem of the whole directory may name other clusters");
        let named = Part::of([Selection { names: Some(patterns(&["Orders*"])), ..Selection::default() }.folded()]);
        assert!(named.has_unknown("file:///d/", Some("x"), Some("ORDERS 1")) && !named.has_unknown("file:///d/", Some("x"), None));
        let value = ConfigurationValue { key: "pipeline.owner".to_owned(), values: vec![Pattern::new("a")] };
        let owned = Part::of([Selection { configuration: Some(value), ..Selection::default() }]);
        assert!(!owned.has_unknown("file:///d/", Some("x"), Some("orders")) && !Part::nothing().reaches("file:///d/"));
        assert_eq!(Part::of([Selection::default()]), Part::Everything);
    }

    #[test]
    fn only_scopes_with_limits_have_a_digest() {
        let (one, other) = (Scope::of_directories(["a".to_owned()]), Scope::of_directories(["b".to_owned()]));
        assert!(Scope::everything().digest().is_none() && one.digest() != other.digest() && one.digest().is_some());
    }
}
