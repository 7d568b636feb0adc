//! Flink's paths: the handler of each, and the template under which its requests are counted.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};

use crate::api::flink::list_cache::List;
use crate::api::flink::route::Route;
use crate::api::http::error::ApiError;
use crate::api::http::response::RouteTemplate;
use crate::api::state::Shared;
use crate::archive::Owner;
use crate::ids::JobId;

mod cluster;
mod dashboard;
pub(in crate::api) mod document;
pub(in crate::api) mod document_cache;
mod execution_result;
pub(in crate::api) mod list_cache;
pub(in crate::api) mod log_url;
mod overview;
mod route;
mod template;

/// The templates of all paths of Flink's.
#[must_use]
pub fn routes() -> Vec<&'static str> {
    template::all().collect()
}

/// Answers a path of Flink's, given in segments.
pub(super) async fn answer(shared: &Arc<Shared>, segments: &[&str], request: &HeaderMap) -> Response {
    let segments = segments.strip_prefix(&["v1"]).unwrap_or(segments);
    let route = route(segments);
    let template = template::of(&route);
    let answer = match route {
        Route::Config => dashboard::answer(shared, request).await,
        Route::ClusterOverview => cluster::overview(shared, request).await,
        Route::List(list) => overview::answer(shared, list, request).await,
        Route::JobStatus(job) => cluster::job_status(shared, job, request).await,
        Route::ExecutionResult(job) => execution_result::answer(shared, job, request).await,
        Route::SingleOverview(owner) => document::answer(shared, owner, &[overview_path(owner).to_owned()], request).await,
        Route::LogUrl { job, task_manager } => {
            let urls = &shared.options.log_urls;
            let pattern = if task_manager.is_some() { &urls.taskmanager } else { &urls.jobmanager };
            log_url::answer(pattern.as_ref(), job, task_manager, request).await
        }
        Route::Document(owner, paths) => document::answer(shared, owner, &paths, request).await,
        Route::Unknown => Err(ApiError::no_such_path()),
    };
    match answer {
        Ok(answer) => {
            let mut answer = answer.into_response();
            answer.extensions_mut().insert(RouteTemplate(template));
            answer
        }
        Err(error) => error.on_route(template).into_response(),
    }
}

/// The path of the overview of an owner in its archive.
const fn overview_path(owner: Owner) -> &'static str {
    match owner {
        Owner::Application(_) => "/applications/overview",
        Owner::Job(_) => "/jobs/overview",
    }
}

/// The meaning of a path. Log URLs are matched before a `.json` is removed, since the id of a task manager may end so.
fn route<'a>(segments: &[&'a str]) -> Route<'a> {
    match segments {
        ["jobs", job, "jobmanager", "log-url"] => return Route::LogUrl { job, task_manager: None },
        ["jobs", job, "taskmanagers", id, "log-url"] => return Route::LogUrl { job, task_manager: Some(id) },
        _ => {}
    }
    let plain = without_suffix(segments);
    match plain.as_slice() {
        ["config"] => Route::Config,
        ["overview"] => Route::ClusterOverview,
        ["applications", "overview"] => Route::List(List::Applications),
        ["jobs", "overview"] => Route::List(List::Jobs),
        ["jobs"] => Route::List(List::JobIds),
        ["overviews", id] => job(id).map_or(Route::Unknown, Route::SingleOverview),
        ["application-overviews", id] => application(id).map_or(Route::Unknown, Route::SingleOverview),
        ["jobs", id, "status"] if let Ok(job) = id.parse() => Route::JobStatus(job),
        ["jobs", id, "execution-result"] if let Ok(job) = id.parse() => Route::ExecutionResult(job),
        ["jobs", id, ..] => job(id).map_or(Route::Unknown, |owner| Route::Document(owner, paths(segments, &plain))),
        ["applications", id, ..] => application(id).map_or(Route::Unknown, |owner| Route::Document(owner, paths(segments, &plain))),
        _ => Route::Unknown,
    }
}

fn job(id: &str) -> Option<Owner> {
    id.parse().ok().map(Owner::Job)
}

fn application(id: &str) -> Option<Owner> {
    id.parse().ok().map(Owner::Application)
}

/// The segments without a `.json` at their end, which the Java server's files have.
fn without_suffix<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    let mut plain = segments.to_vec();
    if let Some(last) = plain.last_mut()
        && let Some(stem) = last.strip_suffix(".json")
        && !stem.is_empty()
    {
        *last = stem;
    }
    plain
}

/// Paths under which an archive may hold the document: with ids in lower case and without `.json`, as Flink writes them, then as sent.
fn paths(segments: &[&str], plain: &[&str]) -> Vec<String> {
    let mut paths = vec![path(plain, true)];
    // The owner's own id is in lower case in any case: the archive reader refuses other paths.
    for (segments, lower) in [(plain, false), (segments, false)] {
        let spelled = path(segments, lower);
        if segments.len() > 2 && !paths.contains(&spelled) {
            paths.push(spelled);
        }
    }
    paths
}

/// Joins segments. The id of the owner is in lower case, other ids with `lower` only.
fn path(segments: &[&str], lower: bool) -> String {
    let mut path = String::new();
    for (index, segment) in segments.iter().enumerate() {
        path.push('/');
        match segment.parse::<JobId>() {
            Ok(id) if index == 1 || lower => path.push_str(&id.to_string()),
            _ => path.push_str(segment),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0d6f4f6e8da5b7e7a3551550ff16c873";
    const UPPER: &str = "0D6F4F6E8DA5B7E7A3551550FF16C873";

    fn of(path: &str) -> Route<'_> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        // Borrowed from `path`, not from the vector.
        route(&segments)
    }

    fn document(owner: Owner, paths: &[&str]) -> Route<'static> {
        Route::Document(owner, paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn fixed_paths_are_known_with_and_without_suffix() {
        for (path, expected) in [
            ("/config", Route::Config),
            ("/config.json", Route::Config),
            ("/overview", Route::ClusterOverview),
            ("/applications/overview.json", Route::List(List::Applications)),
            ("/jobs/overview", Route::List(List::Jobs)),
            ("/jobs", Route::List(List::JobIds)),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn documents_are_asked_for_in_lower_case_first_and_as_spelled_then() {
        let job = Owner::Job(ID.parse().unwrap());
        let application = Owner::Application(ID.parse().unwrap());
        assert_eq!(of(&format!("/jobs/{UPPER}")), document(job, &[&format!("/jobs/{ID}")]));
        assert_eq!(of(&format!("/jobs/{UPPER}.json")), document(job, &[&format!("/jobs/{ID}")]));
        assert_eq!(of(&format!("/applications/{ID}/exceptions")), document(application, &[&format!("/applications/{ID}/exceptions")]));
        assert_eq!(
            of(&format!("/jobs/{ID}/vertices/{UPPER}.json")),
            document(
                job,
                &[
                    &format!("/jobs/{ID}/vertices/{ID}"),
                    &format!("/jobs/{ID}/vertices/{UPPER}"),
                    &format!("/jobs/{ID}/vertices/{UPPER}.json"),
                ]
            )
        );
    }

    #[test]
    fn log_urls_take_any_id_and_no_suffix() {
        assert_eq!(of("/jobs/x/jobmanager/log-url"), Route::LogUrl { job: "x", task_manager: None });
        assert_eq!(of("/jobs/x/taskmanagers/a:b.json/log-url"), Route::LogUrl { job: "x", task_manager: Some("a:b.json") });
        assert_eq!(of("/jobs/x/jobmanager/log-url.json"), Route::Unknown);
    }

    #[test]
    fn what_is_no_id_is_unknown() {
        for path in [
            "/",
            "/jobs/x",
            "/jobs/overview/x",
            "/applications",
            "/applications/x/exceptions",
            "/jars",
            "/overviews/x",
            "/.json",
            "/joboverview",
        ] {
            assert_eq!(of(path), Route::Unknown, "{path}");
        }
    }
}
