//! The `historyserver` program: arguments, configuration, then the command. Exit codes: [`historyserver::cli`].

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use historyserver::cli::client::{self, ClientCommand};
use historyserver::cli::{
    Arguments, BackupArguments, CheckArguments, CleanupArguments, Command, DataDirectoryArguments, EXIT_FAILED, EXIT_OK, EXIT_USAGE,
    RestoreArguments, backup, cleanup, token,
};
use historyserver::clock::Clock;
use historyserver::config::{Config, ConfigErrors, Environment, Loaded, Sources, report};
use historyserver::server::reload::Source;
use historyserver::{logging, server, tls};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { EXIT_OK };
            // If standard error is closed, no message can be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let arguments = match without_configuration(arguments) {
        Ok(code) => return ExitCode::from(code),
        Err(arguments) => arguments,
    };
    let sources = arguments.sources();
    let loaded = match Config::load(&sources, &Environment::of_process()) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let _ = writeln!(std::io::stderr(), "{errors}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let result = match arguments.command {
        Some(Command::CheckConfig(wanted)) => check(&loaded, &wanted),
        Some(Command::Cleanup(wanted)) => clean_up(&loaded, &wanted),
        Some(Command::Backup(wanted)) => back_up(&wanted, Some(&loaded.config)),
        Some(Command::Restore(wanted)) => restore(&wanted, Some(&loaded.config)),
        // Commands without a configuration have already run.
        Some(_) | None => serve(loaded, sources).map(|()| EXIT_OK),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(if error.is::<ConfigErrors>() { EXIT_USAGE } else { EXIT_FAILED })
        }
    }
}

/// Runs a command that needs no configuration, and returns its exit code. Other commands are returned.
#[expect(clippy::result_large_err, reason = "the arguments themselves are returned")]
fn without_configuration(mut arguments: Arguments) -> Result<u8, Arguments> {
    match arguments.command.take() {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "historyserver", &mut script);
            // A reader that closed standard output needs no more of it.
            let _ = std::io::stdout().write_all(&script);
            Ok(EXIT_OK)
        }
        Some(Command::Token(command)) => {
            let (text, code) = token::run(&command, &Clock::System);
            // If the output is closed, the token is lost, and another one can be made.
            let _ =
                if code == EXIT_OK { std::io::stdout().write_all(text.as_bytes()) } else { std::io::stderr().write_all(text.as_bytes()) };
            Ok(code)
        }
        // With a data directory they need nothing else.
        Some(Command::Backup(wanted)) if wanted.place.data_dir.is_some() => Ok(copied(back_up(&wanted, None))),
        Some(Command::Restore(wanted)) if wanted.place.data_dir.is_some() => Ok(copied(restore(&wanted, None))),
        Some(command) => match command.into_client() {
            Ok(wanted) => Ok(read_from_server(wanted)),
            Err(other) => Err(Arguments { command: Some(other), ..arguments }),
        },
        None => Err(arguments),
    }
}

/// Reads from a running server.
fn read_from_server(wanted: ClientCommand) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "the command cannot be started: {error}");
            return EXIT_FAILED;
        }
    };
    match runtime.block_on(client::run(wanted)) {
        Ok(()) => EXIT_OK,
        Err(failure) => {
            if failure.code != EXIT_OK {
                let _ = writeln!(std::io::stderr(), "{failure}");
            }
            failure.code
        }
    }
}

/// Prints the options in force, then checks the certificates, the archive directories and the limits. Returns the exit code.
fn check(loaded: &Loaded, wanted: &CheckArguments) -> anyhow::Result<u8> {
    std::io::stdout().write_all(report::report(loaded).as_bytes())?;
    tls::acceptor(&loaded.config.ssl)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let checked = runtime.block_on(async {
        server::check::can_be_opened(&loaded.config)?;
        let mut sentences = server::examine::directories(&loaded.config).await;
        sentences.extend(server::check::limits(&loaded.config).await?);
        let probed = if wanted.probe { Some(server::probe::directories(&loaded.config, wanted.write).await) } else { None };
        anyhow::Ok((sentences, probed))
    });
    // It does not wait for a file system that does not answer.
    runtime.shutdown_background();
    let (sentences, probed) = checked?;
    for sentence in sentences {
        writeln!(std::io::stdout(), "warning: {sentence}")?;
    }
    let Some(probed) = probed else { return Ok(EXIT_OK) };
    std::io::stdout().write_all(probed.text.as_bytes())?;
    Ok(if probed.works { EXIT_OK } else { EXIT_FAILED })
}

fn clean_up(loaded: &Loaded, wanted: &CleanupArguments) -> anyhow::Result<u8> {
    logging::start(&loaded.config.log)?;
    warn(loaded);
    let outcome = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(cleanup::run(&loaded.config, wanted))?;
    std::io::stdout().write_all(outcome.text.as_bytes())?;
    Ok(outcome.code)
}

/// Copies the index, and prints what was copied. Returns the exit code.
fn back_up(wanted: &BackupArguments, config: Option<&Config>) -> anyhow::Result<u8> {
    let text = backup::back_up(wanted, data_directory(&wanted.place, config))?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(EXIT_OK)
}

/// Restores an index, and prints what was restored. Returns the exit code.
fn restore(wanted: &RestoreArguments, config: Option<&Config>) -> anyhow::Result<u8> {
    let text = backup::restore(wanted, data_directory(&wanted.place, config))?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(EXIT_OK)
}

/// The data directory that is given, else that of the configuration.
fn data_directory<'a>(place: &'a DataDirectoryArguments, config: Option<&'a Config>) -> &'a Path {
    let configured = config.map_or(Path::new("."), |config| config.data.dir.as_path());
    place.data_dir.as_deref().unwrap_or(configured)
}

/// The exit code of a command that needs no configuration. Prints its error.
fn copied(result: anyhow::Result<u8>) -> u8 {
    result.unwrap_or_else(|error| {
        let _ = writeln!(std::io::stderr(), "{error:#}");
        EXIT_FAILED
    })
}

fn serve(loaded: Loaded, sources: Sources) -> anyhow::Result<()> {
    let level = logging::start(&loaded.config.log)?;
    warn(&loaded);
    let source = Source { sources, environment: Environment::of_process(), settings: loaded.settings, level };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(server::run(loaded.config, source))
}

fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}
