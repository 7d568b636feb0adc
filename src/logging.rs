//! The server's log on standard error: lines of text, or JSON.

use std::borrow::Cow;
use std::io::{self, Write};

use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, reload};

use crate::config::{LogConfig, LogFormat};
use crate::directory::QUIET_LIBRARIES;

/// Starts logging for the whole process. To be called once.
///
/// # Errors
/// Logging was started before.
pub fn start(config: &LogConfig) -> Result<LogLevel, TryInitError> {
    let lines = tracing_subscriber::fmt().with_env_filter(filter(&config.level)).with_writer(|| OneLine(io::stderr()));
    match config.format {
        LogFormat::Text => {
            let lines = lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.finish().try_init()?;
            Ok(LogLevel(Box::new(move |filter| handle.reload(filter))))
        }
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_filter_reloading();
            let handle = lines.reload_handle();
            lines.finish().try_init()?;
            Ok(LogLevel(Box::new(move |filter| handle.reload(filter))))
        }
    }
}

/// The filter of a level, which was validated with the configuration. The last directive of a target wins. The audit
/// log does not depend on the level.
fn filter(level: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(format!("{QUIET_LIBRARIES},audit=info,{level}"))
}

/// The level of the log, which can change while the process runs.
pub struct LogLevel(Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>);

impl LogLevel {
    /// Changes the level: `historyserver.log.level`, validated with the configuration.
    ///
    /// # Errors
    /// The log has ended.
    pub fn set(&self, level: &str) -> Result<(), reload::Error> {
        (self.0)(filter(level))
    }
}

/// Keeps each event on one line: names of clusters and files are untrusted and may contain line breaks.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    /// Takes one whole event, which ends with a line break.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(&one_line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn one_line(event: &[u8]) -> Cow<'_, [u8]> {
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    if !text.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return Cow::Borrowed(event);
    }
    let mut line = Vec::with_capacity(event.len() + 8);
    for byte in text {
        match byte {
            b'\n' => line.extend(b"\\n"),
            b'\r' => line.extend(b"\\r"),
            other => line.push(*other),
        }
    }
    line.extend(&event[text.len()..]);
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(one_line(b"a\nb\r\nc\n").as_ref(), b"a\\nb\\r\\nc\n");
        assert!(matches!(one_line("grüße\n".as_bytes()), Cow::Borrowed(_)));
        assert_eq!(one_line(b"").as_ref(), b"");
    }
}
