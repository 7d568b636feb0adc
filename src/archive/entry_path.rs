//! The valid paths of the entries of an archive: those of its own application or job, compared segment by segment.

use std::borrow::Cow;

use super::Owner;

/// The kind of a document, by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// `/applications/overview` or `/jobs/overview`.
    Overview,
    /// `/joboverview`, as Flink wrote it before 1.5.
    LegacyOverview,
    /// `/applications/<id>` or `/jobs/<id>`.
    Details,
    /// Anything below that.
    Below,
}

/// The reason why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The path belongs to another application or job.
    Foreign,
    /// Flink writes no such path.
    Unknown,
}

/// The paths of one owner.
#[derive(Debug)]
pub(super) struct EntryPaths {
    collection: &'static str,
    /// 32 lower-case hex digits.
    id: String,
    legacy_overview: bool,
}

impl EntryPaths {
    pub(super) fn new(owner: Owner) -> Self {
        match owner {
            Owner::Application(id) => Self { collection: "applications", id: id.to_string(), legacy_overview: false },
            Owner::Job(id) => Self { collection: "jobs", id: id.to_string(), legacy_overview: true },
        }
    }

    /// Checks a path. Returns a valid path as it is served: with its id in lower case.
    pub(super) fn check<'p>(&self, path: &'p str) -> Result<(DocumentKind, Cow<'p, str>), Refused> {
        if !path.bytes().all(|byte| byte >= 0x20 && !matches!(byte, b'%' | b'\\' | 0x7f)) || path.chars().any(char::is_control) {
            // Flink writes only ids, numbers and fixed words. So there is nothing to decode, and an encoded path can hide nothing.
            return Err(Refused::Unknown);
        }
        let segments = path.strip_prefix('/').ok_or(Refused::Unknown)?;
        if segments.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(Refused::Unknown);
        }
        let (collection, rest) = match segments.split_once('/') {
            Some((collection, rest)) => (collection, rest),
            None if self.legacy_overview && segments == "joboverview" => return Ok((DocumentKind::LegacyOverview, Cow::Borrowed(path))),
            None => return Err(Refused::Unknown),
        };
        let (id, below) = match rest.split_once('/') {
            Some((id, below)) => (id, Some(below)),
            None => (rest, None),
        };
        if collection == self.collection {
            if id == "overview" && below.is_none() {
                return Ok((DocumentKind::Overview, Cow::Borrowed(path)));
            }
            if id.eq_ignore_ascii_case(&self.id) {
                let kind = if below.is_some() { DocumentKind::Below } else { DocumentKind::Details };
                if id == self.id {
                    return Ok((kind, Cow::Borrowed(path)));
                }
                let (separator, below) = if below.is_some() { ("/", below.unwrap_or_default()) } else { ("", "") };
                return Ok((kind, Cow::Owned(format!("/{collection}/{}{separator}{below}", self.id))));
            }
        }
        let is_id = id.len() == self.id.len() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_id && matches!(collection, "jobs" | "applications") { Err(Refused::Foreign) } else { Err(Refused::Unknown) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";
    const OTHER: &str = "1d6f4f6e8da5b7e7a3551550ff16c873";

    fn check(owner: Owner, path: &str) -> Result<(DocumentKind, String), Refused> {
        EntryPaths::new(owner).check(path).map(|(kind, path)| (kind, path.into_owned()))
    }

    fn job() -> Owner {
        Owner::Job(JOB.parse().unwrap())
    }

    fn application() -> Owner {
        Owner::Application(JOB.parse().unwrap())
    }

    #[test]
    fn the_paths_of_the_owner_are_allowed() {
        for (owner, path, kind) in [
            (job(), "/jobs/overview".to_owned(), DocumentKind::Overview),
            (job(), "/joboverview".to_owned(), DocumentKind::LegacyOverview),
            (job(), format!("/jobs/{JOB}"), DocumentKind::Details),
            (job(), format!("/jobs/{JOB}/vertices/x/subtasks/0/attempts/1"), DocumentKind::Below),
            (job(), format!("/jobs/{JOB}/a.b...c"), DocumentKind::Below),
            (application(), "/applications/overview".to_owned(), DocumentKind::Overview),
            (application(), format!("/applications/{JOB}"), DocumentKind::Details),
            (application(), format!("/applications/{JOB}/jobmanager/config"), DocumentKind::Below),
        ] {
            assert_eq!(check(owner, &path), Ok((kind, path.clone())), "{path}");
        }
    }

    #[test]
    fn an_id_in_upper_case_is_the_same_id() {
        let upper = JOB.to_uppercase();
        assert_eq!(check(job(), &format!("/jobs/{upper}/Plan")), Ok((DocumentKind::Below, format!("/jobs/{JOB}/Plan"))));
        assert_eq!(check(job(), &format!("/jobs/{upper}")), Ok((DocumentKind::Details, format!("/jobs/{JOB}"))));
    }

    #[test]
    fn paths_of_others_are_foreign() {
        assert_eq!(check(job(), &format!("/jobs/{OTHER}/plan")), Err(Refused::Foreign));
        assert_eq!(check(job(), &format!("/applications/{JOB}")), Err(Refused::Foreign));
        assert_eq!(check(application(), &format!("/jobs/{JOB}")), Err(Refused::Foreign));
    }

    #[test]
    fn everything_else_is_refused() {
        for path in [
            "",
            "/",
            "//",
            "/config",
            "/jobs",
            "/jobs/",
            "/jobs/overview/",
            "/jobs/overview/x",
            "/Jobs/overview",
            "/applications/overview",
            "/joboverview/",
            "/overview",
            "/../../x",
            "/jobs/../config",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873//plan",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/../x",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/./x",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/..",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/%2e%2e/x",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/%252e%252e",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873%2fplan",
            "/%6aobs/0d6f4f6e8da5b7e7a3551550ff16c873/plan",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/..\\x",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/plan\0",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/pl\nan",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/pl\u{7f}an",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873/pl\u{85}an",
            "/jobs/0d6f4f6e8da5b7e7a3551550ff16c873.json",
            "jobs/0d6f4f6e8da5b7e7a3551550ff16c873/plan",
            "relative",
            "http://host/jobs/overview",
        ] {
            assert_eq!(check(job(), path), Err(Refused::Unknown), "{path}");
        }
        assert_eq!(check(application(), "/joboverview"), Err(Refused::Unknown));
    }
}
