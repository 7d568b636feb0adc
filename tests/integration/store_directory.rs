//! Archive directories in object stores that fail, in part or wholly.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use historyserver::directory::{Directory, DirectoryErrorKind, Extent, Found, Hidden};
use historyserver::ids::ApplicationId;
use historyserver::names::{DirectoryUrl, FilePath};
use historyserver::problem::ProblemCode;

use crate::archive_directory::{NO_VERSION, full_scan, hex, list, list_knowing, quick_scan, read};
use crate::faulty_store::{Failure, FaultyStore, Operation};
use crate::moto::Moto;

fn directory_in(store: &FaultyStore) -> Directory {
    Directory::in_store(DirectoryUrl::new("memory://test/archives"), store.store(), "archives")
}

/// Three clusters of one application each, one of them beside a large foreign tree, and a legacy job archive.
async fn three_clusters() -> (FaultyStore, Directory) {
    let store = FaultyStore::in_memory();
    for (cluster, byte) in [("one", 1), ("two", 2), ("three", 3)] {
        store.write(&format!("archives/{cluster}/applications/{}/application-summary", hex(byte)), "{}").await;
    }
    store.write(&format!("archives/{}", hex(9)), "{}").await;
    let directory = directory_in(&store);
    (store, directory)
}

#[tokio::test]
async fn a_cluster_that_cannot_be_listed_hides_only_itself() {
    let (store, directory) = three_clusters().await;
    for (failure, code) in [(Failure::Denied, ProblemCode::PermissionDenied), (Failure::Unavailable, ProblemCode::ListingFailed)] {
        store.fail(Operation::List, "two/applications", failure);
        for listing in [full_scan(&directory).await, quick_scan(&directory, |_| true).await] {
            assert_eq!(listing.applications.len(), 2);
            assert_eq!(listing.legacy.len(), 1);
            let [obstacle] = &listing.obstacles[..] else { panic!("{:?}", listing.obstacles) };
            assert_eq!((obstacle.code, &obstacle.hides), (code, &Hidden::Cluster(historyserver::names::ClusterName::new("two"))));
            assert!(obstacle.reason.contains("memory://test/archives/two/applications"), "{}", obstacle.reason);
        }
        store.heal();
    }
    assert_eq!(full_scan(&directory).await.applications.len(), 3);
}

#[tokio::test]
async fn an_application_that_cannot_be_listed_hides_only_itself() {
    let (store, directory) = three_clusters().await;
    store.fail(Operation::List, &format!("two/applications/{}", hex(2)), Failure::Unavailable);
    let listing = quick_scan(&directory, |_| true).await;
    assert_eq!(listing.applications.len(), 2);
    let [obstacle] = &listing.obstacles[..] else { panic!("{:?}", listing.obstacles) };
    let two = historyserver::names::ClusterName::new("two");
    assert_eq!(obstacle.hides, Hidden::Application(two, ApplicationId::from_bytes([2; 16])));
}

#[tokio::test]
async fn a_root_that_cannot_be_listed_is_an_error() {
    let (store, directory) = three_clusters().await;
    for (failure, kind) in [(Failure::Denied, DirectoryErrorKind::Denied), (Failure::Unavailable, DirectoryErrorKind::Unavailable)] {
        store.fail(Operation::List, "", failure);
        let error = list(&directory, &Extent::Full).await.unwrap_err();
        assert_eq!(error.kind, kind);
        assert!(error.message.starts_with("cannot list the archive directory memory://test/archives: "), "{error}");
        store.heal();
    }
}

#[tokio::test]
async fn a_store_that_goes_down_during_a_listing_ends_it() {
    let store = FaultyStore::in_memory();
    for number in 0..100_u8 {
        store.write(&format!("archives/c{number}/applications/{}/application-summary", hex(number)), "{}").await;
    }
    let directory = directory_in(&store);
    store.fail(Operation::List, "/applications", Failure::Unavailable);
    let error = list(&directory, &Extent::Full).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
    assert!(store.count(Operation::List, "/applications") < 50, "it does not go on asking");
}

#[tokio::test]
async fn a_foreign_tree_costs_a_request_for_each_of_its_folders() {
    let (store, directory) = three_clusters().await;
    for number in 0..3000 {
        store.write(&format!("archives/warehouse/table/part-{number}"), "x").await;
    }
    for (listing, requests) in
        [(full_scan(&directory).await, 9), (quick_scan(&directory, |_| false).await, 9), (quick_scan(&directory, |_| true).await, 12)]
    {
        assert_eq!(listing.applications.len(), 3);
        assert_eq!(listing.listed.requests, requests);
    }
    assert_eq!(store.count(Operation::List, "warehouse"), 6);
    // A cluster that is known costs a quick scan one request, as before it was known that names may have slashes.
    let known = Extent::Quick(std::sync::Arc::new(|_, _| false));
    assert_eq!(list_knowing(&directory, &known, &["one", "two", "three"]).await.unwrap().listed.requests, 6);
    assert_eq!(store.count(Operation::Get, ""), 0);
}

#[tokio::test]
async fn a_large_foreign_tree_is_searched_at_a_bounded_cost_and_hides_no_cluster_of_the_root() {
    let (store, directory) = three_clusters().await;
    for number in 0..1_500 {
        store.write(&format!("archives/checkpoints/{number:032x}/chk-1/_metadata"), "x").await;
    }
    store.write(&format!("archives/zz/applications/{}/application-summary", hex(4)), "{}").await;
    store.write(&format!("archives/z/known/applications/{}/application-summary", hex(5)), "{}").await;
    let known = ["z/known"];
    let quick = list_knowing(&directory, &Extent::Quick(std::sync::Arc::new(|_, _| false)), &known).await.unwrap();
    assert_eq!((quick.applications.len(), quick.obstacles.len()), (5, 0));
    assert!(quick.listed.requests < 90, "{}", quick.listed.requests);
    let full = list_knowing(&directory, &Extent::Full, &known).await.unwrap();
    assert_eq!(full.applications.len(), 5);
    assert!(full.listed.requests < 1_030, "{}", full.listed.requests);
    let [obstacle] = &full.obstacles[..] else { panic!("{:?}", full.obstacles) };
    assert_eq!((obstacle.code, &obstacle.hides), (ProblemCode::SearchLimited, &Hidden::Nothing));
}

#[tokio::test]
async fn what_is_found_is_sent_while_the_listing_goes_on() {
    let (store, directory) = three_clusters().await;
    let held = store.hold(Operation::List, "two/applications");
    let (sender, mut receiver) = tokio::sync::mpsc::channel(16);
    let listing = historyserver::tasks::spawn(async move { directory.list(&Extent::Full, &std::sync::Arc::default(), sender).await });
    held.until_arrived(1).await;
    let mut applications = 0;
    while applications < 2 {
        if let Some(Found::Applications(found)) = receiver.recv().await {
            applications += found.len();
        }
    }
    assert!(!listing.is_finished());
    drop(held);
    assert!(matches!(receiver.recv().await, Some(Found::Applications(found)) if found[0].cluster.as_str() == "two"));
    assert!(listing.await.unwrap().unwrap().exists);
}

#[tokio::test]
async fn failures_of_reading_and_deleting_tell_their_kind() {
    let (store, directory) = three_clusters().await;
    let file = hex(9);
    for (failure, kind) in [(Failure::Denied, DirectoryErrorKind::Denied), (Failure::Unavailable, DirectoryErrorKind::Unavailable)] {
        for operation in [Operation::Get, Operation::Delete, Operation::List] {
            store.fail(operation, "", failure);
        }
        let application = FilePath::new(format!("one/applications/{}", hex(1)));
        assert_eq!(read(&directory, &file, 10).await.unwrap_err().kind, kind);
        assert_eq!(directory.legacy_job_file(file.parse().unwrap()).await.unwrap_err().kind, kind);
        assert_eq!(directory.delete_file(&FilePath::new(file.as_str()), &NO_VERSION).await.unwrap_err().kind, kind);
        assert_eq!(directory.application_files(&application).await.unwrap_err().kind, kind);
        store.heal();
    }
    assert_eq!(read(&directory, &file, 10).await.unwrap().0, b"{}");
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_told_soon_and_without_credentials() {
    // A port that was free a moment ago.
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let options: BTreeMap<String, String> = [
        ("s3.endpoint", format!("http://127.0.0.1:{port}")),
        ("s3.access-key", "access-hunter2".to_owned()),
        ("s3.secret-key", "secret-hunter2".to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    let directory = Directory::open("s3://bucket/archives", &options).unwrap();
    let start = Instant::now();
    let error = list(&directory, &Extent::Full).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::Unavailable);
    assert!(
        error.message.contains("s3://bucket/archives")
            && error.message.contains(&format!("127.0.0.1:{port} refuses the connection; check s3.endpoint")),
        "{error}"
    );
    assert!(!error.message.contains("hunter2"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_told() {
    let moto = Moto::start();
    let directory = Directory::open("s3://no-such-bucket/archives", &moto.options()).unwrap();
    let error = list(&directory, &Extent::Full).await.unwrap_err();
    assert_eq!(error.kind, DirectoryErrorKind::NotFound);
    assert!(error.message.contains("404 NoSuchBucket") && error.message.contains("does not exist"), "{error}");
}
