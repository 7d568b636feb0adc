//! Whether the clock may be trusted with a verdict by age.
//!
//! While a process runs, its clock is compared with time that only goes forward. When a process starts there is nothing to compare it
//! with but what others wrote: the last recorded refresh, the archives, the data directory, and the store's own clock. Clocks are
//! wrong most often right after a boot. What this machine wrote itself may be as wrong as its clock, so it can raise a doubt and
//! never settle one.

use std::fmt;
use std::time::Duration;

use super::policy::{AHEAD, EARLIEST};
use crate::clock::{Millis, human_duration};

/// The system's clock may differ by this from the time that has really passed between two refreshes.
const TOLERANCE: Millis = 60 * 1_000;

/// The system's clock may differ by this from that of a store: its answers have whole seconds, and some are cached for a while.
const STORE_TOLERANCE: Millis = 5 * 60 * 1_000;

/// How long the clock must have run steadily after a doubt before it is trusted again: time for it to be set right, and to be noticed.
const STEADY: Duration = Duration::from_hours(1);

/// Limit of the time without any trace that is trusted at the start: a weekend.
const MAX_GAP: Millis = 3 * 24 * 60 * 60 * 1_000;

/// Why the clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It stands before the last refresh, or before the last write to the data directory.
    Behind {
        /// Milliseconds.
        by: Millis,
    },
    /// It went by another amount than the time that passed.
    Jumped {
        /// Milliseconds; negative when it went back.
        by: Millis,
    },
    /// The process has just started, and nothing is there to show that this much time has passed.
    Unproven {
        /// Milliseconds, to the last refresh, or to the newest archive; `None`: there is no trace of any time.
        gap: Option<Millis>,
    },
    /// The store's clock shows another time.
    StoreDiffers {
        /// Milliseconds that this machine's clock is ahead of it; negative when it is behind.
        by: Millis,
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
            Self::Jumped { by } if *by < 0 => write!(formatter, "the clock of this machine was set back by {}", human_duration(-by)),
            Self::Jumped { by } => write!(formatter, "the clock of this machine jumped ahead by {}", human_duration(*by)),
            Self::Unproven { gap: Some(gap) } => write!(
                formatter,
                "the clock of this machine may be ahead: no refresh is recorded and no archive is dated within the last {}",
                human_duration(*gap)
            ),
            Self::Unproven { gap: None } => formatter.write_str("the clock of this machine may be ahead: nothing shows that it is right"),
            Self::StoreDiffers { by } => write!(
                formatter,
                "the clock of this machine is {} {} that of the store",
                human_duration(by.saturating_abs()),
                if *by < 0 { "behind" } else { "ahead of" }
            ),
        }?;
        formatter.write_str("; nothing expires by historyserver.archive.retained-ttl until ")?;
        formatter.write_str(match self {
            Self::StoreDiffers { .. } => "both agree",
            _ => "it has run steadily for an hour",
        })
    }
}

/// Evidence of the present time. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The age limit: a clock that is wrong by a small part of it does little harm.
    pub ttl: Millis,
    /// The last recorded refresh at which the clock was trusted.
    pub last_refresh: Option<Millis>,
    /// When an earlier process last wrote to the data directory.
    pub data_directory: Option<Millis>,
    /// The present time by the store's clock.
    pub store: Option<Millis>,
    /// Times of the archives that were found, in any order.
    pub archives: Vec<Millis>,
}

/// Compares the system's clock with time that only goes forward, from refresh to refresh, and with evidence at the start.
#[derive(Debug, Clone, Default)]
pub struct ClockTrust {
    first: Option<Duration>,
    last: Option<(Millis, Duration)>,
    doubt: Option<(Doubt, Duration)>,
    compared: bool,
}

impl ClockTrust {
    /// Takes the clock's time and the time since some fixed moment, at the start of a refresh.
    pub fn measure(&mut self, now: Millis, passed: Duration) {
        self.first.get_or_insert(passed);
        if let Some((then, passed_then)) = self.last {
            let really = Millis::try_from(passed.saturating_sub(passed_then).as_millis()).unwrap_or(Millis::MAX);
            let by = now.saturating_sub(then).saturating_sub(really);
            if by.saturating_abs() > TOLERANCE {
                self.doubt = Some((Doubt::Jumped { by }, passed));
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
            let by = now.saturating_sub(store);
            // A store that agrees settles nothing: it may run on this very machine.
            if by.saturating_abs() > STORE_TOLERANCE {
                self.doubt = Some((Doubt::StoreDiffers { by }, passed));
            } else if matches!(self.doubt, Some((Doubt::StoreDiffers { .. }, _))) {
                self.doubt = None;
            }
        }
        self.doubt = self.doubt.filter(|(_, since)| passed.saturating_sub(*since) < STEADY);
        self.doubt.map(|(doubt, _)| doubt)
    }
}

/// The doubt about a clock that was never measured before.
fn at_start(now: Millis, evidence: &Evidence) -> Option<Doubt> {
    if let Some(last) = evidence.last_refresh.filter(|last| now < *last) {
        return Some(Doubt::Behind { by: last.saturating_sub(now) });
    }
    if let Some(written) = evidence.data_directory.filter(|written| written.saturating_sub(now) > TOLERANCE) {
        return Some(Doubt::Behind { by: written.saturating_sub(now) });
    }
    let window = (evidence.ttl / 4).clamp(TOLERANCE, MAX_GAP);
    // A recently written data directory proves nothing: the same wrong clock may have written it.
    let stale = evidence.data_directory.filter(|written| now.saturating_sub(*written) > window);
    let trusted: Vec<Millis> =
        evidence.archives.iter().copied().filter(|time| *time >= EARLIEST && time.saturating_sub(now) <= AHEAD).collect();
    let gap = match evidence.last_refresh.or(stale) {
        // One archive by the same wrong clock proves nothing: there must be some from all the time since.
        Some(since) => longest_gap(since, now, trusted),
        None => match trusted.into_iter().max() {
            Some(newest) => now.saturating_sub(newest),
            None => return Some(Doubt::Unproven { gap: None }),
        },
    };
    (gap > window).then_some(Doubt::Unproven { gap: Some(gap) })
}

/// The longest time between two moments in which nothing happened.
fn longest_gap(since: Millis, now: Millis, mut moments: Vec<Millis>) -> Millis {
    moments.retain(|moment| *moment > since && *moment < now);
    moments.extend([since, now]);
    moments.sort_unstable();
    moments.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
