//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Sources;

pub mod cleanup;
pub mod client;
mod running_server;

use self::client::{ApplicationsCommand, ClientCommand, JobsCommand, SearchArguments};

/// Exit code when the server, or a command, did what it was asked to.
pub const EXIT_OK: u8 = 0;
/// Exit code when the start, or a command, failed.
pub const EXIT_FAILED: u8 = 1;
/// Exit code of `cleanup` when what it would do is held back until somebody confirms it.
pub const EXIT_HELD_BACK: u8 = 2;
/// Exit code when what a command asks a server for is not there.
pub const EXIT_NOT_FOUND: u8 = 3;
/// Exit code when the command line or the configuration is wrong: nothing was begun.
pub const EXIT_USAGE: u8 = 64;

/// A history server for Apache Flink: finds the archives of finished applications, and serves them over HTTP.
#[derive(Debug, Clone, Parser)]
#[command(name = "historyserver", version, max_term_width = 120)]
pub struct Arguments {
    /// What to do; without it, serve.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Where configuration comes from, when said before the command.
    #[command(flatten)]
    pub configuration: ConfigArguments,
}

/// Where configuration comes from. Taken before and after the command alike: an option that is global to clap would lose
/// the `-D`s before the command when there are some after it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArguments {
    /// Configuration file [default: historyserver.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Flink's configuration directory, with config.yaml or flink-conf.yaml
    #[arg(long, short = 'c', value_name = "DIR", alias = "configDir")]
    pub config_dir: Option<PathBuf>,

    /// Sets an option; wins over files and environment. May be given many times
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    pub define: Vec<String>,
}

/// What to do.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve archives over HTTP (the default)
    Serve(ConfigArguments),
    /// Print the options in force and where each comes from, secrets masked, and look whether the archive directories are there
    CheckConfig(ConfigArguments),
    /// Delete and forget what is beyond the limits, once
    ///
    /// Asks the server that is running on the data directory, or does it itself when none is. Exit codes: 0 done, 1 failed or
    /// partly failed, 2 held back until it is confirmed, 64 wrong configuration.
    Cleanup(CleanupArguments),
    /// Ask a running server about applications
    #[command(subcommand)]
    Applications(ApplicationsCommand),
    /// Ask a running server about jobs
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Search names, ids, exceptions and configurations on a running server
    Search(SearchArguments),
    /// Print completions of these commands for a shell
    ///
    /// For example: `historyserver completions bash > /etc/bash_completion.d/historyserver`
    Completions {
        /// Shell that is to complete them
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// What it asks a running server for; `self`, if it is something else.
    ///
    /// # Errors
    /// Another command.
    #[expect(clippy::result_large_err, reason = "it is what was given")]
    pub fn into_client(self) -> Result<ClientCommand, Self> {
        match self {
            Self::Applications(command) => Ok(ClientCommand::Applications(command)),
            Self::Jobs(command) => Ok(ClientCommand::Jobs(command)),
            Self::Search(wanted) => Ok(ClientCommand::Search(wanted)),
            other => Err(other),
        }
    }
}

/// What `cleanup` is to do.
#[derive(Debug, Clone, clap::Args)]
pub struct CleanupArguments {
    /// Only show what would be deleted and forgotten, and why
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Let the cleanup through that is held back under this id
    #[arg(long, value_name = "PLAN-ID", conflicts_with = "dry_run")]
    pub confirm: Option<String>,
    /// Where configuration comes from.
    #[command(flatten)]
    pub configuration: ConfigArguments,
}

impl Arguments {
    /// Where configuration is to be read from.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let before = &self.configuration;
        let after = match &self.command {
            Some(Command::Serve(arguments) | Command::CheckConfig(arguments)) => arguments,
            Some(Command::Cleanup(arguments)) => &arguments.configuration,
            Some(Command::Applications(_) | Command::Jobs(_) | Command::Search(_) | Command::Completions { .. }) | None => {
                &ConfigArguments::default()
            }
        };
        Sources {
            file: after.config.clone().or_else(|| before.config.clone()),
            flink_dir: after.config_dir.clone().or_else(|| before.config_dir.clone()),
            overrides: before.define.iter().chain(&after.define).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn flinks_spelling_of_the_directory_and_both_spellings_of_definitions_are_taken() {
        let arguments =
            Arguments::try_parse_from(["historyserver", "--configDir", "conf", "-Dhistoryserver.web.port=1", "check-config", "-D", "a=b"])
                .unwrap();
        let sources = arguments.sources();
        assert_eq!(sources.flink_dir, Some(PathBuf::from("conf")));
        assert_eq!(sources.overrides, ["historyserver.web.port=1", "a=b"]);
        assert!(matches!(arguments.command, Some(Command::CheckConfig(_))));
    }
}
