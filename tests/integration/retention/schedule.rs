//! Cleanups by a schedule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::schedule::cleanups::{self, Surroundings};
use historyserver::schedule::cron::{Schedule, Zone};
use historyserver::schedule::periodic::Activator;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::world::{Cleaner, NOW, Place, keep, rules};
use crate::support::process::PATIENCE;

/// A cleanup that panics when it has begun, unless the switch says otherwise.
fn panicking(place: &Place, fails: &Arc<AtomicBool>) -> Cleaner {
    let fails = fails.clone();
    let directory = Directory::open(place.root().to_str().unwrap(), &std::collections::BTreeMap::new()).unwrap();
    let witness = Arc::new(move |_| assert!(!fails.load(Ordering::SeqCst), "on purpose"));
    Cleaner::witnessed(&[directory], &place.data(), Clock::manual(NOW), rules(), keep(1), witness)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_a_cleanup_leaves_the_next_scheduled() {
    let place = Place::new();
    (1..=3).for_each(|number| place.application(number, i64::from(number)));
    let fails = Arc::new(AtomicBool::new(true));
    let mut server = panicking(&place, &fails);
    server.world.full_scan().await;
    assert_eq!(server.pending().await.len(), 2);

    let (refreshed, watched) = watch::channel(server.world.status.borrow().clone());
    let (activator, stop) = (Activator::default(), CancellationToken::new());
    let mut activations = activator.activations();
    let schedule = Some(Schedule::parse(["* * * * * *"], Zone::System).unwrap());
    let (writer, reader) = (server.world.writer.clone(), server.world.reader.clone());
    let cleaner = cleanups::Cleaner::new(server.cleanup.clone(), writer, reader, Clock::System);
    let surroundings = Surroundings { refreshed: watched, activator: activator.clone(), schedule, clock: Clock::System };
    let running = historyserver::tasks::spawn(cleanups::run(cleaner, surroundings, stop.clone()));

    // Each run asks for a refresh first. Two of them panic; then one gets through.
    let runs = async {
        for run in 1..=3 {
            activations.changed().await.unwrap();
            fails.store(run < 3, Ordering::SeqCst);
            refreshed.send_modify(|status| status.directories[0].full_scans += 1);
        }
        let mut status = server.cleanup.status();
        status.wait_for(|status| status.last.as_ref().is_some_and(|report| report.deleted == 2)).await.unwrap();
    };
    tokio::time::timeout(PATIENCE, runs).await.expect("three runs");
    assert_eq!(place.present(), [1].into());
    assert_eq!(server.cleanup.status().borrow().running_since, None);
    stop.cancel();
    tokio::time::timeout(PATIENCE, running).await.expect("it stops when told").unwrap();
}

#[tokio::test]
async fn runs_of_one_cleanup_never_overlap() {
    let place = Place::new();
    (1..=3).for_each(|number| place.application(number, i64::from(number)));
    let mut server = place.open(rules(), keep(1));
    server.world.full_scan().await;
    let (first, second) = tokio::join!(server.clean(), server.clean());
    assert_eq!(first.deleted + second.deleted, 2);
    assert_eq!(first.failed + first.changed + second.failed + second.changed, 0);
}
