//! How a round of one directory ended, as it is published, logged and put on record.

use super::round::{DirectoryRefresh, Done, Failure};
use super::status::DirectoryState;
use crate::clock::Millis;
use crate::problem::{Problem, ProblemCode, Subject};

/// A full scan is due when this many times the cost of the last one has passed.
const FULL_SCAN_EVERY: u64 = 100;

/// A look at an object store is not due sooner than this many times the cost of the last one.
const QUICK_SCAN_EVERY: u64 = 10;

impl DirectoryRefresh {
    /// Publishes what a round has found, and when the next ones are due.
    pub(super) fn note_done(&mut self, done: &Done, cost_ms: u64) {
        let now = self.clock.now();
        let url = self.directory.url().clone();
        let wait = |times: u64, ms: Option<u64>| {
            now.saturating_add(Millis::try_from(ms.unwrap_or(0).saturating_mul(times)).unwrap_or(Millis::MAX))
        };
        if done.full_scan {
            self.status.next_audit = Some(wait(FULL_SCAN_EVERY, self.status.audit_ms));
        }
        if self.directory.local_root().is_none() {
            self.next_quick_scan = wait(QUICK_SCAN_EVERY, self.status.look_ms);
        }
        if let Some(units) = done.units {
            self.status.units = units;
        }
        let hides = |problem: &&Problem| {
            matches!(problem.code, ProblemCode::ListingFailed | ProblemCode::PermissionDenied | ProblemCode::SearchLimited)
        };
        self.status.hidden = self.obstacles.iter().filter(hides).count() as u64;
        self.status.unfetched = self.unfetched.len();
        self.status.unstored.clear();
        self.status.unread = done.unread;
        self.status.reason.clone_from(&done.doubt);
        self.status.state = match (done.vanished, done.exists) {
            (true, _) => DirectoryState::Vanished,
            (false, true) => DirectoryState::Listed,
            (false, false) => DirectoryState::Missing,
        };
        if done.vanished {
            self.status.reason = Some(format!("archive directory {url} held archives and now holds none at all; is its volume mounted?"));
        } else {
            self.status.last_listed = Some(now);
        }
        if self.logged.take().is_some() && !done.vanished {
            tracing::info!(directory.url = %url, "archive directory is refreshed again");
        }
        if done.ingested + done.gone + done.back + done.forgotten + done.expired > 0 {
            tracing::info!(
                directory.url = %url, ingested = done.ingested, gone = done.gone, back = done.back, forgotten = done.forgotten,
                expired = done.expired,
                duration_ms = cost_ms, "refreshed archive directory"
            );
        }
    }

    /// Publishes why a round has ended without a conclusion, and puts it on record where that can be done.
    pub(super) async fn note_failure(&mut self, failure: &Failure) {
        let (code, reason) = match failure {
            Failure::Listing(error) => (ProblemCode::DirectoryUnreachable, error.message.clone()),
            Failure::Index(error) => (ProblemCode::IndexUnwritable, error.to_string()),
            Failure::Stopped => return,
        };
        let url = self.directory.url().clone();
        self.status.state = DirectoryState::Failed;
        self.status.reason = Some(reason.clone());
        if self.logged.as_ref() != Some(&reason) {
            tracing::warn!(directory.url = %url, problem.code = %code, "refresh failed, what is indexed is still served: {reason}");
            self.logged = Some(reason.clone());
        }
        let subject = Subject { directory: url, cluster: None, application: None, file: None };
        let problem = |code, reason, since| Problem { code, subject: subject.clone(), reason, since, next_attempt: None };
        let now = self.clock.now();
        let mut unstored = Vec::new();
        match failure {
            Failure::Listing(_) => {
                let mut problems = self.obstacles.clone();
                problems.push(problem(code, reason.clone(), now));
                if let Err(error) = self.note_problems(problems).await {
                    unstored = vec![problem(code, reason, now), problem(ProblemCode::IndexUnwritable, error.to_string(), now)];
                }
            }
            Failure::Index(_) => unstored.push(problem(code, reason, now)),
            Failure::Stopped => {}
        }
        // Those that are told already are told since when they began.
        for problem in &mut unstored {
            let same = |told: &&Problem| (told.code, &told.reason) == (problem.code, &problem.reason);
            problem.since = self.status.unstored.iter().find(same).map_or(now, |told| told.since);
        }
        self.status.unstored = unstored;
    }
}
