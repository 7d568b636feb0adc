//! Answers of object stores that are not what they should be: they never look like an empty or a short directory.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use historyserver::directory::{Deleted, DirectoryErrorKind, Extent, FileKind};
use historyserver::names::FilePath;
use historyserver::problem::ProblemCode;

use crate::archive_directory::{full_scan, hex, list, quick_scan};
use crate::s3_double::S3Double;

fn application(cluster: &str, byte: u8) -> String {
    format!("archives/{cluster}/applications/{}", hex(byte))
}

async fn two_applications() -> S3Double {
    let store = S3Double::start().await;
    for byte in [1, 2] {
        store.put(format!("{}/application-summary", application("prod", byte)), "{}");
        store.put(format!("{}/jobs/{}", application("prod", byte), hex(byte + 10)), "{}");
    }
    store
}

#[tokio::test]
async fn an_answer_that_is_no_listing_is_an_error() {
    let store = two_applications().await;
    let directory = store.directory();
    for body in [
        "<html><body>Sign in</body></html>",
        "<Error><Code>InternalError</Code></Error>",
        "<ListBucketResult></ListBucketResult>",
        "<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>",
        "",
        "<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated></ListBucketResult>",
    ] {
        store.answer_listings_with(Some(body));
        for extent in [Extent::Full, Extent::Quick(std::sync::Arc::new(|_, _| true))] {
            let error = list(&directory, &extent).await.unwrap_err();
            assert_eq!(error.kind, DirectoryErrorKind::Unavailable, "{body}");
            assert!(error.message.contains("the answer is not a listing"), "{body}: {error}");
        }
        let folder = FilePath::new(format!("prod/applications/{}", hex(1)));
        assert!(directory.application_files(&folder).await.is_err(), "{body}");
    }
    store.answer_listings_with(None);
    assert_eq!(full_scan(&directory).await.applications.len(), 2);
}

#[tokio::test]
async fn keys_that_are_no_paths_are_one_problem_beside_good_archives() {
    let store = two_applications().await;
    let foreign = [
        "/archives/a",
        "archives//a",
        "archives/./a",
        "archives/prod/applications/../a",
        "archives/prod/applications/a\u{1}",
        "archives/prod//x",
    ];
    for key in foreign {
        store.put(key, "x");
    }
    let directory = store.directory();
    let full = full_scan(&directory).await;
    assert_eq!(full.applications.len(), 2);
    let [obstacle] = &full.obstacles[..] else { panic!("{:?}", full.obstacles) };
    assert_eq!(obstacle.code, ProblemCode::NameUndecodable);
    assert_eq!(quick_scan(&directory, |_| true).await.applications.len(), 2);
}

#[tokio::test]
async fn the_marker_of_a_cluster_is_no_legacy_job() {
    let store = two_applications().await;
    store.put(format!("archives/{}/", hex(7)), "");
    store.put("archives/", "");
    let listing = full_scan(&store.directory()).await;
    assert_eq!((listing.applications.len(), listing.legacy.len(), listing.obstacles.len()), (2, 0, 0));
}

#[tokio::test]
async fn a_file_is_deleted_in_its_listed_version_although_only_its_own_state_has_a_tag() {
    for without_tags in [false, true] {
        let store = two_applications().await;
        store.put(format!("archives/{}", hex(9)), "{}");
        store.put(format!("archives/{}0/x", hex(9)), "{}");
        if without_tags {
            store.list_without_tags();
        }
        let directory = store.directory();
        let listed = full_scan(&directory).await.legacy.pop_first().unwrap().1;
        let found = directory.legacy_job_file(hex(9).parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((&found.version, found.kind), (&listed.version, FileKind::Job(hex(9).parse().unwrap())));
        assert_eq!(directory.legacy_job_file(hex(8).parse().unwrap()).await.unwrap(), None);
        assert_eq!(directory.delete_file(&found.path, &found.version).await.unwrap(), Deleted::Done);
        assert_eq!(directory.delete_file(&found.path, &found.version).await.unwrap(), Deleted::AlreadyMissing);
        let folder = FilePath::new(format!("prod/applications/{}", hex(1)));
        let file = directory.application_files(&folder).await.unwrap().unwrap().remove(0);
        store.put(format!("archives/{}", file.path), "other content");
        assert_eq!(directory.delete_file(&file.path, &file.version).await.unwrap(), Deleted::Changed);
    }
}

#[tokio::test]
async fn requests_are_counted_with_their_retries() {
    let store = two_applications().await;
    let directory = store.directory();
    full_scan(&directory).await;
    let counts = directory.requests().unwrap();
    assert_eq!(counts.list, store.take_requests().len() as u64);
    store.answer_all_with(Some(StatusCode::SERVICE_UNAVAILABLE));
    list(&directory, &Extent::Full).await.unwrap_err();
    let sent = store.take_requests().len() as u64;
    assert!(sent > 1);
    assert_eq!(directory.requests().unwrap().list - counts.list, sent);
}

#[tokio::test]
async fn a_store_that_refuses_for_too_many_requests_gets_few_and_then_all_again() {
    let store = two_applications().await;
    let directory = store.directory();
    store.answer_all_with(Some(StatusCode::SERVICE_UNAVAILABLE));
    let start = Instant::now();
    let file = FilePath::new("x");
    let reads = (0..200).map(|_| directory.read_part(&file, 0..1));
    for read in futures::future::join_all(reads).await {
        assert_eq!(read.unwrap_err().kind, DirectoryErrorKind::Unavailable);
    }
    let sent = store.take_requests().len();
    assert!(sent < 250, "{sent} requests in {:?}", start.elapsed());
    store.answer_all_with(None);
    assert_eq!(full_scan(&directory).await.applications.len(), 2);
}

#[tokio::test]
async fn a_listing_that_gets_no_answer_ends() {
    let store = two_applications().await;
    let directory = store.directory();
    store.hang_at(Some("archives"));
    let listing = tokio::time::timeout(Duration::from_mins(1), list(&directory, &Extent::Full)).await;
    let error = listing.expect("it has a time limit").unwrap_err();
    assert!(error.message.contains("did not answer within"), "{error}");
    store.hang_at(None);
    assert_eq!(full_scan(&directory).await.applications.len(), 2);
}
