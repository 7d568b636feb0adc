//! Whether the clock may be trusted with a verdict by age.
//!
//! While a process runs, its clock is compared with time that only goes forward. When a process starts there is nothing to compare it
//! with but what others wrote: the last recorded refresh, the archives, the data directory, and the store's own clock. Clocks are
//! wrong most often right after a boot. What this machine wrote itself may be as wrong as its clock, so it can raise a doubt and
//! never settle one.

use std::fmt;
use std::time::Duration;

use super::policy::{AHEAD, EARLIEST};
use crate::clock::{Timestamp, human_duration};

/// The system's clock may differ by this from the time that has really passed between two refreshes.
const TOLERANCE: Duration = Duration::from_mins(1);

/// The system's clock may differ by this from that of a store: its answers have whole seconds, and some are cached for a while.
const STORE_TOLERANCE: Duration = Duration::from_mins(5);

/// How long the clock must have run steadily after a doubt before it is trusted again: time for it to be set right, and to be noticed.
const STEADY: Duration = Duration::from_hours(1);

/// Limit of the time without any trace that is trusted at the start: a weekend.
const MAX_GAP: Duration = Duration::from_hours(3 * 24);

/// Why the clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It stands before the last refresh, or before the last write to the data directory.
    Behind {
        /// The time from this clock to the later of both.
        by: Duration,
    },
    /// It went by less than the time that passed, or back.
    SetBack {
        /// The difference from the time that passed.
        by: Duration,
    },
    /// It went by more than the time that passed.
    JumpedAhead {
        /// The difference from the time that passed.
        by: Duration,
    },
    /// The process has just started, and nothing is there to show that this much time has passed.
    Unproven {
        /// The time since the last refresh, or since the newest archive; `None`: there is no trace of any time.
        gap: Option<Duration>,
    },
    /// The store's clock shows another time.
    StoreDiffers {
        /// The difference.
        by: Duration,
        /// Whether this machine's clock is the one ahead.
        ahead: bool,
    },
}

impl Doubt {
    /// Whether it is reported even where no removal is held because of it.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Unproven { .. })
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Behind { by } => write!(formatter, "the clock of this machine stands behind the last refresh by {}", human_duration(*by)),
            Self::SetBack { by } => write!(formatter, "the clock of this machine was set back by {}", human_duration(*by)),
            Self::JumpedAhead { by } => write!(formatter, "the clock of this machine jumped ahead by {}", human_duration(*by)),
            Self::Unproven { gap: Some(gap) } => write!(
                formatter,
                "the clock of this machine may be ahead: no refresh is recorded and no archive is dated within the last {}",
                human_duration(*gap)
            ),
            Self::Unproven { gap: None } => formatter.write_str("the clock of this machine may be ahead: nothing shows that it is right"),
            Self::StoreDiffers { by, ahead } => write!(
                formatter,
                "the clock of this machine is {} {} that of the store",
                human_duration(*by),
                if *ahead { "ahead of" } else { "behind" }
            ),
        }?;
        formatter.write_str("; nothing expires by historyserver.archive.retained-ttl until ")?;
        formatter.write_str(match self {
            Self::StoreDiffers { .. } => "both agree",
            _ => "it has run steadily for an hour",
        })
    }
}

/// Evidence of the present time.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The age limit: a clock that is wrong by a small part of it does little harm.
    pub ttl: Duration,
    /// The last recorded refresh at which the clock was trusted.
    pub last_refresh: Option<Timestamp>,
    /// When an earlier process last wrote to the data directory.
    pub data_directory: Option<Timestamp>,
    /// The present time by the store's clock.
    pub store: Option<Timestamp>,
    /// Times of the archives that were found, in any order.
    pub archives: Vec<Timestamp>,
}

/// Compares the system's clock with time that only goes forward, from refresh to refresh, and with evidence at the start.
#[derive(Debug, Clone, Default)]
pub struct ClockTrust {
    first: Option<Duration>,
    last: Option<(Timestamp, Duration)>,
    doubt: Option<(Doubt, Duration)>,
    compared: bool,
}

impl ClockTrust {
    /// Takes the clock's time and the time since some fixed moment, at the start of a refresh.
    pub fn measure(&mut self, now: Timestamp, passed: Duration) {
        self.first.get_or_insert(passed);
        if let Some((then, passed_then)) = self.last {
            let expected = then + passed.saturating_sub(passed_then);
            let by = now.abs_diff(expected);
            if by > TOLERANCE {
                self.doubt = Some((if now < expected { Doubt::SetBack { by } } else { Doubt::JumpedAhead { by } }, passed));
            }
        }
        self.last = Some((now, passed));
    }

    /// Answers why age must not be judged now, if so. The time is that of the last [`Self::measure`].
    pub fn doubt(&mut self, evidence: &Evidence) -> Option<Doubt> {
        let (now, passed) = self.last?;
        if !self.compared {
            self.compared = true;
            let since = self.first.unwrap_or(passed);
            self.doubt = self.doubt.or(at_start(now, evidence).map(|doubt| (doubt, since)));
        } else if matches!(self.doubt, Some((Doubt::Unproven { .. }, _))) && at_start(now, evidence).is_none() {
            // What was written since shows that it is right.
            self.doubt = None;
        }
        if let Some(store) = evidence.store {
            // The time of the measurement, not of now: the listing went on since, which is less than the tolerance or comes again.
            let by = now.abs_diff(store);
            // A store that agrees settles nothing: it may run on this very machine.
            if by > STORE_TOLERANCE {
                self.doubt = Some((Doubt::StoreDiffers { by, ahead: now > store }, passed));
            } else if matches!(self.doubt, Some((Doubt::StoreDiffers { .. }, _))) {
                self.doubt = None;
            }
        }
        self.doubt = self.doubt.filter(|(_, since)| passed.saturating_sub(*since) < STEADY);
        self.doubt.map(|(doubt, _)| doubt)
    }
}

/// The doubt about a clock that was never measured before.
fn at_start(now: Timestamp, evidence: &Evidence) -> Option<Doubt> {
    if let Some(last) = evidence.last_refresh.filter(|last| now < *last) {
        return Some(Doubt::Behind { by: last.since(now) });
    }
    if let Some(written) = evidence.data_directory.filter(|written| written.since(now) > TOLERANCE) {
        return Some(Doubt::Behind { by: written.since(now) });
    }
    let window = (evidence.ttl / 4).clamp(TOLERANCE, MAX_GAP);
    // A recently written data directory proves nothing: the same wrong clock may have written it.
    let stale = evidence.data_directory.filter(|written| now.since(*written) > window);
    let trusted: Vec<Timestamp> = evidence.archives.iter().copied().filter(|time| *time >= EARLIEST && time.since(now) <= AHEAD).collect();
    let gap = match evidence.last_refresh.or(stale) {
        // One archive by the same wrong clock proves nothing: there must be some from all the time since.
        Some(since) => longest_gap(since, now, trusted),
        None => match trusted.into_iter().max() {
            Some(newest) => now.since(newest),
            None => return Some(Doubt::Unproven { gap: None }),
        },
    };
    (gap > window).then_some(Doubt::Unproven { gap: Some(gap) })
}

/// The longest time between two moments in which nothing happened.
fn longest_gap(since: Timestamp, now: Timestamp, mut moments: Vec<Timestamp>) -> Duration {
    moments.retain(|moment| *moment > since && *moment < now);
    moments.extend([since, now]);
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
}

#[cfg(test)]
mod tests;
