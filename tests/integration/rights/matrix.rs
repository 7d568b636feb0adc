//! Every route × every role × own, foreign and unknown id. A route that is not in the table fails the test.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, header};
use historyserver::access::{Identity, IdentityKind};
use serde_json::{Value, json};
use std::sync::Arc;

use super::world::{Guarded, SECRET, Sample, samples, user};
use crate::support::archives::id;
use crate::support::world::Answer;

/// The right that a route of one application or job needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    View,
    Configuration,
    Download,
}

/// The answer of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// One application or job: 404 unless the client has the right.
    One(Needs),
    /// Many: those that the client may see.
    Many,
    /// Two jobs.
    Both,
    /// The same to all clients, whatever the id.
    Same,
    /// A change.
    Change,
}

use Needs::{Configuration, Download, View};

/// Our own routes.
const OWN: &[(&str, &str, Shows)] = &[
    ("get", "/api/v1/applications", Shows::Many),
    ("get", "/api/v1/applications/export", Shows::Many),
    ("get", "/api/v1/applications/facets", Shows::Many),
    ("get", "/api/v1/applications/history?name=NAME", Shows::Many),
    ("get", "/api/v1/applications/{id}", Shows::One(View)),
    ("get", "/api/v1/applications/{id}/archive", Shows::One(Download)),
    ("get", "/api/v1/applications/{id}/document?path=/applications/{id}", Shows::One(View)),
    ("get", "/api/v1/applications/{id}/documents", Shows::One(View)),
    ("post", "/api/v1/cleanup", Shows::Change),
    ("get", "/api/v1/deletions", Shows::Many),
    ("get", "/api/v1/jobs", Shows::Many),
    ("get", "/api/v1/jobs/compare?left={id}&right={id}", Shows::Both),
    ("get", "/api/v1/jobs/export", Shows::Many),
    ("get", "/api/v1/jobs/facets", Shows::Many),
    ("get", "/api/v1/jobs/history?name=NAME%20job", Shows::Many),
    ("get", "/api/v1/jobs/restore-point?name=NAME%20job", Shows::One(View)),
    ("get", "/api/v1/jobs/{id}", Shows::One(View)),
    ("get", "/api/v1/jobs/{id}/archive", Shows::One(Download)),
    ("get", "/api/v1/jobs/{id}/diagnosis", Shows::One(View)),
    ("get", "/api/v1/jobs/{id}/document?path=/jobs/{id}/config", Shows::One(Configuration)),
    ("get", "/api/v1/jobs/{id}/documents", Shows::One(View)),
    ("get", "/api/v1/", Shows::Same),
    ("get", "/api/v1/openapi.json", Shows::Same),
    ("get", "/api/v1/problems", Shows::Many),
    ("post", "/api/v1/refresh", Shows::Change),
    ("get", "/api/v1/retention/preview", Shows::Many),
    ("get", "/api/v1/search?q=NAME", Shows::Many),
    ("get", "/api/v1/statistics?from=1699000000000&to=1701000000000", Shows::Many),
    ("get", "/api/v1/status", Shows::Many),
    ("get", "/api/v1/tasks", Shows::Many),
];

/// Flink's routes that do not show one document of a job or application.
const OF_FLINK: &[(&str, Shows)] = &[
    ("/config", Shows::Same),
    ("/overview", Shows::Many),
    ("/applications/overview", Shows::Many),
    ("/jobs/overview", Shows::Many),
    ("/jobs", Shows::Many),
    // Made of the id alone, as in Flink; no pattern is configured.
    ("/jobs/{jobid}/jobmanager/log-url", Shows::Same),
    ("/jobs/{jobid}/taskmanagers/{taskmanagerid}/log-url", Shows::Same),
    ("/jobs/{jobid}/config", Shows::One(Configuration)),
    ("/jobs/{jobid}/jobmanager/config", Shows::One(Configuration)),
    ("/jobs/{jobid}/jobmanager/environment", Shows::One(Configuration)),
    ("/applications/{applicationid}/jobmanager/config", Shows::One(Configuration)),
];

/// Every route: method, path with `{id}` and `NAME`, and what it shows.
fn routes() -> Vec<(&'static str, String, Shows)> {
    let document: Value = serde_json::from_str(&historyserver::api::openapi_json().unwrap()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        documented.extend(methods.as_object().unwrap().keys().map(|method| (method.clone(), path.clone())));
    }
    let plain = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    let listed: BTreeSet<_> = OWN.iter().map(|(method, path, _)| ((*method).to_owned(), plain(path))).collect();
    assert_eq!(listed, documented, "the table of this test has exactly the routes of the OpenAPI document");
    let own = OWN.iter().map(|(method, path, shows)| (*method, (*path).to_owned(), *shows));
    let of_flink = historyserver::api::flink_routes();
    assert!(OF_FLINK.iter().all(|(path, _)| of_flink.contains(path)));
    let of_flink = of_flink.into_iter().map(|path| {
        let shows = OF_FLINK.iter().find(|(known, _)| *known == path).map_or(Shows::One(View), |(_, shows)| *shows);
        ("get", filled(path), shows)
    });
    own.chain(of_flink).collect()
}

/// A template of Flink's with an id in place of its owner, and ones elsewhere.
pub(super) fn filled(template: &str) -> String {
    let segments = template.split('/').map(|segment| match segment {
        "{jobid}" | "{applicationid}" => "{id}",
        "{*document}" => "something/else",
        segment if segment.starts_with('{') => "1",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

struct Role {
    client: Identity,
    /// Rights on the first sample.
    own: &'static [Needs],
    /// Whether it sees the others, too.
    all: bool,
    operates: bool,
}

fn roles() -> (Value, Vec<Role>) {
    let rules = json!([
        {"users": ["view"], "may": ["view"], "clusters": ["a-*"]},
        {"users": ["configuration"], "may": ["view-configuration"], "names": ["orders"]},
        {"users": ["download"], "may": ["download"], "configuration": {"key": "pipeline.owner", "value": "team-a"}},
        {"users": ["all", "operator"], "may": ["download"]},
        {"users": ["operator"], "may": ["operate"]},
    ]);
    let role = |name, own, all| Role { client: user(name), own, all, operates: name == "operator" };
    let anonymous = Role { client: Identity::anonymous(), own: &[], all: false, operates: false };
    let token = Role {
        client: Identity::named("t", IdentityKind::Token, ["download", "operate"]),
        own: &[View, Configuration, Download],
        all: true,
        operates: true,
    };
    let roles = vec![
        anonymous,
        role("nothing", &[][..], false),
        role("view", &[View], false),
        role("configuration", &[View, Configuration], false),
        role("download", &[View, Configuration, Download], false),
        role("all", &[View, Configuration, Download], true),
        role("operator", &[View, Configuration, Download], true),
        token,
    ];
    (rules, roles)
}

async fn send(server: &Guarded, role: &Role, method: &str, path: &str) -> Answer {
    let request = Request::builder()
        .method(method.to_uppercase().as_str())
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .extension(Arc::new(role.client.clone()))
        .body(Body::from(if method == "post" { "{}" } else { "" }))
        .unwrap();
    server.world.request(request).await
}

/// Whether an answer has anything of an application.
fn has(answer: &Answer, sample: &Sample) -> bool {
    let text = String::from_utf8_lossy(&answer.body);
    [sample.id.as_str(), sample.name, sample.cluster].iter().any(|part| text.contains(part))
}

#[tokio::test]
async fn every_route_shows_each_client_only_what_it_may_see() {
    let (rules, roles) = roles();
    let server = Guarded::with_rules(&rules).await;
    let [own, foreign, other] = samples();
    let unknown = id('f');
    for (method, path, shows) in routes() {
        let mut same = None;
        for role in &roles {
            let named = format!("{:?}: {method} {path}", role.client.name);
            let of = |id: &str, name: &str| path.replace("{id}", id).replace("NAME", name);
            let answer = send(&server, role, method, &of(&own.id, own.name)).await;
            let to_foreign = send(&server, role, method, &of(&foreign.id, foreign.name)).await;
            let to_unknown = send(&server, role, method, &of(&unknown, "unknown")).await;
            match shows {
                Shows::One(needs) => {
                    let expected = if role.own.contains(&needs) { 200 } else { 404 };
                    assert_eq!(answer.status, expected, "{named}");
                    assert_eq!(to_foreign.status, if role.all { 200 } else { 404 }, "{named}");
                    if needs == Configuration {
                        let secret = String::from_utf8_lossy(&answer.body).contains(SECRET);
                        assert!(!secret || role.own.contains(&Download), "{named}");
                    }
                }
                Shows::Both => {
                    assert_eq!(answer.status, if role.own.contains(&View) { 200 } else { 404 }, "{named}");
                    let mixed = path.replacen("{id}", &own.id, 1).replace("{id}", &foreign.id);
                    assert_eq!(send(&server, role, method, &mixed).await.status, if role.all { 200 } else { 404 }, "{named}");
                }
                Shows::Many => {
                    assert_eq!(answer.status, 200, "{named}: {}", String::from_utf8_lossy(&answer.body));
                    for (sample, seen) in [(&own, role.own.contains(&View)), (&foreign, role.all), (&other, role.all)] {
                        assert!(seen || (!has(&answer, sample) && !has(&to_foreign, sample)), "{named} shows {}", sample.name);
                    }
                }
                Shows::Same => {
                    let before = same.get_or_insert_with(|| (answer.status, answer.body.clone()));
                    assert_eq!(*before, (answer.status, answer.body.clone()), "{named}");
                    assert_eq!((answer.status, &answer.body), (to_foreign.status, &to_foreign.body), "{named}");
                }
                Shows::Change => {
                    // This server carries out none, so it answers 404 to those who may.
                    assert_eq!(answer.status, if role.operates { 404 } else { 403 }, "{named}");
                }
            }
            if !role.all && !matches!(shows, Shows::Many | Shows::Same) {
                let (of_foreign, of_unknown) = ((to_foreign.status, &to_foreign.body), (to_unknown.status, &to_unknown.body));
                assert_eq!(of_foreign, of_unknown, "{named}: what is hidden is like what does not exist");
                assert!(!has(&to_foreign, &foreign) && !to_foreign.headers.contains_key(header::ETAG), "{named}");
            }
        }
    }
    server.close().await;
}
