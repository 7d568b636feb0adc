//! Whether a root is likely the archive directory that is meant, or lies above or below it, or is a slip of the keyboard.

use std::collections::BTreeSet;

use super::layout::{APPLICATIONS, JOBS};
use crate::ids::ApplicationId;

/// Archive directories that are named in a sentence.
const MOST_NAMED: usize = 8;

/// What a listing has seen that tells where its root lies. Names are of folders directly in the root.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sights {
    /// The root holds clusters with applications, or legacy job archives.
    pub(super) has_archives: bool,
    /// It holds `application-summary`, or `jobs` with job archives.
    pub(super) is_application: bool,
    /// It holds folders of applications.
    pub(super) holds_applications: bool,
    /// It holds `applications` with folders of applications.
    pub(super) is_cluster: bool,
    /// Folders that hold clusters whose names are ids, or job archives.
    pub(super) archive_directories: BTreeSet<String>,
}

/// A sentence about which directory is likely meant, when it is likely another one than the root.
pub(super) fn likely_other(root: &str, sights: &Sights) -> Option<String> {
    let below = |what: &str, levels: usize| {
        let hint = above(root, levels).map_or_else(String::new, |above| format!("; historyserver.archive.fs.dir is likely to be {above}"));
        Some(format!("archive directory {root} is likely not the one that is meant: {what}{hint}"))
    };
    if is_jobs_of_an_application(root) {
        below("it holds the jobs of one application", 4)
    } else if sights.is_application {
        below("it is the folder of one application", 3)
    } else if sights.holds_applications {
        below("it holds folders of applications, as \"applications\" of a cluster does", 2)
    } else if sights.is_cluster {
        below("it is the folder of one cluster, since it holds \"applications\"", 1)
    } else if !sights.has_archives && !sights.archive_directories.is_empty() {
        let named: Vec<String> = sights
            .archive_directories
            .iter()
            .take(MOST_NAMED)
            .map(|name| format!("{}/{name}", place(root).trim_end_matches('/')))
            .collect();
        let more = if sights.archive_directories.len() > MOST_NAMED { " and others beside" } else { "" };
        Some(format!(
            "archive directory {root} is likely not the one that is meant: it holds archive directories; historyserver.archive.fs.dir is likely to be {}{more}",
            named.join(",")
        ))
    } else {
        None
    }
}

/// What is told of a root that does not exist. `more` is what else is known of the place.
pub(super) fn missing(root: &str, more: &str) -> String {
    let slip = slip(root).map_or_else(String::new, |slip| format!("; {slip}"));
    format!(
        "archive directory {root} does not exist{slip}{more}: correct historyserver.archive.fs.dir, or leave it as it is when a cluster is \
         yet to make it; it is listed as soon as it exists"
    )
}

/// What is unusual in the text of a directory that does not exist: quotes, variables, blanks.
fn slip(root: &str) -> Option<&'static str> {
    let path = place(root);
    let quotes = ['"', '\'', '`', '“', '”', '‘', '’', '„', '«', '»'];
    let at_an_end = |segment: &str, characters: &[char]| segment.starts_with(characters) || segment.ends_with(characters);
    if path.split('/').any(|segment| at_an_end(segment, &quotes)) {
        Some("there are quotes in it, which are taken as a part of the name")
    } else if has_variable(path) {
        Some("there is a variable in it, and no shell replaces it here")
    } else if path.split('/').any(|segment| segment.starts_with('~')) {
        Some("there is a ~ in it, which only a shell replaces by a home directory")
    } else if path.split('/').any(|segment| segment != segment.trim()) || path.contains(is_invisible) {
        Some("there are blanks at an end of a name in it, or characters that cannot be seen")
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

/// The path of a local root, else its URL: as it stands in the option.
fn place(root: &str) -> &str {
    root.strip_prefix("file://").unwrap_or(root)
}

/// The directory so many levels above a root.
fn above(root: &str, levels: usize) -> Option<&str> {
    let place = place(root);
    // A store ends with its bucket.
    let start = place.find("://").map_or(0, |at| at + 3);
    let mut end = place.len();
    for _ in 0..levels {
        end = start + place[start..end].rfind('/')?;
    }
    Some(if end == 0 { "/" } else { &place[..end] })
}

/// Whether a root is `…/applications/<id>/jobs`: what it holds looks like legacy job archives.
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
    fn a_root_that_is_too_low_is_told_with_the_one_above() {
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
            assert!(sentence.ends_with(&format!("is likely to be {likely}")), "{sentence}");
        }
        // There is nothing above a bucket.
        let sentence = likely_other("s3://bucket", &is_cluster).unwrap();
        assert!(!sentence.contains("likely to be"), "{sentence}");
    }

    #[test]
    fn a_root_that_is_too_high_is_told_with_those_below() {
        let archive_directories = ["a", "b"].map(str::to_owned).into();
        let mut sights = Sights { archive_directories, ..Sights::default() };
        assert!(likely_other("file:///data", &sights).unwrap().ends_with("is likely to be /data/a,/data/b"));
        assert!(likely_other("file:///", &sights).unwrap().ends_with("is likely to be /a,/b"));
        assert!(likely_other("s3://bucket", &sights).unwrap().ends_with("is likely to be s3://bucket/a,s3://bucket/b"));
        sights.has_archives = true;
        assert_eq!(likely_other("file:///data", &sights), None);
        assert_eq!(likely_other("file:///data/jobs", &Sights::default()), None);
    }

    #[test]
    fn slips_are_noticed_and_usual_names_are_not() {
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
            ("file:///data/x /y", "blanks"),
            ("file:///data/ x", "blanks"),
            ("file:///data/\u{feff}x", "cannot be seen"),
            ("file:///data/x\u{200b}", "cannot be seen"),
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
