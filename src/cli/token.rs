//! `historyserver token`: static tokens for programs. The command needs no configuration and no running server.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat};

use super::{EXIT_FAILED, EXIT_OK, EXIT_USAGE};
use crate::access::authentication::create_token;
use crate::clock::{Clock, Timestamp};
use crate::config::{grammar, options};

/// What to do with tokens.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum TokenCommand {
    /// Add a token to a file and print it once
    ///
    /// The file has only a hash: the token cannot be printed again. A running server reads the file again within seconds. To end a
    /// token, delete its table from the file.
    Create(CreateArguments),
}

/// The arguments of `token create`.
#[derive(Debug, Clone, clap::Args)]
pub struct CreateArguments {
    /// Name of the client that gets the token
    pub name: String,
    /// File of historyserver.security.bearer.file; it is created if it is missing
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
    /// When the token ends: a duration from now, such as 90d, a time, such as 2027-01-31T00:00:00Z, or never
    #[arg(long, value_name = "WHEN")]
    pub expires: String,
    /// A right of the token, which rules name as a group. May be given many times
    #[arg(long = "right", value_name = "RIGHT")]
    pub rights: Vec<String>,
}

/// The text for standard output or standard error, and the exit code.
#[must_use]
pub fn run(command: &TokenCommand, clock: &Clock) -> (String, u8) {
    let TokenCommand::Create(wanted) = command;
    let expires = match expiry(&wanted.expires, clock.now()) {
        Ok(expires) => expires,
        Err(fault) => return (format!("--expires: {fault}\n"), EXIT_USAGE),
    };
    match create_token(&wanted.file, &wanted.name, &wanted.rights, expires.as_deref()) {
        Ok(token) => (format!("{token}\n"), EXIT_OK),
        Err(error) => (format!("The token was not created: {error}. {} names the file.\n", options::BEARER_FILE.key), EXIT_FAILED),
    }
}

/// The end of a token in RFC 3339; `None`: never.
fn expiry(text: &str, now: Timestamp) -> Result<Option<String>, String> {
    if text.eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    let end = if let Ok(end) = DateTime::parse_from_rfc3339(text) {
        Timestamp::from_millis(end.timestamp_millis())
    } else {
        let duration = grammar::duration(text)
            .map_err(|_| format!("\"{text}\" is neither a duration such as 90d, nor a time such as 2027-01-31T00:00:00Z, nor never"))?;
        now + duration
    };
    if end <= now {
        return Err(format!("\"{text}\" is over already"));
    }
    let end =
        DateTime::from_timestamp_millis(end.as_millis()).ok_or_else(|| format!("\"{text}\" is too far in the future: write never"))?;
    Ok(Some(end.to_rfc3339_opts(SecondsFormat::Secs, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_duration_a_time_or_never() {
        const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);
        assert_eq!(expiry("90d", NOW), Ok(Some("2026-04-01T00:00:00Z".to_owned())));
        assert_eq!(expiry("2027-01-31T00:00:00+01:00", NOW), Ok(Some("2027-01-30T23:00:00Z".to_owned())));
        assert_eq!(expiry("never", NOW), Ok(None));
        for wrong in ["soon", "2025-01-01T00:00:00Z", "0 s"] {
            assert!(expiry(wrong, NOW).is_err(), "{wrong}");
        }
    }
}
