import type { Checkpoint, Checkpoints, CheckpointSizes, Job, RescalesOverview } from './api/flink';
import { instant } from './format/time';

/** `Savepoint, canonical` and the like: what Flink's type, format and alignment come to. */
export function checkpointKind(one: Checkpoint): string {
  if (one.is_savepoint) {
    const format = one.savepointFormat ? `, ${one.savepointFormat.toLowerCase()}` : '';
    return `${one.checkpoint_type === 'SYNC_SAVEPOINT' ? 'Savepoint on stop' : 'Savepoint'}${format}`;
  }
  return one.checkpoint_type === 'UNALIGNED_CHECKPOINT' ? 'Unaligned checkpoint' : 'Checkpoint';
}

/** Older archives have no size of what was written, only that of the whole state. */
export function writtenSize(one: CheckpointSizes): unknown {
  return one.checkpointed_size ?? one.state_size;
}

/**
 * The checkpoint that a job without failures began from, if it was not one of its own: after a recovery of the JobManager, or when it was
 * submitted with its path. Restarts and rescales within a job restore its own ones.
 */
export function startedFrom(job: Job, checkpoints: Checkpoints | undefined, rescales: RescalesOverview | undefined): number | undefined {
  const restored = checkpoints?.latest.restored;
  if (!restored || restored.is_savepoint || checkpoints.counts?.restored !== 1) return undefined;
  const restarted = instant(job.timestamps?.['RESTARTING']) !== null || (rescales?.rescalesCounts.completed ?? 0) > 1;
  return restarted || checkpoints.history?.some(({ id }) => id <= restored.id) ? undefined : restored.id;
}
