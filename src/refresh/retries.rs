//! The files that one round retries although they have not changed. No IO.
//!
//! Files that the store did not return come first, the longest due before the others. These retries continue as long as the store
//! returns files, and end after a number of failures: the next round continues with the rest. Files with bad content are retried in
//! small portions, the newest first, so that an idle server stays idle with any number of bad archives.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::clock::Timestamp;
use crate::directory::FileKind;
use crate::index::{Fault, FileOutcome, KnownDirectory, KnownFile, KnownUnit, RemovalState, UnitChange, UnitKey};
use crate::names::DirectoryUrl;

/// Failures of the store after which a round stops its retries; each file that was read allows one more.
const MAX_STORE_FAILURES: usize = 64;

/// Limits of the files with bad content that one round reads, in files and in bytes. One file is always read.
const MAX_CONTENT_FILES: usize = 64;
const MAX_CONTENT_BYTES: u64 = 64 << 20;

/// A unit with files that are retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retry {
    /// The unit.
    pub(super) key: UnitKey,
    /// Its files, with the failures in a row of each.
    pub(super) files: Vec<(FileKind, u32)>,
    fault: Fault,
}

/// The files that a round retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RetryScope {
    /// Files whose next attempt is due.
    Due,
    /// Also all files that the store did not return: the process has just started.
    Store,
    /// All files that could not be read, in one round: a client or the operator requested it.
    All,
}

/// Failed attempts since the content of the index was last read for a directory.
///
/// One more failure of a file is no reason to read all of that again.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<(UnitKey, FileKind), Attempt>);

#[derive(Debug, Clone, Copy)]
struct Attempt {
    failures: u32,
    at: Timestamp,
    next: Option<Timestamp>,
}

impl Attempts {
    /// Notes the result of an attempt.
    pub(super) fn note(&mut self, change: &UnitChange, failures: &[(FileKind, u32)]) {
        for file in &change.files {
            let FileOutcome::Unreadable { next_attempt, .. } = file.outcome else { continue };
            let failures = failures.iter().find(|(kind, _)| *kind == file.kind).map_or(0, |(_, failures)| *failures);
            let attempt = Attempt { failures: failures.saturating_add(1), at: change.at, next: next_attempt };
            self.0.insert((change.key.clone(), file.kind), attempt);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn of(&self, key: &UnitKey, file: &KnownFile) -> Attempt {
        let known = Attempt { failures: file.attempts, at: file.tried_at, next: file.next_attempt };
        self.0.get(&(key.clone(), file.kind)).copied().unwrap_or(known)
    }
}

/// The retries of one round.
#[derive(Debug, Default)]
pub(super) struct Retries {
    store: VecDeque<Retry>,
    content: VecDeque<Retry>,
    /// Failures of the store that are left in this round.
    failures_left: usize,
}

/// The time and the scope by which retries are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryTime {
    pub(super) now: Timestamp,
    /// When the process started: content that an earlier process could not read is retried once.
    pub(super) started: Timestamp,
    pub(super) scope: RetryScope,
}

impl Retries {
    /// Chooses among the known units of a directory, except those of `skip`, which were just read or are about to be removed.
    pub(super) fn choose(
        directory: &DirectoryUrl,
        known: &KnownDirectory,
        attempts: &Attempts,
        skip: &HashSet<UnitKey>,
        time: RetryTime,
    ) -> Self {
        let mut chosen = Vec::new();
        let mut choose = |unit: &KnownUnit, key: &dyn Fn() -> UnitKey| {
            if unit.gone_since.is_none() && unit.expired_at.is_none() && unit.files.iter().any(is_unread) {
                chosen.extend(due(key(), unit, attempts, time));
            }
        };
        for ((cluster, id), unit) in &known.applications {
            choose(unit, &|| UnitKey::application(directory, cluster, *id));
        }
        for (job, unit) in &known.legacy_jobs {
            choose(unit, &|| UnitKey::LegacyJob(directory.clone(), *job));
        }
        chosen.retain(|due| {
            !skip.contains(&due.retry.key) && known.removals.of(&due.retry.key).is_none_or(|recorded| recorded.state == RemovalState::Held)
        });
        let (mut store, mut content): (Vec<Due>, Vec<Due>) = chosen.into_iter().partition(|due| due.retry.fault == Fault::Store);
        store.sort_by_key(|due| due.since);
        content.sort_by_key(|due| Reverse(due.newest));
        let (mut files, mut bytes) = (0, 0);
        let content = content.into_iter().take_while(|due| {
            let fits = files == 0 || (files < MAX_CONTENT_FILES && bytes < MAX_CONTENT_BYTES) || time.scope == RetryScope::All;
            files += due.retry.files.len();
            bytes += due.bytes;
            fits
        });
        Self {
            content: content.map(|due| due.retry).collect(),
            store: store.into_iter().map(|due| due.retry).collect(),
            failures_left: if time.scope == RetryScope::Due { MAX_STORE_FAILURES } else { usize::MAX },
        }
    }

    /// The next retry.
    pub(super) fn next(&mut self) -> Option<Retry> {
        if self.failures_left == 0 {
            self.store.clear();
        }
        self.store.pop_front().or_else(|| self.content.pop_front())
    }

    /// Notes whether a retry was successful.
    pub(super) fn note(&mut self, retry: &Retry, was_read: bool) {
        if retry.fault == Fault::Store {
            self.failures_left = if was_read { self.failures_left.saturating_add(1) } else { self.failures_left.saturating_sub(1) };
        }
    }

    /// Units that are left to retry.
    pub(super) fn len(&self) -> usize {
        self.store.len() + self.content.len()
    }
}

struct Due {
    retry: Retry,
    /// When the first of its files became due.
    since: Timestamp,
    newest: Timestamp,
    bytes: u64,
}

fn is_unread(file: &KnownFile) -> bool {
    !file.parsed && !file.gone && !file.is_queued()
}

/// The files of a unit that are retried now.
fn due(key: UnitKey, unit: &KnownUnit, attempts: &Attempts, time: RetryTime) -> Option<Due> {
    let mut due =
        Due { retry: Retry { key, files: Vec::new(), fault: Fault::Content }, since: Timestamp::MAX, newest: Timestamp::MIN, bytes: 0 };
    for file in unit.files.iter().filter(|file| is_unread(file)) {
        let attempt = attempts.of(&due.retry.key, file);
        // An earlier version recorded no fault: the file is retried like a failure of the store.
        let fault = file.fault.unwrap_or(Fault::Store);
        let requested = match time.scope {
            RetryScope::Due => false,
            RetryScope::Store => fault == Fault::Store,
            RetryScope::All => true,
        };
        let is_due = attempt.next.is_some_and(|next| next <= time.now);
        // An attempt by a clock that was ahead must not delay the next one forever.
        let earlier = attempt.at < time.started || attempt.at > time.now;
        if requested || is_due || earlier {
            due.retry.files.push((file.kind, attempt.failures));
            if fault == Fault::Store {
                due.retry.fault = Fault::Store;
            }
            due.since = due.since.min(attempt.next.unwrap_or(Timestamp::EPOCH));
            due.newest = due.newest.max(file.modified);
            due.bytes = due.bytes.saturating_add(file.size);
        }
    }
    (!due.retry.files.is_empty()).then_some(due)
}

#[cfg(test)]
mod tests;
