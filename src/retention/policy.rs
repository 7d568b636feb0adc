//! The retention policy: a pure verdict on each archive, by rank, time and bytes. No IO; the present time is an argument.
//!
//! As in Flink, an archive is retained only if it is within every limit. Ranks begin with the newest archive, and archives that another
//! limit rejects count as well. An archive whose age is equal to the limit is expired.
//!
//! ```
//! use std::time::Duration;
//!
//! use historyserver::clock::Timestamp;
//! use historyserver::retention::policy::{Candidate, Policy, Reason, Verdict, judge};
//!
//! const DAY: Duration = Duration::from_hours(24);
//! const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
//!
//! let archive = |number: u8, days: u32| Candidate {
//!     cluster: Some("production"),
//!     id: [number; 16],
//!     time: NOW - days * DAY,
//!     bytes: 1 << 20,
//!     counts: true,
//! };
//! let policy = Policy { applications: Some(2), ttl: Some(30 * DAY), ..Policy::default() };
//! let verdicts = judge(&[archive(1, 1), archive(2, 40), archive(3, 50)], &policy, NOW, true);
//! assert_eq!(verdicts[0], Verdict::Retained);
//! assert_eq!(verdicts[1], Verdict::Expired(Reason::Age { age: 40 * DAY, limit: 30 * DAY }));
//! assert_eq!(verdicts[2], Verdict::Expired(Reason::Count { rank: 3, limit: 2 }));
//! ```

use std::cmp::Reverse;
use std::fmt;
use std::time::Duration;

use crate::clock::{Timestamp, human_duration};

/// Limit of the time that an archive may be dated ahead of this server's clock. Archives dated further ahead are kept: a clock is wrong.
pub const AHEAD: Duration = Duration::from_hours(1);

/// 2014-01-01. Archives dated before this are older than Flink: a copy or a store has not kept their times.
pub const EARLIEST: Timestamp = Timestamp::from_millis(1_388_534_400_000);

/// An age limit below this is most likely a mistake: the unit was forgotten, and a bare number is milliseconds.
pub const SHORTEST_AGE: Duration = Duration::from_mins(1);

/// The limits of one archive directory. `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// `historyserver.archive.retained-applications`: applications kept.
    pub applications: Option<u64>,
    /// `historyserver.archive.retained-jobs`: legacy job archives kept.
    pub legacy_jobs: Option<u64>,
    /// `historyserver.archive.retained-ttl`: limit of the age.
    pub ttl: Option<Duration>,
    /// `historyserver.archive.retained-size`: bytes kept, over applications and legacy job archives together.
    pub bytes: Option<u64>,
    /// `historyserver.archive.retention.delete-unreadable`: judge also archives that cannot be read or have no summary.
    pub delete_unreadable: bool,
}

impl Policy {
    /// Whether any limit is set.
    #[must_use]
    pub fn limits(&self) -> bool {
        self.needs_ranks() || self.ttl.is_some()
    }

    /// Whether a limit is set that can only be judged when everything has been listed.
    #[must_use]
    pub fn needs_ranks(&self) -> bool {
        self.applications.is_some() || self.legacy_jobs.is_some() || self.bytes.is_some()
    }

    /// Whether the age limit is so short that it must be a mistake.
    #[must_use]
    pub fn age_is_absurd(&self) -> bool {
        self.ttl.is_some_and(|ttl| ttl < SHORTEST_AGE)
    }

    /// The age limit that this age reaches.
    #[must_use]
    pub fn too_old(&self, time: Timestamp, now: Timestamp) -> Option<Reason> {
        let limit = self.ttl?;
        let age = now.since(time);
        (age >= limit).then_some(Reason::Age { age, limit })
    }

    /// The time by which an archive is ranked: that of its summary, or of its newest file if the summary is missing or cannot be read.
    #[must_use]
    pub fn time(&self, summary: Option<Timestamp>, newest: Timestamp, readable: bool) -> Timestamp {
        summary.filter(|_| readable).unwrap_or(newest)
    }

    /// Whether an archive takes part in the verdicts.
    #[must_use]
    pub fn counts(&self, has_summary: bool, readable: bool) -> bool {
        self.delete_unreadable || (has_summary && readable)
    }
}

/// An archive that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'name> {
    /// Cluster of an application; `None` for a legacy job archive.
    pub cluster: Option<&'name str>,
    /// Id of the application or of the job.
    pub id: [u8; 16],
    /// See [`Policy::time`].
    pub time: Timestamp,
    /// Bytes of all its files, as listed.
    pub bytes: u64,
    /// See [`Policy::counts`].
    pub counts: bool,
}

/// Why an archive is expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// As many archives as the limit are newer.
    Count {
        /// Place among all that count, newest is 1.
        rank: u64,
        /// How many are kept.
        limit: u64,
    },
    /// It is too old.
    Age {
        /// The age of the archive.
        age: Duration,
        /// The limit of the age.
        limit: Duration,
    },
    /// This archive and all newer ones take more bytes than the limit.
    Size {
        /// Bytes of all that are newer, and of this.
        total: u64,
        /// Bytes kept.
        limit: u64,
    },
}

impl Reason {
    /// The limit that was passed, in one word, for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "count",
            Self::Age { .. } => "age",
            Self::Size { .. } => "size",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { rank, limit } => write!(formatter, "number {rank} from the newest, the limit is {limit}"),
            Self::Age { age, limit } => {
                write!(formatter, "{} old, the limit is {}", human_duration(*age), human_duration(*limit))
            }
            Self::Size { total, limit } => {
                write!(formatter, "{total} bytes with all newer archives, the limit is {limit} bytes")
            }
        }
    }
}

/// The verdict of the policy on one archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays.
    Retained,
    /// It is to be removed.
    Expired(Reason),
    /// It is dated too far ahead of the clock to be judged: it stays, and no limit counts it.
    Ahead,
    /// It cannot be read or has no summary: it stays, and no limit counts it.
    Unjudged,
}

/// Judges the whole content of one archive directory; the verdicts are in the order of the candidates.
///
/// `by_age` false leaves the age limit out, because the clock cannot be trusted. The order of the candidates does not matter:
/// equal times are ranked by cluster, then id, legacy job archives last. The newest is always within the limit of bytes.
#[must_use]
pub fn judge(candidates: &[Candidate<'_>], policy: &Policy, now: Timestamp, by_age: bool) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::Unjudged; candidates.len()];
    let mut ranked: Vec<usize> = Vec::with_capacity(candidates.len());
    for (number, candidate) in candidates.iter().enumerate() {
        if !candidate.counts {
            continue;
        }
        if candidate.time.since(now) > AHEAD {
            verdicts[number] = Verdict::Ahead;
        } else {
            ranked.push(number);
        }
    }
    if policy.needs_ranks() {
        ranked.sort_unstable_by_key(|number| {
            let candidate = &candidates[*number];
            (Reverse(candidate.time), candidate.cluster.is_none(), candidate.cluster, candidate.id)
        });
    }
    let (mut applications, mut legacy_jobs, mut total) = (0_u64, 0_u64, 0_u64);
    for (place, number) in ranked.into_iter().enumerate() {
        let candidate = &candidates[number];
        let (rank, limit) =
            if candidate.cluster.is_some() { (&mut applications, policy.applications) } else { (&mut legacy_jobs, policy.legacy_jobs) };
        *rank += 1;
        total = total.saturating_add(candidate.bytes);
        let count = limit.filter(|limit| *rank > *limit).map(|limit| Reason::Count { rank: *rank, limit });
        let age = || policy.too_old(candidate.time, now).filter(|_| by_age);
        let size = || policy.bytes.filter(|limit| place > 0 && total > *limit).map(|limit| Reason::Size { total, limit });
        verdicts[number] = count.or_else(age).or_else(size).map_or(Verdict::Retained, Verdict::Expired);
    }
    verdicts
}

#[cfg(test)]
mod tests;
