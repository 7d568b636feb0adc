//! The `historyserver` program: arguments, configuration, then what was asked for. Exit codes: [`historyserver::cli`].

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use historyserver::cli::{Arguments, Command, EXIT_CONFIGURATION, EXIT_FAILED, EXIT_OK};
use historyserver::config::{Config, Environment, report};
use historyserver::telemetry;

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
        Some(Command::CheckConfig(_)) => std::io::stdout().write_all(report::report(&loaded).as_bytes()).map_err(anyhow::Error::from),
        Some(Command::Serve(_)) | None => telemetry::start(&loaded.config.log).map_err(anyhow::Error::from).map(|()| {
            for warning in &loaded.warnings {
                tracing::warn!("{warning}");
            }
        }),
    };
    match result {
        Ok(()) => ExitCode::from(EXIT_OK),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}
