//! `/api/v1/{applications,jobs}/export`: a whole list as CSV and as JSON lines.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::archives::{id, write_application};
use crate::support::facts;
use crate::support::served::{Served, archives_in, samples};

async fn lines(server: &Served, path: &str) -> Vec<Value> {
    let answer = server.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "application/x-ndjson", "{path}");
    let text = answer.text().await.unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{path}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Names of the columns, and rows.
async fn table(server: &Served, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let answer = server.get(path).await;
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "text/csv; charset=utf-8; header=present", "{path}");
    let text = answer.bytes().await.unwrap();
    let mut reader = csv::Reader::from_reader(&text[..]);
    let columns = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    (columns, rows)
}

/// Figures by column, from the facts of a job.
fn figures(facts: &Value) -> Vec<(&'static str, Value)> {
    let (io, checkpoints, exception) = (&facts["io"], &facts["checkpoints"], &facts["root_exception"]);
    let cause = if exception["cause_class"].is_null() { &exception["class"] } else { &exception["cause_class"] };
    vec![
        ("parallelism", facts["parallelism"].clone()),
        ("restarts", facts["restarts"].clone()),
        ("read_records", io["read_records"].clone()),
        ("write_records", io["write_records"].clone()),
        ("read_bytes", io["read_bytes"].clone()),
        ("write_bytes", io["write_bytes"].clone()),
        ("checkpoints_completed", checkpoints["completed"].clone()),
        ("checkpoints_failed", checkpoints["failed"].clone()),
        ("last_checkpoint_size", checkpoints["last"]["state_size"].clone()),
        ("longest_checkpoint_duration", checkpoints["longest_duration"].clone()),
        ("root_exception_class", exception["class"].clone()),
        ("root_cause_class", cause.clone()),
    ]
}

#[tokio::test]
async fn exported_jobs_have_the_figures_and_failures_of_their_archives() {
    let server = Served::over(&samples()).await;
    let archives = archives_in(&samples());
    for filter in ["status=FAILED", ""] {
        let exported = lines(&server, &format!("/api/v1/jobs/export?format=ndjson&sort=name&{filter}")).await;
        let (columns, rows) = table(&server, &format!("/api/v1/jobs/export?sort=name&{filter}")).await;
        assert!(!rows.is_empty() && rows.len() == exported.len());
        for (line, row) in exported.iter().zip(&rows) {
            let id = line["id"].as_str().unwrap();
            let path = format!("/jobs/{id}");
            let archive = archives.iter().find(|archive| archive.documents.iter().any(|(known, _)| *known == path)).unwrap();
            for (name, expected) in figures(&facts::of_job(id, &archive.documents)) {
                assert_eq!(line[name], expected, "{name} of {id}");
                let cell = &row[columns.iter().position(|column| column == name).unwrap()];
                let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned).replace("null", "");
                assert_eq!(*cell, expected, "{name} of {id}");
            }
            if !filter.is_empty() {
                assert!(line["root_exception_class"].is_string(), "{line}");
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn an_export_has_the_rows_and_the_order_of_the_list() {
    let server = Served::over(&samples()).await;
    for (kind, sorts) in [("applications", ["-end", "name", "-jobs"]), ("jobs", ["end", "-job_type", "failed_tasks"])] {
        for filter in ["", "status=FAILED,CANCELED", "name=e&min_duration=1", "name=nothing-has-this-name"] {
            for sort in sorts {
                let list = server.json(&format!("/api/v1/{kind}?{filter}&sort={sort}&limit=1000")).await;
                let items = list["items"].as_array().unwrap();
                let exported = lines(&server, &format!("/api/v1/{kind}/export?{filter}&sort={sort}&format=ndjson")).await;
                let as_listed = exported.iter().zip(items).map(|(line, item)| {
                    let members = item.as_object().unwrap().keys().map(|name| (name.clone(), line[name].clone()));
                    members.collect::<serde_json::Map<_, _>>().into()
                });
                assert_eq!(&as_listed.collect::<Vec<Value>>(), items, "{kind} {filter} {sort}");
                assert_eq!(exported.len(), items.len(), "{kind} {filter} {sort}");
                let (columns, rows) = table(&server, &format!("/api/v1/{kind}/export?{filter}&sort={sort}")).await;
                assert_eq!(rows.len(), items.len(), "{kind} {filter} {sort}");
                for (row, item) in rows.iter().zip(&exported) {
                    for (column, cell) in columns.iter().zip(row) {
                        let expected = match column.as_str() {
                            "started" => chrono::DateTime::parse_from_rfc3339(cell).unwrap().timestamp_millis() == item["start"],
                            "ended" => chrono::DateTime::parse_from_rfc3339(cell).unwrap().timestamp_millis() == item["end"],
                            "jobs" => {
                                let all: u64 = item["jobs"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
                                cell == &all.to_string()
                            }
                            "failed_jobs" => cell == &item["jobs"]["FAILED"].as_u64().unwrap_or(0).to_string(),
                            "tasks" => cell == &item["tasks"]["total"].to_string(),
                            "failed_tasks" => cell == &item["tasks"]["failed"].to_string(),
                            _ => match &item[column] {
                                Value::Null => cell.is_empty(),
                                Value::String(text) => cell == text,
                                other => cell == &other.to_string(),
                            },
                        };
                        assert!(expected, "{column} of {item} is {cell:?}");
                    }
                }
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_long_list_is_exported_completely_plain_and_compressed() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..2_345_i64 {
        let application = format!("{number:032x}");
        write_application(folder.path(), "eu", &application, &format!("run {}", number % 7), 1_000 + number, &[]);
    }
    let server = Served::over(&[PathBuf::from(folder.path())]).await;
    let exported = lines(&server, "/api/v1/applications/export?format=ndjson&sort=name").await;
    let ids: std::collections::BTreeSet<&str> = exported.iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!((exported.len(), ids.len()), (2_345, 2_345));
    assert!(exported.is_sorted_by_key(|item| item["name"].as_str().unwrap()));
    for limit in [1, 999, 1_000, 1_001, 2_345, 9_999] {
        let some = lines(&server, &format!("/api/v1/applications/export?format=ndjson&sort=name&limit={limit}")).await;
        assert!(some[..] == exported[..limit.min(2_345)], "{limit}");
    }
    let plain = server.get("/api/v1/applications/export").await.bytes().await.unwrap();
    let packed = server.request("GET", "/api/v1/applications/export").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    let packed = packed.bytes().await.unwrap();
    assert!(packed.len() < plain.len() / 2, "{} of {}", packed.len(), plain.len());
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
    assert!(unpacked == plain);
    server.stop().await;
}

#[tokio::test]
async fn formulas_are_escaped_in_csv_and_unchanged_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["=HYPERLINK(\"http://x\",\"y\")", "+1", "-1+1", "@SUM(A1)", "\t=1", "\rx", " \"=1", "a,b\"c\nd", "harmless"];
    for (digit, name) in ('1'..).zip(names) {
        write_application(folder.path(), "=eu", &id(digit), name, 1_000, &[]);
    }
    let server = Served::over(&[PathBuf::from(folder.path())]).await;
    let (columns, rows) = table(&server, "/api/v1/applications/export?sort=start").await;
    let (name, cluster) =
        (columns.iter().position(|each| each == "name").unwrap(), columns.iter().position(|each| each == "cluster").unwrap());
    for row in &rows {
        let begins = row[name].chars().next().unwrap();
        assert!(!"=+-@\t\r".contains(begins) && !row[name].starts_with(" \""), "{row:?}");
        assert_eq!(row[cluster], "'=eu");
    }
    let mut found: Vec<String> = rows.iter().map(|row| row[name].clone()).collect();
    let mut expected: Vec<String> =
        names.map(|name| if name.starts_with("a,") || name == "harmless" { name.to_owned() } else { format!("'{name}") }).to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    let listed: std::collections::BTreeSet<String> = lines(&server, "/api/v1/applications/export?format=ndjson")
        .await
        .iter()
        .map(|item| item["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, names.map(str::to_owned).into());
    server.stop().await;
}

#[tokio::test]
async fn an_export_has_a_file_name_and_head_returns_the_same_headers() {
    let server = Served::over(&samples()).await;
    for (path, name) in [
        ("/api/v1/applications/export", ("applications-", ".csv")),
        ("/api/v1/jobs/export?format=ndjson", ("jobs-", ".ndjson")),
        ("/api/v1/jobs/export?format=CSV", ("jobs-", ".csv")),
    ] {
        let answer = server.get(path).await;
        let headers = answer.headers().clone();
        let disposition = headers["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with(&format!("attachment; filename=\"{}", name.0)), "{disposition}");
        assert!(disposition.ends_with(&format!("{}\"", name.1)), "{disposition}");
        let head = server.request("HEAD", path).send().await.unwrap();
        assert_eq!(head.status(), 200);
        for header in ["content-type", "content-disposition", "cache-control", "vary"] {
            assert_eq!(head.headers()[header], headers[header], "{path} {header}");
        }
        assert!(head.bytes().await.unwrap().is_empty());
    }
    for wrong in ["format=xml", "limit=0", "cursor=x", "sort=nothing", "status=BROKEN", "format=csv&format=csv"] {
        for method in ["GET", "HEAD"] {
            let answer = server.request(method, &format!("/api/v1/jobs/export?{wrong}")).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{method} {wrong}");
        }
    }
    server.stop().await;
}
