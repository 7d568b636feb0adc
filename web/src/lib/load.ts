/** Where a job is slow: the shares of time that its tasks were busy, backpressured and idle, and how evenly its records were spread. */
import { vertexDetails, vertexPath, type Attempt, type IoMetrics, type Job } from './api/flink';
import { getJson } from './api/http';
import { readDocument } from './api/shape';
import { measured } from './format/number';

/** Shares of 1. They add up to 1. */
export interface Load {
  busy: number;
  backpressured: number;
  idle: number;
}

export const LOADS = [
  { key: 'busy', label: 'Busy' },
  { key: 'backpressured', label: 'Backpressured' },
  { key: 'idle', label: 'Idle' },
] as const;

/** The load of a vertex or a subtask; null: it was not measured. */
export function loadOf(metrics: IoMetrics): Load | null {
  const [busy, backpressured, idle] = LOADS.map(({ key }) => measured(metrics[`accumulated-${key}-time`]) ?? 0);
  const total = (busy ?? 0) + (backpressured ?? 0) + (idle ?? 0);
  return total > 0 ? { busy: (busy ?? 0) / total, backpressured: (backpressured ?? 0) / total, idle: (idle ?? 0) / total } : null;
}

export interface Skew {
  /** Records of the subtask with the most, divided by the mean of all subtasks. */
  ratio: number;
  subtask: number;
}

/** A subtask with this many times the mean is marked. */
export const OUTLIER = 2;

/** The parameters of a link to the subtasks with the most records first. */
export const MOST_FIRST = { view: 'load', sort: '-share' };

/** The records that a subtask worked on: those it received; of a source, those it sent. */
function records(subtasks: readonly Attempt[]): { subtask: number; count: number }[] {
  const by = (name: 'read-records' | 'write-records') => subtasks.map((one) => ({ subtask: one.subtask, count: measured(one.metrics[name]) ?? 0 }));
  const received = by('read-records');
  return received.some(({ count }) => count > 0) ? received : by('write-records');
}

/** The records of each subtask divided by the mean of all; an empty map: nothing was counted, or there is one subtask only. */
export function sharesOf(subtasks: readonly Attempt[]): Map<number, number> {
  const counted = records(subtasks);
  const mean = counted.reduce((sum, { count }) => sum + count, 0) / counted.length;
  return counted.length > 1 && mean > 0 ? new Map(counted.map(({ subtask, count }) => [subtask, count / mean])) : new Map();
}

export function skewOf(subtasks: readonly Attempt[]): Skew | null {
  let most: Skew | null = null;
  for (const [subtask, ratio] of sharesOf(subtasks)) if (!most || ratio > most.ratio) most = { ratio, subtask };
  return most;
}

/** Above these numbers the documents of the subtasks are too large to be read for a table. */
const MAX_VERTICES = 100;
const MAX_SUBTASKS = 20_000;
const AT_ONCE = 4;

/** Reads the subtasks of each vertex, and calls `found` with the skew of one after the other. */
export async function readSkews(job: Job, at: (path: string) => string, found: (vertex: string, skew: Skew | null) => void, signal: AbortSignal): Promise<void> {
  const vertices = job.vertices.filter((one) => (measured(one.parallelism) ?? 0) > 1);
  const subtasks = vertices.reduce((sum, one) => sum + (measured(one.parallelism) ?? 0), 0);
  if (vertices.length > MAX_VERTICES || subtasks > MAX_SUBTASKS) return;
  const left = [...vertices];
  const work = async (): Promise<void> => {
    for (let one = left.shift(); one && !signal.aborted; one = left.shift()) {
      const body = await getJson<unknown>(at(vertexPath(job.jid, one.id)), signal).catch(() => undefined);
      // An archive without one of these documents probably has none of them.
      if (body === undefined) left.length = 0;
      else found(one.id, skewOf(readDocument(vertexDetails, body).value?.subtasks ?? []));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}
