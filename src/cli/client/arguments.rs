//! The arguments of the commands that read from a server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use url::Url;

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// The server.
#[derive(Debug, Clone, Args)]
pub struct ServerArguments {
    /// URL of the server
    #[arg(long, value_name = "URL", env = "HISTORYSERVER_URL", default_value = "http://127.0.0.1:8082", value_parser = server_url)]
    pub server: Url,
    /// Token to sign in with. On a command line other users of the machine can read it: prefer the variable
    #[arg(long, value_name = "TOKEN", env = "HISTORYSERVER_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// The rows of a list to print, and their form.
#[derive(Debug, Clone, Args)]
pub struct RowsArguments {
    /// Maximum number of rows
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
    /// The maximum number of rows; `None`: all.
    pub(super) fn max_rows(&self) -> Option<u64> {
        (!self.all).then_some(self.limit)
    }
}

/// Parameters of a query, as the server names them.
pub(super) type Query = Vec<(&'static str, String)>;

/// The filters of both lists.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct FilterArguments {
    /// States, separated by commas
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    pub status: Vec<String>,
    /// Part of the name, in upper or lower case
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
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub start_from: Option<String>,
    /// Started before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub start_to: Option<String>,
    /// Ended at this time or later
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub end_from: Option<String>,
    /// Ended before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub end_to: Option<String>,
    /// Minimum duration in milliseconds
    #[arg(long, value_name = "MS")]
    pub min_duration: Option<u64>,
    /// Maximum duration in milliseconds
    #[arg(long, value_name = "MS")]
    pub max_duration: Option<u64>,
    /// Minimum number of failed tasks
    #[arg(long, value_name = "N")]
    pub min_failed_tasks: Option<u64>,
    /// Maximum number of failed tasks
    #[arg(long, value_name = "N")]
    pub max_failed_tasks: Option<u64>,
    /// Only those with problems (=false: only those without)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub problems: Option<bool>,
    /// Types of jobs, BATCH or STREAMING
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub job_type: Vec<String>,
    /// Sort key, with `-` before it for descending order
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
    /// The filters.
    #[command(flatten)]
    pub filter: FilterArguments,
    /// The rows to print.
    #[command(flatten)]
    pub rows: RowsArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The arguments of `applications list`.
#[derive(Debug, Clone, Args)]
pub struct ApplicationListArguments {
    /// The arguments of both lists.
    #[command(flatten)]
    pub list: ListArguments,
    /// Minimum number of failed jobs
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
    /// The arguments of both lists.
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

/// An application or a job, and the copy of it.
#[derive(Debug, Clone, Args)]
pub struct CopyArguments {
    /// The id, or its first digits where no other id begins with them
    #[arg(value_name = "ID", value_parser = id)]
    pub id: String,
    /// The copy of this cluster; `/`: a job archive without a cluster, as Flink wrote them up to 2.2
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
    /// The application or job.
    #[command(flatten)]
    pub copy: CopyArguments,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The archive files of one application or job.
#[derive(Debug, Clone, Args)]
pub struct DownloadArguments {
    /// The application or job.
    #[command(flatten)]
    pub copy: CopyArguments,
    /// The zip file to write; `-`: standard output [default: ID.zip in the working directory]
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub force: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// The name of a job.
#[derive(Debug, Clone, Args)]
pub struct RestorePointArguments {
    /// The complete name of the job, in upper or lower case
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Cluster; may be given many times
    #[arg(long, value_name = "NAME")]
    pub cluster: Vec<String>,
    /// URL of an archive directory; may be given many times
    #[arg(long, value_name = "URL")]
    pub directory: Vec<String>,
    /// Print only the path to restore from
    #[arg(long, short, conflicts_with = "output")]
    pub quiet: bool,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl RestorePointArguments {
    pub(super) fn query(&self) -> Query {
        let mut query: Query = vec![("name", self.name.clone())];
        for (name, values) in [("cluster", &self.cluster), ("directory", &self.directory)] {
            query.extend(values.iter().map(|value| (name, value.clone())));
        }
        query
    }
}

/// Two jobs.
#[derive(Debug, Clone, Args)]
pub struct CompareArguments {
    /// Id of the left job, or its first digits
    #[arg(value_name = "LEFT", value_parser = id)]
    pub left: String,
    /// Id of the right job, or its first digits
    #[arg(value_name = "RIGHT", value_parser = id)]
    pub right: String,
    /// The copy of the left job of this cluster
    #[arg(long, value_name = "NAME")]
    pub left_cluster: Option<String>,
    /// The copy of the left job in the archive directory with this URL
    #[arg(long, value_name = "URL")]
    pub left_directory: Option<String>,
    /// The copy of the right job of this cluster
    #[arg(long, value_name = "NAME")]
    pub right_cluster: Option<String>,
    /// The copy of the right job in the archive directory with this URL
    #[arg(long, value_name = "URL")]
    pub right_directory: Option<String>,
    /// Form of the output
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

/// A search.
#[derive(Debug, Clone, Args)]
pub struct SearchArguments {
    /// Words, parts of a name, or the beginning of an id
    #[arg(value_name = "WORDS", required = true)]
    pub words: Vec<String>,
    /// Fields to search, separated by commas: name, id, vertex, exception, configuration [default: all]
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
    /// Ended at this time or later: milliseconds since 1970, or ISO 8601 like 2026-11-22 or 2026-11-22T13:00:00Z
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub end_from: Option<String>,
    /// Ended before this time
    #[arg(long, value_name = "TIME", allow_negative_numbers = true, value_parser = time)]
    pub end_to: Option<String>,
    /// The rows to print.
    #[command(flatten)]
    pub rows: RowsArguments,
    /// The server.
    #[command(flatten)]
    pub server: ServerArguments,
}

impl SearchArguments {
    pub(super) fn query(&self) -> Query {
        let mut query = vec![("q", self.words.join(" "))];
        for (name, values) in [("in", &self.within), ("status", &self.status), ("cluster", &self.cluster), ("directory", &self.directory)] {
            query.extend(values.iter().map(|value| (name, value.clone())));
        }
        for (name, value) in [("end_from", &self.end_from), ("end_to", &self.end_to)] {
            query.extend(value.iter().map(|value| (name, value.clone())));
        }
        query
    }
}

/// The commands about applications.
#[derive(Debug, Clone, Subcommand)]
pub enum ApplicationsCommand {
    /// List applications, filtered and sorted
    List(Box<ApplicationListArguments>),
    /// Show one application with its jobs and problems
    Get(ItemArguments),
    /// Save the archive files of an application, unchanged, in a zip file
    Download(DownloadArguments),
}

/// The commands about jobs.
#[derive(Debug, Clone, Subcommand)]
pub enum JobsCommand {
    /// List jobs, filtered and sorted
    List(Box<JobListArguments>),
    /// Show one job
    Get(ItemArguments),
    /// Save the archive file of a job, unchanged, in a zip file
    Download(DownloadArguments),
    /// Show the differences of two jobs
    Compare(CompareArguments),
    /// Show what was wrong with a job, where, and what to do
    Diagnose(ItemArguments),
    /// Find the checkpoint or savepoint to restore a job from, by its name
    RestorePoint(RestorePointArguments),
}

/// A command that reads from a running server.
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
    let url = Url::parse(text).map_err(|error| format!("{error}; it must be a URL like http://host:8082"))?;
    if matches!(url.scheme(), "http" | "https") && url.host().is_some() {
        Ok(url)
    } else {
        Err("it must be a URL like http://host:8082".to_owned())
    }
}

/// Digits of a whole id; fewer of them are enough where they are unique.
pub(super) const ID_DIGITS: usize = 32;

/// Fewest digits of an id.
const MIN_ID_DIGITS: usize = 4;

fn id(text: &str) -> Result<String, String> {
    let is_id = (MIN_ID_DIGITS..=ID_DIGITS).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_id { Ok(text.to_ascii_lowercase()) } else { Err("it must be an id of 32 hexadecimal digits, or its first 4 or more".to_owned()) }
}

fn time(text: &str) -> Result<String, String> {
    match crate::clock::parse_time(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("it must be milliseconds since 1970, or ISO 8601 like 2026-11-22 or 2026-11-22T13:00:00+01:00".to_owned()),
    }
}
