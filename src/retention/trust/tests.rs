use std::convert::identity;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const HOUR: Duration = Duration::from_hours(1);
const MILLISECOND: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_hours(24);
const TTL: Duration = Duration::from_hours(365 * 24);

fn evidence(archives: &[Timestamp]) -> Evidence {
    Evidence { ttl: TTL, archives: archives.to_vec(), ..Evidence::default() }
}

fn proven() -> Evidence {
    evidence(&[NOW])
}

/// The doubt of a process that starts at this time.
fn start(now: Timestamp, evidence: &Evidence) -> Option<Doubt> {
    let mut trust = ClockTrust::default();
    trust.measure(now, Duration::ZERO);
    trust.doubt(evidence)
}

/// The doubt after this many hours. `clock` gives the time that the clock then shows, from the right time.
fn at(trust: &mut ClockTrust, hours: u64, clock: impl Fn(Timestamp) -> Timestamp) -> Option<Doubt> {
    let passed = Duration::from_hours(hours);
    trust.measure(clock(NOW + passed), passed);
    trust.doubt(&proven())
}

#[test]
fn a_clock_that_runs_steadily_is_trusted() {
    let mut trust = ClockTrust::default();
    assert!((0..100).all(|hour| at(&mut trust, hour, identity).is_none()));
    assert_eq!(at(&mut trust, 100, |right| right + TOLERANCE), None);
}

#[test]
fn a_jump_is_doubted_for_an_hour_and_then_trusted() {
    const OFF: Duration = Duration::from_millis(60_001);
    let (ahead, back): (fn(_) -> _, fn(_) -> _) = (|right| right + OFF, |right| right - OFF);
    for (shown, doubt) in [(ahead, Doubt::JumpedAhead { by: OFF }), (back, Doubt::SetBack { by: OFF })] {
        let mut trust = ClockTrust::default();
        assert_eq!(at(&mut trust, 0, identity), None);
        assert_eq!(at(&mut trust, 1, shown), Some(doubt));
        let passed = Duration::from_millis(2 * 3_600_000 - 1);
        trust.measure(shown(NOW + passed), passed);
        assert_eq!(trust.doubt(&proven()), Some(doubt));
        assert_eq!(at(&mut trust, 2, shown), None);
    }
}

#[test]
fn a_clock_before_the_last_refresh_or_the_data_directory_is_doubted() {
    let last = |last_refresh| Evidence { last_refresh: Some(last_refresh), ..proven() };
    assert_eq!(start(NOW, &last(NOW + MILLISECOND)), Some(Doubt::Behind { by: MILLISECOND }));
    assert_eq!(start(NOW, &last(NOW)), None);
    let written = |data_directory| Evidence { data_directory: Some(data_directory), ..proven() };
    assert_eq!(start(NOW, &written(NOW + 2 * TOLERANCE)), Some(Doubt::Behind { by: 2 * TOLERANCE }));
    assert_eq!(start(NOW, &written(NOW + TOLERANCE)), None);
    assert!(start(Timestamp::MAX, &last(Timestamp::MIN)).is_some());
}

#[test]
fn at_a_first_start_a_recent_archive_shows_that_the_clock_is_right_and_nothing_else_does() {
    assert_eq!(start(NOW, &evidence(&[NOW - Duration::from_mins(1), NOW - 400 * DAY])), None);
    assert_eq!(start(NOW, &evidence(&[NOW - MAX_GAP])), None);
    for ahead in [4 * DAY, 20 * DAY, 400 * DAY] {
        assert_eq!(start(NOW + ahead, &evidence(&[NOW])), Some(Doubt::Unproven { gap: Some(ahead) }));
    }
    assert_eq!(start(NOW, &evidence(&[])), Some(Doubt::Unproven { gap: None }));
    // Times that cannot be right show nothing.
    for time in [Timestamp::EPOCH, NOW + 400 * DAY] {
        assert!(start(NOW, &evidence(&[time])).is_some());
    }
    // A data directory that an earlier process wrote by the same clock shows nothing either.
    let written = Evidence { data_directory: Some(NOW + 400 * DAY), ..evidence(&[NOW]) };
    assert!(start(NOW + 400 * DAY, &written).is_some());
}

#[test]
fn after_a_restart_the_last_refresh_is_near_or_archives_fill_the_time_since() {
    let since = |last: Duration, archives: &[Timestamp]| Evidence { last_refresh: Some(NOW - last), ..evidence(archives) };
    assert_eq!(start(NOW, &since(MAX_GAP, &[])), None);
    assert!(start(NOW, &since(MAX_GAP + MILLISECOND, &[])).is_some());
    // Weekly, over a directory that is in use.
    assert_eq!(start(NOW, &since(7 * DAY, &[NOW - 5 * DAY, NOW - 3 * DAY, NOW - HOUR])), None);
    // The machine came up with a wrong clock, and a job ended since.
    let ahead = Evidence { last_refresh: Some(NOW), ..evidence(&[NOW - DAY, NOW + 400 * DAY - Duration::from_mins(1)]) };
    assert_eq!(start(NOW + 400 * DAY, &ahead), Some(Doubt::Unproven { gap: Some(Duration::from_mins(400 * 24 * 60 - 1)) }));
    // The index was lost, the lock beside it was not.
    let lost = Evidence { data_directory: Some(NOW), ..evidence(&[NOW + 400 * DAY - Duration::from_mins(1)]) };
    assert!(start(NOW + 400 * DAY, &lost).is_some());
}

#[test]
fn the_trusted_gap_is_a_part_of_the_limit() {
    let short = |archives: &[Timestamp]| Evidence { ttl: DAY, ..evidence(archives) };
    assert_eq!(start(NOW, &short(&[NOW - 6 * HOUR])), None);
    assert!(start(NOW, &short(&[NOW - 7 * HOUR])).is_some());
}

#[test]
fn a_doubt_at_the_start_ends_an_hour_after_it() {
    let mut trust = ClockTrust::default();
    let quiet = evidence(&[NOW - 200 * DAY]);
    trust.measure(NOW, Duration::ZERO);
    assert!(trust.doubt(&quiet).is_some());
    trust.measure(NOW + HOUR - Duration::from_millis(1), Duration::from_hours(1) - Duration::from_millis(1));
    assert!(trust.doubt(&quiet).is_some());
    trust.measure(NOW + HOUR, Duration::from_hours(1));
    assert_eq!(trust.doubt(&quiet), None);
}

#[test]
fn a_doubt_at_the_start_ends_with_the_first_archive_that_is_written_then() {
    let mut trust = ClockTrust::default();
    trust.measure(NOW, Duration::ZERO);
    assert!(trust.doubt(&evidence(&[])).is_some());
    trust.measure(NOW + HOUR / 2, Duration::from_mins(30));
    assert!(trust.doubt(&evidence(&[NOW - 200 * DAY])).is_some());
    assert_eq!(trust.doubt(&evidence(&[NOW - 200 * DAY, NOW + HOUR / 4])), None);
    // A jump is no matter of archives.
    trust.measure(NOW + DAY, Duration::from_mins(31));
    assert!(matches!(trust.doubt(&evidence(&[NOW + DAY])), Some(Doubt::JumpedAhead { .. })));
}

#[test]
fn the_clock_of_a_store_raises_a_doubt_for_as_long_as_it_differs_and_settles_none() {
    let store = |store| Evidence { store: Some(store), ..proven() };
    assert_eq!(start(NOW, &store(NOW - Duration::from_secs(2))), None);
    assert_eq!(start(NOW, &store(NOW - DAY)), Some(Doubt::StoreDiffers { by: DAY, ahead: true }));
    let mut trust = ClockTrust::default();
    for hour in 0..5 {
        trust.measure(NOW + hour * HOUR, Duration::from_hours(hour.into()));
        assert_eq!(trust.doubt(&store(NOW + hour * HOUR + DAY)), Some(Doubt::StoreDiffers { by: DAY, ahead: false }));
    }
    trust.measure(NOW + 5 * HOUR, Duration::from_hours(5));
    assert_eq!(trust.doubt(&store(NOW + 5 * HOUR)), None);
    // It may run on the same machine.
    let same_machine = Evidence { store: Some(NOW + 400 * DAY), ..proven() };
    assert!(matches!(start(NOW + 400 * DAY, &same_machine), Some(Doubt::Unproven { .. })));
}

#[test]
fn a_doubt_is_a_sentence_that_names_the_clock_and_the_option() {
    let doubts = [
        (Doubt::Behind { by: DAY }, "stands behind the last refresh by 1 d"),
        (Doubt::SetBack { by: DAY }, "was set back by 1 d"),
        (Doubt::JumpedAhead { by: DAY }, "jumped ahead by 1 d"),
        (Doubt::Unproven { gap: Some(400 * DAY) }, "no archive is dated within the last 400 d"),
        (Doubt::Unproven { gap: None }, "nothing shows that it is right"),
        (Doubt::StoreDiffers { by: HOUR, ahead: false }, "is 1 h behind that of the store"),
        (Doubt::StoreDiffers { by: HOUR, ahead: true }, "is 1 h ahead of that of the store"),
    ];
    for (doubt, part) in doubts {
        let sentence = doubt.to_string();
        assert!(sentence.contains("the clock of this machine") && sentence.contains(part), "{sentence}");
        assert!(sentence.contains("historyserver.archive.retained-ttl"), "{sentence}");
    }
}
