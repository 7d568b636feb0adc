//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::{Sources, options};

pub mod backup;
pub mod cleanup;
pub mod client;
mod running_server;
pub mod token;

use self::client::{ApplicationsCommand, ClientCommand, JobsCommand, SearchArguments};
use self::token::TokenCommand;

/// Exit code of success.
pub const EXIT_OK: u8 = 0;
/// Exit code of a failed start or command.
pub const EXIT_FAILED: u8 = 1;
/// Exit code of `cleanup` when a cleanup is on hold until it is confirmed.
pub const EXIT_ON_HOLD: u8 = 2;
/// Exit code when the server has no such application, job or document.
pub const EXIT_NOT_FOUND: u8 = 3;
/// Exit code of an invalid command line or configuration: nothing was started.
pub const EXIT_USAGE: u8 = 64;

/// A history server for Apache Flink: finds the archives of finished applications, and serves them over HTTP.
#[derive(Debug, Clone, Parser)]
#[command(name = "historyserver", version, max_term_width = 120)]
pub struct Arguments {
    /// The command; without one, `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Sources of the configuration, given before the command.
    #[command(flatten)]
    pub configuration: ConfigArguments,
}

/// Sources of the configuration. Accepted before and after the command: an option that is global to clap would lose the `-D`s
/// before the command if there are some after it.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfigArguments {
    /// Archive directories: paths with a `/`, or URLs. Instead of historyserver.archive.fs.dir
    #[arg(value_name = "DIR", value_parser = directory)]
    pub directories: Vec<String>,

    /// Port of the server, 0 for a free one. Instead of historyserver.web.port
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// Data directory. Instead of historyserver.data.dir
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<String>,

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

/// A command.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Serve archives over HTTP (the default)
    Serve(ConfigArguments),
    /// Print the options in force and the source of each, with secrets masked, and check certificates, archive directories and limits
    CheckConfig(CheckArguments),
    /// Delete and forget archives beyond the limits of retention, once
    ///
    /// The server that runs on the data directory does it, or this command itself if no server is running. Exit codes: 0 done, 1 failed
    /// or partly failed, 2 on hold until it is confirmed, 64 invalid configuration.
    Cleanup(CleanupArguments),
    /// Copy the index into one file, also while the server runs
    ///
    /// The copy is the state of one moment, and is read completely to check it. It holds the documents, and also the applications whose
    /// archives are missing.
    Backup(BackupArguments),
    /// Make the index of a data directory from a backup
    ///
    /// The data directory must have no index, and no server may run on it.
    Restore(RestoreArguments),
    /// Show applications of a running server
    #[command(subcommand)]
    Applications(ApplicationsCommand),
    /// Show jobs of a running server
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Search names, ids, exceptions and configurations on a running server
    Search(SearchArguments),
    /// Make tokens by which programs sign in
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print completions of these commands for a shell
    ///
    /// For example: `historyserver completions bash > /etc/bash_completion.d/historyserver`
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

impl ConfigArguments {
    /// Options as `KEY=VALUE`. A `-D` wins over a flag for the same option.
    fn options(&self) -> impl Iterator<Item = String> {
        let directories = (!self.directories.is_empty()).then(|| self.directories.join(","));
        let flags = [
            (options::ARCHIVE_DIR.key, directories),
            (options::WEB_PORT.key, self.port.map(|port| port.to_string())),
            (options::DATA_DIR.key, self.data_dir.clone()),
        ];
        flags.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?))).chain(self.define.clone())
    }
}

/// An archive directory. Without a `/` it is more likely a mistyped command.
fn directory(text: &str) -> Result<String, String> {
    if text.contains('/') {
        Ok(text.to_owned())
    } else {
        Err(format!("there is no such command. If it is an archive directory, write ./{text}"))
    }
}

impl Command {
    /// The request to a running server; `self`, if it is another command.
    ///
    /// # Errors
    /// Another command.
    #[expect(clippy::result_large_err, reason = "the command itself is returned")]
    pub fn into_client(self) -> Result<ClientCommand, Self> {
        match self {
            Self::Applications(command) => Ok(ClientCommand::Applications(command)),
            Self::Jobs(command) => Ok(ClientCommand::Jobs(command)),
            Self::Search(wanted) => Ok(ClientCommand::Search(wanted)),
            other => Err(other),
        }
    }
}

/// The arguments of `check-config`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArguments {
    /// Also list each archive directory and read an archive, and fail if that does not work
    #[arg(long)]
    pub probe: bool,
    /// With --probe: also create and delete a test object in each archive directory
    #[arg(long, requires = "probe")]
    pub write: bool,
    /// Sources of the configuration.
    #[command(flatten)]
    pub configuration: ConfigArguments,
}

/// The arguments of `backup`.
#[derive(Debug, Clone, clap::Args)]
pub struct BackupArguments {
    /// The file to write, which must not exist
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The data directory.
    #[command(flatten)]
    pub place: DataDirectoryArguments,
}

/// The arguments of `restore`.
#[derive(Debug, Clone, clap::Args)]
pub struct RestoreArguments {
    /// A file that `backup` has written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The data directory.
    #[command(flatten)]
    pub place: DataDirectoryArguments,
}

/// The data directory of a command: given, or that of the configuration.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DataDirectoryArguments {
    /// Data directory. Without it, that of the configuration
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

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

impl DataDirectoryArguments {
    fn configuration(&self) -> ConfigArguments {
        ConfigArguments {
            config: self.config.clone(),
            config_dir: self.config_dir.clone(),
            define: self.define.clone(),
            ..ConfigArguments::default()
        }
    }
}

/// The arguments of `cleanup`.
#[derive(Debug, Clone, clap::Args)]
pub struct CleanupArguments {
    /// Only show the archives that would be deleted and forgotten, and the reasons
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Confirm the cleanup on hold with this plan id, and run it
    #[arg(long, value_name = "PLAN-ID", conflicts_with = "dry_run")]
    pub confirm: Option<String>,
    /// Sources of the configuration.
    #[command(flatten)]
    pub configuration: ConfigArguments,
}

impl Arguments {
    /// The sources of the configuration.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let before = &self.configuration;
        let after = match &self.command {
            Some(Command::Serve(arguments)) => arguments,
            Some(Command::CheckConfig(arguments)) => &arguments.configuration,
            Some(Command::Cleanup(arguments)) => &arguments.configuration,
            Some(Command::Backup(BackupArguments { place, .. }) | Command::Restore(RestoreArguments { place, .. })) => {
                &place.configuration()
            }
            Some(Command::Applications(_) | Command::Jobs(_) | Command::Search(_) | Command::Token(_) | Command::Completions { .. })
            | None => &ConfigArguments::default(),
        };
        Sources {
            file: after.config.clone().or_else(|| before.config.clone()),
            flink_dir: after.config_dir.clone().or_else(|| before.config_dir.clone()),
            overrides: before.options().chain(after.options()).collect(),
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

    #[test]
    fn directories_and_flags_are_options_that_a_definition_overrides() {
        let overrides = |arguments: &[&str]| {
            let all = [&["historyserver"], arguments].concat();
            Arguments::try_parse_from(all).map(|arguments| arguments.sources().overrides).map_err(|error| error.to_string())
        };
        let expected = ["historyserver.archive.fs.dir=/data/jobs,s3://b/jobs", "historyserver.web.port=8083", "historyserver.data.dir=d"];
        for arguments in [
            &["/data/jobs", "s3://b/jobs", "--port", "8083", "--data-dir", "d"][..],
            &["serve", "/data/jobs", "s3://b/jobs", "--port", "8083", "--data-dir", "d"],
            &["--port", "8083", "--data-dir", "d", "/data/jobs", "s3://b/jobs"],
        ] {
            assert_eq!(overrides(arguments).unwrap(), expected, "{arguments:?}");
        }
        assert_eq!(overrides(&["check-config", "./jobs", "-D", "a=b"]).unwrap(), ["historyserver.archive.fs.dir=./jobs", "a=b"]);
        for mistyped in ["chekc-config", "job"] {
            let message = overrides(&[mistyped]).unwrap_err();
            assert!(message.contains("no such command") && message.contains(&format!("./{mistyped}")), "{message}");
        }
        assert!(overrides(&["/data/jobs", "--port", "70000"]).unwrap_err().contains("70000"));
    }
}
