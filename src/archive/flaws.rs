//! Collects the problems of entries in bounded memory, however hostile the archive is.

use std::collections::BTreeMap;

use super::Flaw;
use crate::problem::ProblemCode;

/// Flaws of one code that are reported one by one.
const MAX_REPORTED_PER_CODE: u64 = 100;

/// The flaws of one archive.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    reported: Vec<Flaw>,
    counts: BTreeMap<ProblemCode, u64>,
}

impl Flaws {
    /// Adds a flaw of an entry.
    pub(super) fn entry(&mut self, code: ProblemCode, entry: u64, reason: &str) {
        self.add(code, || format!("entry {entry} is left out: {reason}"));
    }

    /// Adds a flaw of the archive as a whole.
    pub(super) fn archive(&mut self, code: ProblemCode, reason: &str) {
        self.add(code, || reason.to_owned());
    }

    fn add(&mut self, code: ProblemCode, reason: impl FnOnce() -> String) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= MAX_REPORTED_PER_CODE {
            self.reported.push(Flaw { code, reason: reason() });
        }
    }

    /// Number of flaws.
    pub(super) fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Returns the flaws in order, then the number of further ones by code.
    pub(super) fn finish(self) -> Vec<Flaw> {
        let mut reported = self.reported;
        reported.extend(self.counts.into_iter().filter(|(_, count)| *count > MAX_REPORTED_PER_CODE).map(|(code, count)| Flaw {
            code,
            reason: format!("{} more entries are left out for the same reason, {count} in total", count - MAX_REPORTED_PER_CODE),
        }));
        reported
    }
}
