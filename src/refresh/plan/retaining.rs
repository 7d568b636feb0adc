//! The part of a plan that is about retention: what is judged, and what the verdicts lead to.

use std::collections::HashSet;

use super::{Plan, Planner, Task};
use crate::clock::Millis;
use crate::directory::{FileKind, FilePath, FoundFile};
use crate::index::{Expiry, JudgedFile, KnownUnit, Mark, MarkState, Presence, Removal, UnitKey};
use crate::retention::policy::{AHEAD, Candidate, Verdict, judge};

/// Units told that are dated ahead of the clock; more of them have the same cause.
const AHEAD_TOLD: usize = 100;

/// What is known of a unit when it is judged.
pub(super) struct Judged {
    time: Millis,
    bytes: u64,
    counts: bool,
    folder: FilePath,
    /// As listed; `None`: as known.
    files: Option<Vec<JudgedFile>>,
    /// Waits for the verdict.
    task: Option<Task>,
    /// Waits for the verdict, because the unit was expired before.
    presence: Vec<Presence>,
}

impl Planner<'_> {
    /// What to judge a unit by whose files were listed.
    pub(super) fn candidate(&self, files: &[FoundFile], known: Option<&KnownUnit>, folder: &FilePath) -> Option<Box<Judged>> {
        let policy = &self.judging.policy;
        if !policy.limits() && self.known.marks.is_empty() {
            return None;
        }
        let main = files.iter().find(|file| file.kind == FileKind::Summary).or_else(|| is_legacy(files, folder));
        let unreadable = |file: &FoundFile| {
            let known = known.and_then(|unit| unit.files.iter().find(|known| known.kind == file.kind));
            known.is_some_and(|known| !known.parsed && known.attempts > 0 && known.tried == file.version.fingerprint())
        };
        let readable = !main.is_some_and(unreadable);
        let newest = files.iter().map(|file| file.version.modified).max().unwrap_or(0);
        Some(Box::new(Judged {
            time: policy.time(main.map(|file| file.version.modified), newest, readable),
            bytes: files.iter().map(|file| file.version.size).sum(),
            counts: policy.counts(main.is_some(), readable),
            folder: folder.clone(),
            files: Some(files.iter().map(|file| JudgedFile { kind: file.kind, fingerprint: file.version.fingerprint() }).collect()),
            task: None,
            presence: Vec::new(),
        }))
    }

    /// What to judge a unit by that a look has only read the name of; `None` when nothing is known of it.
    pub(super) fn known_candidate(&self, key: &UnitKey, known: Option<&KnownUnit>, folder: &FilePath) -> Option<Box<Judged>> {
        let policy = &self.judging.policy;
        if !policy.limits() && self.known.marks.is_empty() {
            return None;
        }
        let judged = |time, bytes, counts| {
            Some(Box::new(Judged { time, bytes, counts, folder: folder.clone(), files: None, task: None, presence: Vec::new() }))
        };
        if let Some(mark) = self.known.marks.of(key) {
            return judged(mark.time, mark.bytes, true);
        }
        let files = || known.into_iter().flat_map(|unit| &unit.files).filter(|file| !file.gone);
        let newest = files().map(|file| file.modified).max()?;
        let summary = files().find(|file| file.kind == FileKind::Summary);
        let readable = summary.is_none_or(|summary| summary.parsed || summary.attempts == 0);
        let time = policy.time(summary.map(|summary| summary.modified), newest, readable);
        judged(time, files().map(|file| file.size).sum(), policy.counts(summary.is_some(), readable))
    }

    /// Compares a unit with what is known of it; keeps back what must wait for the verdict.
    pub(super) fn compare_or_wait(
        &mut self,
        key: UnitKey,
        files: &[FoundFile],
        known: Option<&KnownUnit>,
        has_summary: bool,
        judged: Option<&mut Judged>,
    ) -> Option<Task> {
        let Some(judged) = judged else { return self.compare(key, files, known, has_summary) };
        let mark = self.known.marks.of(&key).copied();
        if mark.is_some_and(|mark| mark.state == MarkState::Begun) {
            return None;
        }
        let listed = self.presence.len();
        let task = self.compare(key, files, known, has_summary);
        if mark.is_some() {
            judged.presence = self.presence.split_off(listed);
        } else if !self.judging.policy.needs_ranks() && !self.is_too_old(judged) {
            return task;
        }
        judged.task = task;
        None
    }

    /// Whether age alone makes a unit expire, which needs no complete listing.
    fn is_too_old(&self, judged: &Judged) -> bool {
        self.judging.by_age
            && judged.counts
            && judged.time.saturating_sub(self.now) <= AHEAD
            && self.judging.policy.too_old(judged.time, self.now).is_some()
    }

    /// Whether the next cleanup removes a unit, so that its files may be gone.
    pub(super) fn is_being_removed(&self, key: &UnitKey) -> bool {
        let mark = self.known.marks.of(key);
        mark.is_some_and(|mark| matches!(mark.state, MarkState::Marked | MarkState::Begun) && mark.removal != Removal::ForgetGone)
    }

    /// Judges everything that was seen.
    pub(super) fn judge(&mut self, plan: &mut Plan) {
        let mut seen: Vec<(UnitKey, Box<Judged>)> = Vec::new();
        for ((cluster, id), judged) in &mut self.seen_applications {
            seen.extend(judged.take().map(|judged| (UnitKey::application(&self.directory, cluster, *id), judged)));
        }
        for (job, judged) in &mut self.seen_legacy_jobs {
            seen.extend(judged.take().map(|judged| (UnitKey::LegacyJob(self.directory.clone(), *job), judged)));
        }
        let marks = &self.known.marks;
        seen.retain(|(key, _)| marks.of(key).is_none_or(|mark| mark.state != MarkState::Begun));
        let candidates: Vec<Candidate<'_>> = seen.iter().map(|(key, judged)| candidate(key, judged)).collect();
        let verdicts = judge(&candidates, &self.judging.policy, self.now, self.judging.by_age);
        for ((key, mut judged), verdict) in seen.into_iter().zip(verdicts) {
            let mark = self.known.marks.of(&key).copied();
            if let Verdict::Expired(reason) = verdict {
                if mark.is_none_or(|mark| !self.still_stands(mark)) {
                    self.expire(plan, key, &judged, reason.code(), reason.to_string());
                }
                continue;
            }
            if verdict == Verdict::Ahead && plan.ahead.len() < AHEAD_TOLD {
                plan.ahead.push((key.clone(), judged.folder.clone()));
            }
            if mark.is_some() {
                plan.retain_again.push(key);
            }
            self.presence.append(&mut judged.presence);
            plan.tasks.extend(judged.task);
        }
        plan.tasks.sort_by_key(|task| std::cmp::Reverse(task.newest));
    }

    /// Whether a mark says what would be said again.
    fn still_stands(&self, mark: Mark) -> bool {
        match mark.removal {
            Removal::Delete => !self.judging.keep_archives,
            Removal::Forget => self.judging.keep_archives,
            // It is back.
            Removal::ForgetGone => false,
        }
    }

    fn expire(&self, plan: &mut Plan, key: UnitKey, judged: &Judged, reason: &str, detail: String) {
        let known = match &key {
            UnitKey::Application(key) => self.known.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.known.legacy_jobs.get(job),
        };
        let files = judged.files.clone().unwrap_or_else(|| known_files(known));
        let removal = if self.judging.keep_archives { Removal::Forget } else { Removal::Delete };
        let list = if removal == Removal::Forget && known.is_none() { &mut plan.leave } else { &mut plan.expire };
        let (reason, folder) = (reason.to_owned(), judged.folder.clone());
        list.push(Expiry { key, removal, reason, detail, time: judged.time, bytes: judged.bytes, folder, files });
    }

    /// Finds marks of units that were not seen and need them no more.
    pub(super) fn drop_stale_marks(&self, forget: &[UnitKey], plan: &mut Plan) {
        if self.known.marks.is_empty() {
            return;
        }
        let forget: HashSet<&UnitKey> = forget.iter().collect();
        for (key, mark) in self.known.marks.iter(&self.directory) {
            let seen = match &key {
                UnitKey::Application(key) => {
                    let id = (key.cluster.clone(), key.id);
                    self.seen_applications.contains_key(&id) || self.is_hidden(&id)
                }
                UnitKey::LegacyJob(_, job) => self.seen_legacy_jobs.contains_key(job) || self.hidden_legacy_jobs.contains(job),
            };
            let stale = match (mark.removal, mark.state) {
                (_, MarkState::Begun) => false,
                (Removal::ForgetGone, _) => !seen && !forget.contains(&key),
                // The cleanup notes on record that it is gone, unless nothing expires any more.
                (_, MarkState::Marked) => !seen && !self.judging.policy.limits(),
                (_, MarkState::Held | MarkState::Forgotten) => !seen,
            };
            if stale {
                plan.retain_again.push(key);
            }
        }
    }
}

/// The file of a legacy job archive, which is its own summary.
fn is_legacy<'file>(files: &'file [FoundFile], folder: &FilePath) -> Option<&'file FoundFile> {
    files.first().filter(|file| file.path == *folder)
}

fn candidate<'name>(key: &'name UnitKey, judged: &Judged) -> Candidate<'name> {
    let (cluster, id) = match key {
        UnitKey::Application(key) => (Some(key.cluster.as_str()), *key.id.as_bytes()),
        UnitKey::LegacyJob(_, job) => (None, *job.as_bytes()),
    };
    Candidate { cluster, id, time: judged.time, bytes: judged.bytes, counts: judged.counts }
}

fn known_files(known: Option<&KnownUnit>) -> Vec<JudgedFile> {
    let files = known.into_iter().flat_map(|unit| &unit.files).filter(|file| !file.gone);
    files.map(|file| JudgedFile { kind: file.kind, fingerprint: file.tried }).collect()
}
