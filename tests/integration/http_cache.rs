//! Documents that are kept in memory are the documents of the index: never those of an archive that was replaced, evicted or forgotten.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use historyserver::api::ApiOptions;
use historyserver::refresh::plan::Rules;

use crate::support::archives::{application_folder, id, set_modified, write_application};
use crate::support::process::Process;
use crate::support::world::{Answer, World, WorldOptions};

const JOB: &str = "5b6c1e3f0a9d4c7e8f2b1a0d9c8e7f6a";

fn path() -> String {
    format!("/jobs/{JOB}/exceptions")
}

/// Writes a job archive with this document.
fn write_job(folder: &Path, text: &str) {
    let overview = serde_json::json!({"jobs": [{"jid": JOB, "name": "job", "start-time": 1, "end-time": 2, "duration": 1, "state": "FINISHED",
        "last-modification": 2, "tasks": {"total": 0}}]});
    let archive = serde_json::json!({"archive": [
        {"path": "/jobs/overview", "json": overview.to_string()},
        {"path": path(), "json": text},
    ]});
    let written = folder.join("being-written");
    std::fs::write(&written, archive.to_string()).unwrap();
    std::fs::rename(written, folder.join(JOB)).unwrap();
}

/// The document of this version. Each version has a length of its own, so that a listing shows every change.
fn version(number: usize) -> String {
    format!("\"version {number}{}\"", ".".repeat(2_000 + number))
}

fn number(text: &str) -> usize {
    text.trim_start_matches("\"version ").split('.').next().unwrap().parse().unwrap()
}

async fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.request(request.body(Body::empty()).unwrap()).await
}

fn unpacked(body: &[u8]) -> String {
    std::io::read_to_string(flate2::read::GzDecoder::new(body)).unwrap()
}

/// The document in both encodings, each twice: from the index, and from memory where it is kept.
async fn is_version(world: &World, expected: usize) {
    for _ in 0..2 {
        let plain = get(world, &path(), &[]).await;
        assert_eq!((plain.status.as_u16(), plain.text()), (200, version(expected)));
        let packed = get(world, &path(), &[("accept-encoding", "gzip")]).await;
        assert_eq!((packed.headers["content-encoding"].to_str().unwrap(), unpacked(&packed.body)), ("gzip", version(expected)));
        let tag = plain.headers["etag"].to_str().unwrap();
        assert_eq!(packed.headers["etag"].to_str().unwrap(), format!("W/{tag}"));
        assert_eq!(get(world, &path(), &[("if-none-match", tag)]).await.status, 304);
    }
}

#[tokio::test]
async fn a_replaced_archive_is_answered_with_its_new_documents_and_tags() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::over(&[folder.path()], data.path(), WorldOptions::default());
    let mut last_tag = "\"none\"".to_owned();
    for number in 1..=5 {
        write_job(folder.path(), &version(number));
        world.full_scan().await;
        let answer = get(&world, &path(), &[("if-none-match", &last_tag)]).await;
        assert_eq!(answer.status, 200, "the tag is of the version before");
        answer.headers["etag"].to_str().unwrap().clone_into(&mut last_tag);
        is_version(&world, number).await;
    }
    world.close().await;
}

#[tokio::test]
async fn a_change_of_precedence_is_answered_with_the_other_copy() {
    let (first, second, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rules = Rules { forget_gone_legacy_jobs: true, ..Rules::default() };
    let options = WorldOptions { rules, ..WorldOptions::default() };
    let mut world = World::over(&[first.path(), second.path()], data.path(), options);
    write_job(first.path(), &version(1));
    world.full_scan().await;
    is_version(&world, 1).await;
    write_job(second.path(), &version(2));
    world.full_scan().await;
    is_version(&world, 2).await;
    std::fs::remove_file(second.path().join(JOB)).unwrap();
    world.full_scan().await;
    is_version(&world, 1).await;
    std::fs::remove_file(first.path().join(JOB)).unwrap();
    world.full_scan().await;
    assert_eq!(get(&world, &path(), &[]).await.status, 404, "forgotten, since it is gone");
    world.close().await;
}

#[tokio::test]
async fn an_evicted_archive_is_read_again_and_410_once_it_is_gone() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let rules = Rules { empty_grace: Duration::ZERO, ..Rules::default() };
    let options = WorldOptions { max_pack_bytes: 0, restored_grace: Duration::from_millis(100), rules, ..WorldOptions::default() };
    let mut world = World::over(&[folder.path()], data.path(), options);
    write_job(folder.path(), &version(1));
    world.full_scan().await;
    is_version(&world, 1).await;
    world.until_evicted_to(0).await;
    is_version(&world, 1).await;
    world.until_evicted_to(0).await;
    std::fs::remove_file(folder.path().join(JOB)).unwrap();
    assert_eq!(get(&world, &path(), &[]).await.status, 410, "it is neither in the index nor in its directory");
    world.close().await;
}

#[tokio::test]
async fn every_size_of_the_memory_answers_the_same() {
    for document_memory in [0, 1, 1_000, 40_000, 64 << 20] {
        let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let api = ApiOptions { document_memory, ..ApiOptions::default() };
        let mut world = World::over(&[folder.path()], data.path(), WorldOptions { api, ..WorldOptions::default() });
        for number in 1..=2 {
            write_job(folder.path(), &version(number));
            world.full_scan().await;
            is_version(&world, number).await;
        }
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_after_a_refresh_gets_a_document_from_before_it() {
    const VERSIONS: usize = 25;
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut world = World::over(&[folder.path()], data.path(), WorldOptions::default());
    write_job(folder.path(), &version(1));
    world.full_scan().await;
    let router = world.router.clone();
    let published = Cell::new(1);
    let reading = async {
        let mut answers = 0;
        while published.get() < VERSIONS {
            let at_least = published.get();
            let request = Request::builder().uri(path()).header("host", "localhost").body(Body::empty()).unwrap();
            let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
            let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
            let read = number(std::str::from_utf8(&body).unwrap());
            assert!(read >= at_least, "version {read} was answered after version {at_least}");
            answers += 1;
            tokio::task::yield_now().await;
        }
        answers
    };
    let writing = async {
        for number in 2..=VERSIONS {
            write_job(folder.path(), &version(number));
            world.full_scan().await;
            published.set(number);
        }
    };
    let (answers, ()) = futures::join!(reading, writing);
    assert!(answers >= VERSIONS, "{answers}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metrics_count_what_memory_answers_and_zero_bytes_keep_nothing() {
    for (memory, hits) in [("64 mb", 3), ("0", 0)] {
        let folder = tempfile::tempdir().unwrap();
        let archives = folder.path().join("archives");
        write_application(&archives, "cluster", &id('a'), "name", 1_795_000_000_000, &[&id('1')]);
        // Not of this moment: a file read within two seconds of its writing is read once more.
        let application = application_folder(&archives, "cluster", &id('a'));
        for file in [application.join("application-summary"), application.join("jobs").join(id('1'))] {
            set_modified(&file, 1_795_000_000_000);
        }
        let option = format!("historyserver.cache.memory={memory}");
        let server = Process::start(&[&archives], &folder.path().join("data"), &[&option]);
        server.wait_for_refreshes(1).await;
        for _ in 0..4 {
            assert_eq!(server.get(&format!("/jobs/{}/config", id('1'))).await.status(), 200);
        }
        let text = server.get("/metrics").await.text().await.unwrap();
        let value = |name: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
            line.trim().parse().unwrap()
        };
        assert_eq!(value("historyserver_memory_cache_hits_total "), hits);
        assert_eq!(value("historyserver_memory_cache_misses_total "), u64::from(hits > 0));
        assert_eq!(value("historyserver_memory_cache_bytes ") > 0, hits > 0);
    }
}
