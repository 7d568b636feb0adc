//! The `historyserver` program: arguments, configuration, then what was asked for. Exit codes: [`historyserver::cli`].

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use historyserver::cli::client::{self, ClientCommand};
use historyserver::cli::{Arguments, CleanupArguments, Command, EXIT_FAILED, EXIT_OK, EXIT_USAGE, cleanup};
use historyserver::config::{Config, ConfigErrors, Environment, Loaded, report};
use historyserver::{logging, server, tls};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { EXIT_OK };
            // Nothing can be told where standard error is closed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let arguments = match alone(arguments) {
        Ok(code) => return ExitCode::from(code),
        Err(arguments) => arguments,
    };
    let loaded = match Config::load(&arguments.sources(), &Environment::of_process()) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let _ = writeln!(std::io::stderr(), "{errors}");
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let result = match arguments.command {
        Some(Command::CheckConfig(_)) => check(&loaded).map(|()| EXIT_OK),
        Some(Command::Cleanup(wanted)) => clean_up(&loaded, &wanted),
        // What needs no configuration is done.
        Some(_) | None => serve(loaded).map(|()| EXIT_OK),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(if error.is::<ConfigErrors>() { EXIT_USAGE } else { EXIT_FAILED })
        }
    }
}

/// Commands that need no configuration: they are done when they come to an exit code; the others are given back.
#[expect(clippy::result_large_err, reason = "it is what was given")]
fn alone(mut arguments: Arguments) -> Result<u8, Arguments> {
    match arguments.command.take() {
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "historyserver", &mut script);
            // Whoever closed standard output has seen enough.
            let _ = std::io::stdout().write_all(&script);
            Ok(EXIT_OK)
        }
        Some(command) => match command.into_client() {
            Ok(wanted) => Ok(ask(wanted)),
            Err(other) => Err(Arguments { command: Some(other), ..arguments }),
        },
        None => Err(arguments),
    }
}

/// Asks a running server.
fn ask(wanted: ClientCommand) -> u8 {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "no request can be made: {error}");
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

/// Prints what is in force, then looks whether the certificates are of use, whether the archive directories are there, and whether
/// the limits can be meant.
fn check(loaded: &Loaded) -> anyhow::Result<()> {
    std::io::stdout().write_all(report::report(loaded).as_bytes())?;
    tls::acceptor(&loaded.config.ssl)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sentences = runtime.block_on(async {
        let mut sentences = server::examine::directories(&loaded.config).await;
        sentences.extend(server::check::limits(&loaded.config).await?);
        anyhow::Ok(sentences)
    });
    // A file system that hangs is not waited for.
    runtime.shutdown_background();
    for sentence in sentences? {
        writeln!(std::io::stdout(), "warning: {sentence}")?;
    }
    Ok(())
}

fn clean_up(loaded: &Loaded, wanted: &CleanupArguments) -> anyhow::Result<u8> {
    logging::start(&loaded.config.log)?;
    warn(loaded);
    let outcome = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(cleanup::run(&loaded.config, wanted))?;
    std::io::stdout().write_all(outcome.text.as_bytes())?;
    Ok(outcome.code)
}

fn serve(loaded: Loaded) -> anyhow::Result<()> {
    logging::start(&loaded.config.log)?;
    warn(&loaded);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(server::run(loaded.config))
}

fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
}
