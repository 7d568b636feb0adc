//! What cannot be answered, is refused, or is an attempt at something else.

use crate::support::raw_http;
use crate::support::served::{Served, samples};

/// A job of the sample archives.
const JOB: &str = "97e64afe56d154c5ef33d6bd2ea42fe0";

#[tokio::test]
async fn unknown_paths_and_ids_are_a_404_in_the_envelope() {
    let server = Served::over(&samples()).await;
    let unknown = "ffffffffffffffffffffffffffffffff";
    for target in [
        "/nothing",
        "/jobs/nonhex",
        "/jobs/overview/more",
        "/applications",
        "/applications/nonhex/exceptions",
        &format!("/jobs/{unknown}"),
        &format!("/jobs/{unknown}/status"),
        &format!("/jobs/{unknown}.json"),
        &format!("/applications/{unknown}/exceptions"),
        &format!("/overviews/{unknown}"),
        &format!("/jobs/{JOB}/metrics"),
        &format!("/jobs/{JOB}/vertices"),
        &format!("/jobs/{JOB}0"),
        &format!("/jobs/{JOB}/jobmanager/log-url"),
        &format!("/jobs/{JOB}/taskmanagers/x/log-url"),
        &format!("/v1/v1/jobs/{JOB}"),
        "/v1",
        "/v1/index.html",
        "/api/v1/nothing",
        "/api",
        "/jars",
        "/taskmanagers",
        "/jobmanager/config",
        "/index_hs.html",
        "/assets/",
        "/job/completed",
        "/jobs/;x=1",
        "/META-INF/MANIFEST.MF",
        "/historyserver.sqlite",
        "/.json",
    ] {
        let answer = raw_http::request(server.address, "GET", target).await;
        assert_eq!(answer.status, 404, "{target}");
        assert_eq!(answer.errors().len(), 1, "{target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{target}");
        let head = raw_http::request(server.address, "HEAD", target).await;
        assert_eq!((head.status, head.header("content-length"), head.body.len()), (404, answer.header("content-length"), 0), "{target}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_path_that_does_not_decode_is_a_400() {
    let server = Served::over(&samples()).await;
    for target in ["/jobs/%zz", "/jobs/%", "/%4", "/jobs/%ff", "/jobs/%c0%af", "/%00", "/index.html%00", &format!("/jobs/{JOB}%00/config")]
    {
        let answer = raw_http::request(server.address, "GET", target).await;
        assert_eq!(answer.status, 400, "{target}");
        assert_eq!(answer.errors().len(), 1, "{target}");
    }
    server.stop().await;
}

#[tokio::test]
async fn traversal_ends_in_a_404_in_every_spelling() {
    let server = Served::over(&samples()).await;
    for up in ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%c0%af", "..;", "%2e%2e%5c", "..\\"] {
        for target in [
            format!("/{up}/{up}/{up}/{up}/{up}/{up}/{up}/etc/passwd"),
            format!("/{up}%2f{up}%2F{up}%2f{up}%2f{up}%2fetc%2fpasswd"),
            format!("/jobs/{JOB}/{up}/{JOB}"),
            format!("/jobs/{up}/config"),
            format!("/v1/{up}/config"),
            format!("/assets/{up}/index.html"),
        ] {
            let answer = raw_http::request(server.address, "GET", &target).await;
            assert!(matches!(answer.status, 400 | 404), "{target}: {}", answer.status);
            assert_eq!(answer.errors().len(), 1, "{target}");
        }
    }
    for target in ["/./config", "/jobs/./overview", "/jobs/%2e/overview", "/config/."] {
        assert_eq!(raw_http::request(server.address, "GET", target).await.status, 404, "{target}");
    }
    server.stop().await;
}

#[tokio::test]
async fn every_method_that_changes_something_is_a_405_with_the_allowed_methods() {
    let server = Served::over(&samples()).await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "QUERY"] {
        for target in [
            "/applications/0d6f4f6e8da5b7e7a3551550ff16c873/cancel",
            &format!("/jobs/{JOB}"),
            &format!("/jobs/{JOB}?mode=cancel"),
            &format!("/v1/jobs/{JOB}/savepoints"),
            "/jars/upload",
            "/jars/x/run",
            "/jobs/overview",
            "/config",
            "/",
            "/healthz",
            "/readyz",
            "/metrics",
            "/api/v1/status",
        ] {
            let answer = raw_http::request(server.address, method, target).await;
            assert_eq!(answer.status, 405, "{method} {target}");
            let allowed: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
            assert_eq!(allowed, ["GET", "HEAD"], "{method} {target}");
            assert_eq!(answer.errors().len(), 1, "{method} {target}");
        }
    }
    for target in ["/jobs/overview", "/", "/readyz", "/jars/upload", "*"] {
        let answer = raw_http::request(server.address, "OPTIONS", target).await;
        assert_eq!(answer.status, 204, "{target}");
        assert_eq!(answer.header("allow").unwrap().replace(' ', ""), "GET,HEAD", "{target}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_connection_goes_on_after_a_refusal() {
    let server = Served::over(&[]).await;
    let requests = "POST /jobs/x/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}DELETE /config HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let answer = raw_http::exchange(server.address, requests.as_bytes()).await;
    assert_eq!(answer.status, 405);
    let rest = String::from_utf8(answer.body).unwrap();
    assert_eq!(rest.matches("HTTP/1.1 405").count(), 1, "{rest}");
    assert_eq!(rest.matches("HTTP/1.1 200").count(), 1, "{rest}");
    server.stop().await;
}

#[tokio::test]
async fn a_large_body_is_refused_unread() {
    let server = Served::over(&[]).await;
    let request = "POST /jars/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n";
    let answer = raw_http::exchange(server.address, request.as_bytes()).await;
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(answer.errors().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn old_and_odd_requests_are_answered() {
    let server = Served::over(&samples()).await;
    for request in [
        "GET /config HTTP/1.0\r\nHost: localhost\r\n\r\n",
        "GET http://localhost/config HTTP/1.1\r\nHost: LOCALHOST:80\r\nConnection: close\r\n\r\n",
        "GET /config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    ] {
        assert_eq!(raw_http::exchange(server.address, request.as_bytes()).await.status, 200, "{request}");
    }
    let long = raw_http::request(server.address, "GET", &format!("/jobs/{}", "a".repeat(12_000))).await;
    assert_eq!(long.status, 404);
    server.stop().await;
}
