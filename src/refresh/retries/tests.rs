use std::time::Duration;

use super::*;
use crate::directory::{FileVersion, Fingerprint};
use crate::ids::{ApplicationId, JobId};
use crate::index::FileChange;
use crate::names::{ClusterName, FilePath};

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const STARTED: Timestamp = Timestamp::from_millis(NOW.as_millis() - 3_600_000);
const DUE: RetryTime = RetryTime { now: NOW, started: STARTED, scope: RetryScope::Due };

fn directory() -> DirectoryUrl {
    DirectoryUrl::new("file:/archives")
}

fn job(number: u32) -> JobId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    JobId::from_bytes(bytes)
}

fn key(number: u32) -> UnitKey {
    UnitKey::LegacyJob(directory(), job(number))
}

fn unread(number: u32, fault: Fault, next_attempt: Timestamp) -> KnownUnit {
    let file = KnownFile {
        kind: FileKind::Job(job(number)),
        tried: Fingerprint(1),
        size: 1_000,
        modified: NOW - Duration::from_hours(25) + Duration::from_millis(number.into()),
        parsed: false,
        racy: false,
        gone: false,
        attempts: 2,
        fault: Some(fault),
        tried_at: STARTED + Duration::from_millis(1),
        next_attempt: Some(next_attempt),
    };
    KnownUnit { files: vec![file], complete: false, gone_since: None, expired_at: None }
}

fn knowing(units: impl IntoIterator<Item = (u32, KnownUnit)>) -> KnownDirectory {
    KnownDirectory { legacy_jobs: units.into_iter().map(|(number, unit)| (job(number), unit)).collect(), ..KnownDirectory::default() }
}

fn choose(known: &KnownDirectory, time: RetryTime) -> Retries {
    Retries::choose(&directory(), known, &Attempts::default(), &HashSet::new(), time)
}

fn all(mut retries: Retries) -> Vec<UnitKey> {
    std::iter::from_fn(|| retries.next()).map(|retry| retry.key).collect()
}

#[test]
fn due_files_are_retried_and_failures_of_the_store_come_first() {
    let known = knowing([
        (1, unread(1, Fault::Content, NOW)),
        (2, unread(2, Fault::Store, NOW)),
        (3, unread(3, Fault::Store, NOW - Duration::from_millis(1))),
    ]);
    assert_eq!(all(choose(&known, DUE)), [key(3), key(2), key(1)]);
    let later = knowing([
        (1, unread(1, Fault::Content, NOW + Duration::from_millis(1))),
        (2, unread(2, Fault::Store, NOW + Duration::from_millis(1))),
    ]);
    assert_eq!(all(choose(&later, DUE)), []);
}

#[test]
fn a_start_retries_failures_of_the_store_and_a_request_retries_all() {
    let known = knowing([
        (1, unread(1, Fault::Content, NOW + Duration::from_millis(1))),
        (2, unread(2, Fault::Store, NOW + Duration::from_millis(1))),
    ]);
    assert_eq!(all(choose(&known, RetryTime { scope: RetryScope::Store, ..DUE })), [key(2)]);
    assert_eq!(all(choose(&known, RetryTime { scope: RetryScope::All, ..DUE })), [key(2), key(1)]);
}

#[test]
fn failures_of_an_earlier_process_are_retried_once_and_a_clock_that_was_ahead_delays_nothing() {
    let mut earlier = unread(1, Fault::Content, NOW + Duration::from_millis(1));
    earlier.files[0].tried_at = STARTED - Duration::from_millis(1);
    let mut ahead = unread(2, Fault::Content, NOW + Duration::from_hours(250_000));
    ahead.files[0].tried_at = NOW + Duration::from_secs(899_000_000);
    let known = knowing([(1, earlier), (2, ahead), (3, unread(3, Fault::Content, NOW + Duration::from_millis(1)))]);
    assert_eq!(all(choose(&known, DUE)), [key(2), key(1)]);
}

#[test]
fn missing_expired_readable_and_busy_units_are_left_alone() {
    let missing = KnownUnit { gone_since: Some(Timestamp::from_millis(1)), ..unread(1, Fault::Store, NOW) };
    let expired = KnownUnit { expired_at: Some(Timestamp::from_millis(1)), ..unread(2, Fault::Store, NOW) };
    let mut read = unread(3, Fault::Store, NOW);
    read.files[0].parsed = true;
    let mut missing_file = unread(4, Fault::Store, NOW);
    missing_file.files[0].gone = true;
    let known = knowing([(1, missing), (2, expired), (3, read), (4, missing_file), (5, unread(5, Fault::Store, NOW))]);
    assert_eq!(all(choose(&known, RetryTime { scope: RetryScope::All, ..DUE })), [key(5)]);
    let busy = HashSet::from([key(5)]);
    assert_eq!(all(Retries::choose(&directory(), &known, &Attempts::default(), &busy, DUE)), []);
}

#[test]
fn bad_content_is_read_in_small_portions_the_newest_first() {
    let known = knowing((0..1_000).map(|number| (number, unread(number, Fault::Content, NOW))));
    let chosen = all(choose(&known, DUE));
    assert_eq!(chosen, (936..1_000).rev().map(key).collect::<Vec<_>>());
    assert_eq!(all(choose(&known, RetryTime { scope: RetryScope::All, ..DUE })).len(), 1_000);
    let large = |number| {
        let mut unit = unread(number, Fault::Content, NOW);
        unit.files[0].size = MAX_CONTENT_BYTES;
        (number, unit)
    };
    assert_eq!(all(choose(&knowing((0..10).map(large)), DUE)), [key(9)]);
}

#[test]
fn retries_stop_while_the_store_fails_and_read_everything_once_it_works() {
    let known = knowing((0..1_000).map(|number| (number, unread(number, Fault::Store, NOW))));
    let attempts = |works: &dyn Fn(usize) -> bool, time| {
        let mut retries = choose(&known, time);
        let mut tried = 0;
        while let Some(retry) = retries.next() {
            retries.note(&retry, works(tried));
            tried += 1;
        }
        tried
    };
    assert_eq!(attempts(&|_| false, DUE), MAX_STORE_FAILURES);
    assert_eq!(attempts(&|_| true, DUE), 1_000);
    assert_eq!(attempts(&|number| number % 2 == 0, DUE), 1_000);
    assert_eq!(attempts(&|_| false, RetryTime { scope: RetryScope::All, ..DUE }), 1_000);
    assert_eq!(attempts(&|_| false, RetryTime { scope: RetryScope::Store, ..DUE }), 1_000);
}

#[test]
fn a_failed_attempt_is_remembered_until_the_index_is_read_again() {
    let known = knowing([(1, unread(1, Fault::Store, NOW))]);
    let mut attempts = Attempts::default();
    let version = FileVersion { size: 1_000, modified: Timestamp::EPOCH, etag: None };
    let outcome = FileOutcome::Unreadable { fault: Fault::Store, next_attempt: Some(NOW + Duration::from_secs(40)) };
    let file = FileChange { path: FilePath::new("x"), kind: FileKind::Job(job(1)), version, racy: false, outcome };
    attempts.note(&UnitChange { key: key(1), files: vec![file], problems: Vec::new(), at: NOW }, &[(FileKind::Job(job(1)), 2)]);
    let chosen = |attempts: &Attempts, now| {
        let mut retries = Retries::choose(&directory(), &known, attempts, &HashSet::new(), RetryTime { now, ..DUE });
        retries.next().map(|retry| retry.files)
    };
    assert_eq!(chosen(&attempts, NOW + Duration::from_millis(39_999)), None);
    assert_eq!(chosen(&attempts, NOW + Duration::from_secs(40)), Some(vec![(FileKind::Job(job(1)), 3)]));
    attempts.clear();
    assert_eq!(chosen(&attempts, NOW), Some(vec![(FileKind::Job(job(1)), 2)]));
}

#[test]
fn files_of_one_application_are_retried_together() {
    let mut unit = unread(1, Fault::Content, NOW + Duration::from_millis(1));
    unit.files.extend(unread(2, Fault::Content, NOW).files);
    unit.files.extend(unread(3, Fault::Store, NOW).files);
    let id = ApplicationId::from_bytes([7; 16]);
    let cluster = ClusterName::new("prod");
    let known = KnownDirectory { applications: HashMap::from([((cluster.clone(), id), unit)]), ..KnownDirectory::default() };
    let mut retries = choose(&known, DUE);
    let retry = retries.next().unwrap();
    assert_eq!(retry.key, UnitKey::application(&directory(), &cluster, id));
    assert_eq!(retry.files, [(FileKind::Job(job(2)), 2), (FileKind::Job(job(3)), 2)]);
    assert_eq!(retries.next(), None);
}
