//! Documents come back byte for byte, however they are asked for.

use std::io::Read as _;
use std::path::PathBuf;

use axum::body::Body;
use axum::http::Request;
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::support::process::copy_of;
use crate::support::served::{Archive, Served, archives_in, samples};
use crate::support::world::{World, WorldOptions};

/// Every document of every sample archive: the path that it is asked for with, and its text.
fn documents() -> Vec<(String, String)> {
    archives_in(&samples()).iter().flat_map(Archive::requested).collect()
}

/// Percent-encodes every byte of a path but the first slash: its separators too.
fn encoded(path: &str) -> String {
    path.bytes().skip(1).fold("/".to_owned(), |encoded, byte| encoded + &format!("%{byte:02x}"))
}

fn unpacked(body: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut text).unwrap();
    text
}

/// Every way to ask for a path.
fn forms(path: &str) -> [String; 4] {
    let upper: Vec<String> = path.split('/').map(|part| if part.len() == 32 { part.to_uppercase() } else { part.to_owned() }).collect();
    [format!("{path}?maxExceptions=10&get=a%2Fb"), format!("/v1{path}"), format!("{path}.json"), format!("/{}/", encoded(&upper.join("/")))]
}

async fn comes_back_over_every_form(server: &Served, path: &str, text: &str) {
    let mut etags = Vec::new();
    for form in &forms(path) {
        let answer = server.get(form).await;
        assert_eq!(answer.status(), 200, "{form}");
        let headers = answer.headers().clone();
        assert_eq!(headers["content-type"], "application/json", "{form}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{form}");
        assert_eq!(headers["content-length"].to_str().unwrap(), text.len().to_string(), "{form}");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'self'"), "{form}");
        etags.push(headers["etag"].clone());
        assert!(answer.bytes().await.unwrap() == text.as_bytes(), "{form} differs");

        let head = server.request("HEAD", form).send().await.unwrap();
        assert_eq!(head.status(), 200, "{form}");
        assert_eq!(head.headers()["content-length"].to_str().unwrap(), text.len().to_string(), "{form}");
        assert_eq!(head.headers()["etag"], headers["etag"], "{form}");
    }
    etags.dedup();
    assert_eq!(etags.len(), 1, "one document, one tag: {path}");

    let packed = server.request("GET", path).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["vary"], "accept-encoding", "{path}");
    let is_packed = packed.headers().get("content-encoding").is_some();
    assert_eq!(is_packed, text.len() >= 1024, "{path}");
    assert_eq!(packed.headers()["etag"].to_str().unwrap().starts_with("W/"), is_packed, "{path}");
    let body = packed.bytes().await.unwrap();
    assert!(if is_packed { unpacked(&body) } else { body.to_vec() } == text.as_bytes(), "{path} differs compressed");

    let known = server.request("GET", path).header("if-none-match", &etags[0]).send().await.unwrap();
    assert_eq!(known.status(), 304, "{path}");
    assert!(known.bytes().await.unwrap().is_empty());
}

/// Every document, each over one of the forms and packed, from whatever the server has of them.
async fn all_come_back(server: &Served) {
    futures::stream::iter(documents().into_iter().enumerate())
        .for_each_concurrent(8, async |(number, (path, text))| {
            let forms = forms(&path);
            let form = &forms[number % forms.len()];
            for encoding in ["identity", "gzip"] {
                let answer = server.request("GET", form).header("accept-encoding", encoding).send().await.unwrap();
                assert_eq!(answer.status(), 200, "{form}");
                let is_packed = answer.headers().contains_key("content-encoding");
                let body = answer.bytes().await.unwrap();
                assert!(if is_packed { unpacked(&body) } else { body.to_vec() } == text.as_bytes(), "{form} differs");
            }
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_of_every_sample_archive_comes_back_byte_for_byte_over_every_form() {
    let server = Served::over(&samples()).await;
    let documents = documents();
    assert!(documents.len() > 3000, "{}", documents.len());
    futures::stream::iter(&documents).for_each_concurrent(8, |(path, text)| comes_back_over_every_form(&server, path, text)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_comes_back_after_a_restart_though_nothing_can_be_listed() {
    let folder = tempfile::tempdir().unwrap();
    let archives: Vec<PathBuf> = ["flink-1.20.5", "flink-2.2.1", "flink-2.3.0"].map(|name| copy_of(name, folder.path())).into();
    let server = Served::over(&archives).await;
    for copy in &archives {
        std::fs::remove_dir_all(copy).unwrap();
    }
    let server = server.restarted(&archives, WorldOptions::default()).await;
    all_come_back(&server).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_comes_back_after_its_eviction() {
    let server = Served::over(&samples()).await;
    let server = server.restarted(&samples(), WorldOptions { max_pack_bytes: 0, ..WorldOptions::default() }).await;
    server.world.until_evicted_to(0).await;
    all_come_back(&server).await;
    server.stop().await;
}

/// One job archive with one large document.
fn with_large_document(folder: &std::path::Path, job: &str, text: &str) {
    let overview = serde_json::json!({"jobs": [{"jid": job, "name": "large", "start-time": 1, "end-time": 2, "duration": 1, "state": "FINISHED",
        "last-modification": 2, "tasks": {"total": 0}}]});
    let archive = serde_json::json!({"archive": [
        {"path": "/jobs/overview", "json": overview.to_string()},
        {"path": format!("/jobs/{job}/exceptions"), "json": text},
        {"path": format!("/jobs/{job}/empty"), "json": ""},
    ]});
    std::fs::write(folder.join(job), archive.to_string()).unwrap();
}

#[tokio::test]
async fn a_document_of_many_chunks_is_streamed_whole() {
    const JOB: &str = "5b6c1e3f0a9d4c7e8f2b1a0d9c8e7f6a";
    let folder = tempfile::tempdir().unwrap();
    let text = (0..700_000).fold("[\"é\"".to_owned(), |text, number: u32| text + "," + &number.to_string()) + "]";
    with_large_document(folder.path(), JOB, &text);
    let server = Served::over(&[folder.path().to_path_buf()]).await;
    let path = format!("/jobs/{JOB}/exceptions");
    let answer = server.get(&path).await;
    assert_eq!(answer.headers()["content-length"].to_str().unwrap(), text.len().to_string());
    assert!(answer.bytes().await.unwrap() == text.as_bytes());
    let packed = server.request("GET", &path).header("accept-encoding", "br;q=0.9, gzip;q=0.1").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(!packed.headers().contains_key("content-length"), "its length is not known before it is compressed");
    assert!(unpacked(&packed.bytes().await.unwrap()) == text.as_bytes());
    let head = server.request("HEAD", &path).send().await.unwrap();
    assert_eq!(head.headers()["content-length"].to_str().unwrap(), text.len().to_string());

    let empty = server.get(&format!("/jobs/{JOB}/empty")).await;
    assert_eq!((empty.status().as_u16(), empty.content_length()), (200, Some(0)));
    server.stop().await;
}

#[tokio::test]
async fn an_answer_is_cut_rather_than_a_mixture_of_two_versions() {
    const JOB: &str = "5b6c1e3f0a9d4c7e8f2b1a0d9c8e7f6a";
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::over(&[folder.path()], data.path(), WorldOptions::default());
    world.full_scan().await;
    let path = format!("/jobs/{JOB}/exceptions");
    for encoding in ["identity", "gzip"] {
        with_large_document(folder.path(), JOB, &format!("old for {encoding} ").repeat(500_000));
        world.full_scan().await;
        let request =
            Request::builder().uri(&path).header("host", "localhost").header("accept-encoding", encoding).body(Body::empty()).unwrap();
        let mut body = world.router.clone().oneshot(request).await.unwrap().into_body();
        body.frame().await.unwrap().unwrap();
        with_large_document(folder.path(), JOB, &format!("newer than {encoding} ").repeat(500_000));
        world.full_scan().await;
        assert!(body.collect().await.is_err(), "{encoding}");
        assert!(world.get(&path).await.body == format!("newer than {encoding} ").repeat(500_000).as_bytes());
    }
    world.close().await;
}
