//! Pages of lists in every order.

use serde_json::Value;

use super::ids;
use crate::support::served::{Served, samples};

#[tokio::test]
async fn the_pages_of_every_sort_add_up_to_the_list() {
    let server = Served::over(&samples()).await;
    for (kind, keys) in [
        ("applications", &["name", "status", "start", "end", "duration", "cluster", "directory", "jobs", "failed_jobs"][..]),
        ("jobs", &["name", "status", "start", "end", "duration", "cluster", "directory", "tasks", "failed_tasks", "job_type"]),
    ] {
        for key in keys {
            for sort in [(*key).to_owned(), format!("-{key}")] {
                let whole = server.json(&format!("/api/v1/{kind}?sort={sort}&limit=1000")).await;
                for filter in ["", "&status=FAILED,CANCELED,FINISHED&name=e"] {
                    let mut found = Vec::new();
                    let mut cursor = String::new();
                    loop {
                        let page = server.json(&format!("/api/v1/{kind}?sort={sort}&limit=3{filter}&cursor={cursor}")).await;
                        found.extend(ids(&page));
                        match &page["next"] {
                            Value::String(next) => cursor.clone_from(next),
                            _ => break,
                        }
                    }
                    if filter.is_empty() {
                        assert_eq!(found, ids(&whole), "{kind} {sort}");
                    } else {
                        let names: Vec<_> = ids(&whole).into_iter().filter(|id| found.contains(id)).collect();
                        assert_eq!(found, names, "{kind} {sort}");
                    }
                }
            }
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_cursor_of_another_list_filter_or_sort_is_refused() {
    let server = Served::over(&samples()).await;
    let page = server.json("/api/v1/jobs?limit=2&status=FINISHED").await;
    let cursor = page["next"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&format!("/api/v1/jobs?limit=7&status=finished&cursor={cursor}")).await.status(), 200);
    let mut damaged = cursor.clone();
    damaged.replace_range(10..12, "__");
    for other in [
        format!("/api/v1/jobs?cursor={cursor}"),
        format!("/api/v1/jobs?status=FAILED&cursor={cursor}"),
        format!("/api/v1/jobs?status=FINISHED&sort=end&cursor={cursor}"),
        format!("/api/v1/applications?status=FINISHED&cursor={cursor}"),
        format!("/api/v1/jobs?status=FINISHED&cursor={damaged}"),
        "/api/v1/jobs?cursor=WzEsMl0".to_owned(),
        "/api/v1/jobs?cursor=%27".to_owned(),
    ] {
        assert_eq!(server.get(&other).await.status(), 400, "{other}");
    }
    server.stop().await;
}
