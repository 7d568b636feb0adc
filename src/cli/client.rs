//! Commands that read from a running server over HTTP: lists, one application or job, a comparison, a search, archive files.
//!
//! They read no configuration, and only a download writes a file. Texts in answers come from the users of Flink: no control character
//! in them reaches a terminal.

use std::io::{self, IsTerminal as _, Write};

mod arguments;
mod compare;
mod diagnosis;
mod download;
mod item;
mod lists;
mod printable;
mod restore_point;
mod search;
mod server;
mod short_id;
mod table;

pub use arguments::{
    ApplicationListArguments, ApplicationsCommand, ClientCommand, CompareArguments, DownloadArguments, FilterArguments, ItemArguments,
    JobListArguments, JobsCommand, ListArguments, Output, RestorePointArguments, RowsArguments, SearchArguments, ServerArguments,
};

use super::{EXIT_FAILED, EXIT_NOT_FOUND, EXIT_OK, EXIT_USAGE};
use server::Server;

/// The failure of a command: a sentence for standard error, and the exit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    /// Exit code.
    pub code: u8,
}

impl Failure {
    fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: EXIT_FAILED }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: EXIT_NOT_FOUND }
    }

    fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: EXIT_USAGE }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // The reader of the output has closed it: `historyserver jobs list --all | head`.
        let code = if error.kind() == io::ErrorKind::BrokenPipe { EXIT_OK } else { EXIT_FAILED };
        Self { message: format!("The output could not be written: {error}."), code }
    }
}

/// The outputs of a command.
struct Console<'c> {
    /// Standard output.
    out: &'c mut dyn Write,
    /// Standard error, for notes that are not part of the answer.
    notes: &'c mut dyn Write,
    /// Standard output is a terminal.
    terminal: bool,
}

/// Runs a command.
///
/// # Errors
/// The server does not answer, answers with an error, or the output cannot be written.
pub async fn run(command: ClientCommand) -> Result<(), Failure> {
    let (mut out, mut notes) = (io::BufWriter::new(io::stdout()), io::stderr());
    let terminal = io::stdout().is_terminal();
    let mut console = Console { out: &mut out, notes: &mut notes, terminal };
    let done = answer(command, &mut console).await;
    out.flush()?;
    done
}

async fn answer(command: ClientCommand, console: &mut Console<'_>) -> Result<(), Failure> {
    match command {
        ClientCommand::Applications(ApplicationsCommand::List(wanted)) => {
            lists::list(&Server::of(&wanted.list.server)?, lists::APPLICATIONS, wanted.query(), &wanted.list.rows, console).await
        }
        ClientCommand::Jobs(JobsCommand::List(wanted)) => {
            lists::list(&Server::of(&wanted.list.server)?, lists::JOBS, wanted.query(), &wanted.list.rows, console).await
        }
        ClientCommand::Applications(ApplicationsCommand::Get(wanted)) => item::get("applications", &wanted, console).await,
        ClientCommand::Jobs(JobsCommand::Get(wanted)) => item::get("jobs", &wanted, console).await,
        ClientCommand::Applications(ApplicationsCommand::Download(wanted)) => download::archive("applications", &wanted, console).await,
        ClientCommand::Jobs(JobsCommand::Download(wanted)) => download::archive("jobs", &wanted, console).await,
        ClientCommand::Jobs(JobsCommand::Diagnose(wanted)) => diagnosis::print(&wanted, console).await,
        ClientCommand::Jobs(JobsCommand::RestorePoint(wanted)) => restore_point::print(&wanted, console).await,
        ClientCommand::Jobs(JobsCommand::Compare(wanted)) => compare::jobs(&wanted, console).await,
        ClientCommand::Search(wanted) => search::search(&wanted, console).await,
    }
}
