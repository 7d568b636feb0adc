//! Retention in a refresh: removals are recorded, unless the guard holds them until they are confirmed.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::index::{
    FollowedLimits, HeldCleanup, HeldReason, IndexError, KnownDirectory, Presence, Removal, RemovalAction, RemovalState, UnitKey,
};
use crate::names::FilePath;
use crate::refresh::duty::Duty;
use crate::refresh::retention_rules::RetentionRules;
use crate::refresh::round::DirectoryRefresh;
use crate::retention::trust::{Doubt, Evidence};
use crate::retention::{followed, guard};

use super::plan::{Judging, Plan};

/// The time of a refresh is recorded when the recorded one is this old, so that an idle server does not write.
const RECORD_EVERY: Duration = Duration::from_mins(10);

/// The numbers of units that one refresh expired and forgot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Retained {
    pub(super) expired: u64,
    /// Missing units that were forgotten.
    pub(super) forgotten: u64,
}

impl DirectoryRefresh {
    /// The rules by which this refresh judges archives.
    pub(super) fn judging(&self) -> Judging {
        let RetentionRules { policy, keep_archives, max_delete_fraction } = self.retention;
        Judging { policy, keep_archives, by_age: true, written_out: max_delete_fraction.is_some_and(|fraction| fraction >= 1.0) }
    }

    /// Why the clock cannot be trusted with verdicts by age, if so. Called when a listing has ended that began at `now`.
    pub(super) async fn doubt_of_clock(&mut self, archives: Vec<Timestamp>, now: Timestamp) -> Result<Option<Doubt>, IndexError> {
        let Some(ttl) = self.retention.policy.ttl else { return Ok(None) };
        let last = match self.last_refresh {
            Some(last) => Some(last),
            None => self.reader.last_refresh().await?,
        };
        self.last_refresh = last;
        let evidence =
            Evidence { ttl, last_refresh: last, data_directory: self.data_directory_written, store: self.directory.store_time(), archives };
        let doubt = self.trust.doubt(&evidence);
        if self.retention.policy.age_is_absurd() && doubt.is_some_and(|doubt| !doubt.is_certain()) {
            // By such a limit every archive is too old at any time: the limit is reported instead.
            return Ok(None);
        }
        if doubt.is_none() && last.is_none_or(|last| now.since(last) >= RECORD_EVERY) {
            self.writer.note_refresh(now).await?;
            self.last_refresh = Some(now);
        }
        Ok(doubt)
    }

    /// Records the removals of a plan and forgets missing units, unless the guard holds them.
    pub(super) async fn retain(
        &mut self,
        plan: &mut Plan,
        known: &KnownDirectory,
        by_age: bool,
        now: Timestamp,
    ) -> Result<Retained, IndexError> {
        if plan.vanished {
            let since = known.vanished_since.unwrap_or(now);
            let units = (known.applications.len() + known.legacy_jobs.len()) as u64;
            let url = self.directory.url().clone();
            let id = guard::digest(["vanished", url.as_str(), &since.as_millis().to_string()]);
            let held = HeldCleanup { directory: url, plan: id, units, of: units, since, reason: HeldReason::Vanished };
            self.hold(known, Some(held)).await?;
            return Ok(Retained::default());
        }
        if !plan.retain_again.is_empty() {
            self.writer.withdraw_removals(plan.retain_again.clone()).await?;
        }
        if !plan.leave.is_empty() {
            self.writer.record_removals(std::mem::take(&mut plan.leave), RemovalState::Forgotten, now).await?;
        }
        let waiting = self.waiting(plan, known);
        let limits = followed::limits(&self.retention.policy, self.retention.keep_archives, by_age);
        if let Some(reason) = self.guarded(plan, known, &waiting, &limits) {
            self.hold_everything(plan, known, waiting, reason, now).await?;
            return Ok(Retained::default());
        }
        self.follow(plan, known, limits).await?;
        self.hold_doubted(plan, known, now).await?;
        if self.duty == Duty::Verdicts {
            self.put_off(plan, known, RemovalState::Due, now).await?;
        }
        // Confirmed removals are still held where a process ended before it had released all of them.
        let confirmed =
            known.removals.iter(self.directory.url()).filter(|(_, recorded)| recorded.confirmed && recorded.state == RemovalState::Held);
        let release: Vec<UnitKey> = waiting.into_iter().chain(confirmed.map(|(key, _)| key)).collect();
        if !release.is_empty() {
            self.writer.release_removals(release, now).await?;
        }
        let mut retained = Retained { expired: plan.expire.len() as u64, forgotten: 0 };
        if !plan.expire.is_empty() {
            self.writer.record_removals(std::mem::take(&mut plan.expire), RemovalState::Due, now).await?;
        }
        if !plan.forget.is_empty() {
            let forgotten = self.writer.forget_missing(std::mem::take(&mut plan.forget), now).await?;
            forgotten.iter().for_each(crate::retention::log);
            retained.forgotten = forgotten.len() as u64;
        }
        Ok(retained)
    }

    /// Why the removals must wait for a confirmation, if so.
    fn guarded(&self, plan: &Plan, known: &KnownDirectory, waiting: &[UnitKey], limits: &FollowedLimits) -> Option<HeldReason> {
        let unread = plan.unread.iter().map(|unread| &unread.key);
        let expired = plan.expire.iter().map(|removal| &removal.key).chain(unread).chain(waiting);
        if let Some(fraction) = self.retention.max_delete_fraction {
            let confirmed = |key: &&UnitKey| known.removals.of(key).is_some_and(|recorded| recorded.confirmed);
            let forgotten = plan.forget.iter().filter(|key| !confirmed(key)).count();
            let of = plan.units + plan.forget.len() as u64;
            let fraction = if plan.emptiness_confirmed { 1.0 } else { fraction };
            return guard::exceeds(expired.count() + forgotten, of, fraction).then_some(HeldReason::TooMuch);
        }
        // Where archives stay, nothing is lost.
        let novelty = followed::novelty(limits, known.followed.as_ref()).filter(|_| !self.retention.keep_archives)?;
        guard::exceeds(expired.count(), plan.units, guard::DEFAULT_FRACTION).then_some(novelty)
    }

    /// Records the limits of a cleanup that is not held.
    async fn follow(&self, plan: &Plan, known: &KnownDirectory, limits: FollowedLimits) -> Result<(), IndexError> {
        // An empty directory shows no effect of a limit. An implausible limit stays new until its effect is confirmed.
        let absurd = self.retention.policy.age_is_absurd() || plan.newest_too_large.is_some();
        let confirmed = || known.removals.iter(self.directory.url()).any(|(_, recorded)| recorded.confirmed);
        if self.duty != Duty::Verdicts && plan.units > 0 && known.followed != Some(limits) && (!absurd || confirmed()) {
            self.writer.note_followed_limits(self.directory.url(), limits).await?;
        }
        Ok(())
    }

    /// Holds all removals of a plan.
    async fn hold_everything(
        &mut self,
        plan: &mut Plan,
        known: &KnownDirectory,
        waiting: Vec<UnitKey>,
        reason: HeldReason,
        now: Timestamp,
    ) -> Result<(), IndexError> {
        let confirmed = |key: &UnitKey| known.removals.of(key).is_some_and(|recorded| recorded.confirmed);
        let of = plan.units + plan.forget.len() as u64;
        let mut keys = waiting;
        keys.extend(plan.expire.iter().map(|removal| removal.key.clone()));
        keys.extend(plan.forget.iter().filter(|key| !confirmed(key)).cloned());
        keys.extend(plan.doubted.keys.iter().cloned());
        self.put_off(plan, known, RemovalState::Held, now).await?;
        if !plan.doubted.expire.is_empty() {
            self.writer.record_removals(std::mem::take(&mut plan.doubted.expire), RemovalState::Held, now).await?;
        }
        // Held units stay listed, so they are read. The hold is reported when all of them were read and can be confirmed.
        let unread = !plan.unread.is_empty() || plan.doubted.unread;
        plan.tasks.extend(plan.unread.iter_mut().filter_map(|unread| unread.task.take()));
        if unread { Ok(()) } else { self.hold_units(known, &keys, of, reason, now).await }
    }

    /// Holds the units that are beyond a limit by a clock or a time that may be wrong. If there are none, no cleanup is held.
    async fn hold_doubted(&mut self, plan: &mut Plan, known: &KnownDirectory, now: Timestamp) -> Result<(), IndexError> {
        if !plan.doubted.expire.is_empty() {
            self.writer.record_removals(std::mem::take(&mut plan.doubted.expire), RemovalState::Held, now).await?;
        }
        if plan.doubted.unread {
            return Ok(());
        }
        if plan.doubted.keys.is_empty() {
            return self.hold(known, None).await;
        }
        let reason = if plan.doubted.by_clock { HeldReason::Clock } else { HeldReason::Times };
        self.hold_units(known, &plan.doubted.keys, plan.units, reason, now).await
    }

    /// Records that the removal of these units is held.
    async fn hold_units(
        &mut self,
        known: &KnownDirectory,
        keys: &[UnitKey],
        of: u64,
        reason: HeldReason,
        now: Timestamp,
    ) -> Result<(), IndexError> {
        let before = known.removals.held.as_ref().filter(|held| held.reason == reason);
        let since = before.map_or(now, |held| held.since);
        let directory = self.directory.url().clone();
        let held = HeldCleanup { directory, plan: guard::plan_id(keys), units: keys.len() as u64, of, since, reason };
        // A new hold is logged as a problem. A hold with other units is no new problem, so it is logged here.
        if before.is_some_and(|before| before.plan != held.plan) {
            tracing::warn!(directory.url = %held.directory, plan = held.plan, "{}", held_reason(&held));
        }
        self.hold(known, Some(held)).await
    }

    /// Earlier removals that are neither done nor confirmed: they count with the new ones.
    fn waiting(&self, plan: &Plan, known: &KnownDirectory) -> Vec<UnitKey> {
        let removals = &known.removals;
        if removals.is_empty() {
            return Vec::new();
        }
        let again: std::collections::HashSet<&UnitKey> = plan.retain_again.iter().collect();
        let expire: std::collections::HashSet<&UnitKey> = plan
            .expire
            .iter()
            .map(|removal| &removal.key)
            .chain(&plan.doubted.keys)
            .chain(plan.unread.iter().map(|unread| &unread.key))
            .collect();
        removals
            .iter(self.directory.url())
            .filter(|(_, recorded)| matches!(recorded.state, RemovalState::Held | RemovalState::Due) && !recorded.confirmed)
            // Missing units that are to be forgotten are in the plan itself.
            .filter(|(_, recorded)| recorded.action != RemovalAction::ForgetMissing)
            .map(|(key, _)| key)
            .filter(|key| !again.contains(key) && !expire.contains(key))
            .collect()
    }

    /// Records removals that are not done now, also those of missing units. While they are held, the units stay listed.
    async fn put_off(&mut self, plan: &mut Plan, known: &KnownDirectory, state: RemovalState, now: Timestamp) -> Result<(), IndexError> {
        let mut held = std::mem::take(&mut plan.expire);
        for key in std::mem::take(&mut plan.forget) {
            let Some(unit) = known.unit(&key) else { continue };
            if unit.gone_since.is_none() {
                plan.presence.push(Presence::UnitGone(key.clone()));
            }
            if known.removals.of(&key).is_none() {
                held.push(Removal {
                    key,
                    action: RemovalAction::ForgetMissing,
                    reason: "gone".to_owned(),
                    detail: "no longer in its archive directory".to_owned(),
                    time: unit.files.iter().map(|file| file.modified).max().unwrap_or_default(),
                    bytes: unit.files.iter().map(|file| file.size).sum(),
                    folder: FilePath::new(""),
                    files: Vec::new(),
                    verified: false,
                    owner: None,
                });
            }
        }
        if !held.is_empty() {
            self.writer.record_removals(held, state, now).await?;
        }
        Ok(())
    }

    /// Records whether the guard holds the cleanup of the directory.
    async fn hold(&mut self, known: &KnownDirectory, held: Option<HeldCleanup>) -> Result<(), IndexError> {
        if known.removals.held != held {
            self.writer.hold_cleanup(self.directory.url(), held.clone()).await?;
        }
        self.status.held_back = held;
        Ok(())
    }
}

/// Why a cleanup is held, and how it is confirmed.
pub(super) fn held_reason(held: &HeldCleanup) -> String {
    let HeldCleanup { directory, plan, units, of, .. } = held;
    let confirm = format!("until you confirm it with `historyserver cleanup --confirm {plan}`");
    let removal = format!("{units} of {of} applications and legacy jobs");
    match held.reason {
        HeldReason::FirstLimit => format!(
            "the first cleanup of {directory} with a limit (historyserver.archive.retained-…) would delete {removal}: nothing is deleted \
             {confirm} or set a wider limit"
        ),
        HeldReason::StricterLimit => format!(
            "a limit (historyserver.archive.retained-…) is stricter than before, and the cleanup of {directory} would delete {removal}: \
             nothing is deleted {confirm} or set a wider limit"
        ),
        HeldReason::Clock => format!(
            "{removal} of {directory} are older than historyserver.archive.retained-ttl by a clock that may be wrong: they are kept {confirm}"
        ),
        HeldReason::Times => format!(
            "{removal} of {directory} are beyond a limit because they are dated before Flink existed: they are kept {confirm} or correct \
             their modification times"
        ),
        HeldReason::TooMuch | HeldReason::Vanished => format!(
            "the cleanup of {directory} would delete or forget {removal}, more than historyserver.archive.retention.max-delete-fraction \
             allows at once: nothing is deleted or forgotten {confirm}"
        ),
    }
}
