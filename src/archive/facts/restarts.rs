//! The number of restarts of a job, or of a part of it, after failures: a rule over several documents.
//!
//! The exception history is the best source: it has one entry per failure, whichever region failed. But its size is limited
//! (`web.exception-history-size`, and 20 in an archive). Where it may be truncated, the attempts of subtasks are counted. Attempt numbers
//! also grow by speculative execution and by rescaling, and they count a restart only for the region that failed. Where neither source
//! gives an exact number, there is no number: a missing number is better than a wrong one.

use std::collections::BTreeMap;

use super::super::members::{Members, each_of};
use super::attempts::Attempts;
use super::regions::Regions;
use super::{ConfigurationEntry, MAX_VERTICES, NAME_BYTES, RestartFacts, time};
use crate::clock::Timestamp;

/// Default of `web.exception-history-size`.
const DEFAULT_HISTORY_SIZE: u64 = 16;
/// Limit of the entries in an archive, whatever is configured.
const MAX_ARCHIVED_HISTORY: u64 = 20;

/// The values in documents that the rule needs.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    failed: bool,
    timestamps: Timestamps,
    regions: Regions,
    history: Option<History>,
    vertices: BTreeMap<String, Attempts>,
    /// Highest number of an attempt with a document of its own.
    highest_attempt: Option<u64>,
    /// Number of attempts with a document of their own.
    kept_attempts: u64,
    rescales: Option<Rescales>,
    /// Number of all rescales, archived or not.
    rescales_counted: Option<u64>,
}

/// Scheduler, type and configuration of the job.
pub(super) struct Setting<'facts> {
    pub(super) scheduler: Option<&'facts str>,
    pub(super) job_type: Option<&'facts str>,
    pub(super) configuration: &'facts [ConfigurationEntry],
}

/// The last time in each of these states; 0: never.
#[derive(Debug, Default, Clone, Copy)]
struct Timestamps {
    /// `CREATED`, `RUNNING` or `RESTARTING`.
    started: Timestamp,
    failing: Timestamp,
    failed: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct History {
    entries: u64,
    newest: Option<Timestamp>,
    truncated: bool,
}

#[derive(Debug, Default, Clone, Copy)]
struct Rescales {
    entries: u64,
    /// Completed rescales that neither the first scheduling nor a failure caused.
    intended: u64,
}

/// Lower and upper bound of a number of restarts.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    min: u64,
    max: u64,
}

impl Evidence {
    /// Takes `/jobs/<id>`.
    pub(super) fn details(&mut self, details: Option<&Members<'_>>) {
        self.failed = details.and_then(|details| details.text("state")).is_some_and(|state| state == "FAILED");
        let stamps = details.and_then(|details| details.get("timestamps")).and_then(|value| Members::parse(value.get()));
        let at = |state: &str| stamps.as_ref().and_then(|stamps| time(stamps, state)).unwrap_or_default();
        self.timestamps =
            Timestamps { started: at("CREATED").max(at("RUNNING")).max(at("RESTARTING")), failing: at("FAILING"), failed: at("FAILED") };
        self.regions = details.and_then(|details| details.get("plan")).map(Regions::of_plan).unwrap_or_default();
    }

    /// Takes `/jobs/<id>/exceptions`.
    pub(super) fn exceptions(&mut self, json: &str) {
        let history = Members::parse(json).and_then(|members| Members::parse(members.get("exceptionHistory")?.get()));
        self.history = history.map(|history| {
            let mut found = History { entries: 0, newest: None, truncated: is_true(&history, "truncated") };
            history.each_element("entries", |entry| {
                if found.entries == 0 {
                    found.newest = Members::parse(entry.get()).and_then(|entry| time(&entry, "timestamp"));
                }
                found.entries += 1;
            });
            found
        });
    }

    /// Takes `/jobs/<id>/vertices/<vertex>`.
    pub(super) fn vertex(&mut self, vertex: &str, json: &str) {
        if vertex.len() > NAME_BYTES || (self.vertices.len() >= MAX_VERTICES && !self.vertices.contains_key(vertex)) {
            return;
        }
        if let Some(attempts) = Members::parse(json).and_then(|members| Attempts::of_vertex(&members)) {
            self.vertices.insert(vertex.to_owned(), attempts);
        }
    }

    /// Counts a document of an attempt with this number.
    pub(super) fn attempt(&mut self, number: u64) {
        self.highest_attempt = self.highest_attempt.max(Some(number));
        self.kept_attempts += 1;
    }

    /// Takes `/jobs/<id>/rescales/history`.
    pub(super) fn rescales(&mut self, json: &str) {
        // Where the scheduler does not rescale, Flink archives an error instead.
        let is_list = json.trim_start().starts_with('[');
        let mut found = Rescales::default();
        each_of(json, |rescale| {
            let Some(rescale) = Members::parse(rescale.get()) else { return };
            let word = |name| rescale.text(name).unwrap_or_default();
            let intended = !matches!(word("triggerCause").as_str(), "INITIAL_SCHEDULE" | "RECOVERABLE_FAILOVER");
            found.entries += 1;
            found.intended += u64::from(intended && word("terminalState") == "COMPLETED");
        });
        self.rescales = is_list.then_some(found);
    }

    /// Takes `/jobs/<id>/rescales/overview`.
    pub(super) fn rescales_overview(&mut self, json: &str) {
        let counts = Members::parse(json).map(|overview| overview.counts("rescalesCounts")).unwrap_or_default();
        self.rescales_counted = counts.into_iter().map(|(_, count)| count).reduce(u64::saturating_add);
    }

    /// Whether the job failed, and the newest entry of its exception history did not end it: the job was restarted after that entry, or
    /// it failed without an entry.
    pub(super) fn ended_without_exception(&self) -> bool {
        self.failed && self.history.is_none_or(|history| !self.ended_by(history))
    }

    fn ended_by(&self, history: History) -> bool {
        let Some(newest) = history.newest else { return history.entries > 0 };
        let Timestamps { started, failing, failed } = self.timestamps;
        // A job that gets no resources after a failure becomes FAILED without ever being FAILING.
        started <= newest && (failing > Timestamp::EPOCH || failed <= newest)
    }

    /// Applies the rule.
    pub(super) fn finish(mut self, setting: &Setting<'_>) -> RestartFacts {
        let attempts = self.bounds(setting);
        let failures = self.history.map(|history| history.entries.saturating_sub(u64::from(self.failed && self.ended_by(history))));
        let complete = self.history.is_some_and(|history| !history.truncated && history.entries < history_limit(setting));
        let count = failures.filter(|_| complete).or_else(|| {
            let exact = attempts.filter(|bounds| bounds.min == bounds.max)?.max;
            (exact >= failures.unwrap_or(0)).then_some(exact)
        });
        let min = count.unwrap_or_else(|| failures.unwrap_or(0).max(attempts.map_or(0, |bounds| bounds.min)));
        RestartFacts { count, min, rescales: self.rescale_count(setting, count) }
    }

    /// The bounds from the attempts; `None`: no attempts are archived.
    fn bounds(&mut self, setting: &Setting<'_>) -> Option<Bounds> {
        let highest = self.highest()?;
        if highest == 0 {
            return Some(Bounds { min: 0, max: 0 });
        }
        if self.is_adaptive(setting) {
            // The whole job is started again each time, with new numbers.
            let rescales = self.intended_rescales();
            let min = rescales.map_or(0, |rescales| highest.saturating_sub(rescales));
            return Some(Bounds { min, max: rescales.map_or(highest, |_| min) });
        }
        let speculative = self.vertices.values().any(|vertex| vertex.speculative)
            || (setting.job_type != Some("STREAMING") && setting.is("execution.batch.speculative.enabled", "true"));
        let max = if self.vertices.is_empty() {
            u64::MAX
        } else if setting.is("jobmanager.execution.failover-strategy", "full") {
            highest
        } else {
            self.regions.sum(&self.vertices)
        };
        let min = if speculative || self.vertices.is_empty() { 0 } else { highest };
        Some(Bounds { min, max })
    }

    fn highest(&self) -> Option<u64> {
        let of_vertices = self.vertices.values().map(|vertex| vertex.highest).max();
        of_vertices.or(self.highest_attempt)
    }

    /// Whether the adaptive scheduler ran the job. Batch jobs have another scheduler, whatever is configured.
    fn is_adaptive(&self, setting: &Setting<'_>) -> bool {
        match setting.scheduler {
            Some(scheduler) => scheduler == "Adaptive",
            None if setting.job_type == Some("BATCH") => false,
            None if setting.has_cluster() => setting.is("jobmanager.scheduler", "adaptive") || setting.is("scheduler-mode", "reactive"),
            // Up to Flink 1.15, no document names the scheduler. But the adaptive one archives only the last attempts.
            None => self.highest() > Some(0) && self.kept_attempts <= self.vertices.values().map(|vertex| vertex.last).sum(),
        }
    }

    /// Rescales that no failure caused, where all rescales are archived.
    fn intended_rescales(&self) -> Option<u64> {
        let rescales = self.rescales?;
        self.rescales_counted.is_none_or(|counted| counted == rescales.entries).then_some(rescales.intended)
    }

    fn rescale_count(&self, setting: &Setting<'_>, restarts: Option<u64>) -> Option<u64> {
        // Before Flink 2.3, only the attempts count rescales.
        let beyond_restarts = || self.highest()?.checked_sub(restarts?).filter(|_| self.rescales.is_none());
        if self.is_adaptive(setting) { self.intended_rescales().or_else(beyond_restarts) } else { None }
    }
}

impl Setting<'_> {
    /// Whether the configuration of the cluster is known.
    fn has_cluster(&self) -> bool {
        self.configuration.iter().any(|entry| entry.key.starts_with("jobmanager."))
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.configuration.iter().find(|entry| entry.key == key).map(|entry| entry.value.trim())
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.value(key).is_some_and(|set| set.eq_ignore_ascii_case(value))
    }
}

/// Number of entries from which on a history may be truncated.
fn history_limit(setting: &Setting<'_>) -> u64 {
    let set = setting.value("web.exception-history-size").and_then(|size| size.parse().ok());
    set.unwrap_or(DEFAULT_HISTORY_SIZE).min(MAX_ARCHIVED_HISTORY)
}

fn is_true(members: &Members<'_>, name: &str) -> bool {
    members.get(name).is_some_and(|value| value.get() == "true")
}
