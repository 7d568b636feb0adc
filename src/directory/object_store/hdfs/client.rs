//! Clients of a name service, and the time limits of their calls.

use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdfs_native::{Client, HdfsError};

use super::errors::converted;
use super::settings::Settings;

/// Time limit of one call of a NameNode, with the attempts of the client.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Time limit of one piece of a file: the client tries other replicas within it.
pub(super) const PIECE_LIMIT: Duration = Duration::from_secs(45);
/// Time limit of writing a small file.
pub(super) const WRITE_LIMIT: Duration = Duration::from_mins(1);
/// Calls at the same time of one listing.
pub(super) const CONCURRENCY: usize = 32;

/// Clients of one name service. A client that does not answer in time is replaced.
#[derive(Debug)]
pub(super) struct Clients {
    settings: Settings,
    current: Mutex<Current>,
}

/// The client in use. Its number grows with each replacement and chooses the NameNode that is asked first.
#[derive(Debug, Default)]
struct Current {
    number: usize,
    client: Option<Client>,
}

impl Clients {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, current: Mutex::default() }
    }

    /// The client in use.
    pub(super) fn current(&self) -> Result<Client, HdfsError> {
        self.numbered().map(|(_, client)| client)
    }

    fn numbered(&self) -> Result<(usize, Client), HdfsError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let number = current.number;
        let client = match current.client.take() {
            Some(client) => client,
            None => self.settings.build(number)?,
        };
        current.client = Some(client.clone());
        Ok((number, client))
    }

    /// Replaces the client with this number, unless another call has replaced it.
    pub(super) fn replace(&self, number: usize) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number == number {
            current.number = number.wrapping_add(1);
            current.client = None;
        }
    }

    /// Calls a NameNode. After the time limit it is called again by new connections, once for each NameNode and at least twice.
    pub(super) async fn call<T, F>(&self, run: impl Fn(Client) -> F) -> Result<T, HdfsError>
    where
        F: Future<Output = Result<T, HdfsError>>,
    {
        for _ in 0..self.settings.namenodes().max(2) {
            let (number, client) = self.numbered()?;
            match tokio::time::timeout(CALL_LIMIT, run(client)).await {
                Ok(result) => return result,
                Err(_elapsed) => self.replace(number),
            }
        }
        Err(self.silent())
    }

    /// Waits for the rest of a call that has begun. After the time limit the next call uses new connections.
    pub(super) async fn within<T>(&self, run: impl Future<Output = T>) -> Result<T, HdfsError> {
        let number = self.current.lock().unwrap_or_else(PoisonError::into_inner).number;
        match tokio::time::timeout(CALL_LIMIT, run).await {
            Ok(result) => Ok(result),
            Err(_elapsed) => {
                self.replace(number);
                Err(self.silent())
            }
        }
    }

    /// The error of a name service that does not answer in time.
    pub(super) fn silent(&self) -> HdfsError {
        let (what, them) = if self.settings.namenodes() > 1 { ("no NameNode of", "they run") } else { ("the NameNode", "it runs") };
        let message = format!(
            "{what} {} does not answer within {} s; check that {them} and can be reached from this machine",
            self.settings.authority(),
            CALL_LIMIT.as_secs()
        );
        HdfsError::IOError(io::Error::new(io::ErrorKind::TimedOut, message))
    }
}

/// Runs something with a time limit.
pub(super) async fn limited<T>(limit: Duration, run: impl Future<Output = ::object_store::Result<T>>) -> ::object_store::Result<T> {
    tokio::time::timeout(limit, run).await.unwrap_or_else(|_elapsed| {
        let message = format!("HDFS does not answer within {} s", limit.as_secs());
        Err(converted(HdfsError::IOError(io::Error::new(io::ErrorKind::TimedOut, message))))
    })
}
