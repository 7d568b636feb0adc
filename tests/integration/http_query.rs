//! `/api/v1`: lists, facets, history, statistics and single items, over the fixtures.

use serde_json::{Value, json};

use crate::support::served::{Served, samples};

mod diagnosis;
mod export;
mod facts;
mod hostile;
mod pages;
mod restore_point;
mod scope;
mod search;

fn ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_contains_the_rows_of_the_overview() {
    let server = Served::over(&samples()).await;
    for (path, overview, name, id, start, end) in [
        ("/api/v1/applications", "/applications/overview", "applications", "id", "start-time", "end-time"),
        ("/api/v1/jobs", "/jobs/overview", "jobs", "jid", "start-time", "end-time"),
    ] {
        let page = server.json(path).await;
        let overview = server.json(overview).await;
        let listed = overview[name].as_array().unwrap();
        assert_eq!(page["next"], Value::Null);
        assert_eq!(page["total"], json!({"count": listed.len(), "exact": true}), "{path}");
        let shown: Vec<&Value> = page["items"].as_array().unwrap().iter().filter(|item| item["shown"] == true).collect();
        assert_eq!(shown.len(), listed.len(), "{path}");
        for item in shown {
            let archived = listed.iter().find(|each| each[id] == item["id"]).unwrap();
            assert_eq!(item["name"], archived["name"]);
            assert_eq!((&item["start"], &item["end"], &item["duration"]), (&archived[start], &archived[end], &archived["duration"]));
            assert_eq!(item.get("tasks"), archived.get("tasks"));
            if name == "applications" {
                assert_eq!(item["jobs"], archived["jobs"]);
            }
        }
        let ends: Vec<i64> = page["items"].as_array().unwrap().iter().map(|item| item["end"].as_i64().unwrap()).collect();
        assert!(ends.is_sorted_by(|a, b| a >= b), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_job_has_all_its_members() {
    let server = Served::over(&samples()).await;
    let page = server.json("/api/v1/jobs?application=07ac2d4d82b8e3f0fd1a35b9888ae429&name=ADAPTIVE").await;
    let mut job = page["items"][0].clone();
    let directory = job["directory"].take();
    assert!(directory.as_str().unwrap().starts_with("file:"), "{directory}");
    assert_eq!(
        job,
        json!({
            "id": "07ac2d4d82b8e3f0fd1a35b9888ae429", "name": "adaptive rescaled", "status": "CANCELED", "start": 1_795_373_917_344_i64,
            "end": 1_795_373_948_017_i64, "duration": 30_673, "job_type": "STREAMING",
            "tasks": {"running": 0, "canceling": 0, "canceled": 4, "total": 4, "created": 0, "scheduled": 0, "deploying": 0,
                      "reconciling": 0, "finished": 0, "initializing": 0, "failed": 0},
            "application": "07ac2d4d82b8e3f0fd1a35b9888ae429", "cluster": "00000000000000000000000000000000", "directory": null,
            "gone_since": null, "problems": 0, "shown": true, "archived": true, "read": true, "flat": false, "run_facts": null
        })
    );
    assert_eq!(page["total"], json!({"count": 1, "exact": true}));
    server.stop().await;
}

/// Whether a filter selects a job.
type Check<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn filters_select_the_matching_jobs() {
    let server = Served::over(&samples()).await;
    let all = server.json("/api/v1/jobs?limit=1000").await;
    let all = all["items"].as_array().unwrap();
    let number = |value: &Value| value.as_i64().unwrap();
    let middle = number(&all[all.len() / 2]["end"]);
    let checks: Vec<(String, Check<'_>)> = vec![
        ("status=failed".into(), Box::new(|job| job["status"] == "FAILED")),
        ("status=FAILED,CANCELED&status=FINISHED".into(), Box::new(|job| job["status"] != "RUNNING")),
        ("name=re".into(), Box::new(|job| job["name"].as_str().unwrap().to_lowercase().contains("re"))),
        ("name=STREAM".into(), Box::new(|job| job["name"].as_str().unwrap().to_lowercase().contains("stream"))),
        ("name=rest&name_match=prefix".into(), Box::new(|job| job["name"].as_str().unwrap().to_lowercase().starts_with("rest"))),
        ("name=Adaptive%20Rescaled&name_match=exact".into(), Box::new(|job| job["name"] == "adaptive rescaled")),
        ("cluster=prod-eu".into(), Box::new(|job| job["cluster"] == "prod-eu")),
        ("job_type=batch".into(), Box::new(|job| job["job_type"] == "BATCH")),
        ("min_failed_tasks=1".into(), Box::new(|job| job["tasks"]["failed"] != 0)),
        ("max_failed_tasks=0&min_duration=10000".into(), Box::new(|job| job["tasks"]["failed"] == 0 && number(&job["duration"]) >= 10_000)),
        (format!("end_from={middle}"), Box::new(|job| number(&job["end"]) >= middle)),
        (format!("end_to={middle}"), Box::new(|job| number(&job["end"]) < middle)),
        ("problems=true".into(), Box::new(|job| job["problems"] != 0)),
        ("problems=false".into(), Box::new(|job| job["problems"] == 0)),
        ("name=no%20such%20name".into(), Box::new(|_| false)),
        ("cluster=nowhere".into(), Box::new(|_| false)),
    ];
    for (filter, check) in checks {
        let expected: Vec<&str> = all.iter().filter(|job| check(job)).map(|job| job["id"].as_str().unwrap()).collect();
        let page = server.json(&format!("/api/v1/jobs?{filter}&limit=1000")).await;
        assert_eq!(ids(&page), expected, "{filter}");
        assert_eq!(page["total"], json!({"count": expected.len(), "exact": true}), "{filter}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_facet_ignores_its_own_part_of_the_filter() {
    let server = Served::over(&samples()).await;
    for kind in ["applications", "jobs"] {
        let whole = server.json(&format!("/api/v1/{kind}/facets")).await;
        assert_eq!(whole["exact"], true);
        for facet in ["status", "cluster", "directory", "job_type"] {
            for each in whole[facet].as_array().unwrap() {
                let value: String = url::form_urlencoded::byte_serialize(each["value"].as_str().unwrap().as_bytes()).collect();
                let page = server.json(&format!("/api/v1/{kind}?{facet}={value}")).await;
                assert_eq!(page["total"]["count"], each["count"], "{kind} {facet} {value}");
                let narrowed = server.json(&format!("/api/v1/{kind}/facets?{facet}={value}&by={facet}")).await;
                assert_eq!(narrowed[facet], whole[facet], "{kind} {facet} {value}");
                assert!(
                    ["status", "cluster", "directory", "day", "job_type"].iter().all(|other| *other == facet || narrowed[*other].is_null())
                );
            }
        }
        for each in whole["day"].as_array().unwrap() {
            let day = each["value"].as_str().unwrap();
            let from = chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").unwrap();
            let page = server.json(&format!("/api/v1/{kind}?end_from={from}&end_to={}", from.succ_opt().unwrap())).await;
            assert_eq!(page["total"]["count"], each["count"], "{kind} {day}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn statistics_add_up_to_the_list() {
    let server = Served::over(&samples()).await;
    let all = server.json("/api/v1/jobs?limit=1000").await;
    let jobs = all["items"].as_array().unwrap();
    let (first, last) = (jobs[jobs.len() - 1]["end"].as_i64().unwrap(), jobs[0]["end"].as_i64().unwrap());
    for (bucket, zone) in [("day", "UTC"), ("hour", "Asia/Kolkata"), ("day", "America/New_York")] {
        let path = format!("/api/v1/statistics?kind=jobs&from={first}&to={}&bucket={bucket}&time_zone={zone}", last + 1);
        let statistics = server.json(&path).await;
        let counted: i64 = statistics["buckets"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|bucket| bucket["counts"].as_object().unwrap().values())
            .map(|count| count.as_i64().unwrap())
            .sum();
        assert_eq!(usize::try_from(counted).unwrap(), jobs.len(), "{bucket} {zone}");
        let longest = jobs.iter().map(|job| job["duration"].as_i64().unwrap()).max().unwrap();
        assert_eq!(statistics["durations"]["max"], longest);
        let failed: u64 = statistics["failing_names"].as_array().unwrap().iter().map(|name| name["failed"].as_u64().unwrap()).sum();
        assert_eq!(usize::try_from(failed).unwrap(), jobs.iter().filter(|job| job["status"] == "FAILED").count());
    }
    server.stop().await;
}

#[tokio::test]
async fn statistics_refuse_filters_of_the_other_list() {
    let server = Served::over(&[]).await;
    for (query, status, sentence) in [
        ("kind=applications&min_failed_jobs=1", 200, "buckets"),
        ("kind=jobs&application=unknown", 200, "buckets"),
        ("min_failed_jobs=1", 400, "`min_failed_jobs` and `max_failed_jobs` are filters of applications"),
        ("kind=applications&application=unknown", 400, "`application` is a filter of jobs"),
        ("end_from=0", 400, "use `from` and `to`"),
        ("from=2&to=1", 400, "`from` must be a time before `to`"),
        ("from=2000-01-01&to=2026-01-01", 400, "at most 1000 days"),
    ] {
        let answer = server.get(&format!("/api/v1/statistics?{query}")).await;
        assert_eq!(answer.status(), status, "{query}");
        let body = answer.text().await.unwrap();
        assert!(body.contains(sentence), "{query}: {body}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_application_has_its_copies_problems_and_jobs() {
    let server = Served::over(&samples()).await;
    let list = server.json("/api/v1/applications").await;
    for item in list["items"].as_array().unwrap() {
        let details = server.json(&format!("/api/v1/applications/{}", item["id"].as_str().unwrap())).await;
        for (member, value) in item.as_object().unwrap() {
            assert_eq!(&details[member], value);
        }
        assert_eq!(details["copies"][0]["shown"], true);
        let jobs = details["job_items"].as_array().unwrap();
        assert!(jobs.iter().all(|job| job["application"] == item["id"]));
        assert_eq!(details["problem_details"].as_array().unwrap().len() as u64, item["problems"].as_u64().unwrap());
    }
    let job = server.json("/api/v1/jobs/97E64AFE56D154C5EF33D6BD2EA42FE0").await;
    assert_eq!((&job["application"], &job["cluster"], &job["copies"].as_array().unwrap().len()), (&Value::Null, &Value::Null, &1));
    for (path, status) in [
        ("/api/v1/jobs/ffffffffffffffffffffffffffffffff", 404),
        ("/api/v1/jobs/97e64afe56d154c5ef33d6bd2ea42fe0?cluster=x", 404),
        ("/api/v1/jobs/x", 400),
        ("/api/v1/applications/%00", 400),
    ] {
        assert_eq!(server.get(path).await.status(), status, "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_history_contains_the_runs_of_one_name() {
    let server = Served::over(&samples()).await;
    let history = server.json("/api/v1/jobs/history?name=Adaptive%20rescaled").await;
    assert_eq!(ids(&history), ["07ac2d4d82b8e3f0fd1a35b9888ae429"]);
    let refused = server.get("/api/v1/jobs/history").await;
    assert_eq!(refused.status(), 400);
    server.stop().await;
}
