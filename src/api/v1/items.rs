//! Rows of lists.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Timestamp;
use crate::index::query::{Item, RunFacts};

/// A copy of an application. Times and durations are milliseconds.
#[derive(Serialize, ToSchema)]
pub(super) struct ApplicationItem {
    id: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    duration: Option<i64>,
    /// Cluster that ran it.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    /// Number of jobs by state.
    jobs: BTreeMap<String, u64>,
    /// Whether its summary was read.
    complete: bool,
    /// Whether its archives were read, as far as they can be. If not, only its summary was: failures, facts and texts of its jobs are
    /// missing until then.
    read: bool,
    /// Time since which its archive is missing in the archive directory.
    gone_since: Option<Timestamp>,
    /// Number of recorded problems.
    problems: u64,
    /// Whether Flink's paths show this copy.
    shown: bool,
    /// Facts of the run. Null: `run_facts` was not requested.
    run_facts: Option<RunFacts>,
}

impl From<Item> for ApplicationItem {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            name: item.name,
            status: item.status,
            start: item.start,
            end: item.end,
            duration: item.duration,
            cluster: item.cluster,
            directory: item.directory,
            jobs: item.counts,
            complete: item.complete,
            read: item.read,
            gone_since: item.gone_since,
            problems: item.problems,
            shown: item.shown,
            run_facts: item.run_facts,
        }
    }
}

/// A copy of a job. Times and durations are milliseconds.
#[derive(Serialize, ToSchema)]
pub(super) struct JobItem {
    id: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    duration: Option<i64>,
    /// `BATCH` or `STREAMING`.
    job_type: Option<String>,
    /// Number of tasks by state, and `total`.
    tasks: BTreeMap<String, u64>,
    /// Its application. Null: no application names the job.
    application: Option<String>,
    /// Cluster that ran it. Null: the job belongs to no application.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    /// Time since which its archive is missing in the archive directory.
    gone_since: Option<Timestamp>,
    /// Number of recorded problems.
    problems: u64,
    /// Whether Flink's paths show this copy.
    shown: bool,
    /// Whether it has an archive. If not, only the name in the summary of its application is known.
    archived: bool,
    /// Whether its archive was read, if it has one that can be read. If not, the item shows what the summary of its application says:
    /// failures, facts and texts are missing until then.
    read: bool,
    /// Whether its archive is a file beside the folders of the clusters, named by the id of the job: a legacy job archive, or the archive
    /// of a job that failed before it ran in Flink 2.3. Such a job has an application if an application summary names it.
    flat: bool,
    /// Facts of the run. Null: `run_facts` was not requested.
    run_facts: Option<RunFacts>,
}

impl From<Item> for JobItem {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            name: item.name,
            status: item.status,
            start: item.start,
            end: item.end,
            duration: item.duration,
            job_type: item.job_type,
            tasks: item.counts,
            application: item.application,
            cluster: item.cluster,
            directory: item.directory,
            gone_since: item.gone_since,
            problems: item.problems,
            shown: item.shown,
            archived: item.archived,
            read: item.read,
            flat: item.flat,
            run_facts: item.run_facts,
        }
    }
}
