//! Each archive directory has its own pace: one that hangs delays neither the others nor its own clusters that answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use historyserver::clock::Clock;
use historyserver::directory::Directory;
use historyserver::refresh::{Refresh, RefreshStatus};
use historyserver::schedule::periodic::{self, Activator};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::s3_double::S3Double;
use crate::support::archives::{id, summary, write_application};
use crate::support::process::PATIENCE;
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

/// The refreshes of a world, each directory at its own pace.
struct Running {
    world: World,
    activator: Activator,
    stop: CancellationToken,
    refreshing: tokio::task::JoinHandle<()>,
}

impl Running {
    fn start(directories: &[Directory], data: &Path) -> Self {
        let mut world = World::open(directories, data, WorldOptions { clock: Clock::System, ..WorldOptions::default() });
        let refresh = std::mem::replace(&mut world.refresh, Refresh::new(Vec::new(), &Clock::System).0);
        let (activator, stop) = (Activator::default(), CancellationToken::new());
        let refreshing = periodic::refresh(refresh, Duration::from_millis(50), activator.clone(), Clock::System, stop.clone());
        Self { world, activator, stop, refreshing: tokio::spawn(refreshing) }
    }

    async fn until(&self, what: &str, condition: impl FnMut(&RefreshStatus) -> bool) -> RefreshStatus {
        let mut status = self.world.status.clone();
        let reached = tokio::time::timeout(PATIENCE, status.wait_for(condition)).await;
        reached.unwrap_or_else(|_elapsed| panic!("never {what}: {:?}", self.world.status.borrow())).unwrap().clone()
    }

    async fn until_listed(&self, id: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.world.applications().await.iter().any(|listed| listed == id) {
            assert!(Instant::now() < deadline, "{id} was never listed: {:?}", self.world.status.borrow());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.refreshing.await.unwrap();
        self.world.close().await;
    }
}

fn put(store: &S3Double, cluster: &str, id: &str) {
    store.put(format!("archives/{cluster}/applications/{id}/application-summary"), summary(id, "job", END, &[]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_hangs_delays_no_other_directory_and_a_request_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, "cluster", &id('1'), "job", END, &[]);
    let store = S3Double::start().await;
    put(&store, "cluster", &id('2'));
    store.hang_at(Some("archives"));
    let local = Directory::open(root.to_str().unwrap(), &BTreeMap::new()).unwrap();
    let server = Running::start(&[store.directory(), local], &folder.path().join("data"));
    let number = server.activator.request_full_scan();
    server.until_listed(&id('1')).await;
    // Several looks of the local directory fit into the time limit of one request to the store.
    server.until("looked", |status| status.directories[1].finished >= 3).await;
    write_application(&root, "cluster", &id('3'), "job", END, &[]);
    server.until_listed(&id('3')).await;
    let status = server.world.status.borrow().clone();
    let (hanging, other) = (&status.directories[0], &status.directories[1]);
    assert_eq!((hanging.finished, hanging.running_since.is_some()), (0, true), "{status:?}");
    assert!(other.finished >= 3, "{status:?}");
    assert_eq!((status.finished, status.requested), (0, 0), "{status:?}");
    store.hang_at(None);
    server.until("refreshed", |status| status.requested >= number && status.finished >= 1).await;
    server.until_listed(&id('2')).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_hangs_is_a_problem_of_its_own_that_goes_when_it_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = S3Double::start().await;
    put(&store, "good", &id('1'));
    put(&store, "bad", &id('2'));
    let server = Running::start(&[store.directory()], &folder.path().join("data"));
    server.until_listed(&id('1')).await;
    server.until_listed(&id('2')).await;
    store.hang_at(Some("archives/bad"));
    let problems =
        async |server: &Running| -> Vec<Value> { server.world.get("/api/v1/problems").await.json()["items"].as_array().unwrap().clone() };
    let deadline = Instant::now() + PATIENCE;
    while problems(&server).await.is_empty() {
        assert!(Instant::now() < deadline, "a cluster that hangs is a problem");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let problem = problems(&server).await.remove(0);
    assert_eq!((&problem["code"], &problem["subject"]["cluster"]), (&"listing-failed".into(), &"bad".into()), "{problem}");
    // The next looks wait no more than two seconds for it, and the other cluster not at all.
    let before = server.world.status.borrow().finished;
    let begun = Instant::now();
    server.until("refreshed", |status| status.finished >= before + 2).await;
    // Without that limit, each look would wait for at least 20 seconds.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?} for two looks", begun.elapsed());
    put(&store, "good", &id('3'));
    server.until_listed(&id('3')).await;
    assert_eq!(server.world.applications().await.len(), 3, "the cluster that hangs has lost nothing");
    store.hang_at(None);
    put(&store, "bad", &id('4'));
    server.until_listed(&id('4')).await;
    let deadline = Instant::now() + PATIENCE;
    while !problems(&server).await.is_empty() {
        let _ = server.activator.full_scan();
        assert!(Instant::now() < deadline, "the problem goes: {:?}", problems(&server).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    server.stop().await;
}
