//! Fills an index that an older server wrote: what is derived from archives since then, from their packs, without fetching.
//!
//! In small batches with pauses, so that nobody waits for it. What is done is done: the next start goes on with the rest.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::clock::{Clock, Millis};
use crate::index::{DerivingPosition, IndexError, IndexReader, IndexWriter, Underived};

/// Archives of one batch.
const BATCH: usize = 16;

/// A batch is followed by a pause as long as it took, but at least this.
const PAUSE: Duration = Duration::from_millis(5);

/// Until it goes on after the index could not be written.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// How the filling of an older index stands. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackfillStatus {
    /// When it began, while it goes on.
    pub running_since: Option<Millis>,
    /// When it ended.
    pub finished: Option<Millis>,
    /// Archives whose facts are still to be derived from their packs.
    pub pending: u64,
    /// Archives that were derived since the start.
    pub derived: u64,
    /// Archives whose documents were evicted: derived when they are read again.
    pub evicted: u64,
    /// Archives whose packs could not be read: tried again at the next start.
    pub failed: u64,
    /// Why it does not go on at the moment.
    pub error: Option<String>,
}

/// What is to be done next.
enum Step {
    Count,
    /// Of archives after this one.
    Derive(Option<DerivingPosition>),
}

/// Fills an older index.
pub struct Backfill {
    reader: IndexReader,
    writer: IndexWriter,
    clock: Clock,
    status: watch::Sender<BackfillStatus>,
}

impl Backfill {
    /// For this index; the second value tells how it stands.
    #[must_use]
    pub fn new(reader: IndexReader, writer: IndexWriter, clock: Clock) -> (Self, watch::Receiver<BackfillStatus>) {
        let (status, told) = watch::channel(BackfillStatus::default());
        (Self { reader, writer, clock, status }, told)
    }

    /// Derives what there is to derive, each archive once, until all is done or `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let begun = self.clock.now();
        self.status.send_modify(|status| status.running_since = Some(begun));
        let mut step = Step::Count;
        loop {
            let started = Instant::now();
            let pause = match self.take(&step).await {
                Ok(Some(next)) => {
                    step = next;
                    started.elapsed().max(PAUSE)
                }
                Ok(None) | Err(IndexError::Closed) => break,
                Err(error) => {
                    self.note(error.to_string());
                    AFTER_FAILURE
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
        self.end(&stop);
    }

    /// Takes a step. Gives back the next one, if there is one.
    async fn take(&self, step: &Step) -> Result<Option<Step>, IndexError> {
        match step {
            Step::Count => Ok((self.count().await? > 0).then_some(Step::Derive(None))),
            Step::Derive(after) => Ok(self.derive(after.clone()).await?.map(|next| Step::Derive(Some(next)))),
        }
    }

    async fn count(&self) -> Result<u64, IndexError> {
        let Underived { kept, evicted } = self.reader.underived().await?;
        if kept > 0 {
            tracing::info!(archives = kept, "deriving facts from what an older version indexed");
        }
        self.status.send_modify(|status| (status.pending, status.evicted, status.error) = (kept, evicted, None));
        Ok(kept)
    }

    async fn derive(&self, after: Option<DerivingPosition>) -> Result<Option<DerivingPosition>, IndexError> {
        let page = self.reader.derive(after, BATCH).await?;
        let (seen, failed) = ((page.derived.len() + page.failed.len()) as u64, page.failed.len() as u64);
        if let Some(reason) = page.failed.first() {
            tracing::warn!(archives = failed, "facts could not be derived, which is tried again at the next start: {reason}");
        }
        let derived = if page.derived.is_empty() { 0 } else { self.writer.write_derived(page.derived).await? };
        self.status.send_modify(|status| {
            status.pending = status.pending.saturating_sub(seen);
            status.derived += derived;
            status.failed += failed;
            status.error = None;
        });
        Ok(page.next)
    }

    /// Tells what keeps it from going on; to the log once, however often it is tried.
    fn note(&self, error: String) {
        if self.status.borrow().error.as_ref() != Some(&error) {
            tracing::warn!("facts of archives that an older version indexed cannot be derived, tried again every minute: {error}");
        }
        self.status.send_modify(|status| status.error = Some(error));
    }

    fn end(&self, stop: &CancellationToken) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.running_since = None;
            if !stop.is_cancelled() {
                status.finished = Some(now);
                // What was ingested, evicted or forgotten meanwhile is not waited for.
                status.pending = 0;
            }
        });
        let status = self.status.borrow();
        if status.derived > 0 {
            tracing::info!(archives = status.derived, pending = status.pending, "derived facts from what an older version indexed");
        }
    }
}
