import type { Checkpoint, CheckpointSizes } from './api/flink';

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
