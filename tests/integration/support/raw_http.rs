//! HTTP/1.1 as bytes: for requests that a client library would mend before it sends them.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long a test waits for the server to close a connection before it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// An answer as it came.
pub(crate) struct RawAnswer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl RawAnswer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The sentences of `{"errors":[…]}`.
    pub(crate) fn errors(&self) -> Vec<String> {
        assert_eq!(self.header("content-type"), Some("application/json"));
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        body["errors"].as_array().unwrap().iter().map(|error| error.as_str().unwrap().to_owned()).collect()
    }
}

/// Sends `<method> <target> HTTP/1.1` on a connection of its own and reads the answer to its end.
pub(crate) async fn request(address: SocketAddr, method: &str, target: &str) -> RawAnswer {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    exchange(address, text.as_bytes()).await
}

/// Sends bytes on a connection of its own and reads until the server closes it.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> RawAnswer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the server closes the connection").unwrap();
    parse(&answer)
}

fn parse(answer: &[u8]) -> RawAnswer {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).unwrap();
    RawAnswer { status, headers: lines.map(header).collect(), body: answer[end + 4..].to_vec() }
}
