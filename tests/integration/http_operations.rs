//! `/config`, log URLs, health, readiness, metrics and status.

use std::time::Duration;

use historyserver::api::{ApiOptions, LogUrlPattern, LogUrls};
use historyserver::clock::SystemZone;
use serde_json::json;

use crate::support::process::{Process, command};
use crate::support::served::{Served, samples};
use crate::support::world::WorldOptions;

#[tokio::test]
async fn config_has_every_field_of_flinks_dashboard_configuration() {
    let api = ApiOptions {
        flink_version: "2.4.1".to_owned(),
        web_refresh_interval: Duration::from_millis(2500),
        time_zone: SystemZone::Named(chrono_tz::Tz::Asia__Tokyo),
        ..ApiOptions::default()
    };
    let server = Served::unread(&[], WorldOptions { api, ..WorldOptions::default() }).await;
    for path in ["/config", "/v1/config", "/config.json"] {
        let config = server.json(path).await;
        let fields: Vec<&String> = config.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["refresh-interval", "timezone-name", "timezone-offset", "flink-version", "flink-revision", "features"]);
        assert_eq!(config["refresh-interval"], 2500);
        assert_eq!((&config["timezone-name"], &config["timezone-offset"]), (&json!("Asia/Tokyo"), &json!(32_400_000)));
        assert_eq!(config["flink-version"], "2.4.1");
        assert!(config["flink-revision"].is_string());
        assert_eq!(config["features"], json!({"web-submit": false, "web-cancel": false, "web-rescale": false, "web-history": true}));
    }
    server.stop().await;
}

#[tokio::test]
async fn log_urls_are_answered_as_configured() {
    let pattern = |text: &str| LogUrlPattern::parse(text).unwrap();
    let log_urls = LogUrls {
        jobmanager: pattern("logs.example/jm/<jobid>"),
        taskmanager: pattern("https://logs.example/<jobid>/<tmid>?again=<tmid>"),
    };
    let server =
        Served::unread(&[], WorldOptions { api: ApiOptions { log_urls, ..ApiOptions::default() }, ..WorldOptions::default() }).await;
    for (path, url) in [
        ("/jobs/e1d9deddd549db7452c9b05e92316734/jobmanager/log-url", "http://logs.example/jm/e1d9deddd549db7452c9b05e92316734"),
        ("/v1/jobs/any/jobmanager/log-url/?x=1", "http://logs.example/jm/any"),
        ("/jobs/any/taskmanagers/10.0.0.1:6122-ab/log-url", "https://logs.example/any/10.0.0.1:6122-ab?again=10.0.0.1:6122-ab"),
        ("/jobs/any/taskmanagers/tm%20x%23%3F/log-url", "https://logs.example/any/tm%20x%23%3F?again=tm%20x%23%3F"),
    ] {
        assert_eq!(server.json(path).await, json!({ "url": url }), "{path}");
    }
    for path in ["/jobs/any/taskmanagers/a%2Fb/log-url", "/jobs/any/jobmanager/log-url.json"] {
        assert_eq!(server.get(path).await.status(), 404, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_server_is_alive_at_once_and_ready_when_it_has_listed() {
    let mut server = Served::unread(&samples(), WorldOptions::default()).await;
    assert_eq!(server.get("/healthz").await.status(), 200);
    let unready = server.get("/readyz").await;
    assert_eq!(unready.status(), 503);
    let body: serde_json::Value = serde_json::from_slice(&unready.bytes().await.unwrap()).unwrap();
    assert_eq!((&body["ready"], body["reason"].is_string()), (&json!(false), true));

    server.world.full_scan().await;
    let ready = server.json("/readyz").await;
    assert_eq!((&ready["ready"], &ready["reason"]), (&json!(true), &json!(null)));
    assert!(ready["applications"].as_u64().unwrap() > 0);
    server.stop().await;
}

#[tokio::test]
async fn the_status_has_version_directories_refreshes_figures_and_problems() {
    let archives = tempfile::tempdir().unwrap();
    std::fs::copy(samples()[0].join("97e64afe56d154c5ef33d6bd2ea42fe0"), archives.path().join("97e64afe56d154c5ef33d6bd2ea42fe0")).unwrap();
    std::fs::write(archives.path().join("00000000000000000000000000000001"), "{\"archive\":[{\"secret-content").unwrap();
    let server = Served::over(&[archives.path().to_path_buf()]).await;
    let status = server.json("/api/v1/status").await;
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["readiness"]["ready"], true);
    assert!(status["uptime_ms"].as_i64().unwrap() >= 0);
    assert_eq!(status["refresh"]["finished"], 1);
    assert_eq!(status["refresh"]["directories"][0]["state"], "listed");
    assert_eq!(status["figures"]["jobs"], 1);
    assert_eq!(status["problems"]["total"], 1);
    let problem = &status["problems"]["shown"][0];
    assert_eq!(problem["code"], "archive-unreadable");
    assert_eq!(problem["subject"]["file"], "00000000000000000000000000000001");
    assert!(!problem["reason"].as_str().unwrap().contains("secret-content"));
    server.stop().await;
}

#[tokio::test]
async fn metrics_count_requests_by_template_and_never_name_a_path() {
    let server = Served::over(&samples()).await;
    let job = "97e64afe56d154c5ef33d6bd2ea42fe0";
    server.get(&format!("/jobs/{job}/exceptions?maxExceptions=strange")).await;
    server.get(&format!("/jobs/{job}/a-strange-document")).await;
    server.get("/a-strange-path").await;
    server.get("/healthz").await;
    let answer = server.get("/metrics").await;
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    let text = answer.text().await.unwrap();
    for expected in [
        "historyserver_http_requests_total{route=\"/jobs/{jobid}/exceptions\",method=\"GET\",status=\"200\"}",
        "historyserver_http_requests_total{route=\"/jobs/{jobid}/{*document}\",method=\"GET\",status=\"404\"}",
        "historyserver_http_requests_total{route=\"unknown\",method=\"GET\",status=\"404\"}",
        "historyserver_http_requests_total{route=\"/healthz\",method=\"GET\",status=\"200\"}",
        "historyserver_http_request_duration_seconds_bucket{route=\"/healthz\",le=\"0.0001\"}",
        "# HELP historyserver_applications",
        "# TYPE historyserver_jobs gauge",
    ] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    for archived in [job, "strange"] {
        assert!(!text.contains(archived), "{archived} is in\n{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_time_zone_of_a_rule_has_the_name_that_java_gives_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    std::fs::create_dir(&root).unwrap();
    for (number, (zone, name, offset)) in [
        ("CST-8", "GMT+08:00", 28_800_000),
        ("EST5", "GMT-05:00", -18_000_000),
        ("UTC0", "Greenwich Mean Time", 0),
        ("IST-5:30", "GMT+05:30", 19_800_000),
        (":Asia/Tokyo", "Asia/Tokyo", 32_400_000),
    ]
    .into_iter()
    .enumerate()
    {
        let mut started = command(&[&root], &folder.path().join(format!("data-{number}")), &[]);
        started.env("TZ", zone);
        let server = Process::spawn(started);
        let config = server.json("/config").await;
        assert_eq!(
            (&config["timezone-name"], &config["timezone-offset"]),
            (&serde_json::Value::from(name), &serde_json::Value::from(offset)),
            "{zone}"
        );
    }
}
