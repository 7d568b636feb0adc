//! Requests to a server, and what is wrong with an answer as a sentence that says what to do.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use url::Url;

use super::Failure;
use super::arguments::{Query, ServerArguments};
use super::printable::printable;

/// The server that is asked.
pub(super) struct Server {
    client: Client,
    base: Url,
}

impl Server {
    /// Nothing is asked yet.
    pub(super) fn of(arguments: &ServerArguments) -> Result<Self, Failure> {
        let mut base = arguments.server.clone();
        // A server behind another one may have a path of its own.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut client = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_mins(2));
        if matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")) {
            // No proxy leads to this machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| Failure::failed(format!("No connection can be made: {}.", causes(&error))))?;
        Ok(Self { client, base })
    }

    /// The JSON that a path below `/api/v1/` answers.
    pub(super) async fn json(&self, path: &str, query: &Query) -> Result<Value, Failure> {
        let answer = self.get(path, query).await?;
        let text = answer.bytes().await.map_err(|error| self.unanswered(&error))?;
        serde_json::from_slice(&text).map_err(|_other| self.stranger())
    }

    /// The answer of a path below `/api/v1/`, once it has begun well.
    pub(super) async fn get(&self, path: &str, query: &Query) -> Result<Response, Failure> {
        let mut url =
            self.base.join(&format!("api/v1/{path}")).map_err(|error| Failure::usage(format!("The URL is of no use: {error}.")))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self.client.get(url).send().await.map_err(|error| self.unanswered(&error))?;
        if answer.status().is_success() { Ok(answer) } else { Err(self.refused(answer).await) }
    }

    /// What an error status says.
    async fn refused(&self, answer: Response) -> Failure {
        let status = answer.status();
        let text = answer.bytes().await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&text).unwrap_or_default();
        let Some(errors) = body["errors"].as_array() else { return self.stranger() };
        let sentences: Vec<String> = errors.iter().filter_map(Value::as_str).map(|text| printable(text, false)).collect();
        let message = sentences.join(" ");
        match status {
            StatusCode::BAD_REQUEST => Failure::usage(message),
            StatusCode::NOT_FOUND | StatusCode::GONE => Failure::not_found(message),
            _ => Failure::failed(format!("The server answered {status}: {message}")),
        }
    }

    fn stranger(&self) -> Failure {
        Failure::failed(format!("What answers at {} is no history server, or one that does not know this request.", self.base))
    }

    /// What is wrong with the connection.
    pub(super) fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let base = &self.base;
        Failure::failed(if error.is_connect() {
            format!(
                "No server can be reached at {base}: {}. Is one running there? Name another with --server URL or in the variable \
                 HISTORYSERVER_URL, or start one with `historyserver`.",
                causes(error)
            )
        } else if error.is_timeout() {
            format!("The server at {base} does not answer in time.")
        } else {
            format!("The answer of the server at {base} ended early: {}.", causes(error))
        })
    }
}

/// The innermost cause of an error: the outer ones repeat the URL.
fn causes(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    printable(&cause.to_string(), false)
}
