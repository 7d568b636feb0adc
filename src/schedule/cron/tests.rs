use std::sync::{Arc, Mutex};

use chrono::NaiveDate;

use super::*;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn schedule(expressions: &[&str], zone: &str) -> Schedule {
    Schedule::parse(expressions.iter().copied(), Zone::Named(zone.parse().unwrap())).unwrap()
}

/// The local times at which a schedule runs in a year, with their offsets.
fn year(schedule: &Schedule, zone: &str, year: i32) -> Vec<String> {
    let zone: Tz = zone.parse().unwrap();
    let begin = |year| zone.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap().timestamp_millis();
    std::iter::successors(schedule.next_after(at(begin(year) - 1)), |last| schedule.next_after(*last))
        .take_while(|time| *time < at(begin(year + 1)))
        .map(|time| zone.timestamp_millis_opt(time.as_millis()).unwrap().format("%m-%d %H:%M:%S %:z").to_string())
        .collect()
}

fn on<'text>(times: &'text [String], day: &str) -> Vec<&'text str> {
    times.iter().filter(|time| time.starts_with(day)).map(|time| &time[6..]).collect()
}

#[test]
fn a_year_of_runs_at_half_past_two_has_one_a_day_where_the_clocks_change() {
    for (zone, spring, spring_run, autumn, autumn_run) in [
        ("Europe/Berlin", "03-29", "03:00:00 +02:00", "10-25", "02:30:00 +02:00"),
        ("America/New_York", "03-08", "03:00:00 -04:00", "11-01", "01:30:00 -04:00"),
    ] {
        // New York doubles the hour before the one that it leaves out.
        let times = year(&schedule(&["30 2 * * *"], zone), zone, 2026);
        assert_eq!(times.len(), 365, "{zone}");
        assert_eq!(on(&times, spring), [spring_run], "{zone}");
        let doubled = if zone == "Europe/Berlin" { "30 2 * * *" } else { "30 1 * * *" };
        let times = year(&schedule(&[doubled], zone), zone, 2026);
        assert_eq!(on(&times, autumn), [autumn_run], "{zone}");
        assert_eq!(times.len(), 365, "{zone}: {times:?}");
    }
}

#[test]
fn every_hour_follows_the_clock_through_its_changes() {
    for zone in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"] {
        let times = year(&schedule(&["0 * * * *"], zone), zone, 2026);
        let mut distinct = times.clone();
        distinct.dedup();
        assert_eq!(times.len(), distinct.len(), "{zone}");
        if zone != "Australia/Lord_Howe" {
            assert_eq!(times.len(), 365 * 24, "{zone}");
        }
    }
    let times = year(&schedule(&["*/20 2 * * *"], "Europe/Berlin"), "Europe/Berlin", 2026);
    assert_eq!(on(&times, "03-29"), [] as [&str; 0]);
    let both = ["02:00:00 +02:00", "02:20:00 +02:00", "02:40:00 +02:00", "02:00:00 +01:00", "02:20:00 +01:00", "02:40:00 +01:00"];
    assert_eq!(on(&times, "10-25"), both);
}

#[test]
fn several_expressions_are_one_schedule() {
    let times = year(&schedule(&["0 2 1 * *", "0 0 2 1 1 *", "0 30 4 * 6 SUN"], "UTC"), "UTC", 2026);
    let mut expected: Vec<String> = (1..=12).map(|month| format!("{month:02}-01 02:00:00 +00:00")).collect();
    expected.extend([7, 14, 21, 28].map(|day| format!("06-{day:02} 04:30:00 +00:00")));
    expected.sort();
    assert_eq!(times, expected);
}

#[test]
fn the_next_time_is_after_now_and_on_the_second() {
    let every_minute = schedule(&["* * * * *"], "UTC");
    assert_eq!(every_minute.next_after(Timestamp::EPOCH), Some(at(60_000)));
    assert_eq!(every_minute.next_after(at(59_999)), Some(at(60_000)));
    assert_eq!(every_minute.next_after(at(60_000)), Some(at(120_000)));
    assert_eq!(every_minute.upcoming(at(60_001), 2), [at(120_000), at(180_000)]);
    assert_eq!(schedule(&["@hourly"], "UTC").next_after(at(1)), Some(at(3_600_000)));
    assert_eq!(schedule(&["0 0 0 1 1 ? 2000"], "UTC").next_after(at(1_795_000_000_000)), None);
    let system = Schedule::parse(["0 0 * * * *"], Zone::System).unwrap();
    assert!(system.next_after(Timestamp::EPOCH).is_some_and(|next| next > Timestamp::EPOCH));
}

#[test]
fn an_invalid_cron_expression_is_reported_with_the_valid_form() {
    for (text, fault) in [
        ("30 2 * *", "it has 4 fields"),
        ("", "it has 0 fields"),
        ("0 61 2 * * *", "`0 61 2 * * *` is not a valid cron expression"),
        ("30 2 * * XYZ", "`30 2 * * XYZ` is not a valid cron expression"),
        ("@sometimes", "`@sometimes` is not a valid cron expression"),
        ("1 2 3 4 5 6 7 8", "it has 8 fields"),
    ] {
        let error = Schedule::parse([text], Zone::System).unwrap_err().to_string();
        assert!(error.contains(fault) && error.contains("five fields (minute, hour, "), "{error}");
    }
}

#[test]
fn a_run_missed_in_the_doubled_hour_is_not_made_up_in_its_second_half() {
    let zone: Tz = "Europe/Berlin".parse().unwrap();
    let daily = schedule(&["30 2 * * *"], "Europe/Berlin");
    let second = zone.from_local_datetime(&NaiveDate::from_ymd_opt(2026, 10, 25).unwrap().and_hms_opt(2, 10, 0).unwrap()).latest().unwrap();
    let next = daily.next_after(at(second.timestamp_millis())).unwrap();
    assert_eq!(zone.timestamp_millis_opt(next.as_millis()).unwrap().to_string(), "2026-10-26 02:30:00 CET");
}

/// Runs a schedule until `enough` ticks came; gives back the ticks.
async fn ticks(timer: Timer, pace: Watch, schedule: Schedule, clock: Clock, enough: usize) -> Vec<(Timestamp, Fired)> {
    let stop = CancellationToken::new();
    let ticks = Arc::new(Mutex::new(Vec::new()));
    let (ended, seen, start) = (stop.clone(), ticks.clone(), clock.clone());
    watch(timer, pace, schedule, clock, stop, move |time, fired| {
        let mut seen = seen.lock().unwrap();
        seen.push((time, fired));
        start.advance(Duration::from_secs(30));
        if seen.len() == enough {
            ended.cancel();
        }
    })
    .await;
    let ticks = ticks.lock().unwrap();
    ticks.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scheduler_fires_each_time_once_and_never_early() {
    let clock = Clock::System;
    let from = clock.now();
    let got = ticks(Timer::start().await, WATCH, schedule(&["* * * * * *"], "UTC"), clock.clone(), 2).await;
    assert!(got.iter().all(|(time, fired)| *time > from && *time <= clock.now() && *fired == Fired::Scheduler), "{got:?}");
    assert!(got[0].0 < got[1].0);
}

/// Moves the clock on, for as long as the task is not aborted: however late a run looks at the clock, its time comes.
fn moving(clock: Clock) -> tokio::task::JoinHandle<()> {
    crate::tasks::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(5)).await;
            clock.advance(Duration::from_secs(1));
        }
    })
}

// On one thread, so that the schedule has looked at the clock before anything moves it.
#[tokio::test]
async fn a_scheduler_that_does_not_fire_is_replaced_by_the_watchdog() {
    let (fire, fired) = mpsc::unbounded_channel();
    let dead = Timer { scheduler: None, fired, fire };
    let pace = Watch { every: Duration::from_millis(5), late: Duration::ZERO };
    let clock = Clock::manual(at(59_990));
    let moved = moving(clock.clone());
    let got = ticks(dead, pace, schedule(&["* * * * *"], "UTC"), clock, 1).await;
    moved.abort();
    assert_eq!(got, [(at(60_000), Fired::Watchdog)]);
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_the_runs() {
    let (fire, fired) = mpsc::unbounded_channel();
    let dead = Timer { scheduler: None, fired, fire };
    let pace = Watch { every: Duration::from_millis(5), late: Duration::ZERO };
    let clock = Clock::manual(at(3_600_001));
    let set_back = clock.clone();
    let back = crate::tasks::spawn(async move { set_back.set(set_back.now() - Duration::from_hours(1)) });
    let moved = moving(clock.clone());
    let got = ticks(dead, pace, schedule(&["* * * * *"], "UTC"), clock, 1).await;
    back.await.unwrap();
    moved.abort();
    assert!(matches!(got[..], [(time, Fired::Watchdog)] if time < at(3_600_000) && time.as_millis() % 60_000 == 0), "{got:?}");
}

#[test]
fn an_expression_that_never_comes_is_found_out_soon() {
    let started = Instant::now();
    assert_eq!(schedule(&["0 0 30 2 *"], "UTC").next_after(at(1_795_000_000_000)), None);
    assert!(started.elapsed() < Duration::from_secs(10));
}
