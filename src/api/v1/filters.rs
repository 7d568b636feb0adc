//! Filters of lists as parameters of a request. Lists, facets, statistics and exports share them.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};
use strum::IntoStaticStr;
use utoipa::ToSchema;

use crate::api::http::extract::{Parameters, read};
use crate::clock::Timestamp;
use crate::ids::ApplicationId;
use crate::index::query::{Bounds, Filter, NameMatch};

/// Value of `application` for jobs that were archived without their application, and that no summary names.
const UNKNOWN_APPLICATION: &str = "unknown";

/// A state of Flink's applications and jobs.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Created,
    Initializing,
    Running,
    Restarting,
    Reconciling,
    Suspended,
    Failing,
    Failed,
    Canceling,
    Cancelling,
    Canceled,
    Finished,
}

/// A type of jobs.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum JobType {
    Batch,
    Streaming,
}

/// The words as the index knows them.
pub(super) fn words<T: Into<&'static str>>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(|value| value.into().to_owned()).collect()
}

/// The filter of applications and jobs.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct FilterParameters {
    /// States, repeated or separated by commas.
    #[param(inline)]
    status: Vec<Status>,
    /// Text that is compared with the name, without regard to case.
    name: Option<String>,
    /// How `name` is compared: the name contains it (default), equals it, or begins with it.
    #[param(inline)]
    name_match: Option<NameMatch>,
    /// Clusters, repeated or separated by commas.
    #[serde(deserialize_with = "read::names")]
    cluster: Vec<String>,
    /// URLs of archive directories, repeated or separated by commas.
    #[serde(deserialize_with = "read::names")]
    directory: Vec<String>,
    /// Earliest start: milliseconds since 1970 or ISO 8601.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    start_from: Option<Timestamp>,
    /// Latest start, exclusive.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    start_to: Option<Timestamp>,
    /// Earliest end: milliseconds since 1970 or ISO 8601.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    end_from: Option<Timestamp>,
    /// Latest end, exclusive.
    #[serde(deserialize_with = "read::time")]
    #[param(value_type = Option<String>)]
    end_to: Option<Timestamp>,
    /// Minimum duration in milliseconds.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    min_duration: Option<i64>,
    /// Maximum duration in milliseconds.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    max_duration: Option<i64>,
    /// `true`: only rows with recorded problems; `false`: only rows without.
    problems: Option<bool>,
    /// Types of jobs, repeated or separated by commas. An application matches if one of its jobs does.
    #[param(inline)]
    job_type: Vec<JobType>,
    /// Minimum number of failed tasks; of an application: in all its jobs.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    min_failed_tasks: Option<i64>,
    /// Maximum number of failed tasks; of an application: in all its jobs.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    max_failed_tasks: Option<i64>,
}

impl Parameters for FilterParameters {}

impl From<FilterParameters> for Filter {
    fn from(parameters: FilterParameters) -> Self {
        let name_match = parameters.name_match.unwrap_or(NameMatch::Contains);
        Self {
            status: words(parameters.status),
            name: parameters.name.map(|name| (name, name_match)),
            cluster: parameters.cluster,
            directory: parameters.directory,
            job_type: words(parameters.job_type),
            start: Bounds::of_times(parameters.start_from, parameters.start_to),
            end: Bounds::of_times(parameters.end_from, parameters.end_to),
            duration: Bounds { min: parameters.min_duration, max: parameters.max_duration },
            failed_tasks: Bounds { min: parameters.min_failed_tasks, max: parameters.max_failed_tasks },
            problems: parameters.problems,
            ..Self::default()
        }
    }
}

/// The part of the filter that only applications have.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct ApplicationFilterParameters {
    /// Minimum number of failed jobs of the application.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    min_failed_jobs: Option<i64>,
    /// Maximum number of failed jobs of the application.
    #[serde(deserialize_with = "read::count")]
    #[param(minimum = 0)]
    max_failed_jobs: Option<i64>,
}

impl Parameters for ApplicationFilterParameters {}

impl ApplicationFilterParameters {
    /// Adds this part to a filter.
    pub(super) fn narrow(self, filter: impl Into<Filter>) -> Filter {
        Filter { failed_jobs: Bounds { min: self.min_failed_jobs, max: self.max_failed_jobs }, ..filter.into() }
    }

    /// Whether no parameter was given.
    pub(super) fn is_empty(&self) -> bool {
        self.min_failed_jobs.is_none() && self.max_failed_jobs.is_none()
    }
}

/// The part of the filter that only jobs have.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct JobFilterParameters {
    /// Only jobs of the application with this id. `unknown`: only jobs that Flink 2.3 archived without their application, because they
    /// failed before they ran, and that no application summary names.
    #[serde(deserialize_with = "application")]
    #[param(value_type = Option<String>, pattern = "^([0-9a-fA-F]{32}|unknown)$")]
    application: Option<JobApplication>,
}

/// Value of `application`.
#[derive(Debug)]
enum JobApplication {
    Id(ApplicationId),
    Unknown,
}

impl Parameters for JobFilterParameters {}

impl JobFilterParameters {
    /// Adds this part to a filter.
    pub(super) fn narrow(self, filter: impl Into<Filter>) -> Filter {
        let (application, unclaimed) = match self.application {
            Some(JobApplication::Id(id)) => (Some(id), false),
            Some(JobApplication::Unknown) => (None, true),
            None => (None, false),
        };
        Filter { application, unclaimed, ..filter.into() }
    }

    /// Whether no parameter was given.
    pub(super) fn is_empty(&self) -> bool {
        self.application.is_none()
    }
}

fn application<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JobApplication>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == UNKNOWN_APPLICATION {
        return Ok(Some(JobApplication::Unknown));
    }
    let id = text.parse().map_err(|_not_an_id| {
        D::Error::invalid_value(Unexpected::Str(&text), &"the id of an application (32 hexadecimal digits) or `unknown`")
    });
    id.map(|id| Some(JobApplication::Id(id)))
}
