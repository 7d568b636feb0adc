//! What the reading of a unit's files means for the index: records, and problems with their next attempt.

use super::read::{Failure, ReadFile};
use crate::archive::Record;
use crate::clock::Millis;
use crate::directory::{DirectoryErrorKind, DirectoryUrl, FilePath};
use crate::index::{FileChange, FileOutcome, IndexError, ParsedRecord, UnitChange, UnitKey};
use crate::problem::{Problem, ProblemCode, Subject};
use crate::refresh::plan::RACY_WINDOW;

/// First pause before a file that could not be read is tried again unchanged.
const FIRST_PAUSE: Millis = 10_000;

/// Longest such pause.
const LONGEST_PAUSE: Millis = 60 * 60 * 1_000;

/// Pause before the next attempt at a file that has not changed for `age` milliseconds: it grows with the age, from 10 s to 1 h.
fn pause(age: Millis) -> Millis {
    (age / 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
}

/// Builds the change of a unit; the second value is a failure of the index that happened while an archive was staged.
pub(super) fn change(key: UnitKey, has_summary: bool, read: Vec<ReadFile>, now: Millis) -> (UnitChange, Option<IndexError>) {
    let mut change = UnitChange { key, files: Vec::new(), problems: Vec::new(), at: now };
    let mut index_error = None;
    for ReadFile { file, result } in read {
        let next_attempt = Some(now + pause(now - file.version.modified));
        let problem = |code, reason: String, next_attempt| Problem {
            code,
            subject: subject(&change.key, Some(file.path.clone())),
            reason,
            since: now,
            next_attempt,
        };
        let mut problems = Vec::new();
        let outcome = match result {
            Ok((read, pack)) => {
                problems.extend(read.flaws.into_iter().map(|flaw| problem(flaw.code, flaw.reason, None)));
                let record = read.record.map(|record| match record {
                    Record::Application(record) => ParsedRecord::Application(record),
                    Record::Job(record) => ParsedRecord::Job(record),
                });
                FileOutcome::Parsed {
                    record,
                    facts: Box::new(read.facts),
                    pack,
                    documents: read.documents,
                    document_bytes: read.document_bytes,
                }
            }
            Err(Failure::Unreadable(unreadable)) => {
                problems.push(problem(unreadable.code, unreadable.reason, next_attempt));
                FileOutcome::Unreadable { next_attempt }
            }
            Err(Failure::Fetch(error)) if error.kind == DirectoryErrorKind::NotFound => {
                // It went between listing and fetching; the next listing says so.
                continue;
            }
            Err(Failure::Fetch(error)) => {
                let code = match error.kind {
                    DirectoryErrorKind::Denied => ProblemCode::PermissionDenied,
                    DirectoryErrorKind::Refused => ProblemCode::LinkRefused,
                    DirectoryErrorKind::NotFound | DirectoryErrorKind::Unavailable => ProblemCode::FetchFailed,
                };
                problems.push(problem(code, error.message, next_attempt));
                FileOutcome::Unreadable { next_attempt }
            }
            Err(Failure::Index(error)) => {
                // Not the archive's fault: it is not on record as tried.
                index_error = Some(error);
                continue;
            }
        };
        change.problems.append(&mut problems);
        let racy = (now - file.version.modified).abs() <= RACY_WINDOW;
        change.files.push(FileChange { path: file.path, kind: file.kind, version: file.version, racy, outcome });
    }
    if !has_summary && let UnitKey::Application(application) = &change.key {
        let reason = format!(
            "application {} in cluster {} has job archives but no application-summary yet: it is still running, or its JobManager \
             could not write the summary; its jobs are listed meanwhile",
            application.id, application.cluster
        );
        let subject = subject(&change.key, None);
        change.problems.push(Problem { code: ProblemCode::SummaryMissing, subject, reason, since: now, next_attempt: None });
    }
    (change, index_error)
}

/// The subject of a problem with a unit, or with one of its files.
pub(super) fn subject(key: &UnitKey, file: Option<FilePath>) -> Subject {
    let (directory, cluster, application): (&DirectoryUrl, _, _) = match key {
        UnitKey::Application(key) => (&key.directory, Some(key.cluster.clone()), Some(key.id)),
        UnitKey::LegacyJob(directory, _) => (directory, None, None),
    };
    Subject { directory: directory.clone(), cluster, application, file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_before_the_next_attempt_grows_with_age_within_bounds() {
        assert_eq!(pause(-5_000), FIRST_PAUSE);
        assert_eq!(pause(0), FIRST_PAUSE);
        assert_eq!(pause(60_000), 30_000);
        assert_eq!(pause(Millis::MAX), LONGEST_PAUSE);
    }
}
