//! A few connections that only read.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Failure, connection};
use crate::index::IndexError;

/// Queries that run at the same time.
const CONNECTIONS: usize = 4;

/// Read-only connections, opened when first needed and kept.
pub(in crate::index) struct Pool {
    file: PathBuf,
    permits: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

struct Idle {
    connections: Vec<Connection>,
    /// Grows when connections opened before must not be used any more.
    epoch: u64,
    immutable: bool,
}

impl Pool {
    pub(in crate::index) fn new(file: PathBuf) -> Self {
        let idle = Idle { connections: Vec::new(), epoch: 0, immutable: false };
        Self { file, permits: Arc::new(Semaphore::new(CONNECTIONS)), idle: Mutex::new(idle) }
    }

    /// Reads from one snapshot. Blocking, but never for the writer.
    pub(in crate::index) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let (idle, epoch, immutable) = {
            let mut pool = self.lock();
            (pool.connections.pop(), pool.epoch, pool.immutable)
        };
        let connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.file, immutable)?,
        };
        let result = {
            let snapshot = connection.unchecked_transaction()?;
            query(&snapshot)
        };
        let mut pool = self.lock();
        if pool.epoch == epoch && !result.as_ref().is_err_and(Failure::is_damage) {
            pool.connections.push(connection);
        }
        result
    }

    /// Waits until one of the connections is free.
    pub(in crate::index) async fn permit(&self) -> Result<OwnedSemaphorePermit, IndexError> {
        self.permits.clone().acquire_owned().await.map_err(|_closed| IndexError::Closed)
    }

    /// Lets all connections be opened anew; `immutable` when the file cannot change.
    pub(in crate::index) fn reset(&self, immutable: bool) {
        let mut pool = self.lock();
        pool.epoch += 1;
        pool.immutable = immutable;
        pool.connections.clear();
    }

    /// Ends reading.
    pub(in crate::index) fn close(&self) {
        self.permits.close();
        self.reset(false);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
