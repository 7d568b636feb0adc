//! The change of the index after the files of a unit were read: records, and problems with their next attempt.

use std::time::Duration;

use super::read::{ReadFailure, ReadFile};
use super::retry_pause::retry_pause;
use super::task::RACY_WINDOW;
use crate::archive::Record;
use crate::clock::Timestamp;
use crate::directory::{DirectoryErrorKind, FileKind};
use crate::index::{Fault, FileChange, FileOutcome, IndexError, ParsedRecord, UnitChange, UnitKey};
use crate::names::{DirectoryUrl, FilePath};
use crate::problem::{Problem, ProblemCode, Subject};

/// The unit that was read.
pub(super) struct Unit {
    pub(super) key: UnitKey,
    /// See [`Task::failures`](super::Task::failures).
    pub(super) failures: Vec<(FileKind, u32)>,
    /// See [`Task::has_summary`](super::Task::has_summary).
    pub(super) has_summary: bool,
}

/// The change of a unit. The second value is an error of the index while an archive was staged.
pub(super) fn change(unit: Unit, read: Vec<ReadFile>, now: Timestamp, interval: Duration) -> (UnitChange, Option<IndexError>) {
    let Unit { key, failures, has_summary } = unit;
    let mut change = UnitChange { key, files: Vec::new(), problems: Vec::new(), at: now };
    let mut index_error = None;
    for ReadFile { file, result } in read {
        let failures = failures.iter().find(|(kind, _)| *kind == file.kind).map_or(0, |(_, failures)| *failures);
        let next_attempt = |fault| {
            let pause = retry_pause(fault, failures.saturating_add(1), now.since(file.version.modified), interval);
            Some(now + pause)
        };
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
                let record = read.record.map(|record| {
                    Box::new(match record {
                        Record::Application(record) => ParsedRecord::Application(record),
                        Record::Job(record) => ParsedRecord::Job(record),
                    })
                });
                FileOutcome::Parsed {
                    record,
                    facts: Box::new(read.facts),
                    pack,
                    documents: read.documents,
                    document_bytes: read.document_bytes,
                }
            }
            Err(ReadFailure::Unreadable(unreadable)) => {
                let (fault, next_attempt) = (Fault::Content, next_attempt(Fault::Content));
                problems.push(problem(unreadable.code, unreadable.reason, next_attempt));
                FileOutcome::Unreadable { fault, next_attempt }
            }
            Err(ReadFailure::Fetch(error)) if error.kind == DirectoryErrorKind::NotFound => {
                // It was removed after the listing; the next listing records that.
                continue;
            }
            Err(ReadFailure::Fetch(error)) => {
                let code = match error.kind {
                    DirectoryErrorKind::Denied => ProblemCode::PermissionDenied,
                    DirectoryErrorKind::Refused => ProblemCode::LinkRefused,
                    DirectoryErrorKind::NotFound | DirectoryErrorKind::Unavailable => ProblemCode::FetchFailed,
                };
                let (fault, next_attempt) = (Fault::Store, next_attempt(Fault::Store));
                problems.push(problem(code, error.message, next_attempt));
                FileOutcome::Unreadable { fault, next_attempt }
            }
            Err(ReadFailure::Index(error)) => {
                // No fault of the archive: no attempt is recorded.
                index_error = Some(error);
                continue;
            }
        };
        change.problems.append(&mut problems);
        let racy = now.abs_diff(file.version.modified) <= RACY_WINDOW;
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
