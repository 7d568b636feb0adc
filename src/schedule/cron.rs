//! Runs at times of the day, by cron expressions. The only file that knows tokio-cron-scheduler.
//!
//! The scheduler computes the next run of a repeating job in the time zone's offset at start, so after a change to or from summer
//! time it is an hour off; and jobs of a fixed period can stop for good when a tick is missed. So each run is a job of its own that
//! runs once, its time computed here, in the time zone and from the clock as it then is. And should the scheduler not fire,
//! a watchdog does.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, Local, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds};
use croner::{Cron, Direction, JobType};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};

/// How closely the watchdog watches.
#[derive(Debug, Clone, Copy)]
struct Watch {
    /// How often it compares the clock with the next run: the clock may have been set meanwhile.
    every: Duration,
    /// How late the scheduler may be before the watchdog runs in its place; it looks at its jobs twice a second.
    late: Millis,
}

const WATCH: Watch = Watch { every: Duration::from_secs(30), late: 5_000 };

/// Around a change of the clock times may come out of order by this much.
const DISORDER: Duration = Duration::from_hours(4);

/// A cron expression that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{expression}` is no cron expression: {fault}. It has five fields (minute, hour, day of month, month, day of week), six with the \
     second first, or seven with the year last; `30 2 * * *` is every day at 02:30"
)]
pub struct CronError {
    expression: String,
    fault: String,
}

/// The time zone that expressions are meant in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// The system's.
    System,
    /// One of the IANA database.
    Named(Tz),
}

/// Times to run at: those of several cron expressions in one time zone.
///
/// A time of the day that a change to summer time leaves out is run at its end; one that a change back doubles is run once, the first
/// time. Expressions with several times of the day follow the clock.
#[derive(Debug, Clone)]
pub struct Schedule {
    expressions: Vec<Cron>,
    zone: Zone,
}

impl Schedule {
    /// Parses expressions of five, six or seven fields. Where both day of month and day of week are given, both must hold.
    ///
    /// # Errors
    /// [`CronError`] of the first that is none.
    pub fn parse<'text>(expressions: impl IntoIterator<Item = &'text str>, zone: Zone) -> Result<Self, CronError> {
        let expressions = expressions.into_iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { expressions, zone })
    }

    /// The first time after `now`; `None` when there is none any more.
    #[must_use]
    pub fn next_after(&self, now: Millis) -> Option<Millis> {
        let now = DateTime::from_timestamp_millis(now)?;
        let next = match self.zone {
            Zone::System => self.next_in(now, &Local),
            Zone::Named(zone) => self.next_in(now, &zone),
        };
        next.map(|next| next.timestamp_millis())
    }

    /// The next `count` times after `now`.
    #[must_use]
    pub fn upcoming(&self, now: Millis, count: usize) -> Vec<Millis> {
        std::iter::successors(self.next_after(now), |last| self.next_after(*last)).take(count).collect()
    }

    fn next_in<Z: TimeZone>(&self, now: DateTime<Utc>, zone: &Z) -> Option<DateTime<Utc>> {
        self.expressions.iter().filter_map(|expression| next_of(expression, now, zone)).min()
    }
}

fn parse(text: &str) -> Result<Cron, CronError> {
    let error = |fault: String| CronError { expression: text.trim().to_owned(), fault };
    let fields = text.split_whitespace().count();
    // The scheduler's dialect requires seconds; five fields are completed as cron means them.
    let whole = if fields == 5 { format!("0 {}", text.trim()) } else { text.trim().to_owned() };
    let nickname = fields == 1 && whole.starts_with('@');
    if !(nickname || (5..=7).contains(&fields)) {
        return Err(error(format!("it has {fields} fields")));
    }
    let parser = CronParser::builder().seconds(if nickname { Seconds::Optional } else { Seconds::Required }).dom_and_dow(true).build();
    parser.parse(&whole).map_err(|fault| error(fault.to_string()))
}

/// The first time of one expression after `now`. Around a change of the clock they come out of order, and some before `now`.
///
/// The parser goes through local times as if there were no changes of the clock: of those it makes mistakes (a daily run at 01:30
/// also runs at the end of the hour that begins at 02:00 and is left out).
fn next_of<Z: TimeZone>(expression: &Cron, now: DateTime<Utc>, zone: &Z) -> Option<DateTime<Utc>> {
    let once = expression.determine_job_type() == JobType::FixedTime;
    let start = if steady(now - DISORDER, now + DISORDER, zone) { now } else { now - DISORDER };
    // The parser keeps fractions of seconds that it is given.
    let start = start.with_timezone(zone).naive_local().with_nanosecond(0)?.and_utc();
    if !comes(expression, start.date_naive()) {
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
        // Far from a change of the clock nothing comes out of order.
        if let Some(next) = next
            && (local.naive_utc() > next.with_timezone(zone).naive_local() + DISORDER || steady(next - DISORDER, next + DISORDER, zone))
        {
            break;
        }
    }
    next
}

/// Whether any day from this one on matches: the parser would look for the 30th of February without end.
/// Weekdays and leap days come around in 28 years, or in 40 where a century has no leap day.
fn comes(expression: &Cron, from: NaiveDate) -> bool {
    from.iter_days().take(41 * 366).any(|day| {
        let pattern = &expression.pattern;
        let month = pattern.year_match(day.year()).and_then(|year| Ok(year && pattern.month_match(day.month())?));
        month.is_ok_and(|month| month && pattern.day_match(day.year(), day.month(), day.day()).is_ok_and(|matches| matches))
    })
}

/// The first time that there is after a local time that there is not.
fn end_of_gap<Z: TimeZone>(missing: NaiveDateTime, zone: &Z) -> Option<DateTime<Z>> {
    // Clocks change on the minute; the longest gap known is a day, at the date line.
    let missing = missing.with_second(0)?;
    (1..=26 * 60).find_map(|minutes| zone.from_local_datetime(&(missing + Duration::from_secs(minutes * 60))).earliest())
}

/// Whether the time zone keeps its offset between these times.
fn steady<Z: TimeZone>(from: DateTime<Utc>, to: DateTime<Utc>, zone: &Z) -> bool {
    use chrono::Offset as _;
    let offset = |time: DateTime<Utc>| zone.offset_from_utc_datetime(&time.naive_utc()).fix();
    offset(from) == offset(to)
}

/// Who fired: for the log, and for the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fired {
    /// The scheduler.
    Scheduler,
    /// The watchdog: the scheduler was late.
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

/// Calls `tick` with every time of the schedule when it comes, until `stop` is cancelled. Times that were slept through are one tick.
/// `tick` only tells somebody to run: it must return at once.
pub async fn run(schedule: Schedule, clock: Clock, stop: CancellationToken, tick: impl FnMut(Millis, Fired)) {
    watch(Timer::start().await, WATCH, schedule, clock, stop, tick).await;
}

async fn watch(
    mut timer: Timer,
    pace: Watch,
    schedule: Schedule,
    clock: Clock,
    stop: CancellationToken,
    mut tick: impl FnMut(Millis, Fired),
) {
    let mut from = clock.now();
    while let Some(next) = schedule.next_after(from) {
        let Some(fired) = wait(&mut timer, pace, next, from, &clock, &stop).await else { break };
        from = match fired {
            // Times between come again: better a run too many than none until the clock is where it was.
            Wake::SetBack => clock.now(),
            Wake::Fired(fired) => {
                if fired == Fired::Watchdog {
                    tracing::warn!("the cron scheduler did not fire in time, the watchdog does");
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
async fn wait(timer: &mut Timer, pace: Watch, next: Millis, from: Millis, clock: &Clock, stop: &CancellationToken) -> Option<Wake> {
    timer.set(next, clock.now()).await;
    loop {
        let rest = Duration::from_millis(u64::try_from(next - clock.now() + pace.late).unwrap_or(0));
        tokio::select! {
            () = stop.cancelled() => return None,
            // Fired for a time that is not there yet only when the clock was set back meanwhile: the watchdog goes on.
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

/// The scheduler, with the jobs that were given to it.
struct Timer {
    scheduler: Option<JobScheduler>,
    fired: mpsc::UnboundedReceiver<Millis>,
    fire: mpsc::UnboundedSender<Millis>,
}

impl Timer {
    async fn start() -> Self {
        let (fire, fired) = mpsc::unbounded_channel();
        let scheduler = match Self::scheduler().await {
            Ok(scheduler) => Some(scheduler),
            Err(error) => {
                tracing::warn!("the cron scheduler does not start, its watchdog alone keeps the times: {error}");
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

    /// Has the scheduler fire once, at `next`.
    async fn set(&mut self, next: Millis, now: Millis) {
        let Some(scheduler) = &self.scheduler else { return };
        // The scheduler cuts off fractions of seconds, twice: so it would be early.
        let rest = Duration::from_millis(u64::try_from(next - now).unwrap_or(0)) + Duration::from_secs(1);
        let fire = self.fire.clone();
        let job = Job::new_one_shot_at_instant(Instant::now() + rest, move |_, _| {
            if fire.send(next).is_err() {
                tracing::debug!("nobody waits for the cron scheduler any more");
            }
        });
        let added = match job {
            Ok(job) => scheduler.add(job).await,
            Err(error) => Err(error),
        };
        if let Err(error) = added {
            tracing::warn!("the cron scheduler takes no job, its watchdog keeps the time: {error}");
        }
    }

    /// Waits until the scheduler fires for this time.
    async fn fired(&mut self, next: Millis) {
        while self.fired.recv().await.is_some_and(|fired| fired != next) {}
    }

    async fn end(&mut self) {
        if let Some(mut scheduler) = self.scheduler.take()
            && let Err(error) = scheduler.shutdown().await
        {
            tracing::debug!("the cron scheduler does not end: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
