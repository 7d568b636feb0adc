//! Rows of lists as lines of a file: CSV for spreadsheets, one JSON object per line for programs.

use chrono::DateTime;
use csv::{Terminator, WriterBuilder};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::v1::runs::{ApplicationRun, JobRun};
use crate::clock::Timestamp;
use crate::index::query::{Item, ListKind, RunFigures};
use crate::spreadsheet::harmless;

/// CSV columns of applications.
const OF_APPLICATIONS: &[&str] = &[
    "id",
    "name",
    "status",
    "start",
    "end",
    "duration",
    "started",
    "ended",
    "cluster",
    "directory",
    "jobs",
    "failed_jobs",
    "complete",
    "gone_since",
    "problems",
    "shown",
];

/// CSV columns of jobs.
const OF_JOBS: &[&str] = &[
    "id",
    "name",
    "status",
    "start",
    "end",
    "duration",
    "started",
    "ended",
    "cluster",
    "directory",
    "job_type",
    "tasks",
    "failed_tasks",
    "application",
    "gone_since",
    "problems",
    "shown",
    "archived",
];

/// CSV columns of figures, after those of applications or jobs.
const FIGURES: &[&str] = &[
    "parallelism",
    "restarts",
    "read_records",
    "write_records",
    "read_bytes",
    "write_bytes",
    "checkpoints_completed",
    "checkpoints_failed",
    "last_checkpoint_size",
    "longest_checkpoint_duration",
    "root_exception_class",
    "root_cause_class",
];

/// Format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// RFC 4180 with a header line.
    Csv,
    /// A JSON object per line, as in the history.
    Ndjson,
}

impl Format {
    /// The text before the first row.
    pub(super) fn head(self, kind: ListKind) -> Vec<u8> {
        let columns = match kind {
            ListKind::Applications => OF_APPLICATIONS,
            ListKind::Jobs => OF_JOBS,
        };
        match self {
            Self::Csv => ([columns, FIGURES].concat().join(",") + "\r\n").into_bytes(),
            Self::Ndjson => Vec::new(),
        }
    }

    /// The lines of these rows.
    ///
    /// # Errors
    /// Never in practice: it writes to memory.
    pub(super) fn rows(self, kind: ListKind, runs: Vec<(Item, RunFigures)>) -> Result<Vec<u8>, String> {
        match self {
            Self::Csv => csv_rows(kind, &runs),
            Self::Ndjson => json_rows(kind, runs),
        }
    }
}

fn json_rows(kind: ListKind, runs: Vec<(Item, RunFigures)>) -> Result<Vec<u8>, String> {
    let mut lines = Vec::new();
    for run in runs {
        let written = match kind {
            ListKind::Applications => serde_json::to_writer(&mut lines, &ApplicationRun::from(run)),
            ListKind::Jobs => serde_json::to_writer(&mut lines, &JobRun::from(run)),
        };
        written.map_err(|error| format!("a row could not be written as JSON: {error}"))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn csv_rows(kind: ListKind, runs: &[(Item, RunFigures)]) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("a row could not be written as CSV: {error}");
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for (item, figures) in runs {
        writer.write_record(cells(kind, item).into_iter().chain(figure_cells(figures))).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// The cells of an item, in the order of the columns.
fn cells(kind: ListKind, item: &Item) -> Vec<String> {
    let text = |text: Option<&str>| text.map(|text| harmless(text).into_owned()).unwrap_or_default();
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let count = |state: &str| item.counts.get(state).map(u64::to_string).unwrap_or_default();
    let mut cells = vec![
        item.id.clone(),
        text(item.name.as_deref()),
        text(item.status.as_deref()),
        number(item.start.map(Timestamp::as_millis)),
        number(item.end.map(Timestamp::as_millis)),
        number(item.duration),
        item.start.and_then(iso).unwrap_or_default(),
        item.end.and_then(iso).unwrap_or_default(),
        text(item.cluster.as_deref()),
        text(Some(&item.directory)),
    ];
    let (gone, problems, shown) = (number(item.gone_since.map(Timestamp::as_millis)), item.problems.to_string(), item.shown.to_string());
    match kind {
        ListKind::Applications => {
            let jobs: u64 = item.counts.values().sum();
            let failed = item.counts.get("FAILED").copied().unwrap_or_default();
            cells.extend([jobs.to_string(), failed.to_string(), item.complete.to_string(), gone, problems, shown]);
        }
        ListKind::Jobs => {
            let application = item.application.clone().unwrap_or_default();
            let job_type = text(item.job_type.as_deref());
            cells.extend([job_type, count("total"), count("failed"), application, gone, problems, shown, item.archived.to_string()]);
        }
    }
    cells
}

/// The cells of figures, in the order of their columns.
fn figure_cells(figures: &RunFigures) -> [String; 12] {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: Option<&String>| text.map(|text| harmless(text).into_owned()).unwrap_or_default();
    [
        number(figures.parallelism),
        number(figures.restarts),
        number(figures.io.read_records),
        number(figures.io.write_records),
        number(figures.io.read_bytes),
        number(figures.io.write_bytes),
        number(figures.checkpoints_completed),
        number(figures.checkpoints_failed),
        number(figures.last_checkpoint_size),
        number(figures.longest_checkpoint_duration),
        text(figures.root_exception_class.as_ref()),
        text(figures.root_cause_class.as_ref()),
    ]
}

/// A time in ISO 8601; `None` for years beyond the calendar.
fn iso(time: Timestamp) -> Option<String> {
    Some(DateTime::from_timestamp_millis(time.as_millis())?.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn item() -> Item {
        Item {
            id: "0d6f4f6e8da5b7e7a3551550ff16c873".to_owned(),
            name: Some("=cmd|' /C calc'!A0, \"x\"\nß".to_owned()),
            status: Some("FAILED".to_owned()),
            start: Some(Timestamp::from_millis(-1)),
            end: None,
            duration: Some(1_500),
            counts: BTreeMap::from([
                ("FAILED".to_owned(), 1),
                ("FINISHED".to_owned(), 2),
                ("total".to_owned(), 9),
                ("failed".to_owned(), 4),
            ]),
            job_type: Some("BATCH".to_owned()),
            application: None,
            cluster: Some("-eu".to_owned()),
            directory: "file:///a/".to_owned(),
            complete: true,
            archived: true,
            read: true,
            gone_since: None,
            problems: 0,
            shown: true,
            flat: false,
            run_facts: None,
        }
    }

    fn figures() -> RunFigures {
        RunFigures {
            restarts: Some(3),
            checkpoints_failed: Some(0),
            root_exception_class: Some("@x.Failed".to_owned()),
            root_cause_class: Some("y.Cause".to_owned()),
            ..RunFigures::default()
        }
    }

    #[test]
    fn a_line_has_a_cell_per_column_with_harmless_texts_and_plain_numbers() {
        for (kind, expected) in [
            (ListKind::Applications, "-1,,1500,1969-12-31T23:59:59.999Z,,'-eu,file:///a/,16,1,true,,0,true"),
            (ListKind::Jobs, "-1,,1500,1969-12-31T23:59:59.999Z,,'-eu,file:///a/,BATCH,9,4,,,0,true,true"),
        ] {
            let mut text = Format::Csv.head(kind);
            text.extend(Format::Csv.rows(kind, vec![(item(), figures())]).unwrap());
            let mut reader = csv::Reader::from_reader(text.as_slice());
            let columns = reader.headers().unwrap().len();
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!((row.len(), &row[1]), (columns, "'=cmd|' /C calc'!A0, \"x\"\nß"));
            let line = String::from_utf8(text).unwrap();
            assert!(line.ends_with(&format!(",FAILED,{expected},,3,,,,,,0,,,'@x.Failed,y.Cause\r\n")), "{line}");
        }
    }

    #[test]
    fn every_json_line_is_one_object() {
        let text = Format::Ndjson.rows(ListKind::Jobs, vec![(item(), figures()), (item(), figures())]).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.lines().count(), 2);
        let job: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&job["start"], &job["end"]), (&(-1).into(), &serde_json::Value::Null));
        assert_eq!((&job["restarts"], &job["root_exception_class"]), (&3.into(), &"@x.Failed".into()));
    }
}
