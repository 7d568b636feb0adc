//! Names and paths of archives below the root, which are the same in every kind of store.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};

use super::error::DirectoryError;
use super::found::{FileKind, FoundFile, Hidden, Obstacle};
use crate::ids::{ApplicationId, JobId};
use crate::names::{ClusterName, FilePath, is_hidden};
use crate::problem::ProblemCode;

/// Folder of a cluster that holds its applications.
pub(super) const APPLICATIONS: &str = "applications";
/// Folder of an application that holds its job archives.
pub(super) const JOBS: &str = "jobs";
/// Archive of an application itself.
pub(super) const SUMMARY: &str = "application-summary";

/// Maximum number of folders in the name of a cluster: a `cluster.id` may contain slashes.
pub(super) const MAX_SEGMENTS: usize = 8;

/// The problem of archives below a hidden name.
pub(super) fn hidden_archives(folder: &str) -> String {
    format!(
        "archives lie below {folder}, whose name begins with \".\" or \"_\": such archives are not listed, counted or deleted, as in Flink \
         and Hadoop; rename the folder to list them, or move it out of the archive directory"
    )
}

/// The problem of archives that lie too deep.
pub(super) fn too_deep(folder: &str) -> String {
    format!(
        "archives lie below {folder}, which is deeper than the maximum of {MAX_SEGMENTS} folders in the name of a cluster: they are not \
         listed; add the folder that contains the clusters to historyserver.archive.fs.dir"
    )
}

/// The problem of more folders than a search may read.
pub(super) fn too_many(folder: &str) -> String {
    format!(
        "the archive directory contains too many other folders and files: some folders, such as {folder}, were not searched for clusters \
         with a slash in their name; clusters directly in the archive directory and known clusters are listed; move the archives to a \
         directory of their own, or add the folder that contains the clusters to historyserver.archive.fs.dir"
    )
}

/// Whether the last part of the name of a cluster is an id, like the default of Flink.
pub(super) fn ends_with_an_id(cluster: &str) -> bool {
    ApplicationId::from_name(file_name(cluster).as_bytes()).is_ok()
}

/// `<cluster>/applications/<name>`. The capacity fits a name of 32 digits.
pub(super) fn application_folder(cluster: &ClusterName, name: impl Display) -> FilePath {
    let cluster = cluster.as_str();
    let mut text = String::with_capacity(cluster.len() + APPLICATIONS.len() + 34);
    for part in [cluster, "/", APPLICATIONS, "/"] {
        text.push_str(part);
    }
    // Writing to a text does not fail.
    write!(text, "{name}").ok();
    FilePath::new(text)
}

/// Cluster and id of the application of a folder; `None` for other folders and for folders that are not listed.
pub(super) fn application_of(folder: &FilePath) -> Option<(ClusterName, ApplicationId)> {
    let (above, name) = folder.as_str().rsplit_once('/')?;
    let cluster = above.strip_suffix(APPLICATIONS)?.strip_suffix('/')?;
    let plain = cluster.split('/').all(|segment| !segment.is_empty() && !is_hidden(segment.as_bytes()));
    if !plain || cluster.split('/').count() > MAX_SEGMENTS {
        return None;
    }
    Some((ClusterName::new(cluster), ApplicationId::from_name(name.as_bytes()).ok()?))
}

/// Refuses paths with a hidden name.
pub(super) fn check_deletable(path: &FilePath) -> Result<&str, DirectoryError> {
    let text = check(path)?;
    if text.split('/').any(|segment| is_hidden(segment.as_bytes())) {
        return Err(DirectoryError::refused(format!(
            "{text:?} is not deleted: files and folders whose names begin with \".\" or \"_\" are never deleted"
        )));
    }
    Ok(text)
}

/// The kind of archive at a path below the folder of an application.
pub(super) fn kind_below_application(rest: &str) -> Option<FileKind> {
    if rest == SUMMARY {
        return Some(FileKind::Summary);
    }
    let name = rest.strip_prefix(JOBS)?.strip_prefix('/')?;
    JobId::from_name(name.as_bytes()).ok().map(FileKind::Job)
}

/// Last segment of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether an id is written in another case than Flink writes ids.
pub(super) fn has_upper_case(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Refuses a path that could lead out of the root.
pub(super) fn check(path: &FilePath) -> Result<&str, DirectoryError> {
    let text = path.as_str();
    let plain = !text.contains('\0') && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if plain { Ok(text) } else { Err(DirectoryError::refused(format!("{text:?} is not a path below an archive directory"))) }
}

/// The problem of a name that is the same id as `taken` in another case. It hides nothing, since the id is listed under the other name.
pub(super) fn ambiguous(refused: &FilePath, taken: &str) -> Obstacle {
    Obstacle {
        hides: Hidden::Nothing,
        path: refused.clone(),
        code: ProblemCode::NameAmbiguous,
        reason: format!("{refused} is the same id as {taken} in the same folder, which is used; rename or remove one of them"),
    }
}

/// Keeps one file per id: the name in lower case, else the first name. Returns obstacles for the others.
pub(super) fn resolve_twins(files: &mut Vec<FoundFile>) -> Vec<Obstacle> {
    let upper = |file: &FoundFile| has_upper_case(file_name(file.path.as_str()));
    if !files.iter().any(upper) {
        return Vec::new();
    }
    files.sort_by(|left, right| (left.kind, upper(left), &left.path).cmp(&(right.kind, upper(right), &right.path)));
    let mut obstacles = Vec::new();
    let mut taken: HashMap<FileKind, FilePath> = HashMap::new();
    files.retain(|file| {
        let first = taken.entry(file.kind).or_insert_with(|| file.path.clone());
        let is_first = *first == file.path;
        if !is_first {
            obstacles.push(ambiguous(&file.path, file_name(first.as_str())));
        }
        is_first
    });
    obstacles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::directory::FileVersion;

    fn job(path: &str) -> FoundFile {
        let kind = kind_below_application(path).unwrap();
        FoundFile { path: FilePath::new(path), kind, version: FileVersion { size: 1, modified: Timestamp::from_millis(1), etag: None } }
    }

    #[test]
    fn of_two_names_that_are_one_id_the_lower_case_one_is_taken() {
        let (a, b) = ("a".repeat(32), "b".repeat(32));
        let mixed = format!("{}A", "a".repeat(31));
        let mut files: Vec<_> =
            [&a.to_uppercase(), &a, &b.to_uppercase(), &mixed].iter().map(|name| job(&format!("jobs/{name}"))).collect();
        let obstacles = resolve_twins(&mut files);
        let kept: Vec<_> = files.iter().map(|file| file.path.as_str().to_owned()).collect();
        assert_eq!(kept, [format!("jobs/{a}"), format!("jobs/{}", b.to_uppercase())]);
        let refused: Vec<_> = obstacles.iter().map(|obstacle| obstacle.path.as_str().to_owned()).collect();
        assert_eq!(refused, [format!("jobs/{}", a.to_uppercase()), format!("jobs/{mixed}")]);
        assert!(obstacles.iter().all(|obstacle| obstacle.hides == Hidden::Nothing));
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        for path in ["", "/etc/passwd", "a//b", "a/../b", "..", "./a", "a/", "a\0b"] {
            assert!(check(&FilePath::new(path)).is_err(), "{path:?}");
        }
        assert!(check(&FilePath::new("prod eu%/applications/x..y")).is_ok());
    }

    #[test]
    fn the_name_of_a_cluster_may_have_slashes_but_no_hidden_part() {
        let id = "0d6f4f6e8da5b7e7a3551550ff16c873";
        let cluster = |name: &str| application_of(&FilePath::new(format!("{name}/applications/{id}"))).map(|found| found.0.to_string());
        for name in ["prod-eu", "team a/prod ü #1", "a/applications/b", "a.b/c_d", "1/2/3/4/5/6/7/8"] {
            assert_eq!(cluster(name).as_deref(), Some(name));
        }
        for name in ["", "/a", "a/", "a//b", "..", "a/../b", ".old", "_keep", "a/.snapshot", "a/_temporary/b", "1/2/3/4/5/6/7/8/9"] {
            assert_eq!(cluster(name), None, "{name}");
        }
        assert_eq!(application_of(&FilePath::new(format!("applications/{id}"))), None);
        assert_eq!(application_of(&FilePath::new(format!("a/applications/{id}/jobs"))), None);
    }

    #[test]
    fn nothing_below_a_hidden_name_is_deleted() {
        for path in [".old/applications/x/application-summary", "a/_b/applications/x/jobs/y", "a/applications/x/.z", "_x"] {
            assert!(check_deletable(&FilePath::new(path)).is_err(), "{path}");
        }
        assert!(check_deletable(&FilePath::new("a_b/applications/x/application-summary")).is_ok());
    }

    #[test]
    fn only_archives_of_an_application_are_recognised() {
        let id = "0d6f4f6e8da5b7e7a3551550ff16c873";
        assert_eq!(kind_below_application("application-summary"), Some(FileKind::Summary));
        assert_eq!(kind_below_application(&format!("jobs/{}", id.to_uppercase())), Some(FileKind::Job(id.parse().unwrap())));
        for rest in ["jobs", "jobs/", "jobs/x", "other", &format!("jobs/{id}/x"), &format!("jobs{id}"), id] {
            assert_eq!(kind_below_application(rest), None, "{rest}");
        }
        assert_eq!(application_of(&FilePath::new(format!("c/applications/{id}"))), Some((ClusterName::new("c"), id.parse().unwrap())));
        for folder in ["c/applications/x", "c/applications", "c", "c/other/0d6f4f6e8da5b7e7a3551550ff16c873"] {
            assert_eq!(application_of(&FilePath::new(folder)), None, "{folder}");
        }
    }
}
