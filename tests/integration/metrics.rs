//! Metrics: those of `docs/metrics.md` are there, no others are, and no string of an archive is a label.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::archives::{application_folder, id, set_modified, write, write_application};
use crate::support::process::Process;

const END: i64 = 1_795_000_000_000;

/// Names between backticks in the table of metrics.
fn documented() -> BTreeSet<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md")).unwrap();
    let table = text.split("\n## ").next().unwrap();
    table.split('`').filter(|text| text.starts_with("historyserver_")).map(ToOwned::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documented_metrics_are_all_there_and_no_archive_string_is_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let archives = folder.path().join("archives");
    write_application(&archives, "cluster-of-a-user", &id('a'), "name of a user", END, &[&id('1')]);
    write(&archives.join(id('2')), "broken");
    // Not of this moment: a file read within two seconds of its writing is read once more.
    let application = application_folder(&archives, "cluster-of-a-user", &id('a'));
    for file in [application.join("application-summary"), application.join("jobs").join(id('1')), archives.join(id('2'))] {
        set_modified(&file, END);
    }
    let server = Process::start(&[&archives], &folder.path().join("data"), &["historyserver.archive.fs.refresh-interval=10 ms"]);
    // What is known is counted when the next refresh begins.
    server.wait_for_refreshes(3).await;
    server.get(&format!("/jobs/{}", id('1'))).await;
    let text = server.get("/metrics").await.text().await.unwrap();
    let described: BTreeSet<String> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    let mut expected = documented();
    // A local directory has no HTTP requests.
    for of_stores in
        ["historyserver_store_http_requests_total", "historyserver_store_listings_per_day", "historyserver_store_listing_cost_usd_per_day"]
    {
        assert!(expected.remove(of_stores), "{of_stores}");
    }
    assert_eq!(described, expected);
    for private in ["of-a-user", "of a user", &id('a'), &id('1'), &id('2')] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    let value = |start: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}: {text}"));
        // Times have a fraction.
        line.rsplit(' ').next().unwrap().split('.').next().unwrap().parse().unwrap()
    };
    assert_eq!(value("historyserver_applications "), 1);
    assert_eq!(value("historyserver_directory_applications{"), 1);
    assert_eq!(value("historyserver_directory_problems{"), 1);
    assert_eq!(value("historyserver_ingests_total{reason=\"refresh\"}"), 2);
    assert_eq!(value("historyserver_evictions_total "), 0);
    assert!(value("historyserver_store_requests_total{kind=\"read\",result=\"ok\"}") >= 3);
    assert!(value("historyserver_refresh_last_success_timestamp_seconds{") > 1_700_000_000);
}
