//! The OpenAPI document of `/api/v1`, and the page made from it.
//!
//! With `UPDATE_DOCUMENTS=1` in the environment, `web/openapi.json` is written instead of compared.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::flink::tool;
use crate::support::served::Served;

#[test]
fn the_committed_document_is_up_to_date() {
    let path = tool("web/openapi.json");
    let expected = historyserver::api::openapi_json().unwrap();
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {} of web/openapi.json is stale: run `make documents`", number + 1);
    }
    assert_eq!(found, expected, "web/openapi.json is stale: run `make documents`");
}

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, value)| (path.as_str(), method.as_str(), value)))
        .collect()
}

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(reference) if name == "$ref" => {
                        found.insert(reference.clone());
                    }
                    _ => references(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_describes_each_route_once_with_its_errors() {
    let server = Served::over(&[]).await;
    let document = server.json("/api/v1/openapi.json").await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let named = format!("{method} {path}");
        assert!(path.starts_with("/api/v1/"), "{named}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{named}: the operationId is taken");
        assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{named} has no summary");
        assert!(operation["responses"]["default"]["content"]["application/json"].is_object(), "{named}");
        if method == "get" && !path.contains('{') {
            let status = server.get(path).await.status().as_u16();
            let needs_parameters = operation["parameters"].as_array().is_some_and(|all| all.iter().any(|each| each["required"] == true));
            assert_eq!(status, if needs_parameters { 400 } else { 200 }, "{named}");
        }
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} does not resolve");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_page_lists_every_operation_without_scripts_or_inline_styles() {
    let server = Served::over(&[]).await;
    let document = server.json("/api/v1/openapi.json").await;
    let answer = server.get("/api/v1/").await;
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert!(!answer.headers()["content-security-policy"].to_str().unwrap().contains("unsafe"));
    let page = answer.text().await.unwrap();
    for (path, _, operation) in operations(&document) {
        assert!(page.contains(&format!("id=\"{}\"", operation["operationId"].as_str().unwrap())), "{path}");
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for refused in ["<script", "<style", " style=", " onclick", "http://", "https://"] {
        assert!(!page.contains(refused), "{refused} is in the page");
    }
    assert!(page.contains("href=\"../../api.css\""));
    let style = server.get("/api.css").await;
    assert_eq!((style.status().as_u16(), style.headers()["content-type"].to_str().unwrap()), (200, "text/css; charset=utf-8"));
    assert!(style.text().await.unwrap().contains("light-dark("));
    server.stop().await;
}

#[tokio::test]
async fn a_405_lists_the_allowed_methods() {
    let server = Served::over(&[]).await;
    for (method, path, allow) in [
        ("GET", "/api/v1/refresh", "POST"),
        ("DELETE", "/api/v1/cleanup", "POST"),
        ("OPTIONS", "/api/v1/cleanup", "POST"),
        ("POST", "/api/v1/status", "GET, HEAD"),
    ] {
        let answer = server.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), if method == "OPTIONS" { 204 } else { 405 }, "{method} {path}");
        assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
    }
    server.stop().await;
}
