//! Filters and sorts, from the parameters of a request. The same for lists, facets, statistics and exports.

use crate::api::http::error::ApiError;
use crate::api::http::parameters::{Parameters, invalid};
use crate::api::v1::words::words;
use crate::index::query::{Bounds, Filter, ListKind, NameMatch, Sort, SortKey};

/// States of Flink's applications and jobs.
pub(in crate::api) const STATES: &[&str] = &[
    "CREATED",
    "INITIALIZING",
    "RUNNING",
    "RESTARTING",
    "RECONCILING",
    "SUSPENDED",
    "FAILING",
    "FAILED",
    "CANCELING",
    "CANCELLING",
    "CANCELED",
    "FINISHED",
];

const JOB_TYPES: &[&str] = &["BATCH", "STREAMING"];

const NAME_MATCHES: &[(&str, NameMatch)] = &[("contains", NameMatch::Contains), ("exact", NameMatch::Exact), ("prefix", NameMatch::Prefix)];

/// Stands for the application of a job that was archived without it, and that no summary names.
const UNKNOWN_APPLICATION: &str = "unknown";

/// Parameters of a filter of applications.
const OF_APPLICATIONS: &[&str] = &[
    "status",
    "name",
    "name_match",
    "cluster",
    "directory",
    "start_from",
    "start_to",
    "end_from",
    "end_to",
    "min_duration",
    "max_duration",
    "problems",
    "job_type",
    "min_failed_jobs",
    "max_failed_jobs",
    "min_failed_tasks",
    "max_failed_tasks",
];

/// Parameters of a filter of jobs.
const OF_JOBS: &[&str] = &[
    "status",
    "name",
    "name_match",
    "cluster",
    "directory",
    "start_from",
    "start_to",
    "end_from",
    "end_to",
    "min_duration",
    "max_duration",
    "problems",
    "job_type",
    "min_failed_tasks",
    "max_failed_tasks",
    "application",
];

/// Parameters that a filter of this list takes, and these.
pub(in crate::api) fn names(kind: ListKind, more: &[&'static str]) -> Vec<&'static str> {
    let filter = match kind {
        ListKind::Applications => OF_APPLICATIONS,
        ListKind::Jobs => OF_JOBS,
    };
    filter.iter().chain(more).copied().collect()
}

/// Reads the filter of a list.
///
/// # Errors
/// 400: a value that its parameter does not take.
pub(in crate::api) fn filter(kind: ListKind, parameters: &Parameters) -> Result<Filter, ApiError> {
    let owned = |values: Vec<&str>| values.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let how = parameters.choice("name_match", NAME_MATCHES)?.unwrap_or(NameMatch::Contains);
    let times = |from: &str, to: &str| Ok::<_, ApiError>(Bounds::of_times(parameters.time(from)?, parameters.time(to)?));
    let counts = |min: &str, max: &str| Ok::<_, ApiError>(Bounds { min: parameters.count(min)?, max: parameters.count(max)? });
    let unclaimed = parameters.text("application")? == Some(UNKNOWN_APPLICATION);
    let application = match parameters.text("application")? {
        None | Some(UNKNOWN_APPLICATION) => None,
        Some(text) => {
            Some(text.parse().map_err(|_wrong| invalid("application", "the id of an application, 32 hexadecimal digits, or `unknown`"))?)
        }
    };
    Ok(Filter {
        status: parameters.words("status", STATES)?,
        name: parameters.text("name")?.map(|text| (text.to_owned(), how)),
        cluster: owned(parameters.names("cluster")?),
        directory: owned(parameters.names("directory")?),
        job_type: parameters.words("job_type", JOB_TYPES)?,
        start: times("start_from", "start_to")?,
        end: times("end_from", "end_to")?,
        duration: counts("min_duration", "max_duration")?,
        failed_jobs: match kind {
            ListKind::Applications => counts("min_failed_jobs", "max_failed_jobs")?,
            ListKind::Jobs => Bounds::default(),
        },
        failed_tasks: counts("min_failed_tasks", "max_failed_tasks")?,
        problems: parameters.flag("problems")?,
        application,
        unclaimed,
    })
}

/// What a list can be sorted by.
fn keys(kind: ListKind) -> Vec<(&'static str, SortKey)> {
    let mut keys = vec![
        ("name", SortKey::Name),
        ("status", SortKey::Status),
        ("start", SortKey::Start),
        ("end", SortKey::End),
        ("duration", SortKey::Duration),
        ("cluster", SortKey::Cluster),
        ("directory", SortKey::Directory),
    ];
    keys.extend(match kind {
        ListKind::Applications => [("jobs", SortKey::Size), ("failed_jobs", SortKey::Failed)].as_slice(),
        ListKind::Jobs => [("tasks", SortKey::Size), ("failed_tasks", SortKey::Failed), ("job_type", SortKey::JobType)].as_slice(),
    });
    keys
}

/// Reads `sort`: a key, with `-` before it for the largest first. Usually the newest end first.
///
/// # Errors
/// 400: another key.
pub(in crate::api) fn sort(kind: ListKind, parameters: &Parameters) -> Result<Sort, ApiError> {
    let Some(text) = parameters.text("sort")? else { return Ok(Sort { key: SortKey::End, descending: true }) };
    let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
    let keys = keys(kind);
    if let Some((_, key)) = keys.iter().find(|(known, _)| *known == name) {
        return Ok(Sort { key: *key, descending });
    }
    let known: Vec<&str> = keys.iter().map(|(name, _)| *name).collect();
    Err(invalid("sort", &format!("one of {}, with - before it for the largest first", known.join(", "))))
}

words!(
    /// A state of an application or a job.
    State,
    STATES.iter().copied()
);
words!(
    /// A type of jobs.
    JobType,
    JOB_TYPES.iter().copied()
);
words!(
    /// How a name is compared.
    NameComparison,
    NAME_MATCHES.iter().map(|(word, _)| *word)
);
words!(
    /// What applications are sorted by.
    ApplicationSort,
    sorts(ListKind::Applications).iter().map(String::as_str)
);
words!(
    /// What jobs are sorted by.
    JobSort,
    sorts(ListKind::Jobs).iter().map(String::as_str)
);

/// What `sort` takes.
fn sorts(kind: ListKind) -> Vec<String> {
    keys(kind).into_iter().flat_map(|(name, _)| [name.to_owned(), format!("-{name}")]).collect()
}

/// Parameters of a filter of applications, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct ApplicationFilterParameters {
    /// States, repeated or separated by commas.
    #[param(inline)]
    status: Option<Vec<State>>,
    /// Part of the name, without case.
    name: Option<String>,
    /// How the name is compared; usually `contains`.
    #[param(inline)]
    name_match: Option<NameComparison>,
    /// Clusters, repeated or separated by commas.
    cluster: Option<Vec<String>>,
    /// URLs of archive directories, repeated or separated by commas.
    directory: Option<Vec<String>>,
    /// Started at this time or later: milliseconds since 1970 or ISO 8601.
    start_from: Option<String>,
    /// Started before this time.
    start_to: Option<String>,
    /// Ended at this time or later.
    end_from: Option<String>,
    /// Ended before this time.
    end_to: Option<String>,
    /// Least duration in milliseconds.
    #[param(minimum = 0)]
    min_duration: Option<i64>,
    /// Greatest duration in milliseconds.
    #[param(minimum = 0)]
    max_duration: Option<i64>,
    /// Only those with (without) problems on record.
    problems: Option<bool>,
    /// Types, one of which a job of it has, repeated or separated by commas.
    #[param(inline)]
    job_type: Option<Vec<JobType>>,
    /// Least number of jobs that failed.
    #[param(minimum = 0)]
    min_failed_jobs: Option<i64>,
    /// Greatest number of jobs that failed.
    #[param(minimum = 0)]
    max_failed_jobs: Option<i64>,
    /// Least number of tasks that failed in all its jobs.
    #[param(minimum = 0)]
    min_failed_tasks: Option<i64>,
    /// Greatest number of tasks that failed in all its jobs.
    #[param(minimum = 0)]
    max_failed_tasks: Option<i64>,
}

/// Parameters of a filter of jobs, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct JobFilterParameters {
    /// States, repeated or separated by commas.
    #[param(inline)]
    status: Option<Vec<State>>,
    /// Part of the name, without case.
    name: Option<String>,
    /// How the name is compared; usually `contains`.
    #[param(inline)]
    name_match: Option<NameComparison>,
    /// Clusters, repeated or separated by commas.
    cluster: Option<Vec<String>>,
    /// URLs of archive directories, repeated or separated by commas.
    directory: Option<Vec<String>>,
    /// Started at this time or later: milliseconds since 1970 or ISO 8601.
    start_from: Option<String>,
    /// Started before this time.
    start_to: Option<String>,
    /// Ended at this time or later.
    end_from: Option<String>,
    /// Ended before this time.
    end_to: Option<String>,
    /// Least duration in milliseconds.
    #[param(minimum = 0)]
    min_duration: Option<i64>,
    /// Greatest duration in milliseconds.
    #[param(minimum = 0)]
    max_duration: Option<i64>,
    /// Only those with (without) problems on record.
    problems: Option<bool>,
    /// Types, repeated or separated by commas.
    #[param(inline)]
    job_type: Option<Vec<JobType>>,
    /// Least number of tasks that failed.
    #[param(minimum = 0)]
    min_failed_tasks: Option<i64>,
    /// Greatest number of tasks that failed.
    #[param(minimum = 0)]
    max_failed_tasks: Option<i64>,
    /// Only jobs of the application with this id; `unknown`: only jobs that Flink 2.3 archived
    /// without their application, because they failed before they were run, and that no summary names.
    #[param(pattern = "^([0-9a-fA-F]{32}|unknown)$")]
    application: Option<String>,
}

/// The order of a list of applications, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct ApplicationSortParameter {
    /// What to sort by, with `-` before it for the largest first; usually `-end`.
    #[param(inline)]
    sort: Option<ApplicationSort>,
}

/// The order of a list of jobs, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the macro alone")]
pub(in crate::api) struct JobSortParameter {
    /// What to sort by, with `-` before it for the largest first; usually `-end`.
    #[param(inline)]
    sort: Option<JobSort>,
}
