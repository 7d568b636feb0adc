//! What the commands take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Which server is asked.
#[derive(Debug, Clone, Args)]
pub struct ServerArguments {
    /// Server to ask
    #[arg(long, value_name = "URL", env = "HISTORYSERVER_URL", default_value = "http://127.0.0.1:8082", value_parser = server_url)]
    pub server: Url,
}

/// How a list is printed, and how much of it.
#[derive(Debug, Clone, Args)]
pub struct RowsArguments {
    /// Rows to print, at most
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Print all rows
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

impl RowsArguments {
    /// Rows that are wanted; `None`: all.
    pub(super) fn most(&self) -> Option<u64> {
        (!self.all).then_some(self.limit)
    }
}

/// Parameters of a query, as the server names them.
pub(super) type Query = Vec<(&'static str, String)>;

/// What both lists are filtered by.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArguments {
    /// States, separated by commas
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub status: Vec<String>,
    /// Part of the name, without case
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// How the name is compared: contains, exact or prefix
    #[arg(long, value_name = "HOW", requires = "name")]
    pub name_match: Option<String>,
    /// Cluster; may be given many times
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// URL of an archive directory; may be given many times
    #[arg(long, value_name = "URL")]
    pub directory: Vec<String>,
    /// Started at this time or later: milliseconds since 1970, or ISO 8601 like 2026-11-22 or 2026-11-22T13:00:00Z
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub start_from: Option<String>,
    /// Started before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub start_to: Option<String>,
    /// Ended at this time or later
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub end_from: Option<String>,
    /// Ended before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true)]
    pub end_to: Option<String>,
    /// Least duration in milliseconds
    #[arg(long, value_name = "MS")]
    pub min_duration: Option<u64>,
    /// Greatest duration in milliseconds
    #[arg(long, value_name = "MS")]
    pub max_duration: Option<u64>,
    /// Least number of tasks that failed
    #[arg(long, value_name = "N")]
    pub min_failed_tasks: Option<u64>,
    /// Greatest number of tasks that failed
    #[arg(long, value_name = "N")]
    pub max_failed_tasks: Option<u64>,
    /// Only those with problems on record (=false: without)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub problems: Option<bool>,
    /// Types of jobs, BATCH or STREAMING
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub job_type: Vec<String>,
    /// What to sort by, with `-` before it for the largest first
    #[arg(long, value_name = "KEY", default_value = "-end", allow_hyphen_values = true)]
    pub sort: String,
}

impl FilterArguments {
    fn query(&self) -> Query {
        let mut query = Query::new();
        for (name, values) in
            [("status", &self.status), ("cluster", &self.cluster), ("directory", &self.directory), ("job_type", &self.job_type)]
        {
            query.extend(values.iter().map(|value| (name, value.clone())));
        }
        for (name, value) in [
            ("name", &self.name),
            ("name_match", &self.name_match),
            ("start_from", &self.start_from),
            ("start_to", &self.start_to),
            ("end_from", &self.end_from),
            ("end_to", &self.end_to),
        ] {
            query.extend(value.iter().map(|value| (name, value.clone())));
        }
        for (name, value) in [
            ("min_duration", self.min_duration),
            ("max_duration", self.max_duration),
            ("min_failed_tasks", self.min_failed_tasks),
            ("max_failed_tasks", self.max_failed_tasks),
        ] {
            query.extend(value.iter().map(|value| (name, value.to_string())));
        }
        query.extend(self.problems.iter().map(|value| ("problems", value.to_string())));
        query.push(("sort", self.sort.clone()));
        query
    }
}

/// `applications list`.
#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    /// Which rows.
    #[command(flatten)]
    pub filter: FilterArguments,
    /// How many.
    #[command(flatten)]
    pub rows: RowsArguments,
    /// Of whom.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// `applications list` in full: with what only applications have.
#[derive(Debug, Clone, Args)]
pub struct ApplicationListArguments {
    /// What both lists take.
    #[command(flatten)]
    pub list: ListArguments,
    /// Least number of jobs that failed
    #[arg(long, value_name = "N", help_heading = "Filters")]
    pub min_failed_jobs: Option<u64>,
    /// Greatest number of jobs that failed
    #[arg(long, value_name = "N", help_heading = "Filters")]
    pub max_failed_jobs: Option<u64>,
}

impl ApplicationListArguments {
    pub(super) fn query(&self) -> Query {
        let mut query = self.list.filter.query();
        query.extend(self.min_failed_jobs.iter().map(|value| ("min_failed_jobs", value.to_string())));
        query.extend(self.max_failed_jobs.iter().map(|value| ("max_failed_jobs", value.to_string())));
        query
    }
}

/// `jobs list`.
#[derive(Debug, Clone, Args)]
pub struct JobListArguments {
    /// What both lists take.
    #[command(flatten)]
    pub list: ListArguments,
    /// Only jobs of the application with this id
    #[arg(long, value_name = "ID", help_heading = "Filters")]
    pub application: Option<String>,
}

impl JobListArguments {
    pub(super) fn query(&self) -> Query {
        let mut query = self.list.filter.query();
        query.extend(self.application.iter().map(|value| ("application", value.clone())));
        query
    }
}

/// Which application or job, and which copy of it.
#[derive(Debug, Clone, Args)]
pub struct CopyArguments {
    /// Its id, 32 hex digits
    #[arg(value_name = "ID", value_parser = id)]
    pub id: String,
    /// The copy of this cluster; `/`: a job archive of no cluster, as Flink wrote them up to 2.2
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The copy in the archive directory with this URL
    #[arg(long, value_name = "URL")]
    pub directory: Option<String>,
}

impl CopyArguments {
    pub(super) fn query(&self) -> Query {
        let named = [("cluster", &self.cluster), ("directory", &self.directory)];
        named.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

/// One application or job.
#[derive(Debug, Clone, Args)]
pub struct ItemArguments {
    /// Which.
    #[command(flatten)]
    pub copy: CopyArguments,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Of whom.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The archive files of one application or job.
#[derive(Debug, Clone, Args)]
pub struct DownloadArguments {
    /// Of which.
    #[command(flatten)]
    pub copy: CopyArguments,
    /// Where to write the zip file; `-`: standard output [default: ID.zip in the working directory]
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    pub force: bool,
    /// Of whom.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// Two jobs.
#[derive(Debug, Clone, Args)]
pub struct CompareArguments {
    /// Id of one job
    #[arg(value_name = "LEFT", value_parser = id)]
    pub left: String,
    /// Id of the other one
    #[arg(value_name = "RIGHT", value_parser = id)]
    pub right: String,
    /// The copy of the left one of this cluster
    #[arg(long, value_name = "NAME")]
    pub left_cluster: Option<String>,
    /// The copy of the left one in this archive directory
    #[arg(long, value_name = "URL")]
    pub left_directory: Option<String>,
    /// The copy of the right one of this cluster
    #[arg(long, value_name = "NAME")]
    pub right_cluster: Option<String>,
    /// The copy of the right one in this archive directory
    #[arg(long, value_name = "URL")]
    pub right_directory: Option<String>,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Of whom.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// A search.
#[derive(Debug, Clone, Args)]
pub struct SearchArguments {
    /// Words, parts of a name, or the beginning of an id
    #[arg(value_name = "WORDS", required = true)]
    pub words: Vec<String>,
    /// Where to search, separated by commas: name, id, vertex, exception, configuration [default: everywhere]
    #[arg(long = "in", value_name = "WHERE", value_delimiter = ',')]
    pub within: Vec<String>,
    /// States, separated by commas
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub status: Vec<String>,
    /// Cluster; may be given many times
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// URL of an archive directory; may be given many times
    #[arg(long, value_name = "URL")]
    pub directory: Vec<String>,
    /// How many.
    #[command(flatten)]
    pub rows: RowsArguments,
    /// Of whom.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl SearchArguments {
    pub(super) fn query(&self) -> Query {
        let mut query = vec![("q", self.words.join(" "))];
        for (name, values) in [("in", &self.within), ("status", &self.status), ("cluster", &self.cluster), ("directory", &self.directory)] {
            query.extend(values.iter().map(|value| (name, value.clone())));
        }
        query
    }
}

/// What to do with applications.
#[derive(Debug, Clone, Subcommand)]
pub enum ApplicationsCommand {
    /// List applications, filtered and sorted
    List(Box<ApplicationListArguments>),
    /// Show one application with its jobs and problems
    Get(ItemArguments),
    /// Save the archive files of an application, as they are stored, as a zip file
    Download(DownloadArguments),
}

/// What to do with jobs.
#[derive(Debug, Clone, Subcommand)]
pub enum JobsCommand {
    /// List jobs, filtered and sorted
    List(Box<JobListArguments>),
    /// Show one job
    Get(ItemArguments),
    /// Save the archive file of a job, as it is stored, as a zip file
    Download(DownloadArguments),
    /// Show in what two jobs differ
    Compare(CompareArguments),
}

/// A command that asks a running server.
#[derive(Debug, Clone)]
pub enum ClientCommand {
    /// About applications.
    Applications(ApplicationsCommand),
    /// About jobs.
    Jobs(JobsCommand),
    /// About texts.
    Search(SearchArguments),
}

fn server_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}: a URL like http://host:8082 is needed"))?;
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() {
        Ok(url)
    } else {
        Err("a URL like http://host:8082 is needed".to_owned())
    }
}

fn id(text: &str) -> Result<String, String> {
    let id = text.parse::<crate::ids::JobId>().map_err(|_wrong| "an id of 32 hex digits is needed".to_owned())?;
    Ok(id.to_string())
}
