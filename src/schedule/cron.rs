//! Cron schedules. This is the only file that uses tokio-cron-scheduler.
//!
//! ```
//! use std::time::Duration;
//!
//! use historyserver::clock::Timestamp;
//! use historyserver::schedule::cron::{Schedule, Zone};
//!
//! let schedule = Schedule::parse(["30 2 * * *"], Zone::Named(chrono_tz::UTC)).unwrap();
//! let midnight = Timestamp::from_millis(1_767_225_600_000); // 2026-01-01T00:00:00Z
//! assert_eq!(schedule.next_after(midnight), Some(midnight + Duration::from_mins(150)));
//! assert!(Schedule::parse(["30 2 * *"], Zone::System).is_err());
//! ```
//!
//! The scheduler computes the next run of a repeating job with the offset that the time zone had at start, so that it is wrong by an
//! hour after a change to or from summer time. Jobs of a fixed period can stop for ever when a tick is missed. Therefore each run is
//! a one-shot job whose time is computed here. If the scheduler does not fire in time, a watchdog does.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, Local, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};
use croner::{Cron, Direction, JobType};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Timestamp};

/// Settings of the watchdog.
#[derive(Debug, Clone, Copy)]
struct Watch {
    /// Interval of its comparisons of the clock with the next run. The clock may be set at any time.
    every: Duration,
    /// Maximum delay of the scheduler, which checks its jobs twice a second, before the watchdog fires in its place.
    late: Duration,
}

const WATCH: Watch = Watch { every: Duration::from_secs(30), late: Duration::from_secs(5) };

/// Maximum disorder of computed times around a change to or from summer time.
const DISORDER: Duration = Duration::from_hours(4);

/// An invalid cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{expression}` is not a valid cron expression: {fault}. Write five fields (minute, hour, day of month, month, day of week), six with the \
     second first, or seven with the year last; `30 2 * * *` is every day at 02:30"
)]
pub struct CronError {
    expression: String,
    fault: String,
}

/// The time zone of the expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The time zone of the system.
    System,
    /// A time zone of the IANA database.
    Named(Tz),
}

/// The times of several cron expressions in one time zone.
///
/// A time of day that a change to summer time skips runs at the end of the gap. A time of day that a change back repeats runs once,
/// the first time. Expressions with several times of day follow the clock.
#[derive(Debug, Clone)]
pub struct Schedule {
    expressions: Vec<Cron>,
    zone: Zone,
}

impl Schedule {
    /// Parses expressions of five, six or seven fields. Where both day of month and day of week are given, both must hold.
    ///
    /// # Errors
    /// [`CronError`] for the first invalid expression.
    pub fn parse<'text>(expressions: impl IntoIterator<Item = &'text str>, zone: Zone) -> Result<Self, CronError> {
        let expressions = expressions.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { expressions, zone })
    }

    /// The first time after `now`; `None` when no time follows.
    #[must_use]
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let now = DateTime::from_timestamp_millis(now.as_millis())?;
        let next = match self.zone {
            Zone::System => self.next_in(now, &Local),
            Zone::Named(zone) => self.next_in(now, &zone),
        };
        next.map(|next| Timestamp::from_millis(next.timestamp_millis()))
    }

    /// The next `count` times after `now`.
    #[must_use]
    pub fn upcoming(&self, now: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(now), |last| self.next_after(*last)).take(count).collect()
    }

    fn next_in<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> Option<DateTime<Utc>> {
        self.expressions.iter().filter_map(|expression| next_of(expression, now, zone)).min()
    }
}

fn parse(text: &str) -> Result<Cron, CronError> {
    let error = |fault: String| CronError { expression: text.trim().to_owned(), fault };
    let fields = text.split_whitespace().count();
    // The parser requires seconds, so five fields get second 0.
    let whole = if fields == 5 { format!("0 {}", text.trim()) } else { text.trim().to_owned() };
    let nickname = fields == 1 && whole.starts_with('@');
    if !(nickname || (5..=7).contains(&fields)) {
        return Err(error(format!("it has {fields} fields")));
    }
    let parser = CronParser::builder().seconds(if nickname { Seconds::Optional } else { Seconds::Required }).dom_and_dow(true).build();
    parser.parse(&whole).map_err(|fault| error(fault.to_string()))
}

/// The first time of one expression after `now`.
///
/// The parser handles changes of the clock wrongly: a daily run at 01:30 also runs at the end of the hour from 02:00 that is skipped.
/// So it iterates over local times, which are converted here. Around a change they are out of order, and some are before `now`.
fn next_of<Z: TimeZone>(expression: &Cron, now: DateTime<Utc>, zone: &Z) -> Option<DateTime<Utc>> {
    let once = expression.determine_job_type() == JobType::FixedTime;
    let start = if steady(now - DISORDER, now + DISORDER, zone) { now } else { now - DISORDER };
    // The parser keeps fractions of seconds.
    let start = start.with_timezone(zone).naive_local().with_nanosecond(0)?.and_utc();
    if !has_matching_day(expression, start.date_naive()) {
        return None;
    }
    let mut next: Option<DateTime<Utc>> = None;
    for local in expression.iter_from(start, Direction::Forward) {
        let times = match zone.from_local_datetime(&local.naive_utc()) {
            LocalResult::Single(time) => [Some(time), None],
            LocalResult::Ambiguous(first, _) if once => [Some(first), None],
            LocalResult::Ambiguous(first, second) => [Some(first), Some(second)],
            LocalResult::None if once => [end_of_gap(local.naive_utc(), zone), None],
            LocalResult::None => [None, None],
        };
        let times = times.into_iter().flatten().map(|time| time.with_timezone(&Utc));
        next = next.into_iter().chain(times.filter(|time| *time > now)).min();
        // Without a change of the clock nearby, times are in order.
        if let Some(next) = next
            && (local.naive_utc() > next.with_timezone(zone).naive_local() + DISORDER || steady(next - DISORDER, next + DISORDER, zone))
        {
            break;
        }
    }
    next
}

/// Whether any day from this one on matches. The parser would search for the 30th of February without end.
/// Weekdays and leap days repeat after 28 years, or after 40 when a century has no leap day.
fn has_matching_day(expression: &Cron, from: NaiveDate) -> bool {
    from.iter_days().take(41 * 366).any(|day| {
        let pattern = &expression.pattern;
        let month = pattern.year_match(day.year()).and_then(|year| Ok(year && pattern.month_match(day.month())?));
        month.is_ok_and(|month| month && pattern.day_match(day.year(), day.month(), day.day()).is_ok_and(|matches| matches))
    })
}

/// The first existing time after a local time that is skipped.
fn end_of_gap<Z: TimeZone>(missing: NaiveDateTime, zone: &Z) -> Option<DateTime<Z>> {
    // Clocks change at whole minutes. The longest known gap is a day, at the date line.
    let missing = missing.with_second(0)?;
    (1..=26 * 60).find_map(|minutes| zone.from_local_datetime(&(missing + Duration::from_secs(minutes * 60))).earliest())
}

/// Whether the time zone keeps its offset between these times.
fn steady<Z: TimeZone>(from: DateTime<Utc>, to: DateTime<Utc>, zone: &Z) -> bool {
    use chrono::Offset as _;
    let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix();
    offset(from) == offset(to)
}

/// The source of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// The scheduler.
    Scheduler,
    /// The watchdog, because the scheduler was late.
    Watchdog,
}

impl fmt::Display for Fired {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Scheduler => "scheduler",
            Self::Watchdog => "watchdog",
        })
    }
}

/// Calls `tick` at every time of the schedule until `stop` is cancelled. Times that passed while the machine was suspended are one
/// tick. `tick` must return at once.
pub async fn run(schedule: Schedule, clock: Clock, stop: CancellationToken, tick: impl FnMut(Timestamp, Fired)) {
    watch(Timer::start().await, WATCH, schedule, clock, stop, tick).await;
}

async fn watch(
    mut timer: Timer,
    pace: Watch,
    schedule: Schedule,
    clock: Clock,
    stop: CancellationToken,
    mut tick: impl FnMut(Timestamp, Fired),
) {
    let mut from = clock.now();
    while let Some(next) = schedule.next_after(from) {
        let Some(fired) = wait(&mut timer, pace, next, from, &clock, &stop).await else { break };
        from = match fired {
            // The times since then come again: an extra run is better than none until the clock catches up.
            Wake::SetBack => clock.now(),
            Wake::Fired(fired) => {
                if fired == Fired::Watchdog {
                    tracing::warn!("the cron scheduler did not fire in time; the cleanup runs all the same");
                    timer.end().await;
                    timer = Timer::start().await;
                }
                tick(next, fired);
                next.max(clock.now())
            }
        };
    }
    stop.cancelled().await;
    timer.end().await;
}

enum Wake {
    Fired(Fired),
    SetBack,
}

/// Waits for the time of the next run; `None` when stopped.
async fn wait(timer: &mut Timer, pace: Watch, next: Timestamp, from: Timestamp, clock: &Clock, stop: &CancellationToken) -> Option<Wake> {
    timer.set(next, clock.now()).await;
    loop {
        let rest = (next + pace.late).since(clock.now());
        tokio::select! {
            () = stop.cancelled() => return None,
            // The time is not reached only if the clock was set back meanwhile: the watchdog continues.
            () = timer.fired(next) => if clock.now() >= next {
                return Some(Wake::Fired(Fired::Scheduler));
            },
            () = tokio::time::sleep(rest.min(pace.every)) => if clock.now() >= next + pace.late {
                return Some(Wake::Fired(Fired::Watchdog));
            } else if clock.now() < from - pace.late {
                return Some(Wake::SetBack);
            },
        }
    }
}

/// The scheduler and its jobs.
struct Timer {
    scheduler: Option<JobScheduler>,
    fired: mpsc::UnboundedReceiver<Timestamp>,
    fire: mpsc::UnboundedSender<Timestamp>,
}

impl Timer {
    async fn start() -> Self {
        let (fire, fired) = mpsc::unbounded_channel();
        let scheduler = match Self::scheduler().await {
            Ok(scheduler) => Some(scheduler),
            Err(error) => {
                tracing::warn!("the cron scheduler does not start: {error}; cleanups run 5 seconds late");
                None
            }
        };
        Self { scheduler, fired, fire }
    }

    async fn scheduler() -> Result<JobScheduler, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(scheduler)
    }

    /// Lets the scheduler fire once, at `next`.
    async fn set(&mut self, next: Timestamp, now: Timestamp) {
        let Some(scheduler) = &self.scheduler else { return };
        // The scheduler truncates to seconds, twice, and would be early.
        let rest = next.since(now) + Duration::from_secs(1);
        let fire = self.fire.clone();
        let job = Job::new_one_shot_at_instant(Instant::now() + rest, move |_, _| {
            if fire.send(next).is_err() {
                tracing::debug!("the cron scheduler fired after the schedule ended");
            }
        });
        let added = match job {
            Ok(job) => scheduler.add(job).await,
            Err(error) => Err(error),
        };
        if let Err(error) = added {
            tracing::warn!("the cron scheduler accepts no job: {error}; the cleanup runs 5 seconds late");
        }
    }

    /// Waits until the scheduler fires for this time.
    async fn fired(&mut self, next: Timestamp) {
        while self.fired.recv().await.is_some_and(|fired| fired != next) {}
    }

    async fn end(&mut self) {
        if let Some(mut scheduler) = self.scheduler.take()
            && let Err(error) = scheduler.shutdown().await
        {
            tracing::debug!("the cron scheduler does not stop: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
