//! `historyserver.archive.fs.dir`: its entries, with repeated and nested ones.

use std::path::{Component, Path, PathBuf};

use super::secrets::mask_urls;

/// The entries of the option.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directories {
    /// Entries, trimmed, each directory once, in order of first mention.
    pub(super) entries: Vec<String>,
    /// Entries that were dropped because an earlier entry is the same directory.
    pub(super) repeated: Vec<String>,
    /// Pairs of entries, the first of which lies inside the second.
    pub(super) nested: Vec<(String, String)>,
}

/// Classifies the entries.
pub(super) fn directories(entries: &[String], working_directory: &Path) -> Directories {
    let mut result = Directories::default();
    let mut known: Vec<(String, String)> = Vec::new();
    for entry in entries {
        let key = key(entry, working_directory);
        if known.iter().any(|(other, _)| *other == key) {
            result.repeated.push(mask_urls(entry));
        } else {
            known.push((key, entry.clone()));
        }
    }
    for (inner, inner_entry) in &known {
        for (outer, outer_entry) in &known {
            let below = inner.strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/') || outer.ends_with('/'));
            if inner != outer && below {
                result.nested.push((mask_urls(inner_entry), mask_urls(outer_entry)));
            }
        }
    }
    result.entries = known.into_iter().map(|(_, entry)| entry).collect();
    result
}

/// A text that is equal for equal directories, and a prefix of the text of directories inside.
fn key(entry: &str, working_directory: &Path) -> String {
    match entry.split_once("://") {
        Some((scheme, rest)) if !scheme.eq_ignore_ascii_case("file") => {
            let scheme = scheme.to_ascii_lowercase();
            let scheme = match scheme.as_str() {
                "s3a" | "s3n" | "s3p" => "s3",
                "abfs" => "abfss",
                "wasb" => "wasbs",
                other => other,
            };
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.rsplit_once('@').filter(|_| scheme == "s3").map_or(authority, |(_, host)| host);
            let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
            format!("{scheme}://{}/{}", host.to_lowercase(), segments.join("/")).trim_end_matches('/').to_owned()
        }
        _ => {
            let path = local_path(entry);
            let path = lexical(&working_directory.join(path));
            // Two paths of one folder are one directory, if the folder exists.
            path.canonicalize().unwrap_or(path).to_string_lossy().into_owned()
        }
    }
}

/// The path of `file:///a`, `file:/a` or `/a`, taken literally as Flink does.
fn local_path(entry: &str) -> &str {
    let prefix =
        |prefix: &str| entry.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)).map(|_| &entry[prefix.len()..]);
    prefix("file://").or_else(|| prefix("file:")).unwrap_or(entry)
}

/// The path without `.`, `..` and doubled slashes.
fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[&str]) -> Directories {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        directories(&entries, Path::new("/srv/here"))
    }

    #[test]
    fn one_directory_in_several_spellings_is_one() {
        let found = of(&[
            "file:///srv/here/a",
            "a/",
            "/srv//here/./b/../a",
            "file:/srv/here/a",
            "s3://Bucket/x/",
            "s3a://bucket//x",
            "s3p://bucket/x",
            "s3://bucket/X",
            "abfs://c@a.dfs.core.windows.net/x",
            "abfss://c@a.dfs.core.windows.net/x/",
        ]);
        assert_eq!(found.entries, ["file:///srv/here/a", "s3://Bucket/x/", "s3://bucket/X", "abfs://c@a.dfs.core.windows.net/x"]);
        assert_eq!(found.repeated.len(), 6);
        assert_eq!(found.nested, []);
    }

    #[test]
    fn one_directory_inside_another_is_noticed() {
        let found = of(&["/data/archive/old", "/data/archive", "/data/archive-2", "s3://b", "s3://b/inner"]);
        assert_eq!(
            found.nested,
            [("/data/archive/old".to_owned(), "/data/archive".to_owned()), ("s3://b/inner".to_owned(), "s3://b".to_owned())]
        );
        assert_eq!(of(&["/", "/a"]).nested.len(), 1);
    }

    #[test]
    fn a_link_and_its_target_are_one_directory() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::create_dir(&target).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(of(&[target.to_str().unwrap(), link.to_str().unwrap()]).entries.len(), 1);
    }
}
