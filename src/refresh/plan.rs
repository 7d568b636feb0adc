//! The plan of a refresh: the difference between a listing and the index.
//!
//! New and changed files become tasks while the listing still runs ([`Planner::take`]). Missing files are judged only when the listing
//! is complete ([`Planner::finish`]), and never where an obstacle hides them. No IO; the time is an argument.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::directory::{FileKind, Found, FoundApplication, FoundFile, Hidden};
use crate::ids::{ApplicationId, JobId};
use crate::index::{JudgedFile, KnownDirectory, KnownFile, KnownUnit, Presence, Removal, RemovalAction, RemovalState, UnitKey};
use crate::ingest::task::{OPEN_WINDOW, RACY_WINDOW, Task};
use crate::names::{ClusterName, DirectoryUrl, FilePath};
use crate::retention::policy::Policy;

mod retaining;

use retaining::Judged;

/// Recorded as the time since which a directory holds no archive, when the operator confirmed that it is meant to be empty.
pub const CONFIRMED: Timestamp = Timestamp::EPOCH;

/// Limit of the time between two listings of an application that has no summary and does not change.
const MAX_PAUSE: Duration = Duration::from_mins(10);

/// The rules for missing archives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// `historyserver.archive.clean-expired-applications`: forget applications that are missing from the directory.
    pub forget_gone_applications: bool,
    /// `historyserver.archive.clean-expired-jobs`: the same for legacy job archives.
    pub forget_gone_legacy_jobs: bool,
    /// `historyserver.archive.empty-grace`: how long a directory that held archives must hold none before its emptiness is trusted.
    pub empty_grace: Duration,
}

/// The rules by which a plan judges archives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judging {
    /// The limits.
    pub policy: Policy,
    /// `historyserver.archive.retain-remote-beyond-local-limit`: an expired archive is only forgotten.
    pub keep_archives: bool,
    /// Whether the clock can be trusted with a verdict by age. If not, an archive that is expired by age alone is held.
    pub by_age: bool,
    /// Whether the operator has configured that a cleanup may delete everything. Then only verdicts by age need a plausible time.
    pub written_out: bool,
}

/// The consequences of a complete listing, besides the tasks that were given out while it ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Units and files that are missing now, or were missing and have returned.
    pub presence: Vec<Presence>,
    /// Units to take out of the index.
    pub forget: Vec<UnitKey>,
    /// The directory held archives and now holds none at all: nothing is forgotten for that yet.
    pub vanished: bool,
    /// It holds no archive at all, and the operator confirmed that it is meant to be empty.
    pub emptiness_confirmed: bool,
    /// The directory holds archives, or an obstacle that may hide some.
    pub holds_archives: bool,
    /// Applications and legacy jobs found.
    pub units: u64,
    /// Units that are beyond a limit and were not before.
    pub expire: Vec<Removal>,
    /// Units that are beyond a limit by a clock or a time that may be wrong.
    pub doubted: Doubted,
    /// Units beyond a limit that are not certain yet: they, or newer ones, must be read first.
    pub unread: Vec<Unread>,
    /// Archives dated before Flink existed: their number, and the first of them.
    pub too_early: Option<(u64, FilePath)>,
    /// Bytes of the newest archive, if it alone is larger than the limit.
    pub newest_too_large: Option<u64>,
    /// Units beyond a limit that were never read, where archives stay: there is nothing to forget or to delete.
    pub leave: Vec<Removal>,
    /// Units below hidden names, which an earlier version listed: they leave the index, and no verdict on them stands.
    pub below_hidden_names: Vec<UnitKey>,
    /// Units whose recorded removal no longer holds.
    pub retain_again: Vec<UnitKey>,
    /// Units dated too far ahead of the clock to be judged, with their folder or file; limited to 100.
    pub ahead: Vec<(UnitKey, FilePath)>,
    /// Tasks that had to wait for the verdict, newest first.
    pub tasks: Vec<Task>,
}

/// Units that are beyond a limit by a clock or a time that may be wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubted {
    /// Not recorded yet.
    pub expire: Vec<Removal>,
    /// All that were read and not confirmed, also those that are recorded.
    pub keys: Vec<UnitKey>,
    /// Whether some must be read first.
    pub unread: bool,
    /// Whether the clock may be wrong; if not, only their own times may be.
    pub by_clock: bool,
}

/// A unit beyond a limit that is not certain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The unit.
    pub key: UnitKey,
    /// Its files that were never read; `None`: only newer units must be read.
    pub task: Option<Task>,
}

/// Whether a quick scan must list the files of an application, and not only its name.
///
/// `last_listed` is when its files were listed last, by this process.
#[must_use]
pub fn is_open(known: Option<&KnownUnit>, last_listed: Option<Timestamp>, now: Timestamp) -> bool {
    let Some(unit) = known else { return true };
    if unit.gone_since.is_some() || unit.is_queued() {
        return true;
    }
    let newest = unit.files.iter().map(|file| file.modified).max().unwrap_or_default();
    // A file dated far ahead does not count as recently modified: its application would stay open forever.
    if now.abs_diff(newest) < OPEN_WINDOW || unit.files.iter().any(|file| file.racy) {
        return true;
    }
    // An application may run for days between its first job archive and its summary: it is listed less often as it ages.
    !unit.complete && last_listed.is_none_or(|last| now.since(last) >= (now.since(newest) / 20).min(MAX_PAUSE))
}

/// Whether a unit that is not missing lies below a hidden name. A missing one stays: the index may hold its only copy.
fn is_hidden_now(cluster: &ClusterName, unit: &KnownUnit) -> bool {
    unit.gone_since.is_none() && cluster.is_hidden()
}

fn is_below_a_hidden_name(key: &UnitKey) -> bool {
    matches!(key, UnitKey::Application(key) if key.cluster.is_hidden())
}

/// Files that were found to be readable, by unit, in the version that was read.
pub type Probed = HashMap<UnitKey, Vec<JudgedFile>>;

/// Units that a listing has found.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Applications.
    pub applications: HashSet<(ClusterName, ApplicationId)>,
    /// Legacy job archives.
    pub legacy_jobs: HashSet<JobId>,
}

impl Seen {
    /// Whether a unit was found.
    #[must_use]
    pub fn contains(&self, key: &UnitKey) -> bool {
        match key {
            UnitKey::Application(key) => self.applications.contains(&(key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.contains(job),
        }
    }

    /// Adds a unit.
    pub fn insert(&mut self, key: &UnitKey) {
        match key {
            UnitKey::Application(key) => self.applications.insert((key.cluster.clone(), key.id)),
            UnitKey::LegacyJob(_, job) => self.legacy_jobs.insert(*job),
        };
    }
}

/// Collects a listing of one directory and compares it with the index.
pub struct Planner<'known> {
    directory: DirectoryUrl,
    known: &'known KnownDirectory,
    now: Timestamp,
    judging: Judging,
    /// Files of units that are not in the index, and were found to be readable.
    probed: &'known Probed,
    seen_applications: HashMap<(ClusterName, ApplicationId), Option<Box<Judged>>>,
    seen_legacy_jobs: HashMap<JobId, Option<Box<Judged>>>,
    hidden_clusters: HashSet<ClusterName>,
    hidden_applications: HashSet<(ClusterName, ApplicationId)>,
    hidden_jobs: HashSet<(ClusterName, ApplicationId, JobId)>,
    hidden_legacy_jobs: HashSet<JobId>,
    presence: Vec<Presence>,
}

impl<'known> Planner<'known> {
    /// A planner for a directory with this content of the index, and these files that were probed beyond it.
    #[must_use]
    pub fn new(directory: DirectoryUrl, known: &'known KnownDirectory, probed: &'known Probed, judging: Judging, now: Timestamp) -> Self {
        Self {
            directory,
            known,
            now,
            judging,
            probed,
            seen_applications: HashMap::new(),
            seen_legacy_jobs: HashMap::new(),
            hidden_clusters: HashSet::new(),
            hidden_applications: HashSet::new(),
            hidden_jobs: HashSet::new(),
            hidden_legacy_jobs: HashSet::new(),
            presence: Vec::new(),
        }
    }

    /// Takes one piece of the listing. Returns the files that are to be fetched, newest first.
    pub fn take(&mut self, found: &Found) -> Vec<Task> {
        let mut tasks = match found {
            Found::Applications(applications) => applications.iter().filter_map(|found| self.take_application(found)).collect(),
            Found::LegacyJobs(files) => files.iter().filter_map(|file| self.take_legacy_job(file)).collect(),
            Found::Obstacle(obstacle) => {
                self.hide(&obstacle.hides);
                Vec::new()
            }
        };
        tasks.sort_by_key(|task: &Task| std::cmp::Reverse(task.newest));
        tasks
    }

    /// The units that were found so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            applications: self.seen_applications.keys().cloned().collect(),
            legacy_jobs: self.seen_legacy_jobs.keys().copied().collect(),
        }
    }

    /// The plan of a complete listing.
    #[must_use]
    pub fn finish(mut self, rules: &Rules) -> Plan {
        let units = (self.seen_applications.len() + self.seen_legacy_jobs.len()) as u64;
        let vanished = units == 0 && self.known.held_archives && self.would_lose(rules);
        if vanished {
            let trusted = match self.known.vanished_since {
                Some(since) => self.now.since(since) >= rules.empty_grace,
                None => rules.empty_grace.is_zero(),
            };
            if !trusted {
                return Plan { vanished: true, ..Plan::default() };
            }
        }
        let emptiness_confirmed = vanished && self.known.vanished_since == Some(CONFIRMED);
        let mut plan = Plan { emptiness_confirmed, ..Plan::default() };
        self.judge(&mut plan);
        let mut forget = Vec::new();
        let mut missing = Vec::new();
        for (key, unit, forgotten) in self.missing(rules) {
            if self.is_being_removed(&key) {
                continue;
            }
            if forgotten {
                forget.push(key);
            } else if unit.gone_since.is_none() {
                missing.push(Presence::UnitGone(key));
            }
        }
        self.presence.append(&mut missing);
        // An obstacle may come after the application of which it hides a file.
        let mut presence = std::mem::take(&mut self.presence);
        presence.retain(|change| match change {
            Presence::FileGone(UnitKey::Application(key), kind) => {
                let hidden_job = matches!(kind, FileKind::Job(job) if self.hidden_jobs.contains(&(key.cluster.clone(), key.id, *job)));
                !(hidden_job || self.is_hidden(&(key.cluster.clone(), key.id)))
            }
            _ => true,
        });
        let hides = !(self.hidden_clusters.is_empty() && self.hidden_applications.is_empty() && self.hidden_legacy_jobs.is_empty());
        self.drop_stale_marks(&forget, &mut plan);
        Plan { presence, forget, below_hidden_names: self.below_hidden_names(), holds_archives: units > 0 || hides, units, ..plan }
    }

    /// Whether units would be lost if the emptiness of the directory were trusted. Units that this server has begun to delete, and units
    /// that an earlier complete listing found missing, are no loss.
    fn would_lose(&self, rules: &Rules) -> bool {
        let removals = &self.known.removals;
        let lost = |(key, unit, forgotten): (UnitKey, &KnownUnit, bool)| match removals.of(&key) {
            Some(recorded) if recorded.action == RemovalAction::ForgetMissing || recorded.state == RemovalState::Running => false,
            Some(_) => true,
            None => unit.gone_since.is_none() || forgotten,
        };
        self.missing(rules).any(lost)
            || removals
                .iter(&self.directory)
                .any(|(key, recorded)| recorded.state == RemovalState::Forgotten && !is_below_a_hidden_name(&key))
    }

    /// Known units that were not found and are not hidden by an obstacle; with whether missing ones are to be forgotten.
    fn missing(&self, rules: &Rules) -> impl Iterator<Item = (UnitKey, &'known KnownUnit, bool)> {
        let (forget_application, forget_job) = (rules.forget_gone_applications, rules.forget_gone_legacy_jobs);
        let known: &'known KnownDirectory = self.known;
        let applications = known
            .applications
            .iter()
            .filter(|(id, unit)| !(self.seen_applications.contains_key(id) || self.is_hidden(id) || is_hidden_now(&id.0, unit)))
            .map(move |(id, unit)| (self.application_key(id), unit, forget_application));
        let legacy = known
            .legacy_jobs
            .iter()
            .filter(|(job, _)| !self.seen_legacy_jobs.contains_key(job) && !self.hidden_legacy_jobs.contains(job))
            .map(move |(job, unit)| (UnitKey::LegacyJob(self.directory.clone(), *job), unit, forget_job));
        applications.chain(legacy)
    }

    /// Known units below hidden names that are not missing: their archives stay.
    fn below_hidden_names(&self) -> Vec<UnitKey> {
        let known = self.known.applications.iter().filter(|(id, unit)| is_hidden_now(&id.0, unit)).map(|(id, _)| self.application_key(id));
        let recorded = self.known.removals.iter(&self.directory).map(|(key, _)| key).filter(is_below_a_hidden_name);
        let keys: BTreeSet<UnitKey> = known.chain(recorded).collect();
        keys.into_iter().collect()
    }

    /// Whether an obstacle hides an application.
    fn is_hidden(&self, id: &(ClusterName, ApplicationId)) -> bool {
        self.is_cluster_hidden(&id.0) || self.hidden_applications.contains(id)
    }

    /// Whether an obstacle hides a cluster, or a folder on the way to it.
    fn is_cluster_hidden(&self, cluster: &ClusterName) -> bool {
        !self.hidden_clusters.is_empty() && cluster.folders().any(|folder| self.hidden_clusters.contains(folder))
    }

    fn application_key(&self, (cluster, id): &(ClusterName, ApplicationId)) -> UnitKey {
        UnitKey::application(&self.directory, cluster, *id)
    }

    fn hide(&mut self, hidden: &Hidden) {
        match hidden {
            Hidden::Nothing => {}
            Hidden::Cluster(cluster) => {
                self.hidden_clusters.insert(cluster.clone());
            }
            Hidden::Application(cluster, id) => {
                self.hidden_applications.insert((cluster.clone(), *id));
            }
            Hidden::Job(cluster, id, job) => {
                self.hidden_jobs.insert((cluster.clone(), *id, *job));
            }
            Hidden::LegacyJob(job) => {
                self.hidden_legacy_jobs.insert(*job);
            }
            Hidden::ClusterOrLegacyJob(cluster, job) => {
                self.hidden_clusters.insert(cluster.clone());
                self.hidden_legacy_jobs.insert(*job);
            }
        }
    }

    fn take_application(&mut self, found: &FoundApplication) -> Option<Task> {
        let id = (found.cluster.clone(), found.id);
        let known = self.known.applications.get(&id);
        let key = self.application_key(&id);
        let Some(files) = &found.files else {
            let judged = self.known_candidate(&key, known, &found.folder);
            self.seen_applications.insert(id, judged);
            return None;
        };
        if files.is_empty() {
            // A folder without an archive is no application (yet, or any more).
            return None;
        }
        let has_summary = files.iter().any(|file| file.kind == FileKind::Summary);
        let mut judged = self.candidate(&key, files, known, &found.folder);
        let task = self.compare_or_wait(key, files, known, has_summary, judged.as_deref_mut());
        self.seen_applications.insert(id, judged);
        task
    }

    fn take_legacy_job(&mut self, file: &FoundFile) -> Option<Task> {
        let FileKind::Job(job) = file.kind else { return None };
        let key = UnitKey::LegacyJob(self.directory.clone(), job);
        let (files, known) = (std::slice::from_ref(file), self.known.legacy_jobs.get(&job));
        let mut judged = self.candidate(&key, files, known, &file.path);
        let task = self.compare_or_wait(key, files, known, true, judged.as_deref_mut());
        self.seen_legacy_jobs.insert(job, judged);
        task
    }

    /// Compares the files of a unit with the index.
    fn compare(&mut self, key: UnitKey, files: &[FoundFile], known: Option<&KnownUnit>, has_summary: bool) -> Option<Task> {
        let known_files: HashMap<FileKind, &KnownFile> =
            known.map(|unit| unit.files.iter().map(|file| (file.kind, file)).collect()).unwrap_or_default();
        if known.is_some_and(|unit| unit.gone_since.is_some()) {
            self.presence.push(Presence::UnitBack(key.clone()));
        }
        let (mut wanted, mut failures) = (Vec::new(), Vec::new());
        for file in files {
            let Some(known) = known_files.get(&file.kind) else {
                wanted.push(file.clone());
                continue;
            };
            let changed = known.tried != file.version.fingerprint();
            let settled = known.racy && self.now.since(file.version.modified) > RACY_WINDOW;
            if changed || settled || known.is_queued() {
                wanted.push(file.clone());
                if !changed && known.attempts > 0 {
                    failures.push((file.kind, known.attempts));
                }
            }
            if known.gone {
                self.presence.push(Presence::FileBack(key.clone(), file.kind));
            }
        }
        let found: HashSet<FileKind> = files.iter().map(|file| file.kind).collect();
        let missing = known_files.values().filter(|known| !known.gone && !found.contains(&known.kind));
        self.presence.extend(missing.map(|known| Presence::FileGone(key.clone(), known.kind)));
        if wanted.is_empty() {
            return None;
        }
        let newest = files.iter().map(|file| file.version.modified).max().unwrap_or_default();
        Some(Task { key, files: wanted, failures, has_summary, newest })
    }
}

#[cfg(test)]
mod tests;
