//! The meaning of Flink's paths.

use crate::api::flink::list_cache::List;
use crate::archive::Owner;
use crate::ids::JobId;

/// The meaning of one of Flink's paths.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/config`.
    Config,
    /// `/overview`.
    ClusterOverview,
    /// `/applications/overview`, `/jobs/overview`, `/jobs`.
    List(List),
    /// `/jobs/:id/status`.
    JobStatus(JobId),
    /// `/jobs/:id/execution-result`.
    ExecutionResult(JobId),
    /// `/overviews/:jobid` and `/application-overviews/:applicationid`, under which the Java server keeps single overviews.
    SingleOverview(Owner),
    /// `/jobs/:id/jobmanager/log-url`, `/jobs/:id/taskmanagers/:tmid/log-url`.
    LogUrl { job: &'a str, task_manager: Option<&'a str> },
    /// An archived document: the paths that it may have, the most likely first.
    Document(Owner, Vec<String>),
    /// Nothing.
    Unknown,
}
