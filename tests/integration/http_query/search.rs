//! `/api/v1/search` over the samples: every kind of field, compared with the archived documents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::archives::{application_folder, id, job, set_modified, write, write_application};
use crate::support::served::{Served, samples};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The items of all pages.
async fn all(server: &Served, query: &str) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = server.json(&format!("/api/v1/search?{query}&limit=7{cursor}")).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

fn keys(items: &[Value]) -> BTreeSet<(String, String)> {
    items.iter().map(|item| (item["kind"].as_str().unwrap().to_owned(), item["id"].as_str().unwrap().to_owned())).collect()
}

/// The searchable texts of an application or a job, read from its documents.
struct Archived {
    kind: &'static str,
    id: String,
    name: String,
    /// Of an application: its jobs.
    jobs: Vec<String>,
    vertices: Vec<String>,
    exceptions: String,
    configuration: String,
}

async fn archived(server: &Served) -> Vec<Archived> {
    let mut found = Vec::new();
    for (kind, path) in [("application", "applications"), ("job", "jobs")] {
        let list = server.json(&format!("/api/v1/{path}?limit=1000")).await;
        for item in list["items"].as_array().unwrap() {
            assert_eq!(item["shown"], true, "the fixtures hold one copy of each");
            let id = item["id"].as_str().unwrap();
            let details = server.json(&format!("/{path}/{id}")).await;
            let exceptions = server.json(&format!("/{path}/{id}/exceptions")).await;
            let mut configuration = server.json(&format!("/{path}/{id}/jobmanager/config")).await.to_string();
            if kind == "job" {
                let own = server.json(&format!("/jobs/{id}/config")).await;
                configuration.push_str(&own["execution-config"].to_string());
            }
            let jobs = server.json(&format!("/api/v1/jobs?application={id}")).await;
            let jobs = jobs["items"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect();
            let vertices = details["vertices"].as_array().into_iter().flatten().map(|vertex| vertex["name"].as_str().unwrap().to_owned());
            found.push(Archived {
                kind,
                id: id.to_owned(),
                name: item["name"].as_str().unwrap().to_owned(),
                jobs,
                vertices: vertices.collect(),
                exceptions: exceptions.to_string(),
                configuration,
            });
        }
    }
    found
}

type Check = fn(&Archived, &str) -> bool;

#[tokio::test]
async fn every_kind_of_text_is_found_in_the_documents_that_contain_it() {
    let server = Served::over(&samples()).await;
    let archived = archived(&server).await;
    let in_name: Check = |item, text| item.name.to_lowercase().contains(text);
    let in_vertex: Check = |item, text| item.vertices.iter().any(|name| name.to_lowercase().contains(text));
    let in_exception: Check = |item, text| item.exceptions.to_lowercase().contains(text);
    let in_configuration: Check = |item, text| item.configuration.to_lowercase().contains(text);
    // In names and vertices, parts of words are found; elsewhere words and beginnings of words, in class names too.
    for (field, text, check, least) in [
        ("name", "rescal", in_name, 1),
        ("name", "e", in_name, 10),
        ("name", "日本", in_name, 1),
        ("vertex", "iscar", in_vertex, 5),
        ("vertex", "numbers", in_vertex, 8),
        ("vertex", "本語", in_vertex, 1),
        ("vertex", "語", in_vertex, 1),
        ("vertex", "drop", in_vertex, 1),
        ("exception", "kaboom", in_exception, 2),
        ("exception", "java.lang.IllegalStateException", in_exception, 1),
        ("exception", "FixedDelayRestartBackoffTimeStrategy", in_exception, 3),
        ("exception", "BackoffTime", in_exception, 3),
        ("exception", "日本語", in_exception, 1),
        ("exception", "handleFailureAndReport", in_exception, 3),
        ("exception", "ExecutionFailureHandler.java:219", in_exception, 1),
        ("exception", "could not execute", in_exception, 0),
        ("configuration", "taskmanager.memory.network.max", in_configuration, 25),
        ("configuration", "rest.port", in_configuration, 25),
        ("configuration", "900m", in_configuration, 25),
        ("configuration", "ünï", in_configuration, 10),
        ("configuration", "u\u{308}ni\u{308}", in_configuration, 0),
        ("configuration", "adaptive-scheduler", in_configuration, 1),
        ("configuration", "nosuchword", in_configuration, 0),
    ] {
        let items = all(&server, &format!("in={field}&q={}", encoded(text))).await;
        if field == "exception" && text == "could not execute" {
            // Three terms that may be anywhere, compared with the quoted phrase.
            let whole = keys(&all(&server, &format!("in=exception&q={}", encoded(&format!("\"{text}\"")))).await);
            assert!(!whole.is_empty() && whole.is_subset(&keys(&items)), "{text}");
            continue;
        }
        let folded = if text.contains('\u{308}') { "ünï".to_owned() } else { text.to_lowercase() };
        let has: BTreeSet<(String, String)> =
            archived.iter().filter(|item| check(item, &folded)).map(|item| (item.kind.to_owned(), item.id.clone())).collect();
        // An application and its only job are one hit.
        let is_folded = |item: &&Archived| {
            item.kind == "application" && item.jobs.len() == 1 && has.contains(&("job".to_owned(), item.jobs[0].clone()))
        };
        let folded: BTreeSet<(String, String)> =
            archived.iter().filter(is_folded).map(|item| (item.kind.to_owned(), item.id.clone())).collect();
        let expected: BTreeSet<(String, String)> = has.difference(&folded).cloned().collect();
        assert!(expected.len() >= least, "{field} {text}: {}", expected.len());
        assert_eq!(keys(&items), expected, "{field} {text}");
        assert_eq!(items.len(), expected.len(), "{field} {text}");
        assert!(items.is_sorted_by(|one, other| one["end"].as_i64() >= other["end"].as_i64()), "{field} {text}");
        for item in &items {
            let matches = item["matches"].as_array().unwrap();
            assert!(!matches.is_empty());
            for found in matches {
                assert!(
                    found["field"].as_str().unwrap().starts_with(field) || (field, &found["field"]) == ("exception", &json!("stack_trace"))
                );
                assert!(found["excerpt"].as_array().unwrap().iter().any(|piece| piece["hit"] == true), "{found}");
                assert_eq!(found["key"].is_string(), field == "configuration");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_id_is_found_by_its_prefix_and_links_to_its_page() {
    let server = Served::over(&samples()).await;
    let items = all(&server, "q=07AC2d4d").await;
    // The application has the same id, and this is its only job: one hit.
    assert_eq!(items.len(), 1);
    assert_eq!(
        (&items[0]["kind"], &items[0]["href"]),
        (&json!("job"), &json!("#/job/completed/07ac2d4d82b8e3f0fd1a35b9888ae429/overview"))
    );
    let pieces = json!([{"text": "07ac2d4d", "hit": true}, {"text": "82b8e3f0fd1a35b9888ae429", "hit": false}]);
    assert_eq!(items[0]["matches"], json!([{"field": "id", "excerpt": pieces, "key": null}]));
    assert_eq!(items[0]["application"], "07ac2d4d82b8e3f0fd1a35b9888ae429");
    assert_eq!(all(&server, "q=07ac2d4d82b8e3f0fd1a35b9888ae429&in=id").await.len(), 1);
    assert_eq!(all(&server, "q=ac2d4d82").await.len(), 0);
    server.stop().await;
}

#[tokio::test]
async fn each_copy_is_found_and_links_to_itself() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let roots = [one.path().to_path_buf(), other.path().to_path_buf()];
    for (root, cluster, name) in [(0, "x", "orders apple"), (0, "y & z", "orders banana"), (1, "x", "orders cherry")] {
        write_application(&roots[root], cluster, &id('a'), name, 1_000, &[&id('b')]);
        set_modified(&application_folder(&roots[root], cluster, &id('a')).join("application-summary"), 1_000_000_000_000);
    }
    // The same job as a legacy job archive: in a directory of its own, and in the directory of two of the others.
    let legacy = tempfile::tempdir().unwrap();
    write(&legacy.path().join(id('b')), job(&id('b'), "orders date", 1_000));
    write(&roots[0].join(id('b')), job(&id('b'), "orders elder", 1_000));
    let server = Served::over(&[roots[0].clone(), roots[1].clone(), legacy.path().to_path_buf()]).await;

    let items = all(&server, "q=orders").await;
    let places: BTreeSet<String> = items.iter().map(|item| format!("{} {} {}", item["kind"], item["directory"], item["cluster"])).collect();
    assert_eq!((items.len(), places.len()), (5, 5), "{places:?}");
    let shown: Vec<&Value> = items.iter().filter(|item| item["kind"] == "job" && item["shown"] == true).collect();
    assert_eq!(shown.len(), 1);
    // A later configured directory takes precedence.
    assert_eq!(shown[0]["name"], "orders cherry");
    for item in &items {
        let copy = server.json(item["copy"].as_str().unwrap()).await;
        for member in ["id", "name", "directory", "cluster", "shown", "end"] {
            assert_eq!(copy[member], item[member], "{member} of {item}");
        }
    }
    // Words that only copies contain that are not shown.
    for (word, cluster, count) in
        [("apple", json!("x"), 1), ("banana", json!("y & z"), 1), ("date", Value::Null, 1), ("elder", Value::Null, 1)]
    {
        let items = all(&server, &format!("q={word}")).await;
        assert_eq!(items.len(), count, "{word}");
        for item in &items {
            assert_eq!((&item["cluster"], &item["shown"]), (&cluster, &json!(false)), "{word}");
            let documents = item["copy"].as_str().unwrap().replace('?', "/documents?");
            for document in server.json(&documents).await["items"].as_array().unwrap() {
                let text = server.get(document["href"].as_str().unwrap()).await.text().await.unwrap();
                assert!(text.contains(&format!("orders {word}")) || !text.contains("orders"), "{document}");
            }
        }
    }
    let narrowed = all(&server, &format!("q=orders&cluster={}", encoded("y & z"))).await;
    assert!(narrowed.len() == 1 && narrowed.iter().all(|item| item["name"] == "orders banana"), "{narrowed:?}");
    server.stop().await;
}

#[tokio::test]
async fn a_failure_links_to_the_exceptions_and_markup_stays_text() {
    let server = Served::over(&samples()).await;
    let items = all(&server, "q=kaboom&in=exception").await;
    assert!(items.iter().any(|item| item["kind"] == "job"));
    for item in &items {
        assert!(item["href"].as_str().unwrap().ends_with("/exceptions"));
    }
    let markup: Vec<&str> = items
        .iter()
        .flat_map(|item| item["matches"].as_array().unwrap())
        .flat_map(|found| found["excerpt"].as_array().unwrap())
        .map(|piece| piece["text"].as_str().unwrap())
        .filter(|text| text.contains("<script>"))
        .collect();
    assert!(!markup.is_empty());
    let narrowed = all(&server, "q=kaboom&in=exception&status=finished&cluster=prod-eu").await;
    let expected = items.iter().filter(|item| item["status"] == "FINISHED" && item["cluster"] == "prod-eu").count();
    assert_eq!(narrowed.len(), expected);
    let configured = all(&server, "q=rest.port&in=configuration").await;
    for item in configured {
        let tab = if item["kind"] == "job" { "/cluster_configuration" } else { "/configuration" };
        assert!(item["href"].as_str().unwrap().ends_with(tab), "{item}");
    }
    server.stop().await;
}

#[tokio::test]
async fn any_input_is_searched_or_refused_with_a_sentence() {
    let server = Served::over(&samples()).await;
    for input in [
        "\"",
        "\"\"\"",
        "*",
        "a*",
        "**",
        "NEAR(",
        "NEAR(a b, 3)",
        "AND OR NOT",
        "AND",
        "a AND",
        "(",
        ")",
        "a:b",
        "name:x",
        "^a",
        "{a b}",
        "-a",
        "+",
        "'; DROP TABLE jobs;--",
        "\\",
        "%",
        "_",
        "->",
        "🚀",
        "\u{301}",
        "\u{202e}",
        "a\tb\nc",
        "ſ",
        "İ",
        "\u{1e}",
    ] {
        let answer = server.get(&format!("/api/v1/search?q={}", encoded(input))).await;
        assert!(
            answer.status() == 200 || (answer.status() == 400 && input.trim_matches(['"', '*']).is_empty()),
            "{input:?}: {}",
            answer.status()
        );
    }
    // About the longest URL that HTTP clients send.
    let long = "x".repeat(60 << 10);
    for (query, sentence) in [
        (String::new(), "`q` is missing: it takes the terms to search for."),
        ("q=%20".to_owned(), "`q` is missing: it takes the terms to search for."),
        ("q=a%00b".to_owned(), "without NUL"),
        (format!("q={}", "y".repeat(1_001)), "1000 characters"),
        (format!("q={}", (0..17).map(|number| format!("w{number}")).collect::<Vec<_>>().join("+")), "at most 16 terms"),
        ("q=a&in=nowhere".to_owned(), "name, id, vertex, exception, configuration"),
        ("q=a&limit=101".to_owned(), "from 1 to 100"),
        ("q=a&cursor=AAAA".to_owned(), "cursor"),
    ] {
        let answer = server.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!(answer.status(), 400, "{query}");
        let body = answer.text().await.unwrap();
        assert!(body.contains(sentence), "{query}: {body}");
    }
    let answer = server.get(&format!("/api/v1/search?q={long}")).await;
    assert!((400..500).contains(&answer.status().as_u16()), "{}", answer.status());
    server.stop().await;
}
