//! A cleanup without a server: the command owns the data directory while it runs.

use anyhow::Context as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{cleanup, ingest_options, open_directories, open_index, retention_rules, rules};
use crate::api;
use crate::clock::Clock;
use crate::config::Config;
use crate::data_directory;
use crate::index::HeldCleanup;
use crate::ingest::Ingest;
use crate::refresh::{DirectoryRefresh, DirectoryState, Duty, Refresh};
use crate::retention::cleanup::{CleanupReport, CleanupScope};
use crate::schedule::cleanups::{self, Cleaner};

/// Rows of one page of the preview.
const ROWS: usize = 1_000;

/// The kind of run.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Only show the removals.
    Preview,
    /// Remove.
    Cleanup {
        /// Plan id of the cleanup on hold to confirm.
        confirm: Option<String>,
    },
}

/// The result.
#[derive(Debug, Clone)]
pub struct Findings {
    /// The removals, as in `/api/v1/retention/preview`; empty unless a preview was requested.
    pub removals: Vec<Value>,
    /// Cleanups on hold.
    pub held_back: Vec<HeldCleanup>,
    /// The report of the run; `None` for a preview.
    pub report: Option<CleanupReport>,
    /// No cleanup with this plan id was on hold.
    pub nothing_to_confirm: bool,
    /// The reasons of archive directories that could not be listed: nothing is shown or removed of these.
    pub unlisted: Vec<String>,
}

/// Lists every archive directory, applies the retention policy, and removes what is due.
///
/// # Errors
/// An archive directory is not valid, the data directory belongs to another process, or the index cannot be written.
pub async fn clean_up(config: &Config, wanted: Wanted) -> anyhow::Result<Findings> {
    let directories = open_directories(config)?;
    let written = data_directory::last_written(&config.data.dir);
    let (writer, reader) = open_index(config, &directories).await?;
    let clock = Clock::System;
    let cleanup = cleanup(config, &directories, &writer, &reader, &clock);
    let ingest = Ingest::new(directories.iter().cloned(), writer.clone(), reader.clone(), ingest_options(config), clock.clone());
    let duty = if matches!(wanted, Wanted::Preview) { Duty::Verdicts } else { Duty::Retention };
    let refreshes = directories.into_iter().map(|directory| {
        DirectoryRefresh::new(directory, ingest.clone(), writer.clone(), reader.clone(), rules(config), clock.clone())
            .with_retention(retention_rules(&config.retention))
            .with_data_directory_written(written)
            .with_duty(duty)
    });
    let (mut refresh, status) = Refresh::new(refreshes.collect(), &clock);
    let cleaner = Cleaner::new(cleanup.clone(), writer.clone(), reader.clone(), clock);
    let stop = CancellationToken::new();
    refresh.run(true, &stop).await;
    let mut findings =
        Findings { removals: Vec::new(), held_back: Vec::new(), report: None, nothing_to_confirm: false, unlisted: Vec::new() };
    if let Wanted::Cleanup { confirm } = wanted {
        if let Some(plan) = confirm {
            findings.nothing_to_confirm = !cleaner.confirm(&plan).await?;
            refresh.run(true, &stop).await;
        }
        if !findings.nothing_to_confirm {
            cleanups::note_judged(&cleanup, &status.borrow());
            findings.report = Some(cleanup.run(CleanupScope::Due, &stop).await);
        }
    } else {
        let mut cursor = None;
        loop {
            let page = api::preview_page(&reader.everything(), Vec::new(), cursor, ROWS).await?;
            let mut page = serde_json::to_value(page).context("writing the preview as JSON")?;
            if let Value::Array(rows) = page["removals"].take() {
                findings.removals.extend(rows);
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
    }
    findings.held_back = reader.held_cleanups().await?;
    let status = status.borrow().clone();
    let failed = status.directories.iter().filter(|directory| directory.state == DirectoryState::Failed);
    findings.unlisted = failed.filter_map(|directory| directory.reason.clone()).collect();
    writer.close().await;
    Ok(findings)
}
