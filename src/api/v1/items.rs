//! Rows of lists as they are answered.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::Millis;
use crate::index::query::Item;

/// One copy of an application. Times and durations are milliseconds.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct ApplicationItem {
    id: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Millis>,
    end: Option<Millis>,
    duration: Option<Millis>,
    /// Cluster that ran it.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    /// Number of its jobs by state.
    jobs: BTreeMap<String, u64>,
    /// Its summary was read.
    complete: bool,
    /// Since when its archive is gone from the archive directory.
    gone_since: Option<Millis>,
    /// Problems on record.
    problems: u64,
    /// This copy is the one that Flink's paths show.
    shown: bool,
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
            gone_since: item.gone_since,
            problems: item.problems,
            shown: item.shown,
        }
    }
}

/// One copy of a job. Times and durations are milliseconds.
#[derive(Serialize, ToSchema)]
pub(in crate::api) struct JobItem {
    id: String,
    name: Option<String>,
    status: Option<String>,
    start: Option<Millis>,
    end: Option<Millis>,
    duration: Option<Millis>,
    /// `BATCH` or `STREAMING`.
    job_type: Option<String>,
    /// Number of its tasks by state, and in `total`.
    tasks: BTreeMap<String, u64>,
    /// Its application; null: none names it.
    application: Option<String>,
    /// Cluster that ran it; null: it belongs to no application.
    cluster: Option<String>,
    /// URL of the archive directory.
    directory: String,
    /// Since when its archive is gone from the archive directory.
    gone_since: Option<Millis>,
    /// Problems on record.
    problems: u64,
    /// This copy is the one that Flink's paths show.
    shown: bool,
    /// Its archive was read; otherwise the summary of its application names it, and no more is known.
    archived: bool,
    /// Its archive lies beside the folders of the clusters, as a file named by the id of the job: a legacy job archive, or one of Flink 2.3
    /// of a job that failed before it was run. The latter has an application if the summary of one names it.
    flat: bool,
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
            flat: item.flat,
        }
    }
}
