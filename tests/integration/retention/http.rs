//! Cleanups asked for, shown and recorded over HTTP, by a server as its users run it.

use serde_json::{Value, json};

use super::world::{Place, id};
use crate::support::process::{Process, command};

/// More than half goes with the first cleanup, as with Flink.
const AT_ONCE: &str = "historyserver.archive.retention.max-delete-fraction=1.0";

fn ten(place: &Place) {
    for number in 1..=10 {
        place.application(number, i64::from(number));
    }
}

fn start(place: &Place, options: &[&str]) -> Process {
    Process::start(&[&place.root()], &place.data(), options)
}

async fn post(server: &Process, path: &str, body: &str) -> reqwest::Response {
    let request = server.client.post(format!("{}{path}", server.base)).header("content-type", "application/json");
    request.body(body.to_owned()).send().await.unwrap()
}

async fn done(server: &Process, accepted: &Value) -> Value {
    let number = accepted["request"].as_u64().unwrap();
    server.wait_until("/api/v1/status", "cleaned up", |status| status["cleanup"]["requested"].as_u64() >= Some(number)).await
}

#[tokio::test]
async fn without_a_time_of_the_day_a_cleanup_follows_every_refresh() {
    let place = Place::new();
    ten(&place);
    let server =
        start(&place, &["historyserver.archive.retained-applications=3", AT_ONCE, "historyserver.archive.fs.refresh-interval=50ms"]);
    let overview = |listed: usize| move |overview: &Value| overview["applications"].as_array().unwrap().len() == listed;
    server.wait_until("/api/v1/deletions", "deleted", |record| record["deletions"].as_array().unwrap().len() == 7).await;
    server.wait_until("/applications/overview", "listed", overview(3)).await;
    assert_eq!(place.present(), [1, 2, 3].into());
    place.application(11, 0);
    server.wait_until("/api/v1/deletions", "deleted", |record| record["deletions"].as_array().unwrap().len() == 8).await;
    assert_eq!(place.present(), [1, 2, 11].into());
    let page = server.json("/api/v1/deletions?limit=5").await;
    assert_eq!(page["deletions"].as_array().unwrap().len(), 5);
    assert_eq!(page["deletions"][0]["application"], id(3));
    assert_eq!(page["deletions"][0]["name"], "application 3");
    assert_eq!(page["deletions"][0]["done"], "deleted");
    let rest = server.json(&format!("/api/v1/deletions?limit=5&cursor={}", page["next"].as_str().unwrap())).await;
    assert_eq!((rest["deletions"].as_array().unwrap().len(), &rest["next"]), (3, &Value::Null));
}

#[tokio::test]
async fn with_a_cron_expression_due_removals_are_shown_first_and_deleted_then() {
    let place = Place::new();
    ten(&place);
    let once = ["historyserver.archive.retained-applications=4", AT_ONCE, "historyserver.archive.retention.cron=0 0 1 1 *"];
    let mut server = start(&place, &once);
    server.wait_for_refreshes(1).await;
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["cleanup"]["next"].as_array().unwrap().len(), 3);
    let preview = server.json("/api/v1/retention/preview?limit=4").await;
    assert_eq!(preview["next_runs"], status["cleanup"]["next"]);
    let rest = server.json(&format!("/api/v1/retention/preview?cursor={}", preview["next"].as_str().unwrap())).await;
    let shown: Vec<&str> = [&preview, &rest]
        .into_iter()
        .flat_map(|page| page["removals"].as_array().unwrap())
        .map(|row| row["application"].as_str().unwrap())
        .collect();
    assert_eq!(shown, (5..=10).map(id).collect::<Vec<_>>());
    assert_eq!(preview["removals"][0]["action"], "delete");
    assert_eq!(place.present().len(), 10);
    server.terminate();
    let every_second = ["historyserver.archive.retained-applications=4", AT_ONCE, "historyserver.archive.retention.cron=* * * * * *"];
    let server = start(&place, &every_second);
    server.wait_until("/api/v1/deletions", "deleted", |record| record["deletions"].as_array().unwrap().len() == 6).await;
    assert_eq!(place.present(), (1..=4).collect());
}

#[tokio::test]
async fn a_requested_cleanup_refreshes_and_cleans_up_once() {
    let place = Place::new();
    ten(&place);
    let options = [
        "historyserver.archive.retained-applications=4",
        "historyserver.archive.retention.cron=0 0 1 1 *",
        "historyserver.archive.retention.max-delete-fraction=0.5",
        "historyserver.archive.fs.refresh-interval=1h",
    ];
    let server = start(&place, &options);
    server.wait_for_refreshes(1).await;
    let ready = server.json("/readyz").await;
    let plan = ready["cleanups_held_back"][0]["plan"].as_str().unwrap().to_owned();
    assert_eq!(server.json("/api/v1/retention/preview").await["held_back"][0]["plan"], plan.as_str());
    // Whoever is let ask for a cleanup is not let confirm one: that takes a command on the server's machine.
    let refused = post(&server, "/api/v1/cleanup", &json!({ "confirm": plan }).to_string()).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.text().await.unwrap().contains("historyserver cleanup --confirm PLAN-ID"));
    // Others wait: the next changing request is taken a few seconds later.
    let hasty = post(&server, "/api/v1/cleanup", "{}").await;
    assert_eq!(hasty.status(), 429);
    assert!(hasty.headers().contains_key("retry-after"));
    let accepted = loop {
        let answer = post(&server, "/api/v1/cleanup", "{}").await;
        if answer.status() != 429 {
            assert_eq!(answer.status(), 202);
            break serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    let status = done(&server, &accepted).await;
    assert_eq!(status["cleanup"]["last_requested"]["deleted"], 0);
    assert_eq!(place.present().len(), 10);
    let mut confirmation = command(&[&place.root()], &place.data(), &options);
    let confirmed = confirmation.args(["cleanup", "--confirm", &plan]).output().unwrap();
    assert!(confirmed.status.success(), "{confirmed:?}");
    assert_eq!(place.present(), (1..=4).collect());
}

#[tokio::test]
async fn changing_requests_are_taken_only_from_whom_they_should_be() {
    let place = Place::new();
    let server = start(&place, &[]);
    for (path, body) in [("/api/v1/cleanup", "{}"), ("/api/v1/refresh", "{}")] {
        let url = format!("{}{path}", server.base);
        let plain = server.client.post(&url).header("content-type", "text/plain").body(body).send().await.unwrap();
        assert_eq!(plain.status(), 415);
        let rebound = server.client.post(&url).header("content-type", "application/json").header("host", "evil.example");
        assert_eq!(rebound.body(body).send().await.unwrap().status(), 421);
        let other_page = server.client.post(&url).header("content-type", "application/json").header("origin", "http://localhost:1");
        assert_eq!(other_page.body(body).send().await.unwrap().status(), 403);
        assert_eq!(server.get(path).await.status(), 405);
    }
    let wrong = post(&server, "/api/v1/cleanup", r#"{"confirn":"x"}"#).await;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().await.unwrap().contains("confirm"));
    let place = Place::new();
    let open = start(&place, &["historyserver.web.address=0.0.0.0", "historyserver.security.authentication=none"]);
    let base = open.base.replace("0.0.0.0", "127.0.0.1");
    let answer = open.client.post(format!("{base}/api/v1/cleanup")).header("content-type", "application/json").body("{}");
    assert_eq!(answer.send().await.unwrap().status(), 403);
    let place = Place::new();
    let remote = start(
        &place,
        &[
            "historyserver.web.address=0.0.0.0",
            "historyserver.security.authentication=none",
            "historyserver.web.allow-remote-actions=true",
            "historyserver.web.hosts=*, flink.example",
        ],
    );
    let base = remote.base.replace("0.0.0.0", "127.0.0.1");
    for (host, origin, status) in [
        ("rebound.example", "http://rebound.example", 403),
        ("flink.example", "http://rebound.example", 403),
        ("flink.example", "https://flink.example", 202),
    ] {
        let request = remote.client.post(format!("{base}/api/v1/refresh")).header("content-type", "application/json");
        let answer = request.header("host", host).header("origin", origin).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), status, "{host} {origin}");
    }
}

#[tokio::test]
async fn pages_of_the_record_and_of_the_preview_refuse_invalid_parameters() {
    // Its folders are there as long as it is.
    let place = Place::new();
    let server = start(&place, &[]);
    for path in ["/api/v1/deletions", "/api/v1/retention/preview"] {
        for query in ["limit=0", "limit=1001", "limit=x", "cursor=zz", "page=2"] {
            assert_eq!(server.get(&format!("{path}?{query}")).await.status(), 400, "{path}?{query}");
        }
        assert_eq!(server.get(&format!("{path}?limit=1000")).await.status(), 200);
    }
}
