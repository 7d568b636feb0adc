/** What the runs of one name have in common, and what sets one apart. */
import type { Item } from './api/server';
import { tone } from './status';

/** How many failed, and how long the middle one of those that finished took. */
export function outcomes(runs: readonly Item[]): { failed: number; median: number | null } {
  const finished = runs.filter(({ status }) => tone(status ?? '') === 'finished').flatMap(({ duration }) => (duration === null ? [] : [duration]));
  finished.sort((a, b) => a - b);
  return {
    failed: runs.filter(({ status }) => tone(status ?? '') === 'failed').length,
    median: finished[Math.ceil(finished.length / 2) - 1] ?? null,
  };
}

export interface RunSeries {
  label: string;
  color: string;
  values: (number | null)[];
  look: 'dots';
}

const ENDS = [
  { label: 'finished', color: '--finished-fill' },
  { label: 'failed', color: '--failed-fill' },
  { label: 'canceled', color: '--canceled-fill' },
] as const;

/** The durations of runs, one series for each way to end that there is. */
export function runSeries(runs: readonly Item[]): RunSeries[] {
  const ends = runs.map(({ status }) => tone(status ?? ''));
  const known: readonly string[] = ENDS.map(({ label }) => label);
  const series = (label: string, color: string, has: (end: string) => boolean): RunSeries => ({
    label,
    color,
    values: runs.map(({ duration }, index) => (has(ends[index] ?? '') ? duration : null)),
    look: 'dots',
  });
  return [
    ...ENDS.map(({ label, color }) => series(label, color, (end) => end === label)),
    series('other', '--neutral-fill', (end) => !known.includes(end)),
  ].filter(({ values }) => values.some((value) => value !== null));
}
