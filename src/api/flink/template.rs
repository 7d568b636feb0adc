//! Templates of routes, for log and metrics: a fixed set, so that no client can make more of them.

use crate::api::flink::list_cache::List;
use crate::api::flink::route::Route;
use crate::archive::Owner;

/// Documents below `/jobs/{jobid}` that Flink archives, or that its clients ask for.
const JOB_DOCUMENTS: &[&str] = &[
    "/jobs/{jobid}",
    "/jobs/{jobid}/accumulators",
    "/jobs/{jobid}/checkpoints",
    "/jobs/{jobid}/checkpoints/config",
    "/jobs/{jobid}/checkpoints/details/{checkpointid}",
    "/jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}",
    "/jobs/{jobid}/config",
    "/jobs/{jobid}/exceptions",
    "/jobs/{jobid}/jobmanager/config",
    "/jobs/{jobid}/jobmanager/environment",
    "/jobs/{jobid}/metrics",
    "/jobs/{jobid}/plan",
    "/jobs/{jobid}/rescales/config",
    "/jobs/{jobid}/rescales/details/{rescaleid}",
    "/jobs/{jobid}/rescales/history",
    "/jobs/{jobid}/rescales/overview",
    "/jobs/{jobid}/rescales/summary",
    "/jobs/{jobid}/vertices/{vertexid}",
    "/jobs/{jobid}/vertices/{vertexid}/accumulators",
    "/jobs/{jobid}/vertices/{vertexid}/backpressure",
    "/jobs/{jobid}/vertices/{vertexid}/flamegraph",
    "/jobs/{jobid}/vertices/{vertexid}/metrics",
    "/jobs/{jobid}/vertices/{vertexid}/subtasks/accumulators",
    "/jobs/{jobid}/vertices/{vertexid}/subtasks/metrics",
    "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}",
    "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/attempts/{attempt}",
    "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/attempts/{attempt}/accumulators",
    "/jobs/{jobid}/vertices/{vertexid}/subtasktimes",
    "/jobs/{jobid}/vertices/{vertexid}/taskmanagers",
    "/jobs/{jobid}/vertices/{vertexid}/watermarks",
];

/// Documents below `/applications/{applicationid}`.
const APPLICATION_DOCUMENTS: &[&str] =
    &["/applications/{applicationid}", "/applications/{applicationid}/exceptions", "/applications/{applicationid}/jobmanager/config"];

/// Paths that are built, or that merge archives.
const BUILT: &[&str] = &[
    "/config",
    "/overview",
    "/applications/overview",
    "/jobs/overview",
    "/jobs",
    "/jobs/{jobid}/status",
    "/jobs/{jobid}/execution-result",
    "/overviews/{jobid}",
    "/application-overviews/{applicationid}",
    "/jobs/{jobid}/jobmanager/log-url",
    "/jobs/{jobid}/taskmanagers/{taskmanagerid}/log-url",
    "/jobs/{jobid}/{*document}",
    "/applications/{applicationid}/{*document}",
];

/// The templates of all paths of Flink's.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    [BUILT, JOB_DOCUMENTS, APPLICATION_DOCUMENTS].into_iter().flatten().copied()
}

/// The template of a route.
pub(super) fn of(route: &Route<'_>) -> &'static str {
    match route {
        Route::Config => "/config",
        Route::ClusterOverview => "/overview",
        Route::List(List::Applications) => "/applications/overview",
        Route::List(List::Jobs) => "/jobs/overview",
        Route::List(List::JobIds) => "/jobs",
        Route::JobStatus(_) => "/jobs/{jobid}/status",
        Route::ExecutionResult(_) => "/jobs/{jobid}/execution-result",
        Route::SingleOverview(Owner::Job(_)) => "/overviews/{jobid}",
        Route::SingleOverview(Owner::Application(_)) => "/application-overviews/{applicationid}",
        Route::LogUrl { task_manager: None, .. } => "/jobs/{jobid}/jobmanager/log-url",
        Route::LogUrl { task_manager: Some(_), .. } => "/jobs/{jobid}/taskmanagers/{taskmanagerid}/log-url",
        Route::Document(Owner::Job(_), paths) => among(JOB_DOCUMENTS, paths).unwrap_or("/jobs/{jobid}/{*document}"),
        Route::Document(Owner::Application(_), paths) => {
            among(APPLICATION_DOCUMENTS, paths).unwrap_or("/applications/{applicationid}/{*document}")
        }
        Route::Unknown => "unknown",
    }
}

/// The template of the most likely path of a document.
fn among(templates: &[&'static str], paths: &[String]) -> Option<&'static str> {
    let path = paths.first()?;
    templates.iter().copied().find(|template| {
        template.split('/').count() == path.split('/').count()
            && template.split('/').zip(path.split('/')).all(|(pattern, segment)| pattern.starts_with('{') || pattern == segment)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(path: &str) -> &'static str {
        of(&Route::Document(Owner::Job("0d6f4f6e8da5b7e7a3551550ff16c873".parse().unwrap()), vec![path.to_owned()]))
    }

    #[test]
    fn all_templates_are_listed() {
        let owner = Owner::Job("0d6f4f6e8da5b7e7a3551550ff16c873".parse().unwrap());
        let Owner::Job(job) = owner else { unreachable!() };
        for route in [
            Route::Config,
            Route::ClusterOverview,
            Route::List(List::Applications),
            Route::List(List::Jobs),
            Route::List(List::JobIds),
            Route::JobStatus(job),
            Route::ExecutionResult(job),
            Route::SingleOverview(owner),
            Route::LogUrl { job: "x", task_manager: None },
            Route::LogUrl { job: "x", task_manager: Some("y") },
            Route::Document(owner, vec!["/jobs/x/anything".to_owned()]),
        ] {
            assert!(all().any(|template| template == of(&route)), "{route:?}");
        }
    }

    #[test]
    fn documents_are_counted_by_kind_and_foreign_ones_together() {
        assert_eq!(document("/jobs/x"), "/jobs/{jobid}");
        assert_eq!(document("/jobs/x/vertices/y/subtasks/metrics"), "/jobs/{jobid}/vertices/{vertexid}/subtasks/metrics");
        assert_eq!(document("/jobs/x/vertices/y/subtasks/3"), "/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}");
        assert_eq!(document("/jobs/x/anything/else"), "/jobs/{jobid}/{*document}");
    }
}
