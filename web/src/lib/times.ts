/** The start, the end and the duration of a job, an application or a vertex. */
import type { Counts } from './api/flink';
import { measured } from './format/number';
import { instant } from './format/time';
import { TERMINAL } from './status';

export interface Timed {
  'start-time'?: number | undefined;
  'end-time'?: number | undefined;
  duration?: number | undefined;
  timestamps?: Counts | undefined;
}

export interface Times {
  /** Milliseconds since 1970; null if unknown. */
  start: number | null;
  end: number | null;
  /** Milliseconds. */
  duration: number | null;
}

/** True of a terminal state. */
export const hasEnded = (state: string): boolean => (TERMINAL as readonly string[]).includes(state.toUpperCase());

/**
 * The times of a document. Flink writes 0 or -1 for unknown times: a job that was canceled while it waited for resources has the end 0, and
 * its overview has a negative duration. Then the end is the sum of start and duration, or the time of its terminal state.
 */
export function timesOf(of: Timed, state: string): Times {
  const reached = Object.values(of.timestamps ?? {}).flatMap((at) => instant(at) ?? []);
  const start = instant(of['start-time']) ?? (reached.length > 0 ? Math.min(...reached) : null);
  const lasted = measured(of.duration);
  const known = instant(of['end-time']);
  const worked = hasEnded(state) ? (start !== null && lasted !== null ? start + lasted : instant(of.timestamps?.[state])) : null;
  const end = known ?? worked;
  return { start, end, duration: lasted ?? (start !== null && end !== null ? Math.max(0, end - start) : null) };
}
