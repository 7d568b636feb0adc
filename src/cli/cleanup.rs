//! `historyserver cleanup`: asks the running server, or cleans up itself when none is running.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{CleanupArguments, EXIT_FAILED, EXIT_HELD_BACK, EXIT_OK};
use crate::config::Config;
use crate::data_directory;
use crate::index::{HeldCleanup, HeldReason};
use crate::names::DirectoryUrl;
use crate::server::alone::{self, Findings, Wanted};

/// How often the running server is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// What is to be printed, and how to exit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// Exit code.
    pub code: u8,
}

/// Does what was asked.
///
/// # Errors
/// Neither a server nor this command could do it.
pub async fn run(config: &Config, wanted: &CleanupArguments) -> anyhow::Result<Outcome> {
    let findings = if data_directory::connect_to_server(&config.data.dir).await.is_ok() {
        ask(&config.data.dir, wanted).await?
    } else {
        let ask = if wanted.dry_run { Wanted::Preview } else { Wanted::Cleanup { confirm: wanted.confirm.clone() } };
        alone::clean_up(config, ask).await?
    };
    Ok(tell(&findings, wanted))
}

/// Has the running server do it.
async fn ask(data: &Path, wanted: &CleanupArguments) -> anyhow::Result<Findings> {
    let mut findings =
        Findings { removals: Vec::new(), held_back: Vec::new(), report: None, nothing_to_confirm: false, unlisted: Vec::new() };
    if wanted.dry_run {
        let mut path = "/api/v1/retention/preview?limit=1000".to_owned();
        loop {
            let mut page = get(data, &path).await?;
            if let Value::Array(rows) = page["removals"].take() {
                findings.removals.extend(rows);
            }
            let Some(cursor) = page["next"].as_str() else { break };
            path = format!("/api/v1/retention/preview?limit=1000&cursor={cursor}");
        }
    } else {
        let body = wanted.confirm.as_ref().map_or(json!({}), |plan| json!({ "confirm": plan }));
        let (status, accepted) = request(data, "POST", "/api/v1/cleanup", &body.to_string()).await?;
        match status {
            202 => findings.report = Some(wait(data, accepted["request"].as_u64().unwrap_or(0)).await?),
            409 => findings.nothing_to_confirm = true,
            _ => bail!("the server answered {status}: {accepted}"),
        }
    }
    let status = get(data, "/api/v1/status").await?;
    for directory in status["refresh"]["directories"].as_array().into_iter().flatten() {
        let held = &directory["held_back"];
        if let (Some(url), Some(plan)) = (held["directory"].as_str(), held["plan"].as_str()) {
            findings.held_back.push(HeldCleanup {
                directory: DirectoryUrl::new(url),
                plan: plan.to_owned(),
                units: held["units"].as_u64().unwrap_or(0),
                of: held["of"].as_u64().unwrap_or(0),
                since: held["since"].as_i64().unwrap_or(0),
                reason: held["reason"].as_str().and_then(HeldReason::parse).unwrap_or(HeldReason::TooMuch),
            });
        }
        if directory["state"] == "failed" {
            findings.unlisted.extend(directory["reason"].as_str().map(str::to_owned));
        }
    }
    Ok(findings)
}

/// Waits until the server has done what was asked under this number.
async fn wait(data: &Path, number: u64) -> anyhow::Result<crate::retention::cleanup::CleanupReport> {
    loop {
        let mut status = get(data, "/api/v1/status").await?;
        if status["cleanup"]["requested"].as_u64().is_some_and(|done| done >= number) {
            return serde_json::from_value(status["cleanup"]["last_requested"].take()).context("reading what the server tells of it");
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn get(data: &Path, path: &str) -> anyhow::Result<Value> {
    match request(data, "GET", path, "").await? {
        (200, body) => Ok(body),
        (status, body) => bail!("the server answered {status} to {path}: {body}"),
    }
}

/// One request by the socket in the data directory: HTTP/1.0, so that the answer ends with the connection.
async fn request(data: &Path, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, Value)> {
    let failed = || format!("asking the server that runs on the data directory {}", data.display());
    let mut stream = data_directory::connect_to_server(data).await.with_context(failed)?;
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.with_context(failed)?;
    stream.write_all(body.as_bytes()).await.with_context(failed)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.with_context(failed)?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").with_context(failed)?;
    let status = std::str::from_utf8(&answer[..end]).ok().and_then(|head| head.split(' ').nth(1)?.parse().ok());
    let body = serde_json::from_slice(&answer[end + 4..]).with_context(failed)?;
    Ok((status.with_context(failed)?, body))
}

/// What is printed of it, and the exit code.
fn tell(findings: &Findings, wanted: &CleanupArguments) -> Outcome {
    let failed = findings.report.as_ref().is_some_and(|report| report.failed > 0 || report.error.is_some());
    let code = if failed || findings.nothing_to_confirm || !findings.unlisted.is_empty() {
        EXIT_FAILED
    } else if findings.held_back.is_empty() {
        EXIT_OK
    } else {
        EXIT_HELD_BACK
    };
    if wanted.json {
        let value = json!({
            "dry_run": wanted.dry_run,
            "removals": findings.removals,
            "held_back": findings.held_back,
            "report": findings.report,
            "nothing_to_confirm": findings.nothing_to_confirm,
            "unlisted": findings.unlisted,
        });
        return Outcome { text: format!("{value:#}\n"), code };
    }
    let mut text = String::new();
    let mut line = |line: std::fmt::Arguments<'_>| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{line}");
    };
    for row in &findings.removals {
        let cell = |name: &str| row[name].as_str().unwrap_or("-");
        let held = if row["held_back"] == true { " (held back)" } else { "" };
        let id = row["application"].as_str().or(row["job"].as_str()).unwrap_or("-");
        let bytes = row["bytes"].as_u64().unwrap_or(0);
        line(format_args!(
            "{}{held}\t{}\t{}\t{id}\t{}\t{bytes} bytes\t{}",
            cell("action"),
            cell("directory"),
            cell("cluster"),
            cell("name"),
            cell("detail")
        ));
    }
    if wanted.dry_run {
        let bytes: u64 = findings.removals.iter().filter_map(|row| row["bytes"].as_u64()).sum();
        line(format_args!("{} would be deleted or forgotten, {bytes} bytes", findings.removals.len()));
    }
    if let Some(report) = &findings.report {
        line(format_args!(
            "deleted {} ({} bytes), forgotten {}, changed and left {}, failed {}",
            report.deleted, report.bytes, report.forgotten, report.changed, report.failed
        ));
        if let Some(error) = &report.error {
            line(format_args!("ended early: {error}"));
        }
    }
    for reason in &findings.unlisted {
        line(format_args!("not listed, so that nothing is removed there: {reason}"));
    }
    if findings.nothing_to_confirm {
        line(format_args!("nothing to confirm under this id: the plan has changed, or nothing is held back"));
    }
    for held in &findings.held_back {
        line(format_args!(
            "held back in {} ({}): {} of {} would be deleted or forgotten; confirm with `historyserver cleanup --confirm {}`",
            held.directory,
            held.reason.as_str(),
            held.units,
            held.of,
            held.plan
        ));
    }
    Outcome { text, code }
}
