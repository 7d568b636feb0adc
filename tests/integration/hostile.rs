//! Hostile archives and requests: nothing panics, no path leaves the index, and valid neighbours stay served.

use std::path::Path;

use serde_json::json;

use crate::support::archives::{envelope, id, job, write, write_application};
use crate::support::world::{World, WorldOptions};

const END: i64 = 1_795_000_000_000;

/// A legacy job archive with a valid overview and these entries.
fn job_with(id: &str, entries: &[(&str, &str)]) -> String {
    let overview = json!({"jobs": [{"jid": id, "name": "hostile", "state": "FINISHED", "start-time": 1, "end-time": 2, "duration": 1}]});
    let overview = overview.to_string();
    let own = format!("/jobs/{id}");
    let mut all = vec![("/jobs/overview", overview.as_str()), (own.as_str(), "{}")];
    all.extend_from_slice(entries);
    envelope(&all)
}

async fn world_with(archives: &[(String, String)]) -> (tempfile::TempDir, World) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("archives");
    write_application(&root, "c", &id('a'), "good", END, &[&id('1')]);
    for (name, content) in archives {
        write(&root.join(name), content);
    }
    let mut world = World::over(&[&root], &folder.path().join("data"), WorldOptions::default());
    world.full_scan().await;
    assert_eq!(world.applications().await, vec![id('a')], "the good neighbour is listed");
    assert_eq!(world.get(&format!("/jobs/{}/config", id('1'))).await.status, 200);
    (folder, world)
}

#[tokio::test]
async fn broken_archives_are_problems_and_hide_nothing_else() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("empty", String::new(), &["archive-unreadable"]),
        ("array", "[]".into(), &["archive-unreadable"]),
        ("number", "17".into(), &["archive-unreadable"]),
        ("garbage", "\u{0}\u{1}not json".into(), &["archive-unreadable"]),
        ("no archive", r#"{"other":[]}"#.into(), &["archive-unreadable"]),
        ("no entries", r#"{"archive":[]}"#.into(), &["archive-empty"]),
        ("archive is a number", r#"{"archive":17}"#.into(), &["archive-unreadable"]),
        ("truncated", job(&id('2'), "x", END)[..100].to_owned(), &["archive-unreadable"]),
        ("nested envelope", format!(r#"{{"x":{nested},"archive":[]}}"#), &["archive-unreadable"]),
        ("another job", job(&id('3'), "x", END), &["id-mismatch"]),
        ("an entry is a number", r#"{"archive":[17]}"#.into(), &["archive-empty"]),
        ("nested document", job_with(&id('2'), &[(&format!("/jobs/{}/plan", id('2')), &nested)]), &["document-too-deep"]),
    ];
    for (name, content, expected) in cases {
        let (_folder, world) = world_with(&[(id('2'), content)]).await;
        let problems = world.problems().await;
        assert!(!problems.is_empty(), "{name}");
        assert!(problems.iter().all(|code| expected.contains(&code.as_str())), "{name}: {problems:?}");
    }
}

#[tokio::test]
async fn an_empty_overview_empties_no_list() {
    let details = json!({"jid": id('2'), "name": "known by its details", "state": "FAILED", "start-time": 1, "end-time": 2, "duration": 1});
    let content = envelope(&[("/jobs/overview", "{}"), (&format!("/jobs/{}", id('2')), &details.to_string())]);
    let (_folder, world) = world_with(&[(id('2'), content)]).await;
    assert!(world.jobs().await.contains(&id('1')));
    assert_eq!(world.problems().await, ["overview-unusable"]);
    assert_eq!(world.get(&format!("/jobs/{}", id('2'))).await.status, 200);
}

#[tokio::test]
async fn of_equal_paths_the_last_is_served() {
    let path = format!("/jobs/{}/config", id('2'));
    let (_folder, world) = world_with(&[(id('2'), job_with(&id('2'), &[(&path, "1"), (&path, "2")]))]).await;
    assert_eq!(world.get(&path).await.text(), "2");
}

#[tokio::test]
async fn entry_paths_outside_their_own_job_are_refused() {
    let own = id('2');
    let other = format!("/jobs/{}/config", id('1'));
    let sibling = format!("/jobs/{own}-evil/config");
    let climbing = format!("/jobs/{own}/../{}/config", id('1'));
    let encoded = format!("/jobs/{own}/%2e%2e/%2e%2e/config");
    let backslash = format!("/jobs/{own}\\..\\config");
    let nul = format!("/jobs/{own}/con\u{0}fig");
    let paths = [
        "/config",
        "/../../x",
        "../x",
        "relative",
        "/",
        "",
        "//config",
        "/applications/overview",
        "/healthz",
        "/api/v1/status",
        &other,
        &sibling,
        &climbing,
        &encoded,
        &backslash,
        &nul,
    ];
    let marker = r#"{"hostile":true}"#;
    let entries: Vec<(&str, &str)> = paths.iter().map(|path| (*path, marker)).collect();
    let (folder, world) = world_with(&[(own.clone(), job_with(&own, &entries))]).await;
    assert!(world.problems().await.iter().all(|code| code == "entry-path-refused"), "{:?}", world.problems().await);
    for path in ["/config", "/applications/overview", &other, "/relative", "/healthz"] {
        assert!(!world.get(path).await.text().contains("hostile\":true"), "{path}");
    }
    assert_eq!(world.get(&format!("/jobs/{}/config", id('1'))).await.json()["name"], "good");
    let written: Vec<String> = files_below(folder.path());
    assert!(
        written.iter().all(|file| file.starts_with("archives/") || file.starts_with("data/historyserver.")),
        "no path of an archive became a file: {written:?}"
    );
}

fn files_below(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    files
}

#[tokio::test]
async fn requests_that_climb_never_leave_the_index() {
    let (folder, world) = world_with(&[]).await;
    write(&folder.path().join("secret"), "secret");
    let job = id('1');
    let climbs = [
        "..",
        "%2e%2e",
        "%2E%2E",
        "..%2f",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "..%5c",
        "%5c..%5c",
        "..%00",
        "%00",
        ".%2e",
        "%c0%ae%c0%ae",
        "..;",
        "....//",
        "%2f%2fetc",
    ];
    for climb in climbs {
        for target in ["secret", "etc/passwd", "historyserver.sqlite"] {
            for path in [
                format!("/{climb}/{target}"),
                format!("/jobs/{climb}/{climb}/{target}"),
                format!("/jobs/{job}/{climb}/{climb}/{target}"),
                format!("/applications/{climb}/{target}"),
                format!("/v1/{climb}/{target}"),
                format!("/{climb}{climb}{climb}{target}"),
                format!("/jobs/{job}/taskmanagers/{climb}%2f{target}/log-url"),
            ] {
                let answer = world.get(&path).await;
                assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
                assert!(answer.json()["errors"][0].is_string(), "{path}: {}", answer.text());
            }
        }
    }
}

#[tokio::test]
async fn strings_of_archives_reach_sql_and_headers_as_data() {
    let name = "'; DROP TABLE jobs; -- <script>alert(1)</script> \u{202e} \r\nSet-Cookie: x=1 \u{1f680}";
    let overview = json!({"jobs": [{"jid": id('2'), "name": name, "state": "FINISHED", "start-time": 1, "end-time": 2, "duration": 1}]});
    let content = envelope(&[("/jobs/overview", &overview.to_string())]);
    let (_folder, mut world) = world_with(&[(id('2'), content)]).await;
    world.full_scan().await;
    let answer = world.get("/jobs/overview").await;
    let jobs = answer.json();
    let hostile = jobs["jobs"].as_array().unwrap().iter().find(|job| job["jid"] == id('2').as_str()).unwrap().clone();
    assert_eq!(hostile["name"], name);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
}
