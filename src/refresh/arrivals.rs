//! New applications that arrive while a round still reads archives: a quick scan finds them, so that they are listed in their usual time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::pass::Pass;
use super::plan::{Judging, Planner, Probed, Seen};
use crate::clock::Timestamp;
use crate::directory::{Directory, Extent};
use crate::ids::ApplicationId;
use crate::index::KnownDirectory;
use crate::ingest::task::Task;
use crate::names::ClusterName;

/// The pause between two scans is at least this many times as long as the last scan took.
const PAUSE: u32 = 10;

/// The scans of one round, each some time after the one before.
pub(super) struct Arrivals {
    directory: Directory,
    known: Arc<KnownDirectory>,
    judging: Judging,
    every: Duration,
    /// Units that the listing of the round, or an earlier scan, has found.
    seen: Arc<Seen>,
    /// The end of the last scan, and the pause after it.
    rests: (Instant, Duration),
    scan: Option<(Instant, BoxFuture<'static, Vec<Task>>)>,
}

impl Arrivals {
    /// Scans for units other than those that a complete listing has seen.
    pub(super) fn new(directory: Directory, known: Arc<KnownDirectory>, judging: Judging, every: Duration, seen: Seen) -> Self {
        Self { directory, known, judging, every, seen: Arc::new(seen), rests: (Instant::now(), every), scan: None }
    }

    /// Waits until a scan is due and has ended. Returns new units that are complete. Nothing is lost when the waiting is interrupted.
    ///
    /// An application without a summary is left to the next round, and so is a unit that a limit on count or size may expire.
    pub(super) async fn next(&mut self, now: impl FnOnce() -> Timestamp) -> Vec<Task> {
        if self.scan.is_none() {
            let (since, pause) = self.rests;
            tokio::time::sleep(pause.saturating_sub(since.elapsed())).await;
        }
        let (started, scan) = self.scan.get_or_insert_with(|| {
            let (directory, known, seen) = (self.directory.clone(), self.known.clone(), self.seen.clone());
            (Instant::now(), scan(directory, known, seen, self.judging, now()).boxed())
        });
        let found = scan.await;
        self.rests = (Instant::now(), self.every.max(started.elapsed().saturating_mul(PAUSE)));
        self.scan = None;
        let seen = Arc::make_mut(&mut self.seen);
        for task in &found {
            seen.insert(&task.key);
        }
        found
    }
}

/// A quick scan that lists the files of new applications only. What was found before a failure is correct.
async fn scan(directory: Directory, known: Arc<KnownDirectory>, seen: Arc<Seen>, judging: Judging, now: Timestamp) -> Vec<Task> {
    let new = {
        let (known, seen) = (known.clone(), seen.clone());
        move |cluster: &ClusterName, id: &ApplicationId| {
            let key = (cluster.clone(), *id);
            !(known.applications.contains_key(&key) || seen.applications.contains(&key) || known.removals.applications.contains_key(&key))
        }
    };
    let probed = Probed::new();
    let planner = Planner::new(directory.url().clone(), &known, &probed, judging, now);
    let mut pass = Pass::start(directory, Extent::Quick(Arc::new(new)), &known, planner, now);
    let mut found = Vec::new();
    while !pass.is_over() {
        found.extend(pass.next().await.unwrap_or_default());
    }
    found.retain(|task| task.has_summary && known.unit(&task.key).is_none() && !seen.contains(&task.key));
    found
}
