//! Hostile values in every parameter: a 400 that names the parameter, or an ordinary answer.

use crate::support::served::{Served, samples};

const VALUES: &[&str] = &[
    "",
    "%00",
    "%ff%fe",
    "%",
    "'",
    "%22",
    "';DROP%20TABLE%20jobs;--",
    "%25",
    "_",
    "*",
    "name:*",
    "NEAR(a%20b)",
    "%22a%22%20OR%20%22b%22",
    "a%22b%22c%22",
    "-1",
    "0",
    "1e400",
    "99999999999999999999",
    "-9223372036854775808",
    "9223372036854775807",
    "NaN",
    "null",
    "true",
    "%F0%9F%92%A5%F0%9F%92%A5%F0%9F%92%A5",
    "%C3%84%C3%96%C3%9C",
    "a,b,,c",
    ",",
    "2026-02-30",
    "+1000000-01-01T00:00:00Z",
    "../../etc/passwd",
    "{}",
    "[]",
    "<script>",
    "%0d%0aX:%20y",
    "AAAA",
];

const PARAMETERS: &[&str] = &[
    "status",
    "name",
    "name_match",
    "cluster",
    "directory",
    "start_from",
    "start_to",
    "end_from",
    "end_to",
    "min_duration",
    "max_duration",
    "problems",
    "job_type",
    "min_failed_jobs",
    "max_failed_jobs",
    "min_failed_tasks",
    "max_failed_tasks",
    "application",
    "sort",
    "limit",
    "cursor",
    "by",
    "time_zone",
    "kind",
    "from",
    "to",
    "bucket",
    "unknown",
];

#[tokio::test]
async fn no_value_of_no_parameter_leads_to_anything_but_an_answer_or_a_400() {
    let server = Served::over(&samples()).await;
    for path in [
        "applications",
        "jobs",
        "applications/facets",
        "jobs/facets",
        "applications/history",
        "jobs/history",
        "statistics",
        "applications/0d6f4f6e8da5b7e7a3551550ff16c873",
        "jobs/97e64afe56d154c5ef33d6bd2ea42fe0",
    ] {
        for parameter in PARAMETERS {
            for value in VALUES {
                let url = format!("/api/v1/{path}?{parameter}={value}");
                let answer = server.get(&url).await;
                let status = answer.status().as_u16();
                let body = answer.text().await.unwrap();
                assert!(matches!(status, 200 | 400 | 404), "{url}: {status} {body}");
                let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                if status == 400 {
                    assert!(
                        body["errors"][0].as_str().is_some_and(|sentence| sentence.ends_with('.') && sentence.len() < 600),
                        "{url}: {body}"
                    );
                }
                assert!(*parameter != "unknown" || status == 400, "{url}");
            }
        }
    }
    server.stop().await;
}
