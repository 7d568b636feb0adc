//! The `historyserver` program: arguments, configuration, then what was asked for. Exit codes: [`historyserver::cli`].

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use historyserver::cli::{Arguments, CleanupArguments, Command, EXIT_CONFIGURATION, EXIT_FAILED, EXIT_OK, cleanup};
use historyserver::config::{Config, ConfigErrors, Environment, Loaded, report};
use historyserver::{server, telemetry, tls};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_CONFIGURATION } else { EXIT_OK };
            // Nothing can be told where standard error is closed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let loaded = match Config::load(&arguments.sources(), &Environment::of_process()) {
        Ok(loaded) => loaded,
        Err(errors) => {
            let _ = writeln!(std::io::stderr(), "{errors}");
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    let result = match arguments.command {
        Some(Command::CheckConfig(_)) => check(&loaded).map(|()| EXIT_OK),
        Some(Command::Cleanup(wanted)) => clean_up(&loaded, &wanted),
        Some(Command::Serve(_)) | None => serve(loaded).map(|()| EXIT_OK),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(if error.is::<ConfigErrors>() { EXIT_CONFIGURATION } else { EXIT_FAILED })
        }
    }
}

/// Prints what is in force, once certificates were found to be of use too.
fn check(loaded: &Loaded) -> anyhow::Result<()> {
    tls::acceptor(&loaded.config.ssl)?;
    Ok(std::io::stdout().write_all(report::report(loaded).as_bytes())?)
}

fn clean_up(loaded: &Loaded, wanted: &CleanupArguments) -> anyhow::Result<u8> {
    telemetry::start(&loaded.config.log)?;
    let outcome = tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(cleanup::run(&loaded.config, wanted))?;
    std::io::stdout().write_all(outcome.text.as_bytes())?;
    Ok(outcome.code)
}

fn serve(loaded: Loaded) -> anyhow::Result<()> {
    telemetry::start(&loaded.config.log)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(server::run(loaded.config))
}
