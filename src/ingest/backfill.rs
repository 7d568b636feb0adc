//! Backfill of an index that an older version wrote: facts that it did not derive are derived from the packs, without fetching.
//!
//! Small batches with pauses let other work pass. Each batch is written at once: the next start continues with the rest.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use crate::clock::{Clock, Timestamp};
use crate::index::{DerivingPosition, IndexError, IndexReader, IndexWriter, Underived};

/// Archives of one batch.
const BATCH: usize = 16;

/// The shortest pause after a batch; a longer batch is followed by a pause as long as it took.
const MIN_PAUSE: Duration = Duration::from_millis(5);

/// The pause after the index could not be read or written.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// The status of the backfill of an older index. Times are milliseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct BackfillStatus {
    /// When it started; `null` while it does not run.
    pub running_since: Option<Timestamp>,
    /// When it finished.
    pub finished: Option<Timestamp>,
    /// Archives whose facts are still to be derived from their packs.
    pub pending: u64,
    /// Archives whose facts were derived since the start.
    pub derived: u64,
    /// Archives whose documents were evicted: their facts are derived when they are ingested again.
    pub evicted: u64,
    /// Archives whose packs could not be read: they are retried at the next start.
    pub failed: u64,
    /// Why it waits at the moment.
    pub error: Option<String>,
}

/// The next step.
enum Step {
    Count,
    /// The archives after this position.
    Derive(Option<DerivingPosition>),
}

/// The backfill of an older index.
pub struct Backfill {
    reader: IndexReader,
    writer: IndexWriter,
    clock: Clock,
    status: watch::Sender<BackfillStatus>,
}

impl Backfill {
    /// The backfill of this index, and its status.
    #[must_use]
    pub fn new(reader: IndexReader, writer: IndexWriter, clock: Clock) -> (Self, watch::Receiver<BackfillStatus>) {
        let (status, receiver) = watch::channel(BackfillStatus::default());
        (Self { reader, writer, clock, status }, receiver)
    }

    /// Derives the missing facts of each archive once, until all are done or `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let now = self.clock.now();
        self.status.send_modify(|status| status.running_since = Some(now));
        let mut step = Step::Count;
        loop {
            let started = Instant::now();
            let pause = match self.take(&step).await {
                Ok(Some(next)) => {
                    step = next;
                    started.elapsed().max(MIN_PAUSE)
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

    /// Does a step. Returns the next one, if there is one.
    async fn take(&self, step: &Step) -> Result<Option<Step>, IndexError> {
        match step {
            Step::Count => Ok((self.count().await? > 0).then_some(Step::Derive(None))),
            Step::Derive(after) => Ok(self.derive(after.clone()).await?.map(|next| Step::Derive(Some(next)))),
        }
    }

    async fn count(&self) -> Result<u64, IndexError> {
        let Underived { kept, evicted } = self.reader.underived().await?;
        if kept > 0 {
            tracing::info!(archives = kept, "deriving facts of archives that an older version indexed");
        }
        self.status.send_modify(|status| (status.pending, status.evicted, status.error) = (kept, evicted, None));
        Ok(kept)
    }

    async fn derive(&self, after: Option<DerivingPosition>) -> Result<Option<DerivingPosition>, IndexError> {
        let page = self.reader.derive(after, BATCH).await?;
        let (seen, failed) = ((page.derived.len() + page.failed.len()) as u64, page.failed.len() as u64);
        if let Some(reason) = page.failed.first() {
            tracing::warn!(
                archives = failed,
                "the facts of {failed} archives could not be derived, and are retried at the next start: {reason}"
            );
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

    /// Publishes why the backfill waits, and logs it once.
    fn note(&self, error: String) {
        if self.status.borrow().error.as_ref() != Some(&error) {
            tracing::warn!("the facts of archives that an older version indexed cannot be derived, and are retried every minute: {error}");
        }
        self.status.send_modify(|status| status.error = Some(error));
    }

    fn end(&self, stop: &CancellationToken) {
        let now = self.clock.now();
        self.status.send_modify(|status| {
            status.running_since = None;
            if !stop.is_cancelled() {
                status.finished = Some(now);
                // Archives that were ingested, evicted or forgotten meanwhile have left the queue.
                status.pending = 0;
            }
        });
        let status = self.status.borrow();
        if status.derived > 0 {
            tracing::info!(archives = status.derived, pending = status.pending, "derived facts of archives that an older version indexed");
        }
    }
}
