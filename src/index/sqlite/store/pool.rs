//! A few read-only connections with lanes: short reads never wait for long ones.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::index::error::IndexError;
use crate::index::sqlite::store::connection;
use crate::index::sqlite::store::sqlite_error::SqliteError;

/// The kind of a read. Each lane has its own limit of concurrent reads. Reads of many rows have no lane: see
/// [`Walks`](crate::index::walks::Walks).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::index) enum Lane {
    /// One document, one application or job: found by their index, in about a millisecond.
    Point,
    /// Flink's lists, which are built once for all clients, and short pages of records.
    Lists,
    /// Figures for monitoring.
    Figures,
    /// The server's own work: refreshes, cleanups, backfill.
    Upkeep,
}

impl Lane {
    const ALL: [Self; 4] = [Self::Point, Self::Lists, Self::Figures, Self::Upkeep];

    /// Maximum number of concurrent reads.
    const fn places(self) -> usize {
        match self {
            Self::Point => 4,
            Self::Lists | Self::Upkeep => 2,
            Self::Figures => 1,
        }
    }
}

/// Instructions of SQLite's machine between two checks whether a read is still wanted: about ten microseconds.
const INSTRUCTIONS: i32 = 1_000;

/// Read-only connections, opened on demand and kept.
pub(in crate::index) struct Pool {
    file: PathBuf,
    lanes: [Arc<Semaphore>; Lane::ALL.len()],
    idle: Mutex<Idle>,
}

struct Idle {
    connections: Vec<Connection>,
    /// Incremented to retire all connections that were opened before.
    epoch: u64,
    immutable: bool,
}

impl Pool {
    pub(in crate::index) fn new(file: PathBuf) -> Self {
        let idle = Idle { connections: Vec::new(), epoch: 0, immutable: false };
        Self { file, lanes: Lane::ALL.map(|lane| Arc::new(Semaphore::new(lane.places()))), idle: Mutex::new(idle) }
    }

    /// Reads from one snapshot. Blocking, but never for the writer.
    pub(in crate::index) fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, SqliteError>) -> Result<T, SqliteError> {
        self.with(|connection| query(&*connection.unchecked_transaction()?))
    }

    /// Reads like [`Pool::read`], but interrupts the running statement as soon as `over` returns true.
    pub(in crate::index) fn read_until<T>(
        &self,
        over: impl Fn() -> bool + Send + 'static,
        query: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Result<T, SqliteError> {
        self.with(|connection| {
            connection.progress_handler(INSTRUCTIONS, Some(over))?;
            let result = connection.unchecked_transaction().map_err(SqliteError::from).and_then(|snapshot| query(&snapshot));
            connection.progress_handler(0, None::<fn() -> bool>)?;
            result.map_err(|failure| if failure.is_interruption() { IndexError::TookTooLong.into() } else { failure })
        })
    }

    fn with<T>(&self, read: impl FnOnce(&mut Connection) -> Result<T, SqliteError>) -> Result<T, SqliteError> {
        let (idle, epoch, immutable) = {
            let mut pool = self.lock();
            (pool.connections.pop(), pool.epoch, pool.immutable)
        };
        let mut connection = match idle {
            Some(connection) => connection,
            None => connection::open_reader(&self.file, immutable)?,
        };
        let result = read(&mut connection);
        let mut pool = self.lock();
        if pool.epoch == epoch && !result.as_ref().is_err_and(SqliteError::is_damage) {
            pool.connections.push(connection);
        }
        result
    }

    /// Waits until a lane has room for one more read.
    pub(in crate::index) async fn permit(&self, lane: Lane) -> Result<OwnedSemaphorePermit, IndexError> {
        self.lanes[lane as usize].clone().acquire_owned().await.map_err(|_closed| IndexError::Closed)
    }

    /// Retires all connections, so that new ones are opened; `immutable` if the file cannot change.
    pub(in crate::index) fn reset(&self, immutable: bool) {
        let mut pool = self.lock();
        pool.epoch += 1;
        pool.immutable = immutable;
        pool.connections.clear();
    }

    /// Refuses all further reads.
    pub(in crate::index) fn close(&self) {
        self.lanes.iter().for_each(|lane| lane.close());
        self.reset(false);
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A statement that never ends.
    const ENDLESS: &str = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c WHERE x < 0";

    fn pool() -> (tempfile::TempDir, Pool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("historyserver.sqlite");
        drop(connection::open_writer(&file, None).unwrap());
        (folder, Pool::new(file))
    }

    #[test]
    fn a_read_that_is_over_is_interrupted_and_its_connection_serves_the_next() {
        let (_folder, pool) = pool();
        let looks = Arc::new(AtomicU32::new(0));
        let looking = Arc::clone(&looks);
        let over = move || looking.fetch_add(1, Ordering::SeqCst) >= 3;
        let failed = pool.read_until(over, |connection| Ok(connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0))?));
        assert!(matches!(failed, Err(SqliteError::Index(IndexError::TookTooLong))));
        assert_eq!(looks.load(Ordering::SeqCst), 4);
        let count = |connection: &Connection| Ok(connection.query_row("SELECT count(*) FROM units", [], |row| row.get::<_, i64>(0))?);
        assert_eq!(pool.read(count).unwrap(), 0);
        assert_eq!(pool.lock().connections.len(), 1);
    }

    #[test]
    fn many_small_statements_are_interrupted_like_a_long_one() {
        let (_folder, pool) = pool();
        let looks = Arc::new(AtomicU32::new(0));
        let looking = Arc::clone(&looks);
        let over = move || looking.fetch_add(1, Ordering::SeqCst) >= 3;
        let failed = pool.read_until(over, |connection| {
            loop {
                connection
                    .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
                    .query_row(["generation"], |row| row.get::<_, i64>(0))?;
            }
            #[expect(unreachable_code, reason = "gives the closure its type")]
            Ok(())
        });
        assert!(matches!(failed, Err(SqliteError::Index(IndexError::TookTooLong))));
    }

    #[tokio::test]
    async fn a_full_lane_holds_up_no_other() {
        let (_folder, pool) = pool();
        let full: Vec<_> = futures::future::join_all((0..Lane::Upkeep.places()).map(|_| pool.permit(Lane::Upkeep))).await;
        assert!(futures::poll!(std::pin::pin!(pool.permit(Lane::Upkeep))).is_pending());
        for lane in [Lane::Point, Lane::Lists, Lane::Figures] {
            assert!(pool.permit(lane).await.is_ok(), "{lane:?}");
        }
        drop(full);
    }
}
