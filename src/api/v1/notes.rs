//! Notes on the facts of a job for the reader: sentences, each with a stable code.

use serde::Serialize;
use utoipa::ToSchema;

use crate::index::query::{FailureSource, Item, JobFacts};

/// A note on the facts of a job.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Note {
    code: NoteCode,
    /// A sentence.
    text: String,
}

/// The subject of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum NoteCode {
    /// The job failed, and the archives do not contain the failure.
    #[serde(rename = "failure-not-told")]
    FailureMissing,
    /// The failure comes from another document than the exceptions of the job.
    #[serde(rename = "failure-told-elsewhere")]
    FailureElsewhere,
    /// The archive does not contain the number of restarts.
    #[serde(rename = "restarts-not-told")]
    RestartsMissing,
    /// The archive contains no plan of the job.
    NoPlan,
}

/// The notes on the facts of this job.
pub(super) fn of(facts: &JobFacts, job: &Item) -> Vec<Note> {
    let notes = [failure(facts, job), restarts(facts), plan(facts)];
    notes.into_iter().flatten().map(|(code, text)| Note { code, text }).collect()
}

fn failure(facts: &JobFacts, job: &Item) -> Option<(NoteCode, String)> {
    let elsewhere = |document: &str| {
        Some((
            NoteCode::FailureElsewhere,
            format!("The exceptions of the job do not contain the failure. The failure shown comes from {document}."),
        ))
    };
    match facts.root_exception.as_ref().map(|failure| failure.source) {
        None if job.status.as_deref() == Some("FAILED") => Some((
            NoteCode::FailureMissing,
            "The job failed, and its archive does not contain the failure. Flink 2.0 to 2.2 do not archive the failure of a job that fails while \
             the adaptive scheduler waits for resources. The log of the JobManager contains it."
                .to_owned(),
        )),
        Some(FailureSource::Rescale) => elsewhere("the record of its last rescale"),
        Some(FailureSource::Application) => elsewhere("the exceptions of its application"),
        None | Some(FailureSource::Exceptions) => None,
    }
}

fn restarts(facts: &JobFacts) -> Option<(NoteCode, String)> {
    if facts.restarts.is_some() {
        return None;
    }
    let text = match facts.min_restarts {
        0 => "The archive does not contain the number of restarts of the job.".to_owned(),
        at_least => format!(
            "The job was restarted at least {at_least} {}. The exact number is not known, because Flink keeps only the newest failures \
             (web.exception-history-size).",
            if at_least == 1 { "time" } else { "times" }
        ),
    };
    Some((NoteCode::RestartsMissing, text))
}

fn plan(facts: &JobFacts) -> Option<(NoteCode, String)> {
    let text = "The archive contains no plan of the job, because the job ended before Flink had made one. The graph has no connections.";
    (facts.has_plan == Some(false)).then(|| (NoteCode::NoPlan, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_restarts_have_a_note_with_the_lower_bound() {
        let facts = |restarts, min_restarts| JobFacts { restarts, min_restarts, ..JobFacts::default() };
        assert_eq!(restarts(&facts(Some(0), 0)), None);
        assert!(restarts(&facts(None, 0)).unwrap().1.contains("does not contain"));
        assert!(restarts(&facts(None, 1)).unwrap().1.contains("at least 1 time."));
        assert!(restarts(&facts(None, 15)).unwrap().1.contains("at least 15 times."));
    }
}
