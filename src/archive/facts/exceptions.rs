//! Exceptions of jobs and applications, from their `exceptions` documents.

use serde_json::value::RawValue;

use super::super::members::Members;
use super::{ExceptionFacts, ExceptionKind, MAX_EXCEPTIONS, MAX_LABELS, MESSAGE_BYTES, NAME_BYTES, TRACE_BYTES, cut, time};
use crate::clock::Timestamp;
use crate::ids::JobId;

/// The text before the cause of an exception in a stack trace of Java.
const CAUSED_BY: &str = "Caused by: ";
/// The text before a frame in a stack trace of Java.
const FRAME: &str = "\tat ";

/// Reads the history, or else the members that older versions of Flink write (`root-exception` and `all-exceptions`), newest first.
pub(super) fn read(json: &str) -> Vec<ExceptionFacts> {
    let Some(members) = Members::parse(json) else { return Vec::new() };
    let history = members.get("exceptionHistory").and_then(|history| Members::parse(history.get()));
    let mut found = Vec::new();
    if let Some(history) = history {
        history.each_element("entries", |entry| {
            let Some(entry) = if_room(&found, entry) else { return };
            let kind = if found.is_empty() { ExceptionKind::Root } else { ExceptionKind::Earlier };
            found.extend(from_history(&entry, kind));
            entry.each_element("concurrentExceptions", |concurrent| {
                let concurrent = if_room(&found, concurrent);
                found.extend(concurrent.and_then(|concurrent| from_history(&concurrent, ExceptionKind::Concurrent)));
            });
        });
    }
    if found.is_empty() {
        found.extend(members.text("root-exception").map(|trace| {
            let at = time(&members, "timestamp");
            exception(ExceptionKind::Root, None, trace, at)
        }));
        members.each_element("all-exceptions", |each| {
            let Some(each) = if_room(&found, each) else { return };
            let Some(trace) = each.text("exception") else { return };
            found.push(ExceptionFacts {
                task: task(&each, "task"),
                ..exception(ExceptionKind::Concurrent, None, trace, time(&each, "timestamp"))
            });
        });
    }
    found
}

/// The members of one more exception, while there are fewer than [`MAX_EXCEPTIONS`].
fn if_room<'a>(found: &[ExceptionFacts], exception: &'a RawValue) -> Option<Members<'a>> {
    if found.len() < MAX_EXCEPTIONS { Members::parse(exception.get()) } else { None }
}

fn from_history(entry: &Members<'_>, kind: ExceptionKind) -> Option<ExceptionFacts> {
    let trace = entry.text("stacktrace").unwrap_or_default();
    let class = entry.text("exceptionName").filter(|class| !class.is_empty());
    if trace.is_empty() && class.is_none() {
        return None;
    }
    Some(ExceptionFacts {
        task: task(entry, "taskName"),
        labels: labels(entry),
        job: entry.text("jobId").and_then(|job| JobId::from_name(job.as_bytes()).ok()),
        ..exception(kind, class, trace, time(entry, "timestamp"))
    })
}

/// Labels of the failure enrichers of the cluster.
fn labels(entry: &Members<'_>) -> Vec<(String, String)> {
    let Some(labels) = entry.get("failureLabels").and_then(|labels| Members::parse(labels.get())) else { return Vec::new() };
    labels.texts().take(MAX_LABELS).map(|(key, value)| (cut(key.to_owned(), NAME_BYTES), cut(value, MESSAGE_BYTES))).collect()
}

/// The newest failure, from its stack trace alone.
pub(super) fn from_stack_trace(trace: String, at: Option<Timestamp>) -> ExceptionFacts {
    exception(ExceptionKind::Root, None, trace, at)
}

fn task(entry: &Members<'_>, name: &str) -> Option<String> {
    entry.text(name).filter(|task| !task.is_empty()).map(|task| cut(task, NAME_BYTES))
}

fn exception(kind: ExceptionKind, class: Option<String>, trace: String, at: Option<Timestamp>) -> ExceptionFacts {
    let (archived, message) = head(&trace);
    let cause = innermost(&trace).map(head);
    let bounded = |text: &str, bytes| Some(cut(text.to_owned(), bytes)).filter(|text| !text.is_empty());
    ExceptionFacts {
        kind,
        class: cut(class.unwrap_or_else(|| archived.to_owned()), NAME_BYTES),
        message: message.and_then(|message| bounded(message, MESSAGE_BYTES)),
        cause_class: cause.and_then(|(class, _)| bounded(class, NAME_BYTES)),
        cause_message: cause.and_then(|(_, message)| bounded(message?, MESSAGE_BYTES)),
        stack_trace: cut(trace, TRACE_BYTES),
        at,
        task: None,
        labels: Vec::new(),
        job: None,
    }
}

/// The class and the message at the beginning of a stack trace. A message may have several lines: it ends where the frames begin.
fn head(trace: &str) -> (&str, Option<&str>) {
    let lines = trace.split_inclusive('\n');
    let before = lines.take_while(|line| !line.starts_with(FRAME) && !line.starts_with(CAUSED_BY) && !line.starts_with("\t... "));
    let head = trace[..before.map(str::len).sum()].trim_end();
    match head.split_once(": ") {
        // A class has no blanks. Text with blanks is a message without a class.
        Some((class, message)) if !class.contains(char::is_whitespace) => (class, Some(message.trim_start())),
        _ if head.contains(char::is_whitespace) => ("", Some(head)),
        _ => (head.trim_end_matches(':'), None),
    }
}

/// The trace after the last line that begins with `Caused by`. Indented lines are causes of suppressed exceptions.
fn innermost(trace: &str) -> Option<&str> {
    let at = trace.rmatch_indices(CAUSED_BY).map(|(at, _)| at).find(|at| *at == 0 || trace[..*at].ends_with('\n'))?;
    Some(&trace[at + CAUSED_BY.len()..])
}
