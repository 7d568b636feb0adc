//! `applications get` and `jobs get`.

use serde_json::Value;

use super::arguments::{ItemArguments, Output};
use super::lists::{self, text};
use super::printable::{duration, printable, printable_json, time};
use super::server::Server;
use super::short_id::whole_id;
use super::table::{Table, csv};
use super::{Console, Failure};

/// Prints one application or job.
pub(super) async fn get(list: &str, wanted: &ItemArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let server = Server::of(&wanted.server)?;
    let id = whole_id(&server, list, &wanted.copy.id).await?;
    let item = server.json(&format!("{list}/{id}"), &wanted.copy.query()).await?;
    match wanted.output {
        Output::Json => writeln!(console.out, "{}", printable_json(&format!("{item:#}")))?,
        Output::Csv => {
            let mut rows = vec![vec!["field".to_owned(), "value".to_owned()]];
            rows.extend(members(&item).into_iter().map(|(name, value)| vec![name, text(&value)]));
            csv(&rows, console.terminal, console.out)?;
        }
        Output::Table => print(&item, console)?,
    }
    Ok(())
}

/// Members that are single values, and those of members that are objects, by their path.
pub(super) fn members(item: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in item.as_object().into_iter().flatten() {
        match value {
            Value::Object(inner) => {
                let scalars = inner.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
                found.extend(scalars.map(|(inner, value)| (format!("{name}.{inner}"), value.clone())));
            }
            Value::Array(_) => {}
            value => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// A value as people read it, by the name of its member.
pub(super) fn shown(name: &str, value: &Value) -> String {
    match (name.rsplit('.').next().unwrap_or(name), value.as_i64()) {
        ("start" | "end" | "gone_since" | "at" | "since" | "next_attempt", Some(millis)) => time(millis),
        ("duration" | "longest_checkpoint_duration", Some(millis)) => duration(millis),
        _ => text(value),
    }
}

fn print(item: &Value, console: &mut Console<'_>) -> Result<(), Failure> {
    let members = members(item);
    let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let name = printable(name, false);
        writeln!(console.out, "{name:<width$}  {}", printable(&shown(&name, value), false))?;
    }
    if item["facts"]["root_exception"].is_object() {
        writeln!(console.out, "\nFailure:")?;
        for line in failure(&item["facts"]["root_exception"]) {
            writeln!(console.out, "{}", printable(&line, false))?;
        }
    }
    let part = |name: &str| item[name].as_array().map(Vec::as_slice).unwrap_or_default();
    if part("copies").len() > 1 {
        writeln!(console.out, "\nCopies (Flink's paths show the first):")?;
        let copies = part("copies").iter().map(|copy| vec![text(&copy["cluster"]), text(&copy["directory"])]);
        Table::new(&["CLUSTER", "DIRECTORY"]).print(&copies.collect::<Vec<_>>(), console.out)?;
    }
    if !part("job_items").is_empty() {
        writeln!(console.out, "\nJobs:")?;
        let jobs: Vec<Vec<String>> = part("job_items").iter().map(lists::JOBS.cells).collect();
        Table::new(lists::JOBS.titles).print(&jobs, console.out)?;
    }
    if !part("problem_details").is_empty() {
        writeln!(console.out, "\nProblems:")?;
        for problem in part("problem_details") {
            writeln!(console.out, "{}: {}", printable(&text(&problem["code"]), false), printable(&text(&problem["reason"]), false))?;
        }
    }
    Ok(())
}

/// The exception that ended a job and its innermost cause, one line each, with the labels of failure enrichers.
fn failure(exception: &Value) -> Vec<String> {
    let line = |class: &str, message: &str| match exception[message].as_str().filter(|message| !message.is_empty()) {
        Some(message) => format!("{}: {message}", text(&exception[class])),
        None => text(&exception[class]),
    };
    let mut lines = vec![line("class", "message")];
    if exception["cause_class"].is_string() {
        lines.push(format!("Caused by: {}", line("cause_class", "cause_message")));
    }
    lines.extend(exception["at"].as_i64().map(|at| format!("At: {} UTC", time(at))));
    let labels = exception["labels"].as_object().into_iter().flatten();
    lines.extend(labels.map(|(name, value)| format!("Label {name}: {}", text(value))));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_failure_is_shown_with_its_innermost_cause() {
        let exception = json!({
            "class": "JobException", "message": "Recovery is suppressed", "at": 1_795_373_801_991_i64,
            "cause_class": "java.io.IOException", "cause_message": "disk full", "labels": {"type": "USER"},
        });
        let expected = [
            "JobException: Recovery is suppressed",
            "Caused by: java.io.IOException: disk full",
            "At: 2026-11-22 18:56:41 UTC",
            "Label type: USER",
        ];
        assert_eq!(failure(&exception), expected);
        let bare = json!({"class": "A", "message": null, "at": null, "cause_class": null, "cause_message": null, "labels": {}});
        assert_eq!(failure(&bare), ["A"]);
    }
}
