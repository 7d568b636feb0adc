//! Problems of a directory as a whole: obstacles, held cleanups, an implausible clock or limit, failed deletions.

use super::duty::Duty;
use super::plan::Plan;
use super::retain::held_reason;
use super::round::DirectoryRefresh;
use crate::clock::Timestamp;
use crate::directory::{Hidden, Listed, Obstacle};
use crate::ids::ApplicationId;
use crate::index::{HeldCleanup, HeldReason, IndexError, KnownDirectory, UnitKey};
use crate::names::{ClusterName, FilePath};
use crate::problem::{Problem, ProblemCode, Subject};
use crate::retention::plausibility;
use crate::retention::trust::Doubt;

impl DirectoryRefresh {
    /// The problem of an obstacle.
    pub(super) fn obstacle(&self, obstacle: &Obstacle, now: Timestamp) -> Problem {
        let (cluster, application) = match &obstacle.hides {
            Hidden::Nothing | Hidden::LegacyJob(_) | Hidden::ClusterOrLegacyJob(..) => (None, None),
            Hidden::Cluster(cluster) => (Some(cluster.clone()), None),
            Hidden::Application(cluster, id) | Hidden::Job(cluster, id, _) => (Some(cluster.clone()), Some(*id)),
        };
        let subject = self.subject(cluster, application, Some(obstacle.path.clone()));
        Problem { code: obstacle.code, subject, reason: obstacle.reason.clone(), since: now, next_attempt: None }
    }

    /// The problem of a directory that held archives and now holds none at all.
    pub(super) fn vanished(&self, known: &KnownDirectory, now: Timestamp) -> Problem {
        let since = known.vanished_since.unwrap_or(now);
        let trusted = since + self.rules.empty_grace;
        let confirm = self.status.held_back.as_ref().map_or(String::new(), |held| {
            format!(". If it is meant to be empty, confirm it with `historyserver cleanup --confirm {}`", held.plan)
        });
        let reason = format!(
            "archive directory {} held archives and now holds none at all: is its volume mounted? Nothing is forgotten \
             before it has been empty for historyserver.archive.empty-grace{confirm}",
            self.directory.url()
        );
        let subject = self.subject(None, None, None);
        Problem { code: ProblemCode::DirectoryVanished, subject, reason, since, next_attempt: Some(trusted) }
    }

    /// The problem of a directory that does not exist, or where another directory is likely meant.
    pub(super) fn doubt(&self, listed: &Listed, now: Timestamp) -> Option<Problem> {
        let code = if listed.exists { ProblemCode::DirectoryMisplaced } else { ProblemCode::DirectoryMissing };
        let reason = listed.doubt.clone()?;
        Some(Problem { code, subject: self.subject(None, None, None), reason, since: now, next_attempt: None })
    }

    /// Takes units below hidden names out of the index, which an earlier version listed. Their archives stay.
    pub(super) async fn drop_hidden(&self, units: Vec<UnitKey>) -> Result<(), IndexError> {
        if units.is_empty() || self.duty == Duty::Verdicts {
            return Ok(());
        }
        tracing::warn!(
            directory.url = %self.directory.url(), units = units.len(),
            "applications below names that begin with \".\" or \"_\" are no longer listed; their archives are not changed"
        );
        self.writer.forget(units.clone()).await?;
        self.writer.abandon_removals(units).await
    }

    /// The problems that keep archives from being judged or deleted.
    pub(super) fn retention_problems(&self, plan: &Plan, known: &KnownDirectory, doubt: Option<Doubt>, now: Timestamp) -> Vec<Problem> {
        let problem = |code, subject, reason, next_attempt| Problem { code, subject, reason, since: now, next_attempt };
        let mut problems = Vec::new();
        let held = self.status.held_back.as_ref();
        let own_problem = |held: &&HeldCleanup| !matches!(held.reason, HeldReason::Vanished | HeldReason::Clock | HeldReason::Times);
        if let Some(held) = held.filter(own_problem) {
            let held = Problem {
                since: held.since,
                ..problem(ProblemCode::CleanupHeldBack, self.subject(None, None, None), held_reason(held), None)
            };
            problems.push(held);
        }
        if let Some(doubt) = doubt.filter(|doubt| doubt.is_certain() || plan.doubted.by_clock) {
            let reason = match held.filter(|held| held.reason == HeldReason::Clock) {
                Some(held) => format!("{doubt}. {}", held_reason(held)),
                None => doubt.to_string(),
            };
            problems.push(problem(ProblemCode::ClockImplausible, self.subject(None, None, None), reason, None));
        }
        problems
            .extend(self.implausible(plan).into_iter().map(|(code, reason)| problem(code, self.subject(None, None, None), reason, None)));
        for (key, folder) in &plan.ahead {
            let reason = format!(
                "{folder} is dated more than an hour ahead of this machine's clock: it is kept, and no limit counts it, until that time has \
                 come. Correct its modification time or the clock"
            );
            problems.push(problem(ProblemCode::ClockImplausible, self.unit_subject(key, folder), reason, None));
        }
        for failed in &known.removals.failed {
            let subject = self.unit_subject(&failed.key, &failed.folder);
            let reason = format!("an expired archive could not be deleted: {}", failed.failure);
            problems.push(problem(ProblemCode::DeletionFailed, subject, reason, failed.next_attempt));
        }
        problems
    }

    /// The problems of implausible limits and times.
    fn implausible(&self, plan: &Plan) -> Vec<(ProblemCode, String)> {
        let mut found = Vec::new();
        let url = self.directory.url();
        if self.retention.policy.age_is_absurd() {
            found.push((ProblemCode::LimitImplausible, plausibility::short_age(self.retention.policy.ttl.unwrap_or_default())));
        }
        if let (Some(bytes), Some(limit)) = (plan.newest_too_large, self.retention.policy.bytes) {
            found.push((ProblemCode::LimitImplausible, plausibility::small_size(url, bytes, limit)));
        }
        if let Some((count, first)) = &plan.too_early {
            let held = self.status.held_back.as_ref().filter(|held| held.reason == HeldReason::Times);
            let mut reason = plausibility::early_times(url, *count, first);
            if let Some(held) = held {
                reason = format!("{reason}. {}", held_reason(held));
            }
            found.push((ProblemCode::TimesImplausible, reason));
        }
        // Only one problem is kept per subject and code.
        if let [(ProblemCode::LimitImplausible, one), (ProblemCode::LimitImplausible, other), ..] = found.as_slice() {
            let both = format!("{one}. {other}");
            found.splice(0..2, [(ProblemCode::LimitImplausible, both)]);
        }
        found
    }

    fn unit_subject(&self, key: &UnitKey, folder: &FilePath) -> Subject {
        match key {
            UnitKey::Application(key) => self.subject(Some(key.cluster.clone()), Some(key.id), Some(folder.clone())),
            UnitKey::LegacyJob(..) => self.subject(None, None, Some(folder.clone())),
        }
    }

    fn subject(&self, cluster: Option<ClusterName>, application: Option<ApplicationId>, file: Option<FilePath>) -> Subject {
        Subject { directory: self.directory.url().clone(), cluster, application, file }
    }

    /// Records the problems of the directory, if they have changed.
    pub(super) async fn note_problems(&mut self, problems: Vec<Problem>) -> Result<(), IndexError> {
        let identity = |problem: &Problem| (problem.code, problem.subject.clone(), problem.reason.clone());
        let present: Vec<_> = problems.iter().map(identity).collect();
        if self.recorded.as_ref() != Some(&present) {
            let changes = self.writer.set_listing_problems(self.directory.url(), problems).await?;
            changes.log();
            self.recorded = Some(present);
        }
        Ok(())
    }
}
