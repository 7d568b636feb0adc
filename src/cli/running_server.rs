//! Requests to the server that runs on the data directory, by the socket in it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use reqwest::{Client, Method};
use serde_json::Value;

use crate::data_directory::{self, CommandSocket};

/// The server that runs on a data directory.
pub(super) struct RunningServer {
    client: Client,
    data: PathBuf,
    /// Its path is valid for as long as this is open.
    _socket: CommandSocket,
}

impl RunningServer {
    /// The server that runs on this data directory; `None`: no server is running.
    ///
    /// # Errors
    /// A server is running, but a client for it cannot be made.
    pub(super) async fn find(data: &Path) -> anyhow::Result<Option<Self>> {
        if data_directory::connect_to_server(data).await.is_err() {
            return Ok(None);
        }
        let socket = data_directory::command_socket(data).with_context(|| unanswered(data))?;
        let client = Client::builder().unix_socket(socket.path()).no_proxy().build().with_context(|| unanswered(data))?;
        Ok(Some(Self { client, data: data.to_owned(), _socket: socket }))
    }

    /// The status and the JSON body of the answer. `body` is sent as JSON.
    ///
    /// # Errors
    /// The server does not answer, or not with JSON.
    pub(super) async fn request(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<(u16, Value)> {
        let mut request = self.client.request(method, format!("http://localhost{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| unanswered(&self.data))?;
        let status = answer.status().as_u16();
        let body = answer.json().await.with_context(|| unanswered(&self.data))?;
        Ok((status, body))
    }

    /// The JSON body of a GET.
    ///
    /// # Errors
    /// The server does not answer, or with another status than 200.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        match self.request(Method::GET, path, None).await? {
            (200, body) => Ok(body),
            (status, body) => anyhow::bail!("the server answered {status} to {path}: {body}"),
        }
    }
}

fn unanswered(data: &Path) -> String {
    format!("the server that runs on the data directory {} does not answer", data.display())
}
