//! Which files that could not be read are tried again although nothing has changed, and how many of them in one round. No IO.
//!
//! What a store did not hand out comes first, whoever waits longest. It goes on as long as the store hands something out, and ends
//! after a number of failures: the next round goes on with those that were not tried. What has bad content is tried in small
//! portions, the newest first, so that a quiet server stays quiet however many bad archives it has.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

use crate::clock::Millis;
use crate::directory::FileKind;
use crate::index::{Fault, FileOutcome, KnownDirectory, KnownFile, KnownUnit, MarkState, UnitChange, UnitKey};
use crate::names::DirectoryUrl;

/// Failures of the store that one round takes beyond what it read.
const STORE_FAILURES: usize = 64;

/// Files with bad content, and bytes of them, that one round reads; at least one.
const CONTENT_FILES: usize = 64;
const CONTENT_BYTES: u64 = 64 << 20;

/// A unit with files that are tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Retry {
    /// Which unit.
    pub(super) key: UnitKey,
    /// Which files, and how often in a row each has failed.
    pub(super) files: Vec<(FileKind, u32)>,
    fault: Fault,
}

/// What is tried again besides what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Nothing.
    Due,
    /// All that the store did not hand out: the process has just started.
    Store,
    /// Everything, in one go: somebody asked for it.
    All,
}

/// Attempts since the index was last asked for all it knows of a directory.
///
/// That an attempt failed once more is not worth reading all of that again.
#[derive(Debug, Default)]
pub(super) struct Attempts(HashMap<(UnitKey, FileKind), Attempt>);

#[derive(Debug, Clone, Copy)]
struct Attempt {
    failures: u32,
    at: Millis,
    next: Option<Millis>,
}

impl Attempts {
    /// Notes what came of an attempt.
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

/// What is tried again in one round.
#[derive(Debug, Default)]
pub(super) struct Retries {
    store: VecDeque<Retry>,
    content: VecDeque<Retry>,
    /// Failures of the store that are still taken.
    left: usize,
}

/// What a round goes by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The time.
    pub(super) now: Millis,
    /// When the process started: content that an earlier one refused is tried again once.
    pub(super) started: Millis,
    /// What is asked for.
    pub(super) wish: Wish,
}

impl Retries {
    /// Chooses among all that is known of a directory. Units of `skip` are left alone: they were just read, or are about to go.
    pub(super) fn choose(
        directory: &DirectoryUrl,
        known: &KnownDirectory,
        attempts: &Attempts,
        skip: &HashSet<UnitKey>,
        moment: Moment,
    ) -> Self {
        let mut chosen = Vec::new();
        let mut take = |unit: &KnownUnit, key: &dyn Fn() -> UnitKey| {
            if unit.gone_since.is_none() && unit.expired_at.is_none() && unit.files.iter().any(is_unread) {
                chosen.extend(due(key(), unit, attempts, moment));
            }
        };
        for ((cluster, id), unit) in &known.applications {
            take(unit, &|| UnitKey::application(directory, cluster, *id));
        }
        for (job, unit) in &known.legacy_jobs {
            take(unit, &|| UnitKey::LegacyJob(directory.clone(), *job));
        }
        chosen.retain(|due| {
            !skip.contains(&due.retry.key) && known.marks.of(&due.retry.key).is_none_or(|mark| mark.state == MarkState::Held)
        });
        let (mut store, mut content): (Vec<Due>, Vec<Due>) = chosen.into_iter().partition(|due| due.retry.fault == Fault::Store);
        store.sort_by_key(|due| due.since);
        content.sort_by_key(|due| Reverse(due.newest));
        let (mut files, mut bytes) = (0, 0);
        let content = content.into_iter().take_while(|due| {
            let fits = files == 0 || (files < CONTENT_FILES && bytes < CONTENT_BYTES) || moment.wish == Wish::All;
            files += due.retry.files.len();
            bytes += due.bytes;
            fits
        });
        Self {
            content: content.map(|due| due.retry).collect(),
            store: store.into_iter().map(|due| due.retry).collect(),
            left: if moment.wish == Wish::Due { STORE_FAILURES } else { usize::MAX },
        }
    }

    /// The next one to try.
    pub(super) fn next(&mut self) -> Option<Retry> {
        if self.left == 0 {
            self.store.clear();
        }
        self.store.pop_front().or_else(|| self.content.pop_front())
    }

    /// Notes what came of one.
    pub(super) fn note(&mut self, retry: &Retry, was_read: bool) {
        if retry.fault == Fault::Store {
            self.left = if was_read { self.left.saturating_add(1) } else { self.left.saturating_sub(1) };
        }
    }

    /// Units still to be tried.
    pub(super) fn len(&self) -> usize {
        self.store.len() + self.content.len()
    }
}

struct Due {
    retry: Retry,
    /// When the first of its files became due.
    since: Millis,
    newest: Millis,
    bytes: u64,
}

fn is_unread(file: &KnownFile) -> bool {
    !file.parsed && !file.gone
}

/// The files of a unit that are tried again now.
fn due(key: UnitKey, unit: &KnownUnit, attempts: &Attempts, moment: Moment) -> Option<Due> {
    let mut due = Due { retry: Retry { key, files: Vec::new(), fault: Fault::Content }, since: Millis::MAX, newest: Millis::MIN, bytes: 0 };
    for file in unit.files.iter().filter(|file| is_unread(file)) {
        let attempt = attempts.of(&due.retry.key, file);
        // What an earlier build did not note is tried like a failure of the store.
        let fault = file.fault.unwrap_or(Fault::Store);
        let wished = match moment.wish {
            Wish::Due => false,
            Wish::Store => fault == Fault::Store,
            Wish::All => true,
        };
        let is_due = attempt.next.is_some_and(|next| next <= moment.now);
        // A clock that was ahead must not put an attempt off for good.
        let before = attempt.at < moment.started || attempt.at > moment.now;
        if wished || is_due || before {
            due.retry.files.push((file.kind, attempt.failures));
            if fault == Fault::Store {
                due.retry.fault = Fault::Store;
            }
            due.since = due.since.min(attempt.next.unwrap_or(0));
            due.newest = due.newest.max(file.modified);
            due.bytes = due.bytes.saturating_add(file.size);
        }
    }
    (!due.retry.files.is_empty()).then_some(due)
}

#[cfg(test)]
mod tests;
