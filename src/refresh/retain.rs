//! What a refresh does about retention: verdicts go on record, unless the guard holds them back.

use crate::clock::Millis;
use crate::index::{Expiry, FollowedLimits, HeldCleanup, HeldReason, IndexError, KnownDirectory, MarkState, Presence, Removal, UnitKey};
use crate::names::FilePath;
use crate::refresh::round::{DirectoryRefresh, Duty};
use crate::retention::policy::Policy;
use crate::retention::trust::{Doubt, Evidence};
use crate::retention::{followed, guard};

use super::plan::{Judging, Plan};

/// The time of the last refresh is noted when it is this old, so that a quiet server does not write.
const NOTE_EVERY: Millis = 10 * 60 * 1_000;

/// What the operator wants kept.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RetentionRules {
    /// The limits.
    pub policy: Policy,
    /// `historyserver.archive.retain-remote-beyond-local-limit`: what is expired is forgotten, and its archive stays.
    pub keep_archives: bool,
    /// `historyserver.archive.retention.max-delete-fraction`, if somebody set it; 1 is off.
    pub max_delete_fraction: Option<f64>,
}

/// What a refresh did about retention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Retained {
    /// Newly expired.
    pub(super) expired: u64,
    /// Gone and forgotten.
    pub(super) forgotten: u64,
}

impl DirectoryRefresh {
    /// What the policy judges by.
    pub(super) fn judging(&self) -> Judging {
        let RetentionRules { policy, keep_archives, max_delete_fraction } = self.retention;
        Judging { policy, keep_archives, by_age: true, written_out: max_delete_fraction.is_some_and(|fraction| fraction >= 1.0) }
    }

    /// Whether the clock can be trusted with verdicts by age, now that a listing has ended that began at `now`.
    pub(super) async fn doubt_of_clock(&mut self, archives: Vec<Millis>, now: Millis) -> Result<Option<Doubt>, IndexError> {
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
            // By such a limit everything is too old at any time: that is what is to be told.
            return Ok(None);
        }
        if doubt.is_none() && last.is_none_or(|last| now - last >= NOTE_EVERY) {
            self.writer.note_refresh(now).await?;
            self.last_refresh = Some(now);
        }
        Ok(doubt)
    }

    /// Puts the verdicts of a plan on record, and forgets what is gone, unless that is held back.
    pub(super) async fn retain(
        &mut self,
        plan: &mut Plan,
        known: &KnownDirectory,
        by_age: bool,
        now: Millis,
    ) -> Result<Retained, IndexError> {
        if plan.vanished {
            let since = known.vanished_since.unwrap_or(now);
            let units = (known.applications.len() + known.legacy_jobs.len()) as u64;
            let url = self.directory.url().clone();
            let id = guard::digest(["vanished", url.as_str(), &since.to_string()]);
            let held = HeldCleanup { directory: url, plan: id, units, of: units, since, reason: HeldReason::Vanished };
            self.hold(known, Some(held)).await?;
            return Ok(Retained::default());
        }
        if !plan.retain_again.is_empty() {
            self.writer.unmark(plan.retain_again.clone()).await?;
        }
        if !plan.leave.is_empty() {
            self.writer.mark(std::mem::take(&mut plan.leave), MarkState::Forgotten, now).await?;
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
            self.put_off(plan, known, MarkState::Marked, now).await?;
        }
        // What was confirmed is among it where a process ended before it had marked all.
        let confirmed = known.marks.iter(self.directory.url()).filter(|(_, mark)| mark.confirmed && mark.state == MarkState::Held);
        let release: Vec<UnitKey> = waiting.into_iter().chain(confirmed.map(|(key, _)| key)).collect();
        if !release.is_empty() {
            self.writer.release_held(release, now).await?;
        }
        let mut retained = Retained { expired: plan.expire.len() as u64, forgotten: 0 };
        if !plan.expire.is_empty() {
            self.writer.mark(std::mem::take(&mut plan.expire), MarkState::Marked, now).await?;
        }
        if !plan.forget.is_empty() {
            let forgotten = self.writer.forget_gone(std::mem::take(&mut plan.forget), now).await?;
            forgotten.iter().for_each(crate::retention::log);
            retained.forgotten = forgotten.len() as u64;
        }
        Ok(retained)
    }

    /// Why a run must wait for a confirmation, if so.
    fn guarded(&self, plan: &Plan, known: &KnownDirectory, waiting: &[UnitKey], limits: &FollowedLimits) -> Option<HeldReason> {
        let unread = plan.unread.iter().map(|unread| &unread.key);
        let expired = plan.expire.iter().map(|expiry| &expiry.key).chain(unread).chain(waiting);
        if let Some(fraction) = self.retention.max_delete_fraction {
            let confirmed = |key: &&UnitKey| known.marks.of(key).is_some_and(|mark| mark.confirmed);
            let forgotten = plan.forget.iter().filter(|key| !confirmed(key)).count();
            let of = plan.units + plan.forget.len() as u64;
            let fraction = if plan.emptiness_confirmed { 1.0 } else { fraction };
            return guard::exceeds(expired.count() + forgotten, of, fraction).then_some(HeldReason::TooMuch);
        }
        // Where archives stay, nothing is lost.
        let novelty = followed::novelty(limits, known.followed.as_ref()).filter(|_| !self.retention.keep_archives)?;
        guard::exceeds(expired.count(), plan.units, guard::USUAL_FRACTION).then_some(novelty)
    }

    /// Notes the limits of a run that is not held back.
    async fn follow(&self, plan: &Plan, known: &KnownDirectory, limits: FollowedLimits) -> Result<(), IndexError> {
        // A directory that is empty shows nothing. A limit that nobody can mean stays new until somebody confirms what it does.
        let absurd = self.retention.policy.age_is_absurd() || plan.newest_too_large.is_some();
        let confirmed = || known.marks.iter(self.directory.url()).any(|(_, mark)| mark.confirmed);
        if self.duty != Duty::Verdicts && plan.units > 0 && known.followed != Some(limits) && (!absurd || confirmed()) {
            self.writer.note_followed_limits(self.directory.url(), limits).await?;
        }
        Ok(())
    }

    /// Holds back all that a run would remove.
    async fn hold_everything(
        &mut self,
        plan: &mut Plan,
        known: &KnownDirectory,
        waiting: Vec<UnitKey>,
        reason: HeldReason,
        now: Millis,
    ) -> Result<(), IndexError> {
        let confirmed = |key: &UnitKey| known.marks.of(key).is_some_and(|mark| mark.confirmed);
        let of = plan.units + plan.forget.len() as u64;
        let mut keys = waiting;
        keys.extend(plan.expire.iter().map(|expiry| expiry.key.clone()));
        keys.extend(plan.forget.iter().filter(|key| !confirmed(key)).cloned());
        keys.extend(plan.doubted.keys.iter().cloned());
        self.put_off(plan, known, MarkState::Held, now).await?;
        if !plan.doubted.expire.is_empty() {
            self.writer.mark(std::mem::take(&mut plan.doubted.expire), MarkState::Held, now).await?;
        }
        // It stays listed, so it is read; and it is told when it is known what can be confirmed.
        let unread = !plan.unread.is_empty() || plan.doubted.unread;
        plan.tasks.extend(plan.unread.iter_mut().filter_map(|unread| unread.task.take()));
        if unread { Ok(()) } else { self.hold_units(known, &keys, of, reason, now).await }
    }

    /// Holds back what is beyond a limit by a clock or a time that may be wrong; if there is none, nothing is held back.
    async fn hold_doubted(&mut self, plan: &mut Plan, known: &KnownDirectory, now: Millis) -> Result<(), IndexError> {
        if !plan.doubted.expire.is_empty() {
            self.writer.mark(std::mem::take(&mut plan.doubted.expire), MarkState::Held, now).await?;
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

    /// Notes that these units are held back.
    async fn hold_units(
        &mut self,
        known: &KnownDirectory,
        keys: &[UnitKey],
        of: u64,
        reason: HeldReason,
        now: Millis,
    ) -> Result<(), IndexError> {
        let before = known.marks.held.as_ref().filter(|held| held.reason == reason);
        let since = before.map_or(now, |held| held.since);
        let directory = self.directory.url().clone();
        let held = HeldCleanup { directory, plan: guard::plan_id(keys), units: keys.len() as u64, of, since, reason };
        // That something is held back is a problem, and logged as such; that it is now something else is no other problem.
        if before.is_some_and(|before| before.plan != held.plan) {
            tracing::warn!(directory.url = %held.directory, plan = held.plan, "{}", held_back(&held));
        }
        self.hold(known, Some(held)).await
    }

    /// What was judged before, is not done yet and was not confirmed: it counts with what is new.
    fn waiting(&self, plan: &Plan, known: &KnownDirectory) -> Vec<UnitKey> {
        let marks = &known.marks;
        if marks.is_empty() {
            return Vec::new();
        }
        let again: std::collections::HashSet<&UnitKey> = plan.retain_again.iter().collect();
        let expire: std::collections::HashSet<&UnitKey> = plan
            .expire
            .iter()
            .map(|expiry| &expiry.key)
            .chain(&plan.doubted.keys)
            .chain(plan.unread.iter().map(|unread| &unread.key))
            .collect();
        marks
            .iter(self.directory.url())
            .filter(|(_, mark)| matches!(mark.state, MarkState::Held | MarkState::Marked) && !mark.confirmed)
            // What is gone and to be forgotten is in the plan itself.
            .filter(|(_, mark)| mark.removal != Removal::ForgetGone)
            .map(|(key, _)| key)
            .filter(|key| !again.contains(key) && !expire.contains(key))
            .collect()
    }

    /// Puts on record what is not done now, what is gone with it. Held back, it stays listed, and what is gone is shown as gone.
    async fn put_off(&mut self, plan: &mut Plan, known: &KnownDirectory, state: MarkState, now: Millis) -> Result<(), IndexError> {
        let mut held = std::mem::take(&mut plan.expire);
        for key in std::mem::take(&mut plan.forget) {
            let Some(unit) = known.unit(&key) else { continue };
            if unit.gone_since.is_none() {
                plan.presence.push(Presence::UnitGone(key.clone()));
            }
            if known.marks.of(&key).is_none() {
                held.push(Expiry {
                    key,
                    removal: Removal::ForgetGone,
                    reason: "gone".to_owned(),
                    detail: "no longer in its archive directory".to_owned(),
                    time: unit.files.iter().map(|file| file.modified).max().unwrap_or(0),
                    bytes: unit.files.iter().map(|file| file.size).sum(),
                    folder: FilePath::new(""),
                    files: Vec::new(),
                    verified: false,
                    owner: None,
                });
            }
        }
        if !held.is_empty() {
            self.writer.mark(held, state, now).await?;
        }
        Ok(())
    }

    /// Notes whether the guard holds back.
    async fn hold(&mut self, known: &KnownDirectory, held: Option<HeldCleanup>) -> Result<(), IndexError> {
        if known.marks.held != held {
            self.writer.hold_cleanup(self.directory.url(), held.clone()).await?;
        }
        self.status.held_back = held;
        Ok(())
    }
}

/// What is to be told of a cleanup that is held back.
pub(super) fn held_back(held: &HeldCleanup) -> String {
    let HeldCleanup { directory, plan, units, of, .. } = held;
    let confirm = format!("until it is confirmed with `historyserver cleanup --confirm {plan}`");
    let removal = format!("{units} of {of} applications and legacy jobs");
    match held.reason {
        HeldReason::FirstLimit => format!(
            "the first cleanup of {directory} with a limit (historyserver.archive.retained-…) would delete {removal}: nothing is deleted \
             {confirm}, or a wider limit is set"
        ),
        HeldReason::StricterLimit => format!(
            "a limit (historyserver.archive.retained-…) is stricter than before, and the cleanup of {directory} would delete {removal}: \
             nothing is deleted {confirm}, or a wider limit is set"
        ),
        HeldReason::Clock => format!(
            "{removal} of {directory} are older than historyserver.archive.retained-ttl by a clock that may be wrong: they stay {confirm}"
        ),
        HeldReason::Times => format!(
            "{removal} of {directory} are beyond a limit by a time that cannot be right, from before Flink existed: they stay {confirm}, or \
             their times are set right"
        ),
        HeldReason::TooMuch | HeldReason::Vanished => format!(
            "a cleanup of {directory} would delete or forget {removal}, more than historyserver.archive.retention.max-delete-fraction \
             allows at once: nothing is done {confirm}"
        ),
    }
}
