//! `applications list` and `jobs list`.

use futures::StreamExt as _;
use serde_json::Value;

use super::arguments::{Output, Query, RowsArguments};
use super::printable::{duration, printable, printable_json, time};
use super::server::Server;
use super::table::{Table, csv};
use super::{Console, Failure};

/// A list, and the cells of its rows.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) path: &'static str,
    /// The sentence for people when there is no row.
    pub(super) empty: &'static str,
    /// Maximum number of rows of a page of the server.
    pub(super) max_page: u64,
    pub(super) titles: &'static [&'static str],
    pub(super) cells: fn(&Value) -> Vec<String>,
}

pub(super) const APPLICATIONS: List = List {
    path: "applications",
    empty: "No application matches.",
    max_page: 1_000,
    titles: &["ID", "NAME", "STATUS", "START (UTC)", "DURATION", "JOBS", "FAILED", "PROBLEMS", "CLUSTER"],
    cells: |item| {
        let jobs = item["jobs"].as_object();
        let all: u64 = jobs.into_iter().flat_map(|jobs| jobs.values()).filter_map(Value::as_u64).sum();
        let mut cells = common(item);
        cells.extend([all.to_string(), item["jobs"]["FAILED"].as_u64().unwrap_or(0).to_string()]);
        cells.extend([text(&item["problems"]), text(&item["cluster"])]);
        cells
    },
};

pub(super) const JOBS: List = List {
    path: "jobs",
    empty: "No job matches.",
    max_page: 1_000,
    titles: &["ID", "NAME", "STATUS", "START (UTC)", "DURATION", "TYPE", "TASKS", "FAILED", "PROBLEMS", "CLUSTER"],
    cells: |item| {
        let mut cells = common(item);
        cells.extend([text(&item["job_type"]), text(&item["tasks"]["total"]), text(&item["tasks"]["failed"])]);
        cells.extend([text(&item["problems"]), text(&item["cluster"])]);
        cells
    },
};

fn common(item: &Value) -> Vec<String> {
    vec![
        text(&item["id"]),
        text(&item["name"]),
        text(&item["status"]),
        item["start"].as_i64().map(time).unwrap_or_default(),
        item["duration"].as_i64().map(duration).unwrap_or_default(),
    ]
}

/// A value as text; null is empty.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Prints a list.
pub(super) async fn list(
    server: &Server,
    list: List,
    query: Query,
    rows: &RowsArguments,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    if rows.output == Output::Csv {
        return exported(server, list.path, query, rows, console).await;
    }
    paged(server, list, query, rows, console).await
}

/// The server writes CSV itself.
async fn exported(server: &Server, path: &str, mut query: Query, rows: &RowsArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    query.push(("format", "csv".to_owned()));
    query.extend(rows.max_rows().map(|max| ("limit", max.to_string())));
    let mut chunks = server.get(&format!("{path}/export"), &query).await?.bytes_stream();
    let mut cut = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| server.unanswered(&error))?;
        if !console.terminal {
            console.out.write_all(&chunk)?;
            continue;
        }
        cut.extend_from_slice(&chunk);
        // The CR and LF at the end of a line are harmless. Control characters within a line are escaped.
        let Some(end) = cut.iter().rposition(|byte| *byte == b'\n') else { continue };
        let whole: Vec<u8> = cut.drain(..=end).collect();
        console.out.write_all(printable(&String::from_utf8_lossy(&whole).replace("\r\n", "\n"), true).as_bytes())?;
    }
    Ok(())
}

/// Prints a list page by page: as a table, as one JSON array, or as the cells of the table in CSV.
pub(super) async fn paged(
    server: &Server,
    list: List,
    query: Query,
    rows: &RowsArguments,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let mut left = rows.max_rows().unwrap_or(u64::MAX);
    let (mut table, mut printed, mut cursor) = (Table::new(list.titles), 0_u64, None::<String>);
    if rows.output == Output::Csv {
        csv(&[list.titles.iter().map(|title| (*title).to_owned()).collect()], console.terminal, console.out)?;
    }
    loop {
        let mut page_query = query.clone();
        page_query.push(("limit", left.min(list.max_page).to_string()));
        page_query.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        let page = server.json(list.path, &page_query).await?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let cells = || items.iter().map(list.cells).collect::<Vec<_>>();
        match rows.output {
            Output::Table if items.is_empty() => {}
            Output::Table => table.print(&cells(), console.out)?,
            Output::Csv => csv(&cells(), console.terminal, console.out)?,
            Output::Json => {
                for (number, item) in (printed..).zip(items) {
                    let before = if number == 0 { "[\n" } else { ",\n" };
                    write!(console.out, "{before}{}", printable_json(&item.to_string()))?;
                }
            }
        }
        // The rows are shown before the next page is read.
        console.out.flush()?;
        printed += items.len() as u64;
        left = left.saturating_sub(items.len() as u64);
        cursor = page["next"].as_str().map(str::to_owned);
        if left == 0 || cursor.is_none() {
            break;
        }
    }
    if rows.output == Output::Json {
        writeln!(console.out, "{}", if printed == 0 { "[]" } else { "\n]" })?;
    } else if printed == 0 && cursor.is_none() {
        writeln!(console.notes, "{}", list.empty)?;
    } else if cursor.is_some() {
        writeln!(console.notes, "There are more rows: --all prints all of them, --limit N a larger number.")?;
    }
    Ok(())
}
