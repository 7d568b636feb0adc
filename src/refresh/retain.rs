//! What a refresh does about retention: verdicts go on record, unless the guard holds them back.

use crate::clock::Millis;
use crate::directory::FilePath;
use crate::index::{Expiry, HeldCleanup, IndexError, KnownDirectory, MarkState, Presence, Removal, UnitKey};
use crate::refresh::round::{DirectoryRefresh, Duty};
use crate::retention::guard;
use crate::retention::policy::Policy;
use crate::retention::trust::Doubt;

use super::plan::{Judging, Plan};

/// The time of the last refresh is noted when it is this old, so that a quiet server does not write.
const NOTE_EVERY: Millis = 10 * 60 * 1_000;

/// What the operator wants kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetentionRules {
    /// The limits.
    pub policy: Policy,
    /// `historyserver.archive.retain-remote-beyond-local-limit`: what is expired is forgotten, and its archive stays.
    pub keep_archives: bool,
    /// `historyserver.archive.retention.max-delete-fraction`; 1 is off.
    pub max_delete_fraction: f64,
}

impl Default for RetentionRules {
    fn default() -> Self {
        Self { policy: Policy::default(), keep_archives: false, max_delete_fraction: 1.0 }
    }
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
    /// What the policy may judge by now, and why not by age, if so.
    pub(super) async fn judging(&mut self, now: Millis) -> Result<(Judging, Option<Doubt>), IndexError> {
        let rules = &self.retention;
        let mut judging = Judging { policy: rules.policy, keep_archives: rules.keep_archives, by_age: true };
        if rules.policy.ttl.is_none() {
            return Ok((judging, None));
        }
        let last = match self.last_refresh {
            Some(last) => Some(last),
            None => self.reader.last_refresh().await?,
        };
        let doubt = self.trust.doubt(now, self.clock.passed(), last);
        judging.by_age = doubt.is_none();
        if judging.by_age && last.is_none_or(|last| now - last >= NOTE_EVERY) {
            self.writer.note_refresh(now).await?;
            self.last_refresh = Some(now);
        } else {
            self.last_refresh = last;
        }
        Ok((judging, doubt))
    }

    /// Puts the verdicts of a plan on record, and forgets what is gone, unless the guard holds that back.
    pub(super) async fn retain(&mut self, plan: &mut Plan, known: &KnownDirectory, now: Millis) -> Result<Retained, IndexError> {
        let url = self.directory.url().clone();
        if plan.vanished {
            let since = known.vanished_since.unwrap_or(now);
            let units = (known.applications.len() + known.legacy_jobs.len()) as u64;
            let id = guard::digest(["vanished", url.as_str(), &since.to_string()]);
            let held = HeldCleanup { directory: url, plan: id, units, of: units, since };
            self.hold(known, Some(held)).await?;
            return Ok(Retained::default());
        }
        if !plan.retain_again.is_empty() {
            self.writer.unmark(plan.retain_again.clone()).await?;
        }
        if !plan.leave.is_empty() {
            self.writer.mark(std::mem::take(&mut plan.leave), MarkState::Forgotten, now).await?;
        }
        let waiting: Vec<UnitKey> = self.waiting(plan, known);
        let confirmed = |key: &&UnitKey| known.marks.of(key).is_some_and(|mark| mark.confirmed);
        let forgotten = plan.forget.iter().filter(|key| !confirmed(key));
        let removed = plan.expire.iter().map(|expiry| &expiry.key).chain(forgotten).chain(&waiting);
        let of = plan.units + plan.forget.len() as u64;
        let fraction = if plan.emptiness_confirmed { 1.0 } else { self.retention.max_delete_fraction };
        if let Some(back) = guard::check(removed, of, fraction) {
            let since = known.marks.held.as_ref().map_or(now, |held| held.since);
            self.put_off(plan, known, MarkState::Held, now).await?;
            let held = HeldCleanup { directory: url, plan: back.plan, units: back.units, of, since };
            // That something is held back is a problem, and logged as such; that it is now something else is no other problem.
            if known.marks.held.as_ref().is_some_and(|before| before.plan != held.plan) {
                tracing::warn!(directory.url = %held.directory, plan = held.plan, "{}", held_back(&held));
            }
            self.hold(known, Some(held)).await?;
            return Ok(Retained::default());
        }
        self.hold(known, None).await?;
        if self.duty == Duty::Verdicts {
            self.put_off(plan, known, MarkState::Marked, now).await?;
        }
        if !waiting.is_empty() {
            self.writer.release_held(&url, now).await?;
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

    /// What was judged before, is not done yet and was not confirmed: it counts with what is new.
    fn waiting(&self, plan: &Plan, known: &KnownDirectory) -> Vec<UnitKey> {
        let marks = &known.marks;
        if marks.is_empty() {
            return Vec::new();
        }
        let again: std::collections::HashSet<&UnitKey> = plan.retain_again.iter().collect();
        let expire: std::collections::HashSet<&UnitKey> = plan.expire.iter().map(|expiry| &expiry.key).collect();
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
    format!(
        "a cleanup of {} would delete or forget {} of {} applications and legacy jobs, more than \
         historyserver.archive.retention.max-delete-fraction allows at once: nothing is done until it is confirmed with \
         `historyserver cleanup --confirm {}`",
        held.directory, held.units, held.of, held.plan
    )
}
