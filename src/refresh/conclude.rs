//! The conclusion of a round: missing archives and problems are recorded, and the status is published and logged.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::duty::Duty;
use super::error::RoundError;
use super::pass::PassResult;
use super::pipeline::PipelineResult;
use super::plan::{Plan, Probed};
use super::round::{Decision, DirectoryRefresh, RoundReport};
use super::status::DirectoryState;
use crate::clock::{Timestamp, whole_millis};
use crate::ids::ApplicationId;
use crate::index::{IndexError, KnownDirectory, Presence, UnitKey};
use crate::names::ClusterName;
use crate::problem::{Problem, ProblemCode, Subject};
use crate::telemetry;

/// A full scan is due when this many times the cost of the last one has passed.
const FULL_SCAN_EVERY: u32 = 100;

/// Cost of a listing in milliseconds while no listing had an answer about every part.
const UNKNOWN_COST_MS: u64 = 1_000;

/// A quick scan of an object store is due when this many times the cost of the last one has passed.
const QUICK_SCAN_EVERY: u32 = 10;

impl DirectoryRefresh {
    /// Records the findings of a round whose listing was complete.
    pub(super) async fn conclude(
        &mut self,
        full: bool,
        known: &KnownDirectory,
        pass: PassResult,
        decision: Decision,
        pipeline: PipelineResult,
        now: Timestamp,
    ) -> Result<RoundReport, IndexError> {
        let Decision { mut plan, doubt, expired, forgotten, unread } = decision;
        self.note_probed(pipeline.readable, &plan);
        let missing = plan.presence.iter().filter(|change| is_missing(change)).count() as u64;
        let report = RoundReport {
            full,
            ingested: pipeline.ingested,
            missing,
            returned: plan.presence.len() as u64 - missing,
            forgotten,
            expired,
            unread: unread + pipeline.read_by_command,
            units: (full || !plan.vanished).then_some(plan.units),
            vanished: plan.vanished,
            exists: pass.listed.exists,
            doubt: pass.listed.doubt.clone(),
        };
        if !plan.presence.is_empty() {
            self.writer.note_presence(std::mem::take(&mut plan.presence), now).await?;
        }
        let holds = if plan.vanished { known.held_archives } else { plan.holds_archives };
        if holds != known.held_archives || plan.vanished != known.vanished_since.is_some() {
            self.writer.note_listing(self.directory.url(), holds, plan.vanished, now).await?;
        }
        // The time that was spent waiting for a part that did not answer says nothing about the cost of a listing.
        let unanswered = pass.obstacles.iter().any(|obstacle| obstacle.code == ProblemCode::ListingFailed);
        let cost = if full { &mut self.full_scan_cost_ms } else { &mut self.quick_scan_cost_ms };
        *cost = if unanswered { Some(cost.unwrap_or(UNKNOWN_COST_MS).min(pass.took_ms)) } else { Some(pass.took_ms) };
        if let Some(requests) = &mut self.status.requests {
            let of_scan = if full { &mut requests.full_scan } else { &mut requests.quick_scan };
            *of_scan = Some(pass.listed.requests);
        }
        let obstacles = pass.obstacles.iter().map(|obstacle| self.obstacle(obstacle, now)).collect();
        self.note_obstacles(obstacles, full && !plan.vanished, known);
        let mut problems = self.obstacles.clone();
        problems.extend(plan.vanished.then(|| self.vanished(known, now)));
        problems.extend(self.doubt(&pass.listed, now).filter(|_| !plan.vanished));
        problems.extend(self.retention_problems(&plan, known, doubt, now));
        self.note_problems(problems).await?;
        self.active_folders = pass.folders;
        let took = if full { &mut self.status.audit_ms } else { &mut self.status.look_ms };
        *took = Some(pass.took_ms);
        Ok(report)
    }

    /// Keeps the files that were found to be readable for as long as a verdict waits for them.
    fn note_probed(&mut self, readable: Probed, plan: &Plan) {
        if self.duty == Duty::All && (!self.probed.is_empty() || !readable.is_empty()) {
            let wanted: HashSet<&UnitKey> = plan.unread.iter().map(|unread| &unread.key).collect();
            Arc::make_mut(&mut self.probed).retain(|key, _| wanted.contains(key));
        }
        if !readable.is_empty() {
            Arc::make_mut(&mut self.probed).extend(readable);
        }
    }

    /// Keeps the obstacles of a listing. `all`: it has seen every folder, so earlier obstacles that it did not meet are resolved.
    fn note_obstacles(&mut self, obstacles: Vec<Problem>, all: bool, known: &KnownDirectory) {
        if all {
            self.obstacles = obstacles;
            let incomplete = |key: &(ClusterName, ApplicationId)| known.applications.get(key).is_some_and(|unit| !unit.complete);
            self.last_listed.lock().unwrap_or_else(PoisonError::into_inner).retain(|key, _| incomplete(key));
        } else {
            let known: HashSet<_> = self.obstacles.iter().map(|each| (each.code, each.subject.clone())).collect();
            self.obstacles.extend(obstacles.into_iter().filter(|each| !known.contains(&(each.code, each.subject.clone()))));
        }
    }

    /// Publishes the findings of a round, and when the next scans are due.
    pub(super) fn note_report(&mut self, report: &RoundReport, cost: Duration) {
        let now = self.clock.now();
        let url = self.directory.url().clone();
        let after = |times: u32, ms: Option<u64>| {
            let pause = Duration::from_millis(ms.unwrap_or(0)).saturating_mul(times);
            now + pause
        };
        if report.full {
            self.status.next_audit = Some(after(FULL_SCAN_EVERY, self.full_scan_cost_ms));
        }
        if self.directory.local_root().is_none() {
            self.next_quick_scan = after(QUICK_SCAN_EVERY, self.quick_scan_cost_ms);
        }
        if let Some(units) = report.units {
            self.status.units = units;
        }
        let hides = |problem: &&Problem| {
            matches!(problem.code, ProblemCode::ListingFailed | ProblemCode::PermissionDenied | ProblemCode::SearchLimited)
        };
        self.status.hidden = self.obstacles.iter().filter(hides).count() as u64;
        self.status.unfetched = self.failed_fetches.len();
        self.status.unstored.clear();
        self.status.unread = report.unread;
        self.status.reason.clone_from(&report.doubt);
        self.status.state = match (report.vanished, report.exists) {
            (true, _) => DirectoryState::Vanished,
            (false, true) => DirectoryState::Listed,
            (false, false) => DirectoryState::Missing,
        };
        if report.vanished {
            self.status.reason = Some(format!("archive directory {url} held archives and now holds none at all; is its volume mounted?"));
        } else {
            self.status.last_listed = Some(now);
        }
        if self.logged.take().is_some() && !report.vanished {
            tracing::info!(directory.url = %url, "archive directory is refreshed again");
        }
        if report.ingested + report.missing + report.returned + report.forgotten + report.expired > 0 {
            tracing::info!(
                directory.url = %url, ingested = report.ingested, missing = report.missing, returned = report.returned,
                forgotten = report.forgotten, expired = report.expired,
                duration_ms = whole_millis(cost), "refreshed archive directory"
            );
        }
    }

    /// Updates the number of requests to the store.
    pub(super) fn note_requests(&mut self) {
        if let Some(sent) = self.directory.requests() {
            self.status.requests.get_or_insert_default().sent = sent;
        }
    }

    /// Derives the listing requests of a day, if the next refresh starts after this pause.
    pub(super) fn note_pace(&mut self, pause: Duration) {
        let Some(requests) = &mut self.status.requests else { return };
        let cost = |ms: Option<u64>| Duration::from_millis(ms.unwrap_or(0));
        let (quick_scan, full_scan) = (cost(self.quick_scan_cost_ms), cost(self.full_scan_cost_ms));
        let price = self.directory.listing_price();
        requests.note_pace(pause + quick_scan, full_scan.saturating_mul(FULL_SCAN_EVERY), price);
        if let Some(listings) = requests.listings_per_day {
            telemetry::listing_pace(self.directory.url(), listings, requests.listing_usd_per_day);
        }
    }

    /// Publishes why a round ended without a conclusion, and records it where the index can be written.
    pub(super) async fn note_failure(&mut self, error: RoundError) {
        let (code, reason) = match &error {
            RoundError::Listing(error) => (ProblemCode::DirectoryUnreachable, error.message.clone()),
            RoundError::Index(error) => (ProblemCode::IndexUnwritable, error.to_string()),
            RoundError::Panicked => (
                ProblemCode::DirectoryUnreachable,
                "the refresh ended by a fault of the program, and is tried again; report the panic that is in the log".to_owned(),
            ),
            RoundError::Stopped => return,
        };
        let url = self.directory.url().clone();
        self.status.state = DirectoryState::Failed;
        self.status.reason = Some(reason.clone());
        if self.logged.as_ref() != Some(&reason) {
            tracing::warn!(
                directory.url = %url, problem.code = %code,
                "archive directory {url} could not be refreshed, and everything indexed before is still served: {reason}"
            );
            self.logged = Some(reason.clone());
        }
        let subject = Subject { directory: url, cluster: None, application: None, file: None };
        let now = self.clock.now();
        let problem = |code, reason| Problem { code, subject: subject.clone(), reason, since: now, next_attempt: None };
        let mut unstored = Vec::new();
        if matches!(error, RoundError::Index(_)) {
            unstored.push(problem(code, reason));
        } else {
            let mut problems = self.obstacles.clone();
            problems.push(problem(code, reason.clone()));
            if let Err(error) = self.note_problems(problems).await {
                unstored = vec![problem(code, reason), problem(ProblemCode::IndexUnwritable, error.to_string())];
            }
        }
        // A problem that was reported before keeps the time at which it began.
        for problem in &mut unstored {
            let same = |earlier: &&Problem| (earlier.code, &earlier.reason) == (problem.code, &problem.reason);
            problem.since = self.status.unstored.iter().find(same).map_or(now, |earlier| earlier.since);
        }
        self.status.unstored = unstored;
    }
}

fn is_missing(change: &Presence) -> bool {
    matches!(change, Presence::UnitGone(_) | Presence::FileGone(..))
}
