//! Clusters whose id is not one plain word: Flink 2.3 writes nested folders for slashes in it.

use std::io::Read as _;
use std::path::Path;

use historyserver::ingest::LookupUnlisted;

use crate::support::archives::{application_folder, id, write_application};
use crate::support::process::Process;
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;
/// Of the archives of Flink 2.3.0 in the fixtures.
const NESTED: &str = "team a/prod ü #1";
const APPLICATION: &str = "ba943cb0334bce506a214f44dc0f93d4";
const JOB: &str = "6f0f5d1861f0b623d870d334fe49763c";

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test]
async fn a_real_archive_of_a_nested_cluster_is_listed_answered_and_downloaded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/versions/flink-2.3.0");
    let data = tempfile::tempdir().unwrap();
    let mut world = World::over(&[&root], data.path(), WorldOptions::default());
    world.full_scan().await;
    assert!(world.applications().await.contains(&APPLICATION.to_owned()));
    assert!(world.jobs().await.contains(&JOB.to_owned()));
    let archive: serde_json::Value =
        serde_json::from_slice(&std::fs::read(application_folder(&root, NESTED, APPLICATION).join("jobs").join(JOB)).unwrap()).unwrap();
    for entry in archive["archive"].as_array().unwrap() {
        let path = entry["path"].as_str().unwrap();
        if path != "/jobs/overview" {
            assert_eq!(world.get(path).await.text(), entry["json"].as_str().unwrap(), "{path}");
        }
    }
    let by_cluster = query(&[("cluster", NESTED)]);
    let list = world.get(&format!("/api/v1/applications?{by_cluster}")).await.json();
    assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["id"]), (1, &APPLICATION.into()));
    assert_eq!(list["items"][0]["cluster"], NESTED);
    let counts = world.get("/api/v1/applications/facets").await.json();
    assert!(counts["cluster"].as_array().unwrap().iter().any(|value| value["value"] == NESTED), "{counts}");
    let download = world.get(&format!("/api/v1/applications/{APPLICATION}/archive?{by_cluster}")).await;
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(download.body)).unwrap();
    let folder = format!("{NESTED}/applications/{APPLICATION}");
    let mut job = Vec::new();
    zip.by_name(&format!("{folder}/jobs/{JOB}")).unwrap().read_to_end(&mut job).unwrap();
    assert_eq!(job, std::fs::read(root.join(&folder).join("jobs").join(JOB)).unwrap());
    assert!(zip.by_name(&format!("{folder}/application-summary")).is_ok());
}

#[tokio::test]
async fn an_application_of_a_known_nested_cluster_is_found_when_it_is_asked_for_and_none_below_a_hidden_name() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, "a/b", &id('1'), "known", END, &[]);
    let options = WorldOptions { lookup_unlisted: LookupUnlisted::Any, ..WorldOptions::default() };
    let mut world = World::over(&[&root], &folder.path().join("data"), options);
    world.full_scan().await;
    write_application(&root, "a/b", &id('2'), "new", END, &[]);
    write_application(&root, "a/_b", &id('3'), "hidden", END, &[]);
    assert_eq!(world.get(&format!("/applications/{}", id('2'))).await.status, 200);
    assert_eq!(world.get(&format!("/applications/{}", id('3'))).await.status, 404);
    assert_eq!(world.get(&format!("/applications/{}", id('4'))).await.status, 404);
}

#[tokio::test]
async fn an_evicted_archive_of_a_nested_cluster_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, NESTED, &id('1'), "name", END, &[&id('2')]);
    let options = WorldOptions { max_pack_bytes: 0, ..WorldOptions::default() };
    let mut world = World::over(&[&root], &folder.path().join("data"), options);
    world.full_scan().await;
    world.until_evicted_to(0).await;
    assert_eq!(world.get(&format!("/jobs/{}/config", id('2'))).await.status, 200);
    // Filters take names with commas, and several names.
    write_application(&root, "x, y", &id('3'), "name", END, &[]);
    world.full_scan().await;
    for (filter, number) in [(vec!["x, y"], 1), (vec!["x, y", NESTED], 2), (vec!["x"], 0)] {
        let pairs: Vec<_> = filter.iter().map(|name| ("cluster", *name)).collect();
        let list = world.get(&format!("/api/v1/applications?{}", query(&pairs))).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), number, "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn file_events_tell_of_arrivals_in_nested_clusters_and_of_new_ones_beside_them() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, "team/x/prod", &id('1'), "settled", END, &[]);
    let server = Process::start(&[&root], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=1 h"]);
    server.wait_until("/applications/overview", "listed", |list| list["applications"].as_array().unwrap().len() == 1).await;
    server.wait_for_refreshes(1).await;
    // Moved in whole, so that one event is all there is. Where the watches are still being made, it is moved out and in again.
    let beside = folder.path().join("beside");
    for (cluster, digit) in [("team/x/prod", '2'), ("team/x/test", '3')] {
        write_application(&beside, cluster, &id(digit), "new", END, &[]);
    }
    let moves = [
        (2, application_folder(&beside, "team/x/prod", &id('2')), application_folder(&root, "team/x/prod", &id('2'))),
        (3, beside.join("team/x/test"), root.join("team/x/test")),
    ];
    for (number, from, to) in moves {
        let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
        loop {
            std::fs::rename(&from, &to).unwrap();
            let listed =
                server.wait_until("/applications/overview", "listed", |list| list["applications"].as_array().unwrap().len() == number);
            if tokio::time::timeout(std::time::Duration::from_secs(5), listed).await.is_ok() {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "never listed {number}");
            std::fs::rename(&to, &from).unwrap();
        }
    }
}
