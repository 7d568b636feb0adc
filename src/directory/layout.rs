//! Names and places of archives below the root, the same in every kind of store.

use std::collections::HashMap;
use std::fmt::{Display, Write as _};

use super::error::DirectoryError;
use super::found::{ClusterName, FileKind, FilePath, FoundFile, Hidden, Obstacle};
use crate::ids::{ApplicationId, JobId};
use crate::problem::ProblemCode;

/// Folder of a cluster that holds its applications.
pub(super) const APPLICATIONS: &str = "applications";
/// Folder of an application that holds its job archives.
pub(super) const JOBS: &str = "jobs";
/// Archive of an application itself.
pub(super) const SUMMARY: &str = "application-summary";

/// `<cluster>/applications/<name>`; a name of 32 digits, so that room is made once.
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

/// Cluster and application of a folder, if it is one of an application.
pub(super) fn application_of(folder: &FilePath) -> Option<(ClusterName, ApplicationId)> {
    let mut segments = folder.as_str().split('/');
    let (cluster, applications, name) = (segments.next()?, segments.next()?, segments.next()?);
    if applications != APPLICATIONS || segments.next().is_some() {
        return None;
    }
    Some((ClusterName::new(cluster), ApplicationId::from_name(name.as_bytes()).ok()?))
}

/// Which archive of an application a path below its folder is, if any.
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

/// Whether a name that is an id is spelled other than Flink spells ids.
pub(super) fn has_upper_case(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Refuses a path that could lead elsewhere than to a file below the root.
pub(super) fn check(path: &FilePath) -> Result<&str, DirectoryError> {
    let text = path.as_str();
    let plain = !text.contains('\0') && text.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    if plain { Ok(text) } else { Err(DirectoryError::refused(format!("{text:?} is not a path below an archive directory"))) }
}

/// The refusal of a name that is the same id as `taken` in other case. It hides nothing: the id is found by the other name.
pub(super) fn ambiguous(refused: &FilePath, taken: &str) -> Obstacle {
    Obstacle {
        hides: Hidden::Nothing,
        path: refused.clone(),
        code: ProblemCode::NameAmbiguous,
        reason: format!("{refused} is the same id as {taken} beside it, which is taken; rename or remove one of them"),
    }
}

/// Keeps one file of each id: the one in lower case, else the first by name. Returns obstacles for the others.
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
    use crate::directory::FileVersion;

    fn job(path: &str) -> FoundFile {
        let kind = kind_below_application(path).unwrap();
        FoundFile { path: FilePath::new(path), kind, version: FileVersion { size: 1, modified: 1, etag: None } }
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
