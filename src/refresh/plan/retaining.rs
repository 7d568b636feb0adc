//! The part of a plan that is about retention: the units are judged, and the verdicts become removals.

use std::collections::{HashMap, HashSet};

use super::{Plan, Planner, Unread};
use crate::clock::Timestamp;
use crate::directory::{FileKind, FoundFile};
use crate::ids::ApplicationId;
use crate::index::{JudgedFile, KnownFile, KnownRemoval, KnownUnit, Presence, Removal, RemovalAction, RemovalState, UnitKey};
use crate::ingest::task::Task;
use crate::names::{ClusterName, FilePath};
use crate::retention::policy::{AHEAD, Candidate, EARLIEST, Reason, Verdict, judge};

/// Limit of reported units that are dated ahead of the clock; more of them have the same cause.
const MAX_AHEAD: usize = 100;

/// A unit with the facts that it is judged by.
pub(super) struct Judged {
    time: Timestamp,
    bytes: u64,
    counts: bool,
    /// Whether its main file was read in this version: the summary of an application, or the file of a legacy job.
    read: bool,
    /// Whether all its files were read in this version.
    all_read: bool,
    /// Whether one of its files could not be read in this version.
    unreadable: bool,
    folder: FilePath,
    /// As listed; `None`: as in the index.
    files: Option<Vec<JudgedFile>>,
    /// The task that waits for the verdict.
    task: Option<Task>,
    /// The changes of presence that wait for the verdict, because a removal of the unit is recorded.
    presence: Vec<Presence>,
}

/// Whether the present version of a file can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It was read.
    Read,
    /// It was not tried yet.
    Unread,
    /// It was tried and could not be read.
    Unreadable,
}

fn reading(known: &KnownFile) -> Reading {
    match (known.parsed, known.attempts) {
        (true, _) => Reading::Read,
        (false, 0) => Reading::Unread,
        (false, _) => Reading::Unreadable,
    }
}

/// The ruling on a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ruling {
    /// It stays. `ahead`: because it is dated ahead of the clock.
    Retained { ahead: bool },
    /// It is to be removed.
    Expired(Reason),
    /// It would be removed, by a clock (then true) or by a time that may be wrong.
    Doubted(Reason, bool),
    /// It may be removed once it, or newer units, were read.
    Unread { doubted: bool },
}

/// An application of the directory.
type Owner = (ClusterName, ApplicationId);

/// A flat job: it lies beside the clusters and belongs to an application.
struct Owned {
    owner: Owner,
    key: UnitKey,
    judged: Box<Judged>,
}

impl Planner<'_> {
    /// The facts about a unit whose files were listed.
    pub(super) fn candidate(
        &self,
        key: &UnitKey,
        files: &[FoundFile],
        known: Option<&KnownUnit>,
        folder: &FilePath,
    ) -> Option<Box<Judged>> {
        let policy = &self.judging.policy;
        if !policy.limits() && self.known.removals.is_empty() {
            return None;
        }
        let main = files.iter().find(|file| file.kind == FileKind::Summary).or_else(|| is_legacy(files, folder));
        // Only the index knows which jobs beside the clusters an application names.
        let is_job = matches!(key, UnitKey::LegacyJob(..));
        let probed = self.probed.get(key).filter(|_| is_job || self.known.unclaimed.is_empty());
        let verified = self.is_verified(key);
        let reading = |file: &FoundFile| {
            let fingerprint = file.version.fingerprint();
            let known = known.and_then(|unit| unit.files.iter().find(|known| known.kind == file.kind));
            let judged = JudgedFile { kind: file.kind, fingerprint };
            match known.filter(|known| known.tried == fingerprint).map_or(Reading::Unread, reading) {
                Reading::Unread if verified || probed.is_some_and(|probed| probed.contains(&judged)) => Reading::Read,
                known => known,
            }
        };
        let readable = main.is_none_or(|main| reading(main) != Reading::Unreadable);
        let newest = files.iter().map(|file| file.version.modified).max().unwrap_or_default();
        Some(Box::new(Judged {
            time: policy.time(main.map(|file| file.version.modified), newest, readable),
            bytes: files.iter().map(|file| file.version.size).sum(),
            counts: policy.counts(main.is_some(), readable),
            read: main.is_none_or(|main| reading(main) == Reading::Read),
            all_read: files.iter().all(|file| reading(file) == Reading::Read),
            unreadable: files.iter().any(|file| reading(file) == Reading::Unreadable),
            folder: folder.clone(),
            files: Some(files.iter().map(|file| JudgedFile { kind: file.kind, fingerprint: file.version.fingerprint() }).collect()),
            task: None,
            presence: Vec::new(),
        }))
    }

    /// The facts about a unit of which a quick scan has read only the name; `None` when the index does not know it.
    pub(super) fn known_candidate(&self, key: &UnitKey, known: Option<&KnownUnit>, folder: &FilePath) -> Option<Box<Judged>> {
        let policy = &self.judging.policy;
        if !policy.limits() && self.known.removals.is_empty() {
            return None;
        }
        let files = || known.into_iter().flat_map(|unit| &unit.files).filter(|file| !file.gone);
        let recorded = self.known.removals.of(key);
        let verified = self.is_verified(key);
        let summary = files().find(|file| file.kind == FileKind::Summary);
        let readable = summary.is_none_or(|summary| reading(summary) != Reading::Unreadable);
        let (time, bytes, counts) = if let Some(recorded) = recorded {
            (recorded.time, recorded.bytes, true)
        } else {
            let newest = files().map(|file| file.modified).max()?;
            let time = policy.time(summary.map(|summary| summary.modified), newest, readable);
            (time, files().map(|file| file.size).sum(), policy.counts(summary.is_some(), readable))
        };
        Some(Box::new(Judged {
            time,
            bytes,
            counts,
            read: verified || summary.is_some_and(|summary| reading(summary) == Reading::Read),
            all_read: verified || (known.is_some() && files().all(|file| reading(file) == Reading::Read)),
            unreadable: files().any(|file| reading(file) == Reading::Unreadable),
            folder: folder.clone(),
            files: None,
            task: None,
            presence: Vec::new(),
        }))
    }

    /// Whether all files of a unit were read before its removal was recorded. A deletion notices files that were written since.
    fn is_verified(&self, key: &UnitKey) -> bool {
        self.known.removals.of(key).is_some_and(|recorded| recorded.verified && self.still_stands(*recorded))
    }

    /// Compares a unit with the index. Keeps its task where that must wait for the verdict.
    pub(super) fn compare_or_wait(
        &mut self,
        key: UnitKey,
        files: &[FoundFile],
        known: Option<&KnownUnit>,
        has_summary: bool,
        judged: Option<&mut Judged>,
    ) -> Option<Task> {
        let Some(judged) = judged else { return self.compare(key, files, known, has_summary) };
        let recorded = self.known.removals.of(&key).copied();
        if recorded.is_some_and(|recorded| recorded.state == RemovalState::Running) {
            return None;
        }
        let listed = self.presence.len();
        let task = self.compare(key, files, known, has_summary);
        if recorded.is_some() {
            judged.presence = self.presence.split_off(listed);
        } else if !self.judging.policy.needs_ranks() && !self.is_too_old(judged) {
            return task;
        }
        judged.task = task;
        None
    }

    /// Whether a unit is expired by age alone, which needs no complete listing.
    fn is_too_old(&self, judged: &Judged) -> bool {
        self.judging.by_age
            && judged.counts
            && judged.time.since(self.now) <= AHEAD
            && self.judging.policy.too_old(judged.time, self.now).is_some()
    }

    /// Whether the next cleanup removes a unit, so that its files may be missing.
    pub(super) fn is_being_removed(&self, key: &UnitKey) -> bool {
        let recorded = self.known.removals.of(key);
        recorded.is_some_and(|recorded| {
            matches!(recorded.state, RemovalState::Due | RemovalState::Running) && recorded.action != RemovalAction::ForgetMissing
        })
    }

    /// Times of the listed units that are judged: evidence of the present time.
    #[must_use]
    pub fn times(&self) -> Vec<Timestamp> {
        let applications = self.seen_applications.values().flatten();
        applications.chain(self.seen_legacy_jobs.values().flatten()).map(|judged| judged.time).collect()
    }

    /// Holds verdicts by age until they are confirmed, because the clock cannot be trusted.
    pub fn doubt_the_clock(&mut self) {
        self.judging.by_age = false;
    }

    /// Judges all units that were listed.
    pub(super) fn judge(&mut self, plan: &mut Plan) {
        let mut seen: Vec<(UnitKey, Box<Judged>)> = Vec::new();
        for ((cluster, id), judged) in &mut self.seen_applications {
            seen.extend(judged.take().map(|judged| (UnitKey::application(&self.directory, cluster, *id), judged)));
        }
        for (job, judged) in &mut self.seen_legacy_jobs {
            seen.extend(judged.take().map(|judged| (UnitKey::LegacyJob(self.directory.clone(), *job), judged)));
        }
        let removals = &self.known.removals;
        seen.retain(|(key, _)| removals.of(key).is_none_or(|recorded| recorded.state != RemovalState::Running));
        let owned = self.take_owned(&mut seen);
        let undecided = self.take_undecided(&mut seen);
        let mut owners = HashMap::new();
        let verdicts = self.verdicts(&seen);
        self.note_implausible(&seen, plan);
        for ((key, mut judged), verdict) in seen.into_iter().zip(verdicts) {
            let recorded = self.known.removals.of(&key).copied();
            if let (UnitKey::Application(key), Ruling::Expired(_) | Ruling::Doubted(..)) = (&key, verdict) {
                owners.insert((key.cluster.clone(), key.id), verdict);
            }
            match verdict {
                Ruling::Expired(reason) => {
                    if recorded.is_none_or(|recorded| !self.still_stands(recorded)) {
                        let removal = self.removal(key, &judged, reason);
                        let never_known = removal.action == RemovalAction::Forget && self.known_unit(&removal.key).is_none();
                        if never_known { plan.leave.push(removal) } else { plan.expire.push(removal) }
                    }
                    continue;
                }
                Ruling::Doubted(reason, by_clock) => {
                    plan.doubted.by_clock |= by_clock;
                    plan.doubted.keys.push(key.clone());
                    if recorded.is_none_or(|recorded| recorded.state != RemovalState::Held || !self.still_stands(recorded)) {
                        plan.doubted.expire.push(self.removal(key.clone(), &judged, reason));
                        if recorded.is_some() {
                            plan.retain_again.push(key);
                        }
                    }
                }
                Ruling::Unread { doubted } => {
                    plan.doubted.unread |= doubted;
                    if recorded.is_some() {
                        plan.retain_again.push(key.clone());
                    }
                    if !doubted && (self.known.unclaimed.is_empty() || matches!(key, UnitKey::LegacyJob(..))) {
                        self.presence.append(&mut judged.presence);
                        plan.unread.push(Unread { key, task: judged.task });
                        continue;
                    }
                }
                Ruling::Retained { ahead } => {
                    if ahead && plan.ahead.len() < MAX_AHEAD {
                        plan.ahead.push((key.clone(), judged.folder.clone()));
                    }
                    if recorded.is_some() {
                        plan.retain_again.push(key);
                    }
                }
            }
            self.presence.append(&mut judged.presence);
            plan.tasks.extend(judged.task);
        }
        self.judge_owned(plan, owned, &owners);
        for (key, mut judged) in undecided {
            if self.known.removals.of(&key).is_some() {
                plan.retain_again.push(key);
            }
            self.presence.append(&mut judged.presence);
            plan.tasks.extend(judged.task);
        }
        plan.tasks.sort_by_key(|task| std::cmp::Reverse(task.newest));
        plan.unread.sort_by_key(|unread| std::cmp::Reverse(unread.task.as_ref().map(|task| task.newest)));
    }

    /// The ruling on each unit: the verdict of the policy, if it is certain enough to act on.
    fn verdicts(&self, seen: &[(UnitKey, Box<Judged>)]) -> Vec<Ruling> {
        let policy = &self.judging.policy;
        let judge_all = |by_age: bool, only_read: bool| {
            let candidates: Vec<Candidate<'_>> = seen.iter().map(|(key, judged)| candidate(key, judged, only_read)).collect();
            judge(&candidates, policy, self.now, by_age)
        };
        // Where archives stay, nothing is lost. With `delete-unreadable` archives need not be read before they are deleted.
        let needs_reading = !self.judging.keep_archives && !policy.delete_unreadable;
        let all_read = !needs_reading || seen.iter().all(|(_, judged)| judged.read || !judged.counts);
        // `perhaps`: if all unread archives are readable. `certain`: even if none of them is, so that they do not count.
        let perhaps = judge_all(true, false);
        let certain = if all_read { perhaps.clone() } else { judge_all(true, true) };
        let without_age = (!self.judging.by_age).then(|| judge_all(false, false));
        let certain_without_age = without_age.as_ref().map(|verdicts| if all_read { verdicts.clone() } else { judge_all(false, true) });
        let is_expired = |verdicts: &Option<Vec<Verdict>>, number: usize| {
            verdicts.as_ref().is_none_or(|verdicts| matches!(verdicts[number], Verdict::Expired(_)))
        };
        let rule = |number: usize| {
            let (key, judged) = &seen[number];
            let Verdict::Expired(reason) = perhaps[number] else { return Ruling::Retained { ahead: perhaps[number] == Verdict::Ahead } };
            if needs_reading && judged.unreadable {
                return Ruling::Retained { ahead: false };
            }
            let by_clock = !is_expired(&without_age, number);
            let by_time = judged.time < EARLIEST && (matches!(reason, Reason::Age { .. }) || !self.judging.written_out);
            let confirmed = self.known.removals.of(key).is_some_and(|recorded| recorded.confirmed);
            let doubted = (by_clock || by_time) && !confirmed;
            let verdict = match &certain_without_age {
                Some(verdicts) if !by_clock => verdicts[number],
                _ => certain[number],
            };
            match verdict {
                Verdict::Expired(reason) if !needs_reading || judged.all_read => {
                    if doubted {
                        Ruling::Doubted(reason, by_clock)
                    } else {
                        Ruling::Expired(reason)
                    }
                }
                _ => Ruling::Unread { doubted },
            }
        };
        (0..seen.len()).map(rule).collect()
    }

    /// Notes implausible times and limits: times before Flink existed, and a size limit below the size of the newest archive.
    fn note_implausible(&self, seen: &[(UnitKey, Box<Judged>)], plan: &mut Plan) {
        let policy = &self.judging.policy;
        if !policy.limits() {
            return;
        }
        let early = || seen.iter().filter(|(_, judged)| judged.counts && judged.time < EARLIEST).map(|(_, judged)| &judged.folder);
        plan.too_early = early().min_by(|one, other| one.as_str().cmp(other.as_str())).map(|first| (early().count() as u64, first.clone()));
        let countable = seen.iter().filter(|(_, judged)| judged.counts && judged.time.since(self.now) <= AHEAD);
        let newest = countable.max_by_key(|(_, judged)| judged.time).map_or(0, |(_, judged)| judged.bytes);
        plan.newest_too_large = policy.bytes.filter(|limit| newest > *limit).map(|_| newest);
    }

    /// Takes out flat jobs: they count as part of their application and are removed with it.
    fn take_owned(&self, seen: &mut Vec<(UnitKey, Box<Judged>)>) -> Vec<Owned> {
        if self.known.owners.is_empty() {
            return Vec::new();
        }
        let owner = |key: &UnitKey| match key {
            UnitKey::LegacyJob(_, job) => self.known.owners.get(job).cloned(),
            UnitKey::Application(_) => None,
        };
        let is_owned = |(key, _): &mut (UnitKey, Box<Judged>)| owner(key).is_some();
        let taken: Vec<_> = seen.extract_if(.., is_owned).collect();
        let owned = taken.into_iter().filter_map(|(key, judged)| Some(Owned { owner: owner(&key)?, key, judged }));
        let owned: Vec<Owned> = owned.collect();
        let mut bytes: HashMap<&Owner, u64> = HashMap::new();
        for each in &owned {
            *bytes.entry(&each.owner).or_default() += each.judged.bytes;
        }
        for (key, judged) in seen {
            if let UnitKey::Application(key) = key {
                judged.bytes += bytes.get(&(key.cluster.clone(), key.id)).copied().unwrap_or(0);
            }
        }
        owned
    }

    /// Takes out jobs that may belong to an application, while a summary of the directory was not read yet: they stay until then.
    fn take_undecided(&self, seen: &mut Vec<(UnitKey, Box<Judged>)>) -> Vec<(UnitKey, Box<Judged>)> {
        let is_unread = |(key, judged): &(UnitKey, Box<Judged>)| {
            matches!(key, UnitKey::Application(_)) && judged.counts && !judged.read && !judged.unreadable
        };
        if self.known.unclaimed.is_empty() || !seen.iter().any(is_unread) {
            return Vec::new();
        }
        let is_unclaimed =
            |(key, _): &mut (UnitKey, Box<Judged>)| matches!(key, UnitKey::LegacyJob(_, job) if self.known.unclaimed.contains(job));
        seen.extract_if(.., is_unclaimed).collect()
    }

    /// Judges flat jobs as their application was judged. A job that cannot be read stays.
    fn judge_owned(&mut self, plan: &mut Plan, owned: Vec<Owned>, owners: &HashMap<Owner, Ruling>) {
        let needs_reading = !self.judging.keep_archives && !self.judging.policy.delete_unreadable;
        for Owned { owner, key, mut judged } in owned {
            let recorded = self.known.removals.of(&key).copied();
            let removed = self.is_being_removed(&UnitKey::application(&self.directory, &owner.0, owner.1));
            // An application that was removed before its job has taken the verdict with it: the job is removed, too.
            let removed_before = !self.seen_applications.contains_key(&owner)
                && recorded.is_some_and(|recorded| recorded.action != RemovalAction::ForgetMissing);
            let is_safe = !needs_reading || (judged.all_read && !judged.unreadable);
            let (reason, doubted) = match owners.get(&owner) {
                Some(Ruling::Doubted(reason, _)) => (reason.code(), true),
                Some(Ruling::Expired(reason)) => (reason.code(), false),
                _ if removed || removed_before => ("application", false),
                _ => ("", false),
            };
            let due = !reason.is_empty() && is_safe;
            let stands = recorded.is_some_and(|recorded| self.still_stands(recorded) && (!doubted || recorded.state == RemovalState::Held));
            if due && !stands {
                let removal = self.owned_removal(key.clone(), &judged, reason, owner);
                let never_known = removal.action == RemovalAction::Forget && self.known_unit(&key).is_none();
                let list = if never_known { &mut plan.leave } else { &mut plan.expire };
                if doubted { plan.doubted.expire.push(removal) } else { list.push(removal) }
            }
            if due && !doubted {
                continue;
            }
            if due {
                plan.doubted.keys.push(key.clone());
            }
            if recorded.is_some() && !(due && stands) {
                plan.retain_again.push(key);
            }
            self.presence.append(&mut judged.presence);
            plan.tasks.extend(judged.task);
        }
    }

    fn owned_removal(&self, key: UnitKey, judged: &Judged, reason: &str, owner: Owner) -> Removal {
        let files = judged.files.clone().unwrap_or_else(|| known_files(self.known_unit(&key)));
        let action = if self.judging.keep_archives { RemovalAction::Forget } else { RemovalAction::Delete };
        Removal {
            key,
            action,
            reason: reason.to_owned(),
            detail: format!("belongs to application {}, which is expired", owner.1),
            time: judged.time,
            bytes: judged.bytes,
            folder: judged.folder.clone(),
            files,
            verified: judged.all_read,
            owner: Some(owner),
        }
    }

    /// Whether a recorded removal is what the plan would record again.
    fn still_stands(&self, recorded: KnownRemoval) -> bool {
        match recorded.action {
            RemovalAction::Delete => !self.judging.keep_archives,
            RemovalAction::Forget => self.judging.keep_archives,
            // It has returned.
            RemovalAction::ForgetMissing => false,
        }
    }

    fn known_unit(&self, key: &UnitKey) -> Option<&KnownUnit> {
        match key {
            UnitKey::Application(key) => self.known.applications.get(&(key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.known.legacy_jobs.get(job),
        }
    }

    /// The removal of a unit that is beyond a limit.
    fn removal(&self, key: UnitKey, judged: &Judged, reason: Reason) -> Removal {
        let files = judged.files.clone().unwrap_or_else(|| known_files(self.known_unit(&key)));
        let action = if self.judging.keep_archives { RemovalAction::Forget } else { RemovalAction::Delete };
        let (detail, folder) = (reason.to_string(), judged.folder.clone());
        let (time, bytes) = (judged.time, judged.bytes);
        Removal {
            key,
            action,
            reason: reason.code().to_owned(),
            detail,
            time,
            bytes,
            folder,
            files,
            verified: judged.all_read,
            owner: None,
        }
    }

    /// Finds recorded removals of units that were not listed and need none any more.
    pub(super) fn drop_stale_marks(&self, forget: &[UnitKey], plan: &mut Plan) {
        if self.known.removals.is_empty() {
            return;
        }
        let forget: HashSet<&UnitKey> = forget.iter().collect();
        for (key, recorded) in self.known.removals.iter(&self.directory) {
            let seen = match &key {
                UnitKey::Application(key) => {
                    let id = (key.cluster.clone(), key.id);
                    self.seen_applications.contains_key(&id) || self.is_hidden(&id)
                }
                UnitKey::LegacyJob(_, job) => self.seen_legacy_jobs.contains_key(job) || self.hidden_legacy_jobs.contains(job),
            };
            let stale = match (recorded.action, recorded.state) {
                (_, RemovalState::Running) => false,
                (RemovalAction::ForgetMissing, _) => !seen && !forget.contains(&key),
                // The cleanup records that it is missing, unless no limit is set any more.
                (_, RemovalState::Due) => !seen && !self.judging.policy.limits(),
                (_, RemovalState::Held | RemovalState::Forgotten) => !seen,
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

/// A unit for the policy. `only_read`: a unit that was never read does not count, as if it were unreadable.
fn candidate<'name>(key: &'name UnitKey, judged: &Judged, only_read: bool) -> Candidate<'name> {
    let (cluster, id) = match key {
        UnitKey::Application(key) => (Some(key.cluster.as_str()), *key.id.as_bytes()),
        UnitKey::LegacyJob(_, job) => (None, *job.as_bytes()),
    };
    Candidate { cluster, id, time: judged.time, bytes: judged.bytes, counts: judged.counts && (judged.read || !only_read) }
}

fn known_files(known: Option<&KnownUnit>) -> Vec<JudgedFile> {
    let files = known.into_iter().flat_map(|unit| &unit.files).filter(|file| !file.gone);
    files.map(|file| JudgedFile { kind: file.kind, fingerprint: file.tried }).collect()
}
