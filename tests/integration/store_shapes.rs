//! The number of requests that listings of object stores take, in both shapes of archive directories.

use std::sync::Arc;

use historyserver::directory::Extent;
use historyserver::names::ClusterName;

use crate::archive_directory::{full_scan, hex, list, list_knowing, quick_scan};
use crate::s3_double::S3Double;

/// An id that differs for each number, in no order.
fn id(number: u128) -> String {
    format!("{:032x}", number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn put_application(store: &S3Double, cluster: &str, number: u128) {
    let folder = format!("archives/{cluster}/applications/{}", id(number));
    store.put(format!("{folder}/application-summary"), "{}");
    store.put(format!("{folder}/jobs/{}", id(number)), "{}");
}

fn listings(store: &S3Double) -> usize {
    let requests = store.take_requests();
    assert!(requests.iter().all(|request| request.contains("list-type=2")), "{requests:?}");
    requests.len()
}

#[tokio::test]
async fn a_cluster_for_each_application_is_listed_in_one_piece() {
    let store = S3Double::start().await;
    for number in 0..2_500 {
        put_application(&store, &id(number + 10_000), number);
    }
    store.put(format!("archives/{}", hex(9)), "{}");
    store.put(format!("archives/{}", "AB".repeat(16)), "{}");
    let directory = store.directory();
    // 5,002 keys are 6 pages; the level of the root has 3.
    let full = full_scan(&directory).await;
    assert_eq!((full.applications.len(), full.legacy.len(), full.obstacles.len()), (2_500, 2, 0));
    assert_eq!(listings(&store), 9);
    let again = full_scan(&directory).await;
    assert_eq!((&again.applications, &again.legacy), (&full.applications, &full.legacy));
    assert_eq!(listings(&store), 6);
    let known: Vec<String> = full.applications.keys().map(|(cluster, _)| cluster.to_string()).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let quick = list_knowing(&directory, &Extent::Quick(Arc::new(|_, _| false)), &known).await.unwrap();
    assert_eq!((quick.applications.len(), quick.legacy.len()), (2_500, 2));
    assert!(quick.applications.values().all(|application| application.files.is_none()));
    assert_eq!(listings(&store), 6);
}

/// Applications whose summaries and jobs are 40 pages of keys, and whose names are 20.
const MANY: u128 = 20_000;

#[tokio::test]
async fn a_long_listing_runs_in_parallel_ranges_with_few_more_pages() {
    let store = S3Double::start().await;
    (0..MANY).for_each(|number| put_application(&store, "cluster", number));
    let directory = store.directory();
    let full = full_scan(&directory).await;
    assert_eq!((full.applications.len(), full.obstacles.len()), (20_000, 0));
    assert!(full.applications.values().all(|application| application.files.as_ref().is_some_and(|files| files.len() == 2)));
    let requests = store.take_requests();
    let starts = requests.iter().filter(|request| request.contains("start-after")).count();
    // The level of the root, the folder of the cluster, 40 pages, and the last page of each range.
    assert!((4..=8).contains(&starts) && requests.len() <= 2 + 48, "{} requests, {starts} ranges", requests.len());
    let quick = quick_scan(&directory, |_| false).await;
    assert_eq!(quick.applications.len(), 20_000);
    let requests = store.take_requests();
    let starts = requests.iter().filter(|request| request.contains("start-after")).count();
    assert!((2..=4).contains(&starts) && requests.len() <= 2 + 24, "{} requests, {starts} ranges", requests.len());
}

#[tokio::test]
async fn many_clusters_are_listed_in_parallel_ranges_with_few_more_pages() {
    let store = S3Double::start().await;
    (0..MANY).for_each(|number| put_application(&store, &id(number + 100_000), number));
    store.put(format!("archives/{}", "AB".repeat(16)), "{}");
    store.put("archives/zzz/a-foreign-object", "{}");
    let directory = store.directory();
    let full = full_scan(&directory).await;
    assert_eq!((full.applications.len(), full.legacy.len(), full.obstacles.len()), (20_000, 1, 0));
    listings(&store);
    let again = full_scan(&directory).await;
    assert_eq!((&again.applications, &again.legacy), (&full.applications, &full.legacy));
    let requests = store.take_requests();
    let starts = requests.iter().filter(|request| request.contains("start-after")).count();
    assert!((4..=8).contains(&starts) && requests.len() <= 49, "{} requests, {starts} ranges", requests.len());
}

#[tokio::test]
async fn a_store_that_ignores_the_start_of_a_listing_is_noticed_and_listed_in_another_way() {
    let store = S3Double::start().await;
    store.ignore_start();
    (0..MANY / 2).for_each(|number| put_application(&store, "cluster", number));
    let directory = store.directory();
    let first = list(&directory, &Extent::Full).await.unwrap();
    assert_eq!(first.obstacles.len(), 1, "{:?}", first.obstacles);
    let full = full_scan(&directory).await;
    assert_eq!((full.applications.len(), full.obstacles.len()), (10_000, 0));
}

#[tokio::test]
async fn a_large_foreign_folder_beside_such_clusters_is_passed_over_and_searched() {
    let store = S3Double::start().await;
    for number in 0..600 {
        put_application(&store, &id(number + 10_000), number);
    }
    for number in 0..20_000 {
        store.put(format!("archives/5/checkpoints/{number:06}"), "");
    }
    put_application(&store, "5/z", 77_777);
    let directory = store.directory();
    let full = full_scan(&directory).await;
    assert_eq!((full.applications.len(), full.obstacles.len()), (601, 0));
    let requests = listings(&store);
    assert!(requests < 40, "{requests}");
    let quick = quick_scan(&directory, |_| true).await;
    assert_eq!(quick.applications.len(), 601);
    assert!(quick.applications.contains_key(&(ClusterName::new("5/z"), id(77_777).parse().unwrap())));
}

#[tokio::test]
async fn a_listing_of_some_pages_is_not_split() {
    let store = S3Double::start().await;
    for number in 0..2_500 {
        put_application(&store, if number % 2 == 0 { "a" } else { "b" }, number);
    }
    let directory = store.directory();
    full_scan(&directory).await;
    // The root; for each cluster a search, and three pages of its 2,500 keys.
    assert_eq!(listings(&store), 9);
    list_knowing(&directory, &Extent::Quick(Arc::new(|_, _| false)), &["a", "b"]).await.unwrap();
    // The root; for each cluster two pages of its 1,250 applications.
    assert_eq!(listings(&store), 5);
}

#[tokio::test]
async fn open_applications_and_folders_with_only_a_marker_are_listed_together() {
    let store = S3Double::start().await;
    for number in 0..300 {
        put_application(&store, "prod", number);
    }
    for number in 1_000..1_500 {
        store.put(format!("archives/prod/applications/{}/", id(number)), "");
    }
    let directory = store.directory();
    let listing = list(&directory, &Extent::Quick(Arc::new(|_, _| true))).await.unwrap();
    assert_eq!(listing.applications.len(), 300);
    assert!(listing.applications.values().all(|application| application.files.as_ref().is_some_and(|files| files.len() == 2)));
    let requests = listings(&store);
    assert!(requests <= 6, "{requests}");
}
