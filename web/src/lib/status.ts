/** The presentation of states of applications, jobs, tasks, checkpoints and rescales. */
import { measured } from './format/number';

export type Tone = 'finished' | 'failed' | 'canceled' | 'running' | 'pending' | 'neutral';

const TONES: Record<string, Tone> = {
  FINISHED: 'finished',
  COMPLETED: 'finished',
  FAILED: 'failed',
  FAILING: 'failed',
  CANCELED: 'canceled',
  CANCELING: 'canceled',
  CANCELLING: 'canceled',
  SUSPENDED: 'canceled',
  IGNORED: 'canceled',
  RUNNING: 'running',
  IN_PROGRESS: 'running',
  INITIALIZING: 'pending',
  CREATED: 'pending',
  SCHEDULED: 'pending',
  DEPLOYING: 'pending',
  RECONCILING: 'pending',
  RESTARTING: 'pending',
  PENDING: 'pending',
};

export function tone(status: string): Tone {
  return TONES[status.toUpperCase()] ?? 'neutral';
}

/** The order of counts by status: failures first. */
const ORDER = ['FAILED', 'FAILING', 'CANCELED', 'CANCELING', 'CANCELLING', 'SUSPENDED', 'RUNNING', 'RESTARTING', 'FINISHED'];

/** The counts above zero, failures first. */
export function orderedCounts(counts: Record<string, unknown> | undefined | null): { status: string; count: number }[] {
  const byStatus = new Map<string, number>();
  for (const [status, count] of Object.entries(counts ?? {})) {
    const name = status.toUpperCase();
    const known = measured(count);
    if (known && name !== 'TOTAL') byStatus.set(name, (byStatus.get(name) ?? 0) + known);
  }
  return [...byStatus]
    .map(([status, count]) => ({ status, count }))
    .sort((a, b) => rank(a.status) - rank(b.status) || a.status.localeCompare(b.status));
}

function rank(status: string): number {
  const index = ORDER.indexOf(status);
  return index < 0 ? ORDER.length : index;
}

/** The terminal states of an application or a job. */
export const TERMINAL = ['FAILED', 'CANCELED', 'FINISHED'] as const;
