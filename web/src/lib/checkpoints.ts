import type { Checkpoint, Checkpoints, CheckpointSizes, Job, RescalesOverview } from './api/flink';
import { instant } from './format/time';

/** The kind of a checkpoint in words, such as `Savepoint, canonical`, from Flink's type, format and alignment. */
export function checkpointKind(one: Checkpoint): string {
  if (one.is_savepoint) {
    const format = one.savepointFormat ? `, ${one.savepointFormat.toLowerCase()}` : '';
    return `${one.checkpoint_type === 'SYNC_SAVEPOINT' ? 'Savepoint on stop' : 'Savepoint'}${format}`;
  }
  return one.checkpoint_type === 'UNALIGNED_CHECKPOINT' ? 'Unaligned checkpoint' : 'Checkpoint';
}

/** The written size. Older archives have the size of the full state only. */
export function writtenSize(one: CheckpointSizes): unknown {
  return one.checkpointed_size ?? one.state_size;
}

/**
 * The checkpoint of an earlier run that a job without failures started from: after a recovery of the JobManager, or because it was
 * submitted with the path of the checkpoint. Restarts and rescales within a job restore its own checkpoints.
 */
export function startedFrom(job: Job, checkpoints: Checkpoints | undefined, rescales: RescalesOverview | undefined): number | undefined {
  const restored = checkpoints?.latest.restored;
  if (!restored || restored.is_savepoint || checkpoints.counts?.restored !== 1) return undefined;
  const restarted = instant(job.timestamps?.['RESTARTING']) !== null || (rescales?.rescalesCounts.completed ?? 0) > 1;
  return restarted || checkpoints.history?.some(({ id }) => id <= restored.id) ? undefined : restored.id;
}
