//! Detection of roots that are probably wrong: above or below the archive directory, or misspelt.

use std::collections::BTreeSet;

use super::layout::{APPLICATIONS, JOBS};
use crate::ids::ApplicationId;

/// Maximum number of archive directories in a sentence.
const MAX_NAMED: usize = 8;

/// Findings of a listing about the level of its root. Names are names of folders directly in the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sights {
    /// The root contains clusters with applications, or legacy job archives.
    pub(super) has_archives: bool,
    /// It contains `application-summary`, or `jobs` with job archives.
    pub(super) is_application: bool,
    /// It contains folders of applications.
    pub(super) holds_applications: bool,
    /// It contains `applications` with folders of applications.
    pub(super) is_cluster: bool,
    /// Folders that contain clusters whose names are ids, or job archives.
    pub(super) archive_directories: BTreeSet<String>,
}

/// A sentence that names the right directory, when the root is probably wrong.
pub(super) fn likely_other(root: &str, sights: &Sights) -> Option<String> {
    let below = |what: &str, levels: usize| {
        let hint = above(root, levels).map_or_else(String::new, |above| format!("; set historyserver.archive.fs.dir to {above}"));
        Some(format!("archive directory {root} is probably wrong: {what}{hint}"))
    };
    if is_jobs_of_an_application(root) {
        below("it contains the jobs of one application", 4)
    } else if sights.is_application {
        below("it is the folder of one application", 3)
    } else if sights.holds_applications {
        below("it contains folders of applications, like \"applications\" of a cluster", 2)
    } else if sights.is_cluster {
        below("it is the folder of one cluster, since it contains \"applications\"", 1)
    } else if !sights.has_archives && !sights.archive_directories.is_empty() {
        let named: Vec<String> =
            sights.archive_directories.iter().take(MAX_NAMED).map(|name| format!("{}/{name}", place(root).trim_end_matches('/'))).collect();
        let more = if sights.archive_directories.len() > MAX_NAMED { " and others" } else { "" };
        Some(format!(
            "archive directory {root} is probably wrong: it contains archive directories; set historyserver.archive.fs.dir to {}{more}",
            named.join(",")
        ))
    } else {
        None
    }
}

/// The problem of a root that does not exist. `more` is a further hint.
pub(super) fn missing(root: &str, more: &str) -> String {
    let slip = slip(root).map_or_else(String::new, |slip| format!("; {slip}"));
    format!(
        "archive directory {root} does not exist{slip}{more}: correct historyserver.archive.fs.dir, or wait until a cluster creates the directory; it is listed as soon \
         as it exists"
    )
}

/// A probable mistake in the path of a directory that does not exist: quotes, variables or spaces.
fn slip(root: &str) -> Option<&'static str> {
    let path = place(root);
    let quotes = ['"', '\'', '`', '“', '”', '‘', '’', '„', '«', '»'];
    let at_an_end = |segment: &str, characters: &[char]| segment.starts_with(characters) || segment.ends_with(characters);
    if path.split('/').any(|segment| at_an_end(segment, &quotes)) {
        Some("its quotes are part of the name")
    } else if has_variable(path) {
        Some("its variable is not replaced, since no shell reads it")
    } else if path.split('/').any(|segment| segment.starts_with('~')) {
        Some("its ~ is not replaced by a home directory, since no shell reads it")
    } else if path.split('/').any(|segment| segment != segment.trim()) || path.contains(is_invisible) {
        Some("a name in it begins or ends with a space, or has invisible characters")
    } else {
        None
    }
}

/// `$NAME`, `${NAME}`, `$(…)` or `%NAME%`.
fn has_variable(path: &str) -> bool {
    let of_shells = path.match_indices('$').any(|(at, _)| {
        path[at + 1..].chars().next().is_some_and(|next| next == '{' || next == '(' || next == '_' || next.is_ascii_alphabetic())
    });
    let of_windows = |segment: &str| segment.len() > 2 && segment.starts_with('%') && segment.ends_with('%');
    of_shells || path.split('/').any(of_windows)
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{a0}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// The root as written in the option: the path of a local root, else the URL.
fn place(root: &str) -> &str {
    root.strip_prefix("file://").unwrap_or(root)
}

/// The directory `levels` above a root.
fn above(root: &str, levels: usize) -> Option<&str> {
    let place = place(root);
    // The highest directory in a store is its bucket.
    let start = place.find("://").map_or(0, |at| at + 3);
    let mut end = place.len();
    for _ in 0..levels {
        end = start + place[start..end].rfind('/')?;
    }
    Some(if end == 0 { "/" } else { &place[..end] })
}

/// Whether a root is `…/applications/<id>/jobs`, whose files look like legacy job archives.
fn is_jobs_of_an_application(root: &str) -> bool {
    let mut segments = root.rsplit('/');
    segments.next() == Some(JOBS)
        && segments.next().is_some_and(|name| ApplicationId::from_name(name.as_bytes()).is_ok())
        && segments.next() == Some(APPLICATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";

    #[test]
    fn a_root_that_is_too_low_names_the_right_one() {
        let is_cluster = Sights { is_cluster: true, has_archives: true, ..Sights::default() };
        let holds_applications = Sights { holds_applications: true, ..Sights::default() };
        let is_application = Sights { is_application: true, ..Sights::default() };
        let looks_legacy = Sights { has_archives: true, ..Sights::default() };
        let application = format!("file:///data/archives/prod/applications/{ID}");
        for (root, sights, likely) in [
            ("file:///data/archives/prod", &is_cluster, "/data/archives"),
            ("file:///archives", &is_cluster, "/"),
            ("s3://bucket/archives/prod", &is_cluster, "s3://bucket/archives"),
            ("s3://bucket/prod", &is_cluster, "s3://bucket"),
            ("file:///data/archives/prod/applications", &holds_applications, "/data/archives"),
            (&application, &is_application, "/data/archives"),
            (&format!("{application}/jobs"), &looks_legacy, "/data/archives"),
        ] {
            let sentence = likely_other(root, sights).unwrap();
            assert!(sentence.ends_with(&format!("fs.dir to {likely}")), "{sentence}");
        }
        // A bucket is the highest directory.
        let sentence = likely_other("s3://bucket", &is_cluster).unwrap();
        assert!(!sentence.contains("set historyserver"), "{sentence}");
    }

    #[test]
    fn a_root_that_is_too_high_names_the_right_ones() {
        let archive_directories = ["a", "b"].map(str::to_owned).into();
        let mut sights = Sights { archive_directories, ..Sights::default() };
        assert!(likely_other("file:///data", &sights).unwrap().ends_with("fs.dir to /data/a,/data/b"));
        assert!(likely_other("file:///", &sights).unwrap().ends_with("fs.dir to /a,/b"));
        assert!(likely_other("s3://bucket", &sights).unwrap().ends_with("fs.dir to s3://bucket/a,s3://bucket/b"));
        sights.has_archives = true;
        assert_eq!(likely_other("file:///data", &sights), None);
        assert_eq!(likely_other("file:///data/jobs", &Sights::default()), None);
    }

    #[test]
    fn mistakes_are_detected_in_unusual_names_only() {
        for (root, part) in [
            ("file:///srv/\"/data/x\"", "quotes"),
            ("file:///data/'x'", "quotes"),
            ("file:///srv/“/data/x”", "quotes"),
            ("file:///srv/${HOME}/x", "variable"),
            ("file:///data/$ENV-jobs", "variable"),
            ("s3://bucket/${env}/x", "variable"),
            ("file:///data/$(hostname)", "variable"),
            ("file:///srv/%HOME%/x", "variable"),
            ("file:///srv/~/x", "~"),
            ("file:///data/x /y", "space"),
            ("file:///data/ x", "space"),
            ("file:///data/\u{feff}x", "invisible"),
            ("file:///data/x\u{200b}", "invisible"),
        ] {
            assert!(slip(root).is_some_and(|slip| slip.contains(part)), "{root}: {:?}", slip(root));
        }
        for root in [
            "file:///data/team a/prod ü #1",
            "file:///data/o'brien",
            "file:///data/a$5",
            "file:///data/100%",
            "file:///data/x~1",
            "s3://b/x",
        ] {
            assert_eq!(slip(root), None, "{root}");
        }
    }
}
