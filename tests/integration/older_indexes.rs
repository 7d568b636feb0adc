//! Indexes that older versions wrote: they are served at once, and filled from their packs without a request to the store.
//!
//! Each file in `tests/fixtures/index` was written by the version with that schema, over two archives of Flink 1.20.5 and three
//! applications of Flink 2.3.0, one of which was then removed from the archive directory.

use std::collections::BTreeSet;
use std::path::Path;

use historyserver::directory::Directory;
use historyserver::ingest::Backfill;
use historyserver::names::DirectoryUrl;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::faulty_store::{FaultyStore, Operation};
use crate::support::facts;
use crate::support::served::{Archive, archives_in, samples};
use crate::support::world::{World, WorldOptions, fixtures};

/// The application that is gone from its directory, and its job.
const GONE: &str = "e92bcf91f790a61e444960dbe82b3d4a";
/// A legacy job archive.
const LEGACY: &str = "231ca9eda182b5e0c291bb541c0c87c8";

/// Puts the index with this schema into a data directory.
fn place(schema: usize, data: &Path) {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/index/schema-{schema}.sqlite.zst"));
    std::fs::create_dir_all(data).unwrap();
    let bytes = zstd::decode_all(std::fs::File::open(stored).unwrap()).unwrap();
    std::fs::write(data.join("historyserver.sqlite"), bytes).unwrap();
}

fn open(data: &Path) -> (FaultyStore, World) {
    let store = FaultyStore::in_memory();
    let directory = Directory::in_store(DirectoryUrl::new("file:///archives"), store.store(), "history");
    (store, World::open(&[directory], data, WorldOptions::default()))
}

fn sample(id: &str) -> Archive {
    let is_job = |archive: &Archive| archive.documents.iter().any(|(path, _)| *path == format!("/jobs/{id}"));
    archives_in(&samples()).into_iter().find(|archive| archive.id == id && is_job(archive)).unwrap()
}

async fn facts_of(world: &World, id: &str) -> Value {
    world.get(&format!("/api/v1/jobs/{id}")).await.json()["facts"].clone()
}

async fn task(world: &World) -> Value {
    let tasks = world.get("/api/v1/tasks").await.json();
    tasks["items"].as_array().unwrap().iter().find(|task| task["name"] == "facts").unwrap().clone()
}

/// Jobs that a search finds in one kind of text.
async fn found_in(world: &World, field: &str, text: &str) -> BTreeSet<String> {
    let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let page = world.get(&format!("/api/v1/search?limit=100&in={field}&q={text}")).await.json();
    assert_eq!(page["next"], Value::Null);
    let jobs = page["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "job");
    jobs.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

/// Every kind of text of each job is found, that of the one that is gone as well, and no other job is found by it.
async fn searched(world: &World, jobs: &[String]) {
    let texts: Vec<(&String, Vec<(String, String)>)> = jobs.iter().map(|id| (id, sample(id).documents)).collect();
    let mut kinds = BTreeSet::new();
    for (id, documents) in &texts {
        let facts = facts::of_job(id, documents);
        let name = world.get(&format!("/api/v1/jobs/{id}")).await.json()["name"].as_str().unwrap().to_owned();
        assert!(found_in(world, "name", &name).await.contains(*id), "name {name}");
        for vertex in facts["vertices"].as_array().unwrap() {
            let vertex = vertex["name"].as_str().unwrap();
            assert!(found_in(world, "vertex", &format!("\"{vertex}\"")).await.contains(*id), "vertex {vertex}");
            kinds.insert("vertex");
        }
        if let Some(class) = facts["root_exception"]["class"].as_str() {
            let expected: BTreeSet<String> =
                texts.iter().filter(|(_, all)| exceptions(all).contains(class)).map(|(id, _)| (*id).clone()).collect();
            assert!(expected.contains(*id));
            assert_eq!(found_in(world, "exception", &format!("\"{class}\"")).await, expected, "{class}");
            kinds.insert("exception");
        }
        let configuration = facts::configuration(id, documents);
        let (key, _) = configuration.iter().next().unwrap();
        assert!(found_in(world, "configuration", &format!("\"{key}\"")).await.contains(*id), "configuration {key}");
    }
    assert!(jobs.iter().any(|id| id == GONE));
    assert_eq!(kinds.len(), 2, "some of them have vertices and failed");
    assert_eq!(found_in(world, "exception", "nosuchword").await, BTreeSet::new());
}

fn exceptions(documents: &[(String, String)]) -> &str {
    documents.iter().find(|(path, _)| path.ends_with("/exceptions")).map_or("", |(_, text)| text.as_str())
}

#[tokio::test]
async fn an_index_of_each_earlier_schema_is_filled_from_its_packs_alone() {
    for schema in 1..=3 {
        let folder = tempfile::tempdir().unwrap();
        place(schema, folder.path());
        let (store, mut world) = open(folder.path());
        let jobs = world.jobs().await;
        assert_eq!(jobs.len(), 6, "schema {schema}");
        let listed = world.get("/api/v1/jobs?limit=100").await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 6, "lists can be used before");
        assert_eq!(facts_of(&world, GONE).await, Value::Null);
        assert_eq!((&task(&world).await["state"], &task(&world).await["finished"]), (&json!("waiting"), &json!(0)));

        world.fill().await;
        for id in &jobs {
            let archive = sample(id);
            assert_eq!(facts_of(&world, id).await, facts::of_job(id, &archive.documents), "schema {schema}, {id}");
        }
        let gone = world.get(&format!("/api/v1/jobs/{GONE}")).await.json();
        assert!(gone["gone_since"].is_number(), "{gone}");
        let statistics = world.get("/api/v1/statistics?from=2026-11-01&to=2026-12-31").await.json();
        assert!(!statistics["exceptions"].as_array().unwrap().is_empty());
        let failed = world.get("/api/v1/statistics?kind=applications&from=2026-11-01&to=2026-12-31").await.json();
        assert!(!failed["exceptions"].as_array().unwrap().is_empty(), "of summaries, too");
        searched(&world, &jobs).await;
        let status = world.get("/api/v1/status").await.json()["facts"].clone();
        let told = [&status["derived"], &status["pending"], &status["evicted"], &status["failed"], &status["running_since"]];
        assert_eq!(told, [&json!(9), &json!(0), &json!(0), &json!(0), &Value::Null], "schema {schema}");
        assert_eq!(task(&world).await["finished"], 1);
        let requests: usize = [Operation::Get, Operation::List].map(|operation| store.count(operation, "")).into_iter().sum();
        assert_eq!(requests, 0, "schema {schema}");
        world.close().await;

        let (_, mut again) = open(folder.path());
        again.fill().await;
        assert_eq!(again.backfill.borrow().derived, 0, "what is done is done");
        again.close().await;
    }
}

#[tokio::test]
async fn an_index_from_before_counts_were_kept_tells_its_facets_and_keeps_its_facts() {
    // Schema 4 was part of no version.
    let folder = tempfile::tempdir().unwrap();
    place(5, folder.path());
    let (_, mut world) = open(folder.path());
    for list in ["applications", "jobs"] {
        let facets = world.get(&format!("/api/v1/{list}/facets")).await.json();
        let walked = world.get(&format!("/api/v1/{list}/facets?min_duration=0")).await.json();
        let items = world.get(&format!("/api/v1/{list}?limit=100")).await.json()["items"].as_array().unwrap().clone();
        for facet in ["status", "cluster", "directory", "day", "job_type"] {
            assert_eq!(facets[facet], walked[facet], "{facet} of {list}, kept and counted anew");
        }
        for status in ["FAILED", "FINISHED"] {
            let listed = items.iter().filter(|item| item["status"] == status).count();
            let told = facets["status"].as_array().unwrap().iter().find(|each| each["value"] == status);
            assert_eq!(told.map_or(0, |each| each["count"].as_u64().unwrap()), listed as u64, "{status} {list}");
        }
    }
    for id in world.jobs().await {
        assert!(facts_of(&world, &id).await["vertices"].is_array(), "{id}");
    }
    world.fill().await;
    assert_eq!(world.backfill.borrow().derived, 9, "more is derived now than it was then");
    for id in world.jobs().await {
        assert_eq!(facts_of(&world, &id).await, facts::of_job(&id, &sample(&id).documents), "{id}");
    }
    world.close().await;
}

/// Changes an index before it is opened.
fn change(data: &Path, sql: &str) {
    let connection = Connection::open(data.join("historyserver.sqlite")).unwrap();
    connection.execute_batch(&format!("PRAGMA foreign_keys = ON; {sql}")).unwrap();
}

#[tokio::test]
async fn a_pack_that_cannot_be_read_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    place(2, folder.path());
    let pack = format!("(SELECT p.id FROM packs p JOIN jobs j ON j.unit = p.unit AND j.job = p.file WHERE j.job = x'{LEGACY}')");
    change(folder.path(), &format!("UPDATE parts SET frames = zeroblob(length(frames)) WHERE pack = {pack};"));
    let (_, mut world) = open(folder.path());
    world.fill().await;
    let status = world.backfill.borrow().clone();
    assert_eq!((status.derived, status.failed, status.pending), (8, 1, 0));
    assert_eq!(facts_of(&world, LEGACY).await, Value::Null);
    assert_eq!(facts_of(&world, GONE).await, facts::of_job(GONE, &sample(GONE).documents));
    world.close().await;
}

#[tokio::test]
async fn an_archive_whose_pack_was_evicted_is_derived_when_it_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    place(3, folder.path());
    change(folder.path(), &format!("DELETE FROM packs WHERE file = x'{LEGACY}';"));
    let (store, mut world) = open(folder.path());
    world.fill().await;
    let status = world.backfill.borrow().clone();
    assert_eq!((status.derived, status.evicted, status.pending), (8, 1, 0));
    assert_eq!(facts_of(&world, LEGACY).await, Value::Null);
    let bytes = std::fs::read_to_string(fixtures("flink-1.20.5").join(LEGACY)).unwrap();
    store.write(&format!("history/{LEGACY}"), bytes).await;
    assert_eq!(world.get(&format!("/jobs/{LEGACY}/config")).await.status, 200);
    assert_eq!(facts_of(&world, LEGACY).await, facts::of_job(LEGACY, &sample(LEGACY).documents));
    world.close().await;
}

#[tokio::test]
async fn filling_stops_when_it_is_told_to_and_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    place(1, folder.path());
    let (_, mut world) = open(folder.path());
    let stop = CancellationToken::new();
    stop.cancel();
    let (stopped, status) = Backfill::new(world.reader.clone(), world.writer.clone(), world.clock.clone());
    stopped.run(stop).await;
    let told = status.borrow().clone();
    assert_eq!((told.derived, told.pending, told.finished, told.running_since), (0, 9, None, None));
    world.fill().await;
    assert_eq!(world.backfill.borrow().derived, 9);
    world.close().await;
}
