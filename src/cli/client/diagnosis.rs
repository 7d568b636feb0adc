//! `jobs diagnose`.

use serde_json::Value;

use super::arguments::{ItemArguments, Output};
use super::lists::text;
use super::printable::{printable, printable_json};
use super::server::Server;
use super::short_id::whole_id;
use super::table::csv;
use super::{Console, Failure};

/// Prints the findings of a job.
pub(super) async fn print(wanted: &ItemArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let server = Server::of(&wanted.server)?;
    let id = whole_id(&server, "jobs", &wanted.copy.id).await?;
    let found = server.json(&format!("jobs/{id}/diagnosis"), &wanted.copy.query()).await?;
    let part = |name: &str| found[name].as_array().map(Vec::as_slice).unwrap_or_default();
    match wanted.output {
        Output::Json => writeln!(console.out, "{}", printable_json(&format!("{found:#}")))?,
        Output::Csv => {
            let mut rows = vec![["severity", "code", "text", "advice", "vertex", "subtask"].map(str::to_owned).to_vec()];
            rows.extend(part("findings").iter().map(row));
            csv(&rows, console.terminal, console.out)?;
        }
        Output::Table => {
            for finding in part("findings") {
                let line = |name: &str| printable(&text(&finding[name]), false);
                writeln!(console.out, "{} {}\n  {}\n  {}", line("severity").to_uppercase(), line("code"), line("text"), line("advice"))?;
            }
            if part("findings").is_empty() {
                writeln!(console.notes, "Nothing was found in what was assessed.")?;
            }
            for missing in part("not_assessed") {
                let line = |name: &str| printable(&text(&missing[name]), false);
                writeln!(console.notes, "Not assessed: {}. {}", line("code"), line("reason"))?;
            }
        }
    }
    Ok(())
}

fn row(finding: &Value) -> Vec<String> {
    let mut row: Vec<String> = ["severity", "code", "text", "advice"].iter().map(|name| text(&finding[*name])).collect();
    row.extend(["vertex_name", "subtask"].iter().map(|name| text(&finding["place"][*name])));
    row
}
