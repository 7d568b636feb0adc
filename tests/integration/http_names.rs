//! Under which names the server answers, and what pages of other origins may do.

use historyserver::api::{ApiOptions, Hosts};
use historyserver::names::HostPattern;

use crate::support::raw_http;
use crate::support::served::{Served, samples};
use crate::support::world::WorldOptions;

const JOB: &str = "97e64afe56d154c5ef33d6bd2ea42fe0";

/// Paths of every kind: of Flink, of this server, of the page, of operators, and none.
fn paths() -> Vec<String> {
    let fixed = [
        "/",
        "/config",
        "/jobs/overview",
        "/v1/applications/overview",
        "/api/v1/status",
        "/api/v1/jobs/export",
        "/api/v1/search?q=flink",
        "/api/v1/",
        "/api/v1",
        "/metrics",
        "/healthz",
        "/readyz",
        "/nothing",
    ];
    fixed.iter().map(|path| (*path).to_owned()).chain([format!("/jobs/{JOB}"), format!("/api/v1/jobs/{JOB}/archive")]).collect()
}

async fn status(server: &Served, method: &str, target: &str, hosts: &[&str]) -> u16 {
    let mut lines = vec![format!("{method} {target} HTTP/1.1")];
    lines.extend(hosts.iter().map(|host| format!("Host: {host}")));
    let request = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    raw_http::exchange(server.address, request.as_bytes()).await.status
}

#[tokio::test]
async fn on_loopback_a_foreign_name_of_the_server_is_refused() {
    let server = Served::over(&samples()).await;
    for path in paths() {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            assert_eq!(status(&server, method, &path, &["rebound.example"]).await, 421, "{method} {path}");
            assert_eq!(status(&server, method, &path, &[]).await, 400, "{method} {path}");
            assert_eq!(status(&server, method, &path, &["localhost", "rebound.example"]).await, 400, "{method} {path}");
        }
    }
    let port = server.address.port();
    for own in ["127.0.0.1", "localhost", "[::1]", "LocalHost."] {
        for host in [own.to_owned(), format!("{own}:{port}"), format!("{own}:1")] {
            assert_eq!(status(&server, "GET", "/jobs/overview", &[&host]).await, 200, "{host}");
        }
    }
    for foreign in ["10.0.0.7", "127.0.0.1.example", "localhost.example", "0.0.0.0", "[::]"] {
        assert_eq!(status(&server, "GET", "/jobs/overview", &[foreign]).await, 421, "{foreign}");
    }
    for invalid in ["", "localhost:x", "user@localhost", "localhost, rebound.example", "local host", "[::1"] {
        assert_eq!(status(&server, "GET", "/jobs/overview", &[invalid]).await, 400, "{invalid}");
    }
    for (target, host, expected) in [
        ("http://localhost/config", "localhost", 200),
        ("http://rebound.example/config", "localhost", 400),
        ("http://localhost/config", "rebound.example", 400),
        ("http://rebound.example/config", "rebound.example", 421),
    ] {
        assert_eq!(status(&server, "GET", target, &[host]).await, expected, "{target} {host}");
    }
    assert_eq!(raw_http::exchange(server.address, b"GET /config HTTP/1.0\r\n\r\n").await.status, 400);
    let answer = raw_http::exchange(server.address, b"GET / HTTP/1.1\r\nHost: flink.example\r\nConnection: close\r\n\r\n").await;
    assert!(answer.errors()[0].contains("under the name \"flink.example\"") && answer.errors()[0].contains("historyserver.web.hosts"));
    server.stop().await;
}

#[tokio::test]
async fn elsewhere_the_names_of_the_configuration_and_addresses_are_answered() {
    let with = |names: Vec<HostPattern>| {
        let api = ApiOptions { hosts: Hosts::new([0, 0, 0, 0].into(), names), ..ApiOptions::default() };
        WorldOptions { api, ..WorldOptions::default() }
    };
    let server = Served::unread(&[], with(vec![HostPattern::Exactly("flink.example".to_owned())])).await;
    for (host, expected) in [
        ("flink.example", 200),
        ("FLINK.example:8443", 200),
        // Probes ask for the address of a pod, a tunnel for localhost.
        ("10.0.0.7:8082", 200),
        ("localhost:8082", 200),
        ("other.example", 421),
    ] {
        for path in ["/healthz", "/config"] {
            assert_eq!(status(&server, "GET", path, &[host]).await, expected, "{host} {path}");
        }
    }
    server.stop().await;
    let server = Served::unread(&[], with(Vec::new())).await;
    assert_eq!(status(&server, "GET", "/config", &["any.example"]).await, 200);
    assert_eq!(status(&server, "GET", "/config", &[]).await, 400);
    server.stop().await;
}

#[tokio::test]
async fn pages_of_other_origins_frame_and_read_nothing_unless_they_are_named() {
    let server = Served::over(&samples()).await;
    let job = format!("/jobs/{JOB}");
    for path in ["/", job.as_str(), "/api/v1/status", "/nothing"] {
        let answer = server.request("GET", path).header("origin", "https://portal.example").send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.ends_with("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control-")), "{path}");
    }
    server.stop().await;

    let portal = || vec!["https://portal.example".to_owned(), "http://localhost:3000".to_owned()];
    let api = ApiOptions { frame_ancestors: portal(), cors_origins: portal(), ..ApiOptions::default() };
    let mut server = Served::unread(&samples(), WorldOptions { api, ..WorldOptions::default() }).await;
    server.world.full_scan().await;
    for path in ["/", job.as_str(), "/api/v1/status", "/nothing"] {
        for origin in ["https://portal.example", "http://localhost:3000"] {
            let answer = server.request("GET", path).header("origin", origin).send().await.unwrap();
            let headers = answer.headers();
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'self';"), "{path}: {policy}");
            assert!(policy.ends_with("frame-ancestors https://portal.example http://localhost:3000"), "{path}: {policy}");
            assert!(!headers.contains_key("x-frame-options"), "{path}");
            assert_eq!(headers["access-control-allow-origin"], origin, "{path}");
            assert!(headers["access-control-expose-headers"].to_str().unwrap().contains("etag"), "{path}");
            assert!(headers.get_all("vary").iter().any(|value| value == "origin"), "{path}");
        }
        // Origins that are not configured read nothing. Vary says that the answer depends on the origin.
        for origin in ["https://other.example", "https://portal.example.evil.example", "null", "http://portal.example"] {
            let answer = server.request("GET", path).header("origin", origin).send().await.unwrap();
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{path} {origin}");
            assert!(answer.headers().get_all("vary").iter().any(|value| value == "origin"), "{path} {origin}");
        }
    }
    let etag = server.get(&job).await.headers()["etag"].clone();
    let kept = server.request("GET", &job).header("if-none-match", etag).header("origin", "https://portal.example").send().await.unwrap();
    assert_eq!((kept.status().as_u16(), &kept.headers()["access-control-allow-origin"]), (304, &"https://portal.example".parse().unwrap()));

    let ask = |method: &'static str, origin: &'static str| {
        let request = server.request("OPTIONS", &job).header("origin", origin).header("access-control-request-method", method);
        request.header("access-control-request-headers", "if-none-match").send()
    };
    let allowed = ask("GET", "https://portal.example").await.unwrap();
    assert_eq!(allowed.status(), 204);
    assert_eq!(allowed.headers()["access-control-allow-methods"], "GET, HEAD");
    assert!(allowed.headers()["access-control-allow-headers"].to_str().unwrap().contains("if-none-match"));
    for (method, origin) in [("POST", "https://portal.example"), ("DELETE", "https://portal.example"), ("GET", "https://other.example")] {
        let refused = ask(method, origin).await.unwrap();
        assert!(!refused.headers().keys().any(|name| name.as_str().starts_with("access-control-")), "{method} {origin}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_page_of_the_api_is_found_without_its_last_slash_below_any_path() {
    let server = Served::unread(&[], WorldOptions::default()).await;
    let answer = server.get("/api/v1").await;
    assert_eq!((answer.status().as_u16(), answer.url().path()), (200, "/api/v1/"), "the client follows");
    answer.bytes().await.unwrap();
    let raw = raw_http::request(server.address, "GET", "/api/v1").await;
    assert_eq!((raw.status, raw.header("location")), (308, Some("v1/")), "no proxy has to mend it");
    let document = server.json("/api/v1/openapi.json").await;
    let base = "https://proxy.example/flink/history/api/v1/openapi.json".parse::<reqwest::Url>().unwrap();
    let servers: Vec<String> =
        document["servers"].as_array().unwrap().iter().map(|each| base.join(each["url"].as_str().unwrap()).unwrap().into()).collect();
    assert_eq!(servers, ["https://proxy.example/flink/history/"]);
    server.stop().await;
}
