//! `historyserver cleanup`: sends a request to the running server, or cleans up itself when no server is running.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use serde_json::{Value, json};

use super::running_server::RunningServer;
use super::{CleanupArguments, EXIT_FAILED, EXIT_OK, EXIT_ON_HOLD};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::index::{HeldCleanup, HeldReason};
use crate::names::DirectoryUrl;
use crate::server::alone::{self, Findings, Wanted};

/// Interval of the requests whether the running server is done.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// The result of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// Exit code.
    pub code: u8,
}

/// Runs the command.
///
/// # Errors
/// The cleanup failed, in the running server or in this command.
pub async fn run(config: &Config, wanted: &CleanupArguments) -> anyhow::Result<Outcome> {
    let findings = if let Some(server) = RunningServer::find(&config.data.dir).await? {
        request(&server, wanted).await?
    } else {
        let request = if wanted.dry_run { Wanted::Preview } else { Wanted::Cleanup { confirm: wanted.confirm.clone() } };
        alone::clean_up(config, request).await?
    };
    Ok(outcome(&findings, wanted))
}

/// Requests it of the running server.
async fn request(server: &RunningServer, wanted: &CleanupArguments) -> anyhow::Result<Findings> {
    let mut findings =
        Findings { removals: Vec::new(), held_back: Vec::new(), report: None, nothing_to_confirm: false, unlisted: Vec::new() };
    if wanted.dry_run {
        let mut path = "/api/v1/retention/preview?limit=1000".to_owned();
        loop {
            let mut page = server.get(&path).await?;
            if let Value::Array(rows) = page["removals"].take() {
                findings.removals.extend(rows);
            }
            let Some(cursor) = page["next"].as_str() else { break };
            path = format!("/api/v1/retention/preview?limit=1000&cursor={cursor}");
        }
    } else {
        let body = wanted.confirm.as_ref().map_or(json!({}), |plan| json!({ "confirm": plan }));
        let (status, accepted) = server.request(Method::POST, "/api/v1/cleanup", Some(&body)).await?;
        match status {
            202 => findings.report = Some(wait(server, accepted["request"].as_u64().unwrap_or(0)).await?),
            409 => findings.nothing_to_confirm = true,
            _ => bail!("the server answered {status}: {accepted}"),
        }
    }
    let status = server.get("/api/v1/status").await?;
    for directory in status["refresh"]["directories"].as_array().into_iter().flatten() {
        let held = &directory["held_back"];
        if let (Some(url), Some(plan)) = (held["directory"].as_str(), held["plan"].as_str()) {
            findings.held_back.push(HeldCleanup {
                directory: DirectoryUrl::new(url),
                plan: plan.to_owned(),
                units: held["units"].as_u64().unwrap_or(0),
                of: held["of"].as_u64().unwrap_or(0),
                since: Timestamp::from_millis(held["since"].as_i64().unwrap_or(0)),
                reason: held["reason"].as_str().and_then(HeldReason::parse).unwrap_or(HeldReason::TooMuch),
            });
        }
        if directory["state"] == "failed" {
            findings.unlisted.extend(directory["reason"].as_str().map(str::to_owned));
        }
    }
    Ok(findings)
}

/// Waits until the server has done the request with this number.
async fn wait(server: &RunningServer, number: u64) -> anyhow::Result<crate::retention::cleanup::CleanupReport> {
    loop {
        let mut status = server.get("/api/v1/status").await?;
        if status["cleanup"]["requested"].as_u64().is_some_and(|done| done >= number) {
            return serde_json::from_value(status["cleanup"]["last_requested"].take())
                .context("the server answered with another report of its cleanup than this version reads");
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// The text to print, and the exit code.
fn outcome(findings: &Findings, wanted: &CleanupArguments) -> Outcome {
    let failed = findings.report.as_ref().is_some_and(|report| report.failed > 0 || report.error.is_some());
    let code = if failed || findings.nothing_to_confirm || !findings.unlisted.is_empty() {
        EXIT_FAILED
    } else if findings.held_back.is_empty() {
        EXIT_OK
    } else {
        EXIT_ON_HOLD
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
        let held = if row["held_back"] == true { " (on hold)" } else { "" };
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
        line(format_args!("not listed, so nothing is removed there: {reason}"));
    }
    if findings.nothing_to_confirm {
        line(format_args!(
            "no cleanup with this plan id is on hold: the plan has changed, or it was confirmed before; `historyserver cleanup --dry-run` shows the current plan"
        ));
    }
    for held in &findings.held_back {
        line(format_args!(
            "on hold in {} ({}): {} of {} would be deleted or forgotten; to confirm, run `historyserver cleanup --confirm {}`",
            held.directory,
            held.reason.as_str(),
            held.units,
            held.of,
            held.plan
        ));
    }
    Outcome { text, code }
}
