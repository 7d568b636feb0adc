//! What a reader should know of the facts of a job: sentences, each with a stable code.

use serde::Serialize;
use utoipa::ToSchema;

use crate::index::query::{FailureSource, Item, JobFacts};

/// A remark on facts.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Note {
    code: NoteCode,
    /// A sentence.
    text: String,
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum NoteCode {
    /// The job failed, and nothing in the archives says why.
    FailureNotTold,
    /// The failure is told, but not in the exceptions of the job.
    FailureToldElsewhere,
    /// How often the job was restarted cannot be known.
    RestartsNotTold,
    /// The archive holds no plan of the job.
    NoPlan,
}

/// Remarks on the facts of this job.
pub(super) fn of(facts: &JobFacts, job: &Item) -> Vec<Note> {
    let notes = [failure(facts, job), restarts(facts), plan(facts)];
    notes.into_iter().flatten().map(|(code, text)| Note { code, text }).collect()
}

fn failure(facts: &JobFacts, job: &Item) -> Option<(NoteCode, String)> {
    let elsewhere = |place: &str| {
        Some((
            NoteCode::FailureToldElsewhere,
            format!("The exceptions of the job do not say why it failed. The failure shown is taken from {place}."),
        ))
    };
    match facts.root_exception.as_ref().map(|failure| failure.source) {
        None if job.status.as_deref() == Some("FAILED") => Some((
            NoteCode::FailureNotTold,
            "The job failed, and its archive does not say why. Flink 2.0 to 2.2 do not archive the cause when a job fails while the adaptive \
             scheduler waits for resources. The log of the JobManager has it."
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
        0 => "The archive does not say how often the job was restarted.".to_owned(),
        least => format!(
            "The job was restarted at least {least} {}. The exact number is not known, because Flink keeps only the newest failures \
             (web.exception-history-size).",
            if least == 1 { "time" } else { "times" }
        ),
    };
    Some((NoteCode::RestartsNotTold, text))
}

fn plan(facts: &JobFacts) -> Option<(NoteCode, String)> {
    let text = "The archive holds no plan of the job: it ended before Flink had made one. So the graph has no connections.";
    (facts.has_plan == Some(false)).then(|| (NoteCode::NoPlan, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_that_are_not_known_are_told_with_what_is() {
        let facts = |restarts, min_restarts| JobFacts { restarts, min_restarts, ..JobFacts::default() };
        assert_eq!(restarts(&facts(Some(0), 0)), None);
        assert!(restarts(&facts(None, 0)).unwrap().1.contains("does not say"));
        assert!(restarts(&facts(None, 1)).unwrap().1.contains("at least 1 time."));
        assert!(restarts(&facts(None, 15)).unwrap().1.contains("at least 15 times."));
    }
}
