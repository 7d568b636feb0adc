//! What a listing means: a pure difference between what was found and what is known.
//!
//! Arrivals and changes are given out while the listing still runs ([`Planner::take`]). What is missing is only judged when the
//! listing has ended whole ([`Planner::finish`]), and never where an obstacle hides it. No IO; the time is an argument.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::clock::Millis;
use crate::directory::{FileKind, Found, FoundApplication, FoundFile, Hidden};
use crate::ids::{ApplicationId, JobId};
use crate::index::{Expiry, JudgedFile, KnownDirectory, KnownFile, KnownUnit, MarkState, Presence, Removal, UnitKey};
use crate::ingest::task::{OPEN_WINDOW, RACY_WINDOW, Task};
use crate::names::{ClusterName, DirectoryUrl, FilePath};
use crate::retention::policy::Policy;

mod retaining;

use retaining::Judged;

/// Time since which a directory holds no archive, when somebody confirmed that this is meant.
pub const CONFIRMED: Millis = 0;

/// Longest time between two listings of an application that has no summary and does not change.
const LONGEST_PAUSE: Millis = 10 * 60 * 1_000;

/// What the operator wants done with what is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rules {
    /// `historyserver.archive.clean-expired-applications`: forget applications that are gone from the directory.
    pub forget_gone_applications: bool,
    /// `historyserver.archive.clean-expired-jobs`: the same for legacy job archives.
    pub forget_gone_legacy_jobs: bool,
    /// `historyserver.archive.empty-grace`: how long a directory that held archives may hold none before that is believed.
    pub empty_grace: Millis,
}

/// What the policy judges by in this refresh.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judging {
    /// The limits.
    pub policy: Policy,
    /// `historyserver.archive.retain-remote-beyond-local-limit`: what is expired is only forgotten.
    pub keep_archives: bool,
    /// Whether the clock can be trusted with a verdict by age. If not, what only age would expire is held.
    pub by_age: bool,
    /// Whether the operator wrote out that a cleanup may take everything, so that only ages need a time that can be right.
    pub written_out: bool,
}

/// What a whole listing leads to, besides the tasks given out on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Units and files that went or came back.
    pub presence: Vec<Presence>,
    /// Units to take out of the index.
    pub forget: Vec<UnitKey>,
    /// The directory held archives and now holds none at all: nothing is concluded from that yet.
    pub vanished: bool,
    /// It holds no archive at all, and somebody confirmed that this is meant.
    pub emptiness_confirmed: bool,
    /// The directory holds archives, or something that hides them.
    pub holds_archives: bool,
    /// Applications and legacy jobs found.
    pub units: u64,
    /// What is beyond a limit and was not before.
    pub expire: Vec<Expiry>,
    /// What is beyond a limit by a clock or a time that may be wrong: what is new of it, and all of it.
    pub doubted: Doubted,
    /// What is beyond a limit and must be read, itself or something newer, before that is certain.
    pub unread: Vec<Unread>,
    /// Archives dated before Flink existed: how many, and the first of them.
    pub too_early: Option<(u64, FilePath)>,
    /// The newest archive takes more bytes than the limit allows: how many.
    pub newest_too_large: Option<u64>,
    /// What is beyond a limit and was never read, so that there is nothing to forget; the archive stays.
    pub leave: Vec<Expiry>,
    /// What an older version has listed although a name on the way to it is hidden: out of the index, and no verdict on it stands.
    pub put_aside: Vec<UnitKey>,
    /// What was expired, or was to be forgotten, and is not any more.
    pub retain_again: Vec<UnitKey>,
    /// What is dated too far ahead of the clock to be judged, at most 100 of it, with its folder or file.
    pub ahead: Vec<(UnitKey, FilePath)>,
    /// Tasks that had to wait for the verdict, newest first.
    pub tasks: Vec<Task>,
}

/// What is beyond a limit by a clock or a time that may be wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubted {
    /// Not on record yet.
    pub expire: Vec<Expiry>,
    /// All that was read and not confirmed, those on record among them.
    pub keys: Vec<UnitKey>,
    /// Some are still to be read.
    pub unread: bool,
    /// By the clock; else only by their own times.
    pub by_clock: bool,
}

/// Something beyond a limit that is not certain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What.
    pub key: UnitKey,
    /// Its files that were never read; `None`: only what is newer is to be read.
    pub task: Option<Task>,
}

/// Whether a quick scan must list the files of an application, and not only read its name.
///
/// `last_listed` is when its files were listed last, by this process.
#[must_use]
pub fn is_open(known: Option<&KnownUnit>, last_listed: Option<Millis>, now: Millis) -> bool {
    let Some(unit) = known else { return true };
    if unit.gone_since.is_some() {
        return true;
    }
    let newest = unit.files.iter().map(|file| file.modified).max().unwrap_or(0);
    // Dated far ahead is not young: such an application would be open for good.
    if (now - newest).abs() < OPEN_WINDOW || unit.files.iter().any(|file| file.racy) {
        return true;
    }
    // An application may run for days between its first job archive and its summary: asked less often as it ages.
    !unit.complete && last_listed.is_none_or(|last| now - last >= ((now - newest) / 20).min(LONGEST_PAUSE))
}

/// Whether a unit lies below a hidden name. What is gone may be known here only: it stays.
fn is_put_aside(cluster: &ClusterName, unit: &KnownUnit) -> bool {
    unit.gone_since.is_none() && cluster.is_hidden()
}

fn is_below_a_hidden_name(key: &UnitKey) -> bool {
    matches!(key, UnitKey::Application(key) if key.cluster.is_hidden())
}

/// Files that were found to be readable, by unit, in the versions that were looked at.
pub type Probed = HashMap<UnitKey, Vec<JudgedFile>>;

/// Collects a listing of one directory and compares it with what is known.
pub struct Planner<'known> {
    directory: DirectoryUrl,
    known: &'known KnownDirectory,
    now: Millis,
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
    /// Begins with what the index knows of the directory, and what was probed beyond that.
    #[must_use]
    pub fn new(directory: DirectoryUrl, known: &'known KnownDirectory, probed: &'known Probed, judging: Judging, now: Millis) -> Self {
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

    /// Takes one piece of the listing; gives back what is to be fetched, newest first.
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

    /// Ends a listing that has seen everything.
    #[must_use]
    pub fn finish(mut self, rules: &Rules) -> Plan {
        let units = (self.seen_applications.len() + self.seen_legacy_jobs.len()) as u64;
        let vanished = units == 0 && self.known.held_archives && self.would_lose(rules);
        if vanished {
            let believed = match self.known.vanished_since {
                Some(since) => self.now - since >= rules.empty_grace,
                None => rules.empty_grace == 0,
            };
            if !believed {
                return Plan { vanished: true, ..Plan::default() };
            }
        }
        let emptiness_confirmed = vanished && self.known.vanished_since == Some(CONFIRMED);
        let mut plan = Plan { emptiness_confirmed, ..Plan::default() };
        self.judge(&mut plan);
        let mut forget = Vec::new();
        let mut gone = Vec::new();
        for (key, unit, forgotten) in self.missing(rules) {
            if self.is_being_removed(&key) {
                continue;
            }
            if forgotten {
                forget.push(key);
            } else if unit.gone_since.is_none() {
                gone.push(Presence::UnitGone(key));
            }
        }
        self.presence.append(&mut gone);
        // Obstacles may come after the application they hide a file of.
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
        Plan { presence, forget, put_aside: self.put_aside(), holds_archives: units > 0 || hides, units, ..plan }
    }

    /// Whether something would be lost if the directory were believed to hold no archive: what this server has begun to delete, and
    /// what a complete listing has judged to be gone before, is not.
    fn would_lose(&self, rules: &Rules) -> bool {
        let marks = &self.known.marks;
        let lost = |(key, unit, forgotten): (UnitKey, &KnownUnit, bool)| match marks.of(&key) {
            Some(mark) if mark.removal == Removal::ForgetGone || mark.state == MarkState::Begun => false,
            Some(_) => true,
            None => unit.gone_since.is_none() || forgotten,
        };
        self.missing(rules).any(lost)
            || marks.iter(&self.directory).any(|(key, mark)| mark.state == MarkState::Forgotten && !is_below_a_hidden_name(&key))
    }

    /// What is known, was not found and is not hidden by an obstacle; and whether it is to be forgotten when it is gone.
    fn missing(&self, rules: &Rules) -> impl Iterator<Item = (UnitKey, &'known KnownUnit, bool)> {
        let (forget_application, forget_job) = (rules.forget_gone_applications, rules.forget_gone_legacy_jobs);
        let known: &'known KnownDirectory = self.known;
        let applications = known
            .applications
            .iter()
            .filter(|(id, unit)| !(self.seen_applications.contains_key(id) || self.is_hidden(id) || is_put_aside(&id.0, unit)))
            .map(move |(id, unit)| (self.application_key(id), unit, forget_application));
        let legacy = known
            .legacy_jobs
            .iter()
            .filter(|(job, _)| !self.seen_legacy_jobs.contains_key(job) && !self.hidden_legacy_jobs.contains(job))
            .map(move |(job, unit)| (UnitKey::LegacyJob(self.directory.clone(), *job), unit, forget_job));
        applications.chain(legacy)
    }

    /// What is known below hidden names, and not gone: its archive lies where it lay.
    fn put_aside(&self) -> Vec<UnitKey> {
        let known = self.known.applications.iter().filter(|(id, unit)| is_put_aside(&id.0, unit)).map(|(id, _)| self.application_key(id));
        let marked = self.known.marks.iter(&self.directory).map(|(key, _)| key).filter(is_below_a_hidden_name);
        let keys: BTreeSet<UnitKey> = known.chain(marked).collect();
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

    /// Compares the files of a unit with what is known of them.
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
            let settled = known.racy && self.now - file.version.modified > RACY_WINDOW;
            if changed || settled {
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
        let gone = known_files.values().filter(|known| !known.gone && !found.contains(&known.kind));
        self.presence.extend(gone.map(|known| Presence::FileGone(key.clone(), known.kind)));
        if wanted.is_empty() {
            return None;
        }
        let newest = files.iter().map(|file| file.version.modified).max().unwrap_or(0);
        Some(Task { key, files: wanted, failures, has_summary, newest })
    }
}

#[cfg(test)]
mod tests;
