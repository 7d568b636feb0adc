//! Each kind of rule, over lists, counts, searches, documents and problems.

use serde_json::{Value, json};

use super::world::{Guarded, SECRET, samples, user};
use crate::support::archives::id;

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_condition_selects_the_same_applications_everywhere() {
    let directory = "file:///*";
    let rules = json!([
        {"users": ["by-cluster"], "may": ["view-configuration"], "clusters": ["a-*"]},
        {"users": ["by-name"], "may": ["view-configuration"], "names": ["ORDERS"]},
        {"users": ["by-job"], "may": ["view-configuration"], "names": ["*ders job"]},
        {"users": ["by-key"], "may": ["view-configuration"], "configuration": {"key": "pipeline.owner", "value": "team-a"}},
        {"users": ["by-cluster-key"], "may": ["view-configuration"], "directories": [directory],
         "configuration": {"key": "cluster.owner", "value": ["x", "*-a"]}},
        {"users": ["none"], "may": ["view"], "directories": ["s3://elsewhere"]},
    ]);
    let server = Guarded::with_rules(&rules).await;
    let [own, foreign, _] = samples();
    for client in ["by-cluster", "by-name", "by-job", "by-key", "by-cluster-key", "none"].map(user) {
        let name = client.name.clone().unwrap();
        let sees = &*name != "none";
        let expected: Vec<&str> = if sees { vec![&own.id] } else { Vec::new() };
        for list in ["applications", "jobs"] {
            for query in ["", "&sort=name", "&name=o", "&status=FINISHED,FAILED", "&end_from=1", "&cluster=a-prod,b-prod"] {
                let page = server.json(&client, &format!("/api/v1/{list}?limit=10{query}")).await;
                assert_eq!(ids(&page), expected, "{name} {list} {query}");
                assert_eq!(page["total"]["count"], expected.len(), "{name} {list} {query}");
            }
            let facets = server.json(&client, &format!("/api/v1/{list}/facets")).await;
            for facet in ["status", "cluster", "directory", "day", "job_type"] {
                let counted: u64 = facets[facet].as_array().unwrap().iter().map(|each| each["count"].as_u64().unwrap()).sum();
                assert_eq!(counted, expected.len() as u64, "{name} {list} {facet}: {facets}");
            }
            let export = server.get(&client, &format!("/api/v1/{list}/export?format=ndjson")).await;
            let lines = String::from_utf8_lossy(&export.body).lines().count();
            assert_eq!(lines, expected.len(), "{name} {list}");
            let history = server.json(&client, &format!("/api/v1/{list}/history?name=payments")).await;
            assert_eq!(ids(&history), Vec::<&str>::new(), "{name} {list}");
            let range = format!("/api/v1/statistics?kind={list}&from=1699000000000&to=1701000000000");
            let statistics = server.json(&client, &range).await;
            let buckets = statistics["buckets"].as_array().unwrap().iter();
            let counted: u64 =
                buckets.flat_map(|bucket| bucket["counts"].as_object().unwrap().values()).map(|count| count.as_u64().unwrap()).sum();
            assert_eq!(counted, expected.len() as u64, "{name} {list}");
            let names = &statistics["failing_names"];
            assert!(!names.to_string().contains("Pay"), "{names}");
            assert_eq!(server.get(&client, &format!("/api/v1/{list}/{}", foreign.id)).await.status, 404, "{name} {list}");
            let status = server.get(&client, &format!("/api/v1/{list}/{}", own.id)).await.status;
            assert_eq!(status, if sees { 200 } else { 404 }, "{name} {list}");
        }
        for term in ["zebra", "boom", "sink", &foreign.id[..8], "pay", "team"] {
            let found = server.json(&client, &format!("/api/v1/search?q={term}")).await;
            assert!(!found.to_string().contains("Pay") && !found.to_string().contains(&foreign.id), "{name} {term}: {found}");
        }
        assert_eq!(server.json(&client, "/api/v1/search?q=zebra").await["items"].as_array().unwrap().len(), expected.len(), "{name}");
        let jobs = server.json(&client, "/jobs/overview").await;
        assert_eq!(jobs["jobs"].as_array().unwrap().iter().map(|job| job["jid"].as_str().unwrap()).collect::<Vec<_>>(), expected);
        let listed = server.json(&client, "/applications/overview").await;
        assert_eq!(listed["applications"].as_array().unwrap().len(), expected.len(), "{name}");
        assert_eq!(server.json(&client, "/jobs").await["jobs"].as_array().unwrap().len(), expected.len(), "{name}");
        assert_eq!(server.json(&client, "/overview").await["jobs-failed"], expected.len(), "{name}");
        let status = server.json(&client, "/api/v1/status").await;
        assert_eq!(
            (&status["figures"]["applications"], &status["figures"]["jobs"]),
            (&json!(expected.len()), &json!(expected.len())),
            "{name}"
        );
        // An application that was never read has no name and no configuration.
        let problems = server.json(&client, "/api/v1/problems").await;
        let own_problems = usize::from(&*name == "by-cluster");
        assert_eq!(problems["items"].as_array().unwrap().len(), own_problems, "{name}: {problems}");
        assert_eq!((&problems["total"]["count"], &status["problems"]["total"]), (&json!(own_problems), &json!(own_problems)), "{name}");
        assert!(!problems.to_string().contains("b-prod") && !status.to_string().contains("b-prod"), "{name}");
    }
    server.close().await;
}

#[tokio::test]
async fn an_application_that_is_hidden_is_like_one_that_does_not_exist() {
    let server = Guarded::with_rules(&json!([{"everyone": true, "may": ["download"], "clusters": ["a-*"]}])).await;
    let client = user("x");
    let (foreign, unknown) = (&samples()[1].id, id('f'));
    for path in
        ["/jobs/ID", "/jobs/ID/config", "/applications/ID", "/api/v1/jobs/ID", "/api/v1/jobs/ID/archive", "/api/v1/jobs/ID/documents"]
    {
        let answer = server.get(&client, &path.replace("ID", foreign)).await;
        let other = server.get(&client, &path.replace("ID", &unknown)).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!((answer.status, &answer.body), (other.status, &other.body), "{path}");
        assert_eq!(answer.headers.get("etag"), None, "{path}");
        // A client that had the document before must not learn that it still exists.
        let own = server.get(&client, &path.replace("ID", &samples()[0].id)).await;
        assert_eq!(own.status, 200, "{path}");
    }
    server.close().await;
}

#[tokio::test]
async fn the_configuration_needs_its_own_right_and_sensitive_values_need_download() {
    let rules = json!([
        {"users": ["view", "mixed"], "may": ["view"]},
        {"users": ["configuration"], "may": ["view-configuration"]},
        {"users": ["mixed"], "may": ["view-configuration"], "clusters": ["a-*"]},
        {"users": ["download"], "may": ["download"]},
    ]);
    let server = Guarded::with_rules(&rules).await;
    let [own, other, _] = samples();
    for (name, sample, configuration, secrets) in [
        ("view", &own, false, false),
        ("configuration", &own, true, false),
        ("mixed", &own, true, false),
        ("mixed", &other, false, false),
        ("download", &own, true, true),
    ] {
        let client = user(name);
        let id = &sample.id;
        let expected = if configuration { 200 } else { 404 };
        for path in [
            format!("/jobs/{id}/config"),
            format!("/jobs/{id}/config.json"),
            format!("/v1/jobs/{}/jobmanager/config", id.to_uppercase()),
            format!("/api/v1/jobs/{id}/document?path=/jobs/{id}/config"),
            format!("/api/v1/jobs/{id}/document?path=/jobs/{id}/config&cluster={}", sample.cluster),
        ] {
            // Twice: from the index, then perhaps from memory.
            for _ in 0..2 {
                let answer = server.get(&client, &path).await;
                assert_eq!(answer.status, expected, "{name} {path}");
                assert_eq!(String::from_utf8_lossy(&answer.body).contains(SECRET), secrets, "{name} {path}");
            }
        }
        assert_eq!(server.get(&client, &format!("/jobs/{id}/exceptions")).await.status, 200, "{name}");
        let documents = server.json(&client, &format!("/api/v1/applications/{id}/documents")).await;
        assert_eq!(documents.to_string().contains(&format!("/jobs/{id}/config")), configuration, "{name}");
        assert_eq!(documents.to_string().contains("jobmanager"), configuration, "{name}");
        let found = server.json(&client, "/api/v1/search?q=zebra").await;
        assert_eq!(found.to_string().contains(id), configuration, "{name}: {found}");
        for term in ["swordfish", "4711", SECRET] {
            let found = server.json(&client, &format!("/api/v1/search?q={term}")).await;
            assert_eq!(found["items"], json!([]), "{name} {term}: a sensitive value cannot be guessed by searches");
        }
        let found = server.json(&client, "/api/v1/search?q=sink.password").await;
        assert!(!found.to_string().contains(SECRET), "{found}");
        let compared = server.json(&client, &format!("/api/v1/jobs/compare?left={id}&right={}", samples()[2].id)).await;
        let whole = name == "configuration" || name == "download";
        assert_eq!(compared["configuration"].is_null(), !whole, "{name}");
        assert!(!compared.to_string().contains(SECRET), "{name}");
        let download = server.get(&client, &format!("/api/v1/applications/{id}/archive")).await;
        assert_eq!(download.status, if secrets { 200 } else { 404 }, "{name}");
    }
    server.close().await;
}

#[tokio::test]
async fn lists_of_other_scopes_and_their_tags_are_never_shared() {
    let rules = json!([
        {"users": ["a"], "may": ["view"], "clusters": ["a-*"]},
        {"users": ["b"], "may": ["view"], "clusters": ["b-*"]},
        {"users": ["all"], "may": ["view"]},
    ]);
    let server = Guarded::with_rules(&rules).await;
    for path in ["/jobs/overview", "/applications/overview", "/jobs", "/overview"] {
        let mut tags = Vec::new();
        for (name, rows) in [("a", 1), ("all", 3), ("b", 2), ("a", 1), ("b", 2)] {
            let answer = server.get(&user(name), path).await;
            let body = answer.json();
            let count = body["jobs"]
                .as_array()
                .or(body["applications"].as_array())
                .map_or_else(|| body["jobs-failed"].as_u64().unwrap(), |rows| rows.len() as u64);
            assert_eq!(count, rows, "{name} {path}");
            tags.push((name, answer.headers["etag"].clone()));
        }
        assert_eq!((&tags[0].1, &tags[2].1), (&tags[3].1, &tags[4].1), "{path}");
        assert!(tags[0].1 != tags[1].1 && tags[1].1 != tags[2].1 && tags[0].1 != tags[2].1, "{path}: {tags:?}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_client_that_is_not_known_sees_nothing() {
    let server = Guarded::with_rules(&json!([])).await;
    for path in ["/jobs/overview", "/api/v1/jobs"] {
        let answer = server.world.get(path).await.json();
        assert_eq!(answer["jobs"].as_array().or(answer["items"].as_array()).unwrap().len(), 0, "{path}");
    }
    assert_eq!(server.world.get(&format!("/jobs/{}", samples()[0].id)).await.status, 404);
    assert_eq!(server.json(&user("x"), "/api/v1/jobs").await["items"].as_array().unwrap().len(), 3);
    server.close().await;
}
