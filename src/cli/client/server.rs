//! Requests to a server. Each failure is a sentence that says what to do.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::Failure;
use super::arguments::{Query, ServerArguments};
use super::printable::printable;

/// The server of a command.
pub(super) struct Server {
    client: Client,
    base: Url,
    token: Option<String>,
}

impl Server {
    /// A client for this server. It sends nothing yet.
    pub(super) fn of(arguments: &ServerArguments) -> Result<Self, Failure> {
        let mut base = arguments.server.clone();
        // A server behind a proxy may have a path prefix.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut client = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_mins(2));
        if matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            // A proxy cannot reach this machine under these names.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| Failure::failed(format!("The HTTP client cannot be started: {}.", causes(&error))))?;
        Ok(Self { client, base, token: arguments.token.clone() })
    }

    /// The JSON that a path below `/api/v1/` answers.
    pub(super) async fn json(&self, path: &str, query: &Query) -> Result<Value, Failure> {
        let answer = self.get(path, query).await?;
        let text = answer.bytes().await.map_err(|error| self.unanswered(&error))?;
        serde_json::from_slice(&text).map_err(|_other| self.not_a_history_server())
    }

    /// The answer of a path below `/api/v1/`, once its head has arrived with a status of success.
    pub(super) async fn get(&self, path: &str, query: &Query) -> Result<Response, Failure> {
        let mut url = self.base.join(&format!("api/v1/{path}")).map_err(|error| {
            Failure::usage(format!("The URL of the server is not valid: {error}. Give a URL like http://host:8082 with --server."))
        })?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.map_err(|error| self.unanswered(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refused(answer, query).await) }
    }

    /// The failure for an error status. Parameters of the query are named as the flags that set them.
    async fn refused(&self, answer: Response, query: &Query) -> Failure {
        let status = answer.status();
        let text = answer.bytes().await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&text).unwrap_or_default();
        let Some(errors) = body["errors"].as_array() else { return self.not_a_history_server() };
        let sentences: Vec<String> = errors.iter().filter_map(Value::as_str).map(|text| printable(text, false)).collect();
        let message = with_flags(sentences.join(" "), query);
        match status {
            StatusCode::BAD_REQUEST => Failure::usage(message),
            StatusCode::NOT_FOUND | StatusCode::GONE => Failure::not_found(message),
            _ => Failure::failed(format!("The server answered {status}: {message}")),
        }
    }

    fn not_a_history_server(&self) -> Failure {
        Failure::failed(format!(
            "The server at {} is not a history server, or its version does not support this command. Check --server and HISTORYSERVER_URL.",
            self.base
        ))
    }

    /// The failure for an error of the connection.
    pub(super) fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let base = &self.base;
        Failure::failed(if error.is_connect() {
            format!(
                "The server at {base} cannot be reached: {}. Check that it is running, or give the URL of another server with --server or in \
                 the environment variable HISTORYSERVER_URL.",
                causes(error)
            )
        } else if error.is_timeout() {
            format!("The server at {base} does not answer in time: try again later.")
        } else {
            format!("The answer of the server at {base} is incomplete: {}. Try again.", causes(error))
        })
    }
}

/// Parameters without a flag of their own: arguments by position.
const POSITIONAL: &[&str] = &["q", "left", "right"];

/// A sentence of the server in which `parameter` is `--flag`.
fn with_flags(sentence: String, query: &Query) -> String {
    let named = query.iter().map(|(name, _)| name).filter(|name| !POSITIONAL.contains(name));
    named.fold(sentence, |sentence, name| sentence.replace(&format!("`{name}`"), &format!("`--{}`", name.replace('_', "-"))))
}

/// The innermost cause of an error: the outer ones only repeat the URL.
fn causes(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    printable(&cause.to_string(), false)
}
