//! State that the writing and the reading handles share: counters that are read without a query, and notes of readers for the writer.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::data_directory::suspect_damage;
use crate::index::error::IndexError;
use crate::index::leases::Leases;
use crate::index::model::{Generation, Listed};
use crate::index::sqlite::store::pool::Pool;
use crate::index::sqlite::store::sqlite_error::SqliteError;
use crate::index::stamps::Stamps;
use crate::index::walks::Walks;

/// State shared by all handles of one index.
pub(in crate::index) struct IndexState {
    pub(in crate::index) data_directory: PathBuf,
    pub(in crate::index) pool: Pool,
    pub(in crate::index) walks: Walks,
    pub(in crate::index) leases: Leases,
    pub(in crate::index) stamps: Stamps,
    pub(in crate::index) counters: Counters,
    notes: Mutex<Notes>,
    /// Counter of reads, to order them.
    reads: AtomicI64,
    /// Damage was found, so the writer compares all rows with their digests.
    suspicion: AtomicBool,
    /// How the data directory was lost while the server ran.
    lost: watch::Sender<Option<IndexError>>,
}

/// Counters as of the last commit.
#[derive(Default)]
pub(in crate::index) struct Counters {
    pub(in crate::index) index: AtomicU64,
    pub(in crate::index) generation: AtomicU64,
    pub(in crate::index) known: AtomicU64,
    pub(in crate::index) pack_bytes: AtomicU64,
    pub(in crate::index) gone_pack_bytes: AtomicU64,
    pub(in crate::index) evictions: AtomicU64,
    applications: AtomicU64,
    jobs: AtomicU64,
}

impl Counters {
    pub(in crate::index) fn listed(&self) -> Listed {
        Listed { applications: self.applications.load(Ordering::Acquire), jobs: self.jobs.load(Ordering::Acquire) }
    }

    pub(in crate::index) fn note_listed(&self, listed: Listed) {
        self.applications.store(listed.applications, Ordering::Release);
        self.jobs.store(listed.jobs, Ordering::Release);
    }
}

/// Notes of readers, which the writer stores with its next commit.
#[derive(Default)]
pub(in crate::index) struct Notes {
    /// Packs that were read, with the counter of their last read.
    pub(in crate::index) read: HashMap<i64, i64>,
    /// Packs that cannot be unpacked.
    pub(in crate::index) damaged: Vec<i64>,
}

impl Notes {
    /// Whether there are no notes.
    pub(in crate::index) fn is_empty(&self) -> bool {
        self.read.is_empty() && self.damaged.is_empty()
    }
}

impl IndexState {
    pub(in crate::index) fn new(data_directory: PathBuf, pool: Pool, walks: Walks) -> Self {
        Self {
            data_directory,
            pool,
            walks,
            leases: Leases::default(),
            stamps: Stamps::default(),
            counters: Counters::default(),
            notes: Mutex::default(),
            reads: AtomicI64::new(0),
            suspicion: AtomicBool::new(false),
            lost: watch::Sender::default(),
        }
    }

    /// How the data directory was lost, if it is.
    pub(in crate::index) fn lost(&self) -> Option<IndexError> {
        self.lost.borrow().clone()
    }

    pub(in crate::index) fn note_lost(&self, error: IndexError) {
        self.lost.send_replace(Some(error));
    }

    /// Waits until the data directory is lost.
    pub(in crate::index) async fn until_lost(&self) -> IndexError {
        let mut lost = self.lost.subscribe();
        let found = lost.wait_for(Option::is_some).await.ok().and_then(|lost| lost.clone());
        match found {
            Some(error) => error,
            // Not reached: the sender lives as long as this.
            None => std::future::pending().await,
        }
    }

    /// The error for callers. Damage of the file is recorded for the next start.
    pub(in crate::index) fn index_error(&self, failure: SqliteError) -> IndexError {
        if failure.is_damage() {
            suspect_damage(&self.data_directory);
            self.suspicion.store(true, Ordering::Release);
        }
        failure.into_index_error(&self.data_directory)
    }

    /// Whether damage was found since the last call.
    pub(in crate::index) fn take_suspicion(&self) -> bool {
        self.suspicion.swap(false, Ordering::AcqRel)
    }

    pub(in crate::index) fn generation(&self) -> Generation {
        Generation { index: self.counters.index.load(Ordering::Acquire), number: self.counters.generation.load(Ordering::Acquire) }
    }

    /// Continues the counter of reads from its stored value.
    pub(in crate::index) fn resume_reads(&self, stored: i64) {
        self.reads.fetch_max(stored, Ordering::Relaxed);
    }

    pub(in crate::index) fn note_read(&self, pack: i64) {
        let now = self.reads.fetch_add(1, Ordering::Relaxed) + 1;
        self.with_notes(|notes| {
            notes.read.insert(pack, now);
        });
    }

    pub(in crate::index) fn note_damage(&self, pack: i64) {
        self.with_notes(|notes| notes.damaged.push(pack));
    }

    pub(in crate::index) fn take_notes(&self) -> Notes {
        self.with_notes(std::mem::take)
    }

    /// Puts notes back that could not be written.
    pub(in crate::index) fn return_notes(&self, returned: Notes) {
        self.with_notes(|notes| {
            for (pack, at) in returned.read {
                notes.read.entry(pack).or_insert(at);
            }
            notes.damaged.extend(returned.damaged);
        });
    }

    pub(in crate::index) fn has_notes(&self) -> bool {
        self.with_notes(|notes| !notes.is_empty())
    }

    fn with_notes<T>(&self, use_notes: impl FnOnce(&mut Notes) -> T) -> T {
        use_notes(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
