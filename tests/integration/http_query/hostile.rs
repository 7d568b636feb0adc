//! Hostile values in every parameter of every path of the OpenAPI document: the answer is a 4xx with a sentence, or a normal answer.

use serde_json::Value;

use crate::support::served::{Served, samples};

/// The values as they are sent, some of them percent-encoded.
const VALUES: &[&str] = &[
    "",
    "%00",
    "a%00b",
    "%ff%fe",
    "%",
    "%2",
    "%25",
    "%2e%2e%2f",
    "'",
    "%22",
    "';DROP%20TABLE%20jobs;--",
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
    "%E2%80%AE%EF%BB%BF",
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

/// Length of a text that is too long for every parameter.
const LONG: usize = 5_000;

/// One operation of the document.
struct Operation {
    path: String,
    /// Query parameters, and whether each is required.
    parameters: Vec<(String, bool)>,
}

impl Operation {
    /// Its path with this id, and the required parameters except one.
    fn url(&self, id: &str, except: &str) -> String {
        let needed = self.parameters.iter().filter(|(name, required)| *required && name != except);
        let query: Vec<String> = needed.map(|(name, _)| format!("{name}={}&", valid_value(name))).collect();
        format!("{}?{}", self.path.replace("{id}", id), query.concat())
    }

    /// The id of an archived application or job.
    fn id(&self) -> &'static str {
        if self.path.contains("/jobs/") { "97e64afe56d154c5ef33d6bd2ea42fe0" } else { "0d6f4f6e8da5b7e7a3551550ff16c873" }
    }
}

/// A valid value of a required parameter.
fn valid_value(name: &str) -> &'static str {
    match name {
        "left" | "right" => "97e64afe56d154c5ef33d6bd2ea42fe0",
        "path" => "/jobs/overview",
        _ => "rest",
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .filter(|(_, item)| item["get"].is_object())
        .map(|(path, item)| {
            let parameters = item["get"]["parameters"].as_array().into_iter().flatten().filter(|each| each["in"] == "query");
            let parameters = parameters.map(|each| (each["name"].as_str().unwrap().to_owned(), each["required"] == true)).collect();
            Operation { path: path.clone(), parameters }
        })
        .collect()
}

/// The sentence of a 400; empty for another 4xx; `None` for a 200.
async fn sentence(server: &Served, url: &str) -> Option<String> {
    let answer = server.get(url).await;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.unwrap();
    if status == 200 {
        return None;
    }
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!((400..500).contains(&status), "{url}: {status} {body}");
    assert_eq!(headers["content-type"], "application/json", "{url}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let sentence = body["errors"][0].as_str().unwrap();
    assert!(sentence.ends_with('.') && sentence.len() < 600 && !sentence.contains(char::is_control), "{url}: {body}");
    Some(if status == 400 { sentence.to_owned() } else { String::new() })
}

#[tokio::test]
async fn a_hostile_value_is_answered_or_refused_with_the_name_of_its_parameter() {
    let server = Served::over(&samples()).await;
    let document = server.json("/api/v1/openapi.json").await;
    let mut requests = 0;
    for operation in operations(&document) {
        for (name, _) in &operation.parameters {
            let url = operation.url(operation.id(), name);
            let long = "x".repeat(LONG);
            for value in VALUES.iter().copied().chain([long.as_str()]) {
                requests += 1;
                let url = format!("{url}{name}={value}");
                if let Some(sentence) = sentence(&server, &url).await {
                    let named = sentence.contains(&format!("`{name}`"));
                    assert!(sentence.is_empty() || named, "{url}: {sentence}");
                }
            }
            // A repeated parameter.
            for (one, other) in [("a", "b"), ("1", "1"), ("", "")] {
                sentence(&server, &format!("{url}{name}={one}&{name}={other}")).await;
            }
        }
        if operation.path.contains("{id}") {
            for value in VALUES.iter().filter(|value| !value.is_empty()) {
                sentence(&server, &operation.url(value, "")).await.expect("no application or job has this id");
            }
        }
    }
    assert!(requests > 3_000, "only {requests} requests were made");
    server.stop().await;
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_with_the_names_of_the_known_ones() {
    let server = Served::over(&samples()).await;
    let document = server.json("/api/v1/openapi.json").await;
    for operation in operations(&document) {
        for unknown in ["unknown", "statsu", "LIMIT", "cursor%00", "%27"] {
            let url = format!("{}{unknown}=1", operation.url(operation.id(), ""));
            let sentence = sentence(&server, &url).await.unwrap_or_else(|| panic!("{url} was answered"));
            assert!(sentence.contains("is not a parameter of this path"), "{url}: {sentence}");
            for (name, _) in &operation.parameters {
                assert!(sentence.contains(name.as_str()), "{url} takes {name}: {sentence}");
            }
        }
    }
    server.stop().await;
}
