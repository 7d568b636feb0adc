//! Collects what is wrong with entries, without growing with a hostile archive.

use std::collections::BTreeMap;

use super::Flaw;
use crate::problem::ProblemCode;

/// Flaws of one code that are told one by one.
const TOLD_OF_ONE_CODE: u64 = 100;

/// The flaws of one archive.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    told: Vec<Flaw>,
    counts: BTreeMap<ProblemCode, u64>,
}

impl Flaws {
    /// Notes a flaw of an entry.
    pub(super) fn entry(&mut self, code: ProblemCode, entry: u64, what: &str) {
        self.note(code, || format!("entry {entry} is left out: {what}"));
    }

    /// Notes a flaw of the archive as a whole.
    pub(super) fn archive(&mut self, code: ProblemCode, reason: &str) {
        self.note(code, || reason.to_owned());
    }

    fn note(&mut self, code: ProblemCode, reason: impl FnOnce() -> String) {
        let count = self.counts.entry(code).or_default();
        *count += 1;
        if *count <= TOLD_OF_ONE_CODE {
            self.told.push(Flaw { code, reason: reason() });
        }
    }

    /// How many entries were left out.
    pub(super) fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// All that is to be told, in order; of what there is too much of, the number at the end.
    pub(super) fn finish(self) -> Vec<Flaw> {
        let mut told = self.told;
        told.extend(self.counts.into_iter().filter(|(_, count)| *count > TOLD_OF_ONE_CODE).map(|(code, count)| Flaw {
            code,
            reason: format!("{} more entries are left out for the same reason, {count} in all", count - TOLD_OF_ONE_CODE),
        }));
        told
    }
}
