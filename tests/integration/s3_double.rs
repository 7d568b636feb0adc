//! A small S3 server in the process of the test, with faults that tests switch on, and a record of its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use historyserver::directory::Directory;
use historyserver::tasks;

const LAST_MODIFIED: &str = "Tue, 03 Mar 2026 10:00:00 GMT";
const LAST_MODIFIED_LISTED: &str = "2026-03-03T10:00:00.000Z";

/// A running server. It stops with the runtime of the test.
pub(crate) struct S3Double {
    endpoint: String,
    state: Arc<Content>,
}

#[derive(Default)]
struct Content {
    objects: Mutex<BTreeMap<String, Bytes>>,
    requests: Mutex<Vec<String>>,
    behaviour: Mutex<Behaviour>,
}

#[derive(Clone, Default)]
struct Behaviour {
    /// The answer to every listing, with the status 200.
    listing: Option<String>,
    /// The status of every answer.
    status: Option<StatusCode>,
    /// Requests whose prefix or key contains this text get no answer.
    hangs: Option<String>,
    /// Entity tags only in answers about one object.
    no_listed_tags: bool,
    /// `start-after` has no effect.
    ignores_start: bool,
    /// How deletions fail.
    deletions: Deletions,
    /// Time before each answer.
    latency: Duration,
}

/// How the store answers deletions of several objects.
#[derive(Clone, Default)]
pub(crate) enum Deletions {
    /// As S3.
    #[default]
    Plain,
    /// Objects whose key contains this text are not deleted, for lack of permission.
    Denied(&'static str),
    /// The objects are deleted, and the answer names none.
    Quiet,
    /// No object is deleted, and the answer names each.
    Pretended,
    /// This status.
    Status(StatusCode),
}

impl S3Double {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Content::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tasks::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, state }
    }

    /// The archive directory `s3://bucket/archives`.
    pub(crate) fn directory(&self) -> Directory {
        let options = [("s3.endpoint", self.endpoint.as_str()), ("s3.access-key", "key"), ("s3.secret-key", "secret")];
        let options = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Directory::open("s3://bucket/archives", &options).unwrap()
    }

    pub(crate) fn put(&self, key: impl Into<String>, content: impl Into<Bytes>) {
        self.state.objects.lock().unwrap().insert(key.into(), content.into());
    }

    pub(crate) fn answer_listings_with(&self, body: Option<&str>) {
        self.state.behaviour.lock().unwrap().listing = body.map(str::to_owned);
    }

    pub(crate) fn answer_all_with(&self, status: Option<StatusCode>) {
        self.state.behaviour.lock().unwrap().status = status;
    }

    pub(crate) fn hang_at(&self, part: Option<&str>) {
        self.state.behaviour.lock().unwrap().hangs = part.map(str::to_owned);
    }

    pub(crate) fn list_without_tags(&self) {
        self.state.behaviour.lock().unwrap().no_listed_tags = true;
    }

    pub(crate) fn ignore_start(&self) {
        self.state.behaviour.lock().unwrap().ignores_start = true;
    }

    pub(crate) fn answer_deletions(&self, deletions: Deletions) {
        self.state.behaviour.lock().unwrap().deletions = deletions;
    }

    pub(crate) fn delay(&self, latency: Duration) {
        self.state.behaviour.lock().unwrap().latency = latency;
    }

    /// The keys of all objects.
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        self.state.objects.lock().unwrap().keys().cloned().collect()
    }

    /// The requests since the last call, as method and URI.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }
}

async fn answer(State(content): State<Arc<Content>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    content.requests.lock().unwrap().push(format!("{method} {uri}"));
    let behaviour = content.behaviour.lock().unwrap().clone();
    let mut query: BTreeMap<String, String> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if behaviour.ignores_start {
        query.remove("start-after");
    }
    let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8().unwrap().into_owned();
    let key = path.strip_prefix("/bucket").unwrap_or_default().trim_start_matches('/').to_owned();
    let place = if key.is_empty() { query.get("prefix").cloned().unwrap_or_default() } else { key.clone() };
    if !behaviour.latency.is_zero() {
        tokio::time::sleep(behaviour.latency).await;
    }
    if behaviour.hangs.is_some_and(|part| place.contains(&part)) {
        std::future::pending::<()>().await;
    }
    if let Some(status) = behaviour.status {
        return whole(status, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>");
    }
    let tag = |content: &Bytes| format!("\"{:x}\"", content.len());
    let mut objects = content.objects.lock().unwrap();
    if key.is_empty() && method == Method::GET {
        let tags = !behaviour.no_listed_tags;
        return whole(StatusCode::OK, &behaviour.listing.unwrap_or_else(|| listing(&objects, &query, tags)));
    }
    if key.is_empty() && method == Method::POST && query.contains_key("delete") {
        return delete(&mut objects, &body, &behaviour.deletions);
    }
    if method == Method::DELETE {
        objects.remove(&key);
        return whole(StatusCode::NO_CONTENT, "");
    }
    let Some(object) = objects.get(&key) else {
        return whole(StatusCode::NOT_FOUND, "<Error><Code>NoSuchKey</Code><Message>no such key</Message></Error>");
    };
    let mut answer = Response::builder().header("last-modified", LAST_MODIFIED).header("etag", tag(object));
    let range = headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    if let Some((start, end)) = range {
        let start: usize = start.parse().unwrap();
        let end = end.parse::<usize>().unwrap().min(object.len() - 1);
        answer = answer.status(206).header("content-range", format!("bytes {start}-{end}/{}", object.len()));
        return answer.body(Body::from(object.slice(start..=end))).unwrap();
    }
    if method == Method::HEAD {
        return answer.header("content-length", object.len()).body(Body::empty()).unwrap();
    }
    answer.body(Body::from(object.clone())).unwrap()
}

/// Deletes several objects, as `DeleteObjects` of S3.
fn delete(objects: &mut BTreeMap<String, Bytes>, body: &Bytes, deletions: &Deletions) -> Response<Body> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let mut results = String::new();
    let keys: Vec<&str> = text.split("<Key>").skip(1).map(|part| part.split("</Key>").next().unwrap()).collect();
    assert!(keys.len() <= 1_000, "S3 refuses more");
    for key in keys {
        match deletions {
            Deletions::Status(status) => return whole(*status, "<Error><Code>SlowDown</Code><Message>slower</Message></Error>"),
            Deletions::Denied(part) if key.contains(part) => {
                let error = format!("<Error><Key>{key}</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
                results.push_str(&error);
                continue;
            }
            Deletions::Pretended => {}
            Deletions::Plain | Deletions::Denied(_) | Deletions::Quiet => {
                objects.remove(key);
            }
        }
        if !matches!(deletions, Deletions::Quiet) {
            write!(results, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
        }
    }
    whole(StatusCode::OK, &format!("<DeleteResult>{results}</DeleteResult>"))
}

fn whole(status: StatusCode, body: &str) -> Response<Body> {
    Response::builder().status(status).header("content-type", "application/xml").body(Body::from(body.to_owned())).unwrap()
}

/// A page, as S3 answers `ListObjectsV2`. The token of a page is the last key or folder of the page before it.
fn listing(objects: &BTreeMap<String, Bytes>, query: &BTreeMap<String, String>, tags: bool) -> String {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let (prefix, delimiter) = (text("prefix"), text("delimiter"));
    let after = if text("continuation-token").is_empty() { text("start-after") } else { text("continuation-token") };
    let limit: usize = text("max-keys").parse().unwrap_or(1000).min(1000);
    let (mut inner, mut count, mut last, mut truncated) = (String::new(), 0, String::new(), false);
    let begin = std::cmp::max(prefix, after).to_owned();
    let mut folder_before: Option<String> = None;
    for (key, content) in objects.range(begin..).take_while(|(key, _)| key.starts_with(prefix) || key.as_str() < prefix) {
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        let folder = rest.split_once('/').filter(|_| !delimiter.is_empty()).map(|(folder, _)| format!("{prefix}{folder}/"));
        let name = folder.as_deref().unwrap_or(key);
        if name <= after || folder_before.as_deref() == Some(name) {
            continue;
        }
        if count == limit {
            truncated = true;
            break;
        }
        count += 1;
        name.clone_into(&mut last);
        let escaped = name.replace('&', "&amp;").replace('<', "&lt;").replace('\u{1}', "&#1;");
        if folder.is_some() {
            write!(inner, "<CommonPrefixes><Prefix>{escaped}</Prefix></CommonPrefixes>").unwrap();
            folder_before = folder;
        } else {
            let tag = if tags { format!("<ETag>&quot;{:x}&quot;</ETag>", content.len()) } else { String::new() };
            write!(
                inner,
                "<Contents><Key>{escaped}</Key><LastModified>{LAST_MODIFIED_LISTED}</LastModified>{tag}<Size>{}</Size></Contents>",
                content.len()
            )
            .unwrap();
        }
    }
    let token = if truncated { format!("<NextContinuationToken>{last}</NextContinuationToken>") } else { String::new() };
    format!("<ListBucketResult><Name>bucket</Name><IsTruncated>{truncated}</IsTruncated>{token}{inner}</ListBucketResult>")
}
