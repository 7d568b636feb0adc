//! The diagnosis of every sample.

use std::collections::{BTreeMap, BTreeSet};

use historyserver::diagnosis::FindingCode;
use serde_json::Value;
use strum::VariantArray as _;

use crate::support::served::{Served, samples};

fn codes(diagnosis: &Value) -> BTreeSet<&str> {
    diagnosis["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_failed_sample_has_its_cause_and_every_finding_leads_to_documents_that_exist() {
    let server = Served::over(&samples()).await;
    let jobs = server.json("/api/v1/jobs?limit=1000").await;
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut diagnosed = 0;
    for job in jobs["items"].as_array().unwrap().iter().filter(|job| job["shown"] == true && job["archived"] == true) {
        let id = job["id"].as_str().unwrap();
        let diagnosis = server.json(&format!("/api/v1/jobs/{id}/diagnosis")).await;
        diagnosed += 1;
        let facts = server.json(&format!("/api/v1/jobs/{id}")).await["facts"].clone();
        let codes = codes(&diagnosis);
        if job["status"] == "FAILED" {
            let missing = diagnosis["not_assessed"].as_array().unwrap().iter().any(|missing| missing["code"] == "root-cause");
            assert_eq!(codes.contains("root-cause"), !facts["root_exception"].is_null(), "{id} {diagnosis:#}");
            assert_ne!(codes.contains("root-cause"), missing, "{id} {diagnosis:#}");
        }
        for finding in diagnosis["findings"].as_array().unwrap() {
            *found.entry(finding["code"].as_str().unwrap().to_owned()).or_default() += 1;
            for below in finding["documents"].as_array().unwrap() {
                let path = format!("/jobs/{id}{}", below.as_str().unwrap());
                assert_eq!(server.get(&path).await.status(), 200, "{path}");
            }
        }
        let severities: Vec<&str> =
            diagnosis["findings"].as_array().unwrap().iter().map(|finding| finding["severity"].as_str().unwrap()).collect();
        assert!(severities.is_sorted_by_key(|severity| ["critical", "warning", "notice"].iter().position(|known| known == severity)));
    }
    assert!(diagnosed > 20 && found["root-cause"] > 2, "{diagnosed} {found:?}");
    // The samples are small and short: none is skewed, slow beside others, or holds a large state.
    for code in ["data-skew", "slower-than-usual", "larger-state-than-usual", "heap-state-large"] {
        assert!(!found.contains_key(code), "{found:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_job_and_one_without_an_archive_are_not_found() {
    let server = Served::over(&samples()).await;
    assert_eq!(server.get(&format!("/api/v1/jobs/{}/diagnosis", "9".repeat(32))).await.status(), 404);
    let jobs = server.json("/api/v1/jobs?limit=1000").await;
    for job in jobs["items"].as_array().unwrap().iter().filter(|job| job["archived"] == false) {
        assert_eq!(server.get(&format!("/api/v1/jobs/{}/diagnosis", job["id"].as_str().unwrap())).await.status(), 404);
    }
    server.stop().await;
}

#[test]
fn every_code_is_documented() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/diagnosis.md")).unwrap();
    for code in FindingCode::VARIANTS {
        let code: &str = (*code).into();
        assert!(text.contains(&format!("| `{code}` |")), "docs/diagnosis.md has no row for `{code}`");
    }
}
