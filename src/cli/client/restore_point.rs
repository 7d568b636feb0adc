//! `jobs restore-point`.

use serde_json::Value;

use super::arguments::{Output, RestorePointArguments};
use super::lists::text;
use super::printable::{printable, printable_json, time};
use super::server::Server;
use super::table::{Table, csv};
use super::{Console, Failure};

const TITLES: &[&str] = &["TIME", "KIND", "FILES", "RUN", "STATUS", "PATH"];

/// Prints the point to restore a job from, and the other ones.
pub(super) async fn print(wanted: &RestorePointArguments, console: &mut Console<'_>) -> Result<(), Failure> {
    let found = Server::of(&wanted.server)?.json("jobs/restore-point", &wanted.query()).await?;
    let path = found["newest"]["path"].as_str();
    match wanted.output {
        Output::Json => writeln!(console.out, "{}", printable_json(&format!("{found:#}")))?,
        Output::Csv => {
            let titles = TITLES.iter().map(|title| title.to_lowercase()).collect();
            let rows: Vec<Vec<String>> = std::iter::once(titles).chain(points(&found)).collect();
            csv(&rows, console.terminal, console.out)?;
        }
        Output::Table if wanted.quiet => {
            if let Some(path) = path {
                writeln!(console.out, "{}", printable(path, false))?;
            }
        }
        Output::Table => {
            if let Some(path) = path {
                writeln!(console.out, "Restore from: {}", printable(path, false))?;
                writeln!(console.out, "Command:      flink run -s {} …\n", printable(&quoted(path), false))?;
            }
            let rows: Vec<Vec<String>> = points(&found).collect();
            if !rows.is_empty() {
                Table::new(TITLES).unlimited().print(&rows, console.out)?;
            }
        }
    }
    for note in found["notes"].as_array().into_iter().flatten() {
        writeln!(console.notes, "{}", printable(&text(&note["text"]), false))?;
    }
    if path.is_none() {
        return Err(Failure::not_found("There is no restore point: see the remarks above."));
    }
    Ok(())
}

fn points(found: &Value) -> impl Iterator<Item = Vec<String>> {
    found["items"].as_array().into_iter().flatten().map(|point| {
        let kind = match (point["savepoint"] == true, point["restored"] == true) {
            (true, false) => "savepoint",
            (false, false) => "checkpoint",
            (true, true) => "savepoint, restored",
            (false, true) => "checkpoint, restored",
        };
        let files = match point["retention"].as_str() {
            Some("kept") => "kept",
            Some("deleted") => "deleted by Flink",
            _ => "not known",
        };
        let at = point["at"].as_i64().map(time).unwrap_or_default();
        vec![at, kind.to_owned(), files.to_owned(), text(&point["job"]), text(&point["status"]), text(&point["path"])]
    })
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:._-+=@%,".contains(&byte);
    if path.bytes().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted("s3://bucket/ck/chk-7"), "s3://bucket/ck/chk-7");
        assert_eq!(quoted("file:/a b/it's;$(x)"), r"'file:/a b/it'\''s;$(x)'");
    }

    #[test]
    fn a_point_is_one_row() {
        let point = json!({
            "savepoint": true, "restored": false, "retention": "kept", "at": 1_795_373_801_991_i64, "job": "a", "status": "CANCELED", "path": "file:/sp",
        });
        let rows: Vec<Vec<String>> = points(&json!({"items": [point]})).collect();
        assert_eq!(rows, [["2026-11-22 18:56:41", "savepoint", "kept", "a", "CANCELED", "file:/sp"].map(str::to_owned).to_vec()]);
    }
}
