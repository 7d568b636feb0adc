//! `historyserver cleanup`: with and without a running server.

use std::process::Output;

use serde_json::Value;

use super::world::{Place, id};
use crate::support::process::{Process, command};

fn ten(place: &Place) {
    for number in 1..=10 {
        place.application(number, i64::from(number));
    }
}

fn run(place: &Place, options: &[&str], arguments: &[&str]) -> Output {
    command(&[&place.root()], &place.data(), options).arg("cleanup").args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

const KEEP_4: &str = "historyserver.archive.retained-applications=4";
/// More than half goes with the first cleanup, as with Flink.
const AT_ONCE: &str = "historyserver.archive.retention.max-delete-fraction=1.0";
const GUARDED: &str = "historyserver.archive.retention.max-delete-fraction=0.5";
const RARELY: &str = "historyserver.archive.retention.cron=0 0 1 1 *";

#[tokio::test]
async fn without_a_server_it_shows_and_then_does_the_same() {
    let place = Place::new();
    ten(&place);
    let preview = run(&place, &[KEEP_4, AT_ONCE], &["--dry-run", "--json"]);
    assert_eq!(code(&preview), 0, "{preview:?}");
    let shown: Vec<Value> = json(&preview)["removals"].as_array().unwrap().iter().map(|row| row["application"].clone()).collect();
    assert_eq!(shown, (5..=10).map(id).collect::<Vec<_>>());
    assert_eq!(place.present().len(), 10);
    let text = stdout(&run(&place, &[KEEP_4, AT_ONCE], &["--dry-run"]));
    assert!(text.contains(&id(5)) && text.contains("number 5 from the newest, the limit is 4"), "{text}");
    assert!(text.contains("6 would be deleted or forgotten"), "{text}");
    let done = run(&place, &[KEEP_4, AT_ONCE], &[]);
    assert_eq!(code(&done), 0, "{done:?}");
    assert!(stdout(&done).contains("deleted 6 "), "{done:?}");
    assert_eq!(place.present(), (1..=4).collect());
    assert_eq!(json(&run(&place, &[KEEP_4, AT_ONCE], &["--json"]))["report"]["deleted"], 0);
    // The server that starts then lists what is left, and has the record.
    let server = Process::start(&[&place.root()], &place.data(), &[KEEP_4, AT_ONCE]);
    server.wait_until("/applications/overview", "listed", |all| all["applications"].as_array().unwrap().len() == 4).await;
    assert_eq!(server.json("/api/v1/deletions").await["deletions"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_dry_run_neither_deletes_nor_forgets() {
    let place = Place::new();
    ten(&place);
    let server = Process::start(&[&place.root()], &place.data(), &[]);
    server.wait_until("/applications/overview", "listed", |all| all["applications"].as_array().unwrap().len() == 10).await;
    drop(server);
    std::fs::remove_dir_all(place.root().join("c/applications").join(id(10))).unwrap();
    let forget = "historyserver.archive.clean-expired-applications=true";
    let preview = json(&run(&place, &[forget], &["--dry-run", "--json"]));
    assert_eq!(preview["removals"].as_array().unwrap().len(), 1, "{preview}");
    assert_eq!((&preview["removals"][0]["action"], &preview["removals"][0]["reason"]), (&"forget".into(), &"gone".into()));
    // Without the option nothing was lost by looking.
    let server = Process::start(&[&place.root()], &place.data(), &[]);
    server.wait_for_refreshes(1).await;
    assert_eq!(server.json("/applications/overview").await["applications"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn the_command_reaches_the_running_server_even_if_http_is_restricted() {
    let place = Place::new();
    ten(&place);
    let options = [KEEP_4, GUARDED, RARELY, "historyserver.web.address=0.0.0.0", "historyserver.security.authentication=none"];
    let server = Process::start(&[&place.root()], &place.data(), &options);
    server.wait_for_refreshes(1).await;
    let held = run(&place, &options, &["--json"]);
    assert_eq!(code(&held), 2, "{held:?}");
    assert_eq!(json(&held)["report"]["deleted"], 0);
    let plan = json(&held)["held_back"][0]["plan"].as_str().unwrap().to_owned();
    let preview = run(&place, &options, &["--dry-run"]);
    assert_eq!(code(&preview), 2, "{preview:?}");
    assert!(stdout(&preview).contains(&plan) && stdout(&preview).contains("(on hold)"), "{preview:?}");
    let wrong = run(&place, &options, &["--confirm", "0123456789abcdef"]);
    assert_eq!(code(&wrong), 1, "{wrong:?}");
    assert_eq!(place.present().len(), 10);
    let confirmed = run(&place, &options, &["--confirm", &plan]);
    assert_eq!(code(&confirmed), 0, "{confirmed:?}");
    assert!(stdout(&confirmed).contains("deleted 6 "), "{confirmed:?}");
    assert_eq!(place.present(), (1..=4).collect());
}

#[tokio::test]
async fn without_a_server_a_cleanup_is_held_and_confirmed_too() {
    let place = Place::new();
    ten(&place);
    let held = run(&place, &[KEEP_4, GUARDED], &["--json"]);
    assert_eq!(code(&held), 2, "{held:?}");
    let plan = json(&held)["held_back"][0]["plan"].as_str().unwrap().to_owned();
    assert_eq!(code(&run(&place, &[KEEP_4, GUARDED], &["--confirm", "0123456789abcdef"])), 1);
    let confirmed = run(&place, &[KEEP_4, GUARDED], &["--confirm", &plan]);
    assert_eq!(code(&confirmed), 0, "{confirmed:?}");
    assert_eq!(place.present(), (1..=4).collect());
}

#[tokio::test]
async fn wrong_options_end_with_64_and_a_directory_that_cannot_be_listed_with_1() {
    let place = Place::new();
    assert_eq!(code(&run(&place, &["historyserver.archive.retention.cron=x"], &[])), 64);
    assert_eq!(code(&run(&place, &[], &["--dry-run", "--confirm", "x"])), 64);
    std::fs::remove_dir(place.root()).unwrap();
    std::fs::write(place.root(), "a file").unwrap();
    let failed = run(&place, &[], &[]);
    assert_eq!(code(&failed), 1, "{failed:?}");
    assert!(stdout(&failed).contains("not listed"), "{failed:?}");
}
