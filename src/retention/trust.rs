//! Whether the clock may be trusted with a verdict by age.

use std::time::Duration;

use crate::clock::Millis;

/// The system's clock may differ by this from the time that has really passed between two refreshes.
const TOLERANCE: Millis = 60 * 1_000;

/// How long the clock must have run steadily after a jump before it is trusted again: time for it to be set right, and to be noticed.
const STEADY: Duration = Duration::from_hours(1);

/// Why the clock is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It stands before the last refresh.
    Behind {
        /// Milliseconds.
        by: Millis,
    },
    /// It went by another amount than the time that passed.
    Jumped {
        /// Milliseconds; negative when it went back.
        by: Millis,
    },
}

impl std::fmt::Display for Doubt {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, by) = match self {
            Self::Behind { by } => ("stands behind the last refresh by", *by),
            Self::Jumped { by } if *by < 0 => ("was set back by", -by),
            Self::Jumped { by } => ("jumped ahead by", *by),
        };
        write!(
            formatter,
            "the clock of this machine {what} {} s: nothing expires by historyserver.archive.retained-ttl until it has run steadily for an hour",
            by / 1_000
        )
    }
}

/// Compares the system's clock, from refresh to refresh, with time that only goes forward.
#[derive(Debug, Clone, Default)]
pub struct ClockTrust {
    last: Option<(Millis, Duration)>,
    doubt: Option<(Doubt, Duration)>,
}

impl ClockTrust {
    /// Takes the clock's time and the time since some fixed moment, at the start of a refresh; `last_refresh` is the clock's time of the
    /// last refresh of an earlier process. Answers why age must not be judged now, if so.
    pub fn doubt(&mut self, now: Millis, passed: Duration, last_refresh: Option<Millis>) -> Option<Doubt> {
        let doubt = match self.last {
            Some((then, passed_then)) => {
                let really = Millis::try_from(passed.saturating_sub(passed_then).as_millis()).unwrap_or(Millis::MAX);
                let by = now.saturating_sub(then).saturating_sub(really);
                (by.saturating_abs() > TOLERANCE).then_some(Doubt::Jumped { by })
            }
            None => last_refresh.filter(|last| now < *last).map(|last| Doubt::Behind { by: last.saturating_sub(now) }),
        };
        self.last = Some((now, passed));
        if let Some(doubt) = doubt {
            self.doubt = Some((doubt, passed));
        }
        self.doubt = self.doubt.filter(|(_, since)| passed.saturating_sub(*since) < STEADY);
        self.doubt.map(|(doubt, _)| doubt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_795_000_000_000;

    /// The clock at `hours`, `off` milliseconds from where it should be.
    fn at(trust: &mut ClockTrust, hours: u64, off: Millis) -> Option<Doubt> {
        let passed = Duration::from_hours(hours);
        trust.doubt(NOW + Millis::try_from(passed.as_millis()).unwrap() + off, passed, None)
    }

    #[test]
    fn a_clock_that_runs_steadily_is_trusted() {
        let mut trust = ClockTrust::default();
        assert!((0..100).all(|hour| at(&mut trust, hour, 0).is_none()));
        assert_eq!(at(&mut trust, 100, TOLERANCE), None);
    }

    #[test]
    fn a_jump_is_doubted_for_an_hour_and_then_believed() {
        for off in [TOLERANCE + 1, -TOLERANCE - 1] {
            let mut trust = ClockTrust::default();
            assert_eq!(at(&mut trust, 0, 0), None);
            assert_eq!(at(&mut trust, 1, off), Some(Doubt::Jumped { by: off }));
            let before = Duration::from_hours(2) - Duration::from_millis(1);
            let now = NOW + 2 * 3_600_000 - 1 + off;
            assert_eq!(trust.doubt(now, before, None), Some(Doubt::Jumped { by: off }));
            assert_eq!(at(&mut trust, 2, off), None);
        }
    }

    #[test]
    fn a_clock_before_the_last_refresh_of_an_earlier_process_is_doubted() {
        let mut trust = ClockTrust::default();
        assert_eq!(trust.doubt(NOW, Duration::ZERO, Some(NOW + 1)), Some(Doubt::Behind { by: 1 }));
        assert_eq!(ClockTrust::default().doubt(NOW, Duration::ZERO, Some(NOW)), None);
        assert_eq!(ClockTrust::default().doubt(Millis::MAX, Duration::ZERO, Some(Millis::MIN)), None);
    }
}
