/** The runs of one name: their outcomes and figures. */
import { queryString } from './api/http';
import type { Item, Run } from './api/server';
import { measured } from './format/number';
import type { Unit } from './format/unit';
import { tone } from './status';

/** The number of failed runs, and the median duration of the finished ones. */
export function outcomes(runs: readonly Item[]): { failed: number; median: number | null } {
  const finished = runs.filter(({ status }) => tone(status ?? '') === 'finished').flatMap(({ duration }) => measured(duration) ?? []);
  finished.sort((a, b) => a - b);
  return {
    failed: runs.filter(({ status }) => tone(status ?? '') === 'failed').length,
    median: finished[Math.ceil(finished.length / 2) - 1] ?? null,
  };
}

/** The previous run. The rows are sorted newest first. Another copy of the same run does not count. */
export function runBefore<Row extends Pick<Item, 'id'>>(runs: readonly Row[], run: Row): Row | undefined {
  return runs.slice(runs.indexOf(run) + 1).find(({ id }) => id !== run.id);
}

/** The maximum length of a name in requests, in characters. */
const MAX_NAME_LENGTH = 1000;

/** The path of the runs of this name that ended at this time or earlier, newest first. `null`: the name cannot be used in a request. */
export function earlierRunsPath(name: string, end: number | null): string | null {
  if (name === '' || name.includes('\0') || [...name].length > MAX_NAME_LENGTH) return null;
  return `api/v1/jobs${queryString({ name, name_match: 'exact', end_to: end === null ? null : end + 1, sort: '-end', limit: 20 })}`;
}

/** The meaning of a count of restarts. */
export const RESTARTS = 'Restarts of the job, or of a part of it, after a failure. Speculative attempts and rescales do not count.';

/** The meaning of records and bytes that were read and written. */
export const BETWEEN_VERTICES = 'Flink counts records between vertices: sources read none, and sinks write none.';

export interface Measure {
  key: string;
  label: string;
  unit: Unit;
  of: (run: Run) => number | null;
}

/** The figures that a chart of runs can show. */
export const MEASURES = [
  { key: 'duration', label: 'Duration', unit: 'duration', of: (run) => measured(run.duration) },
  { key: 'records_read', label: 'Records read', unit: 'count', of: (run) => run.read_records },
  { key: 'records_written', label: 'Records written', unit: 'count', of: (run) => run.write_records },
  { key: 'checkpoint_duration', label: 'Longest checkpoint', unit: 'duration', of: (run) => run.longest_checkpoint_duration },
  { key: 'checkpoint_size', label: 'Last checkpoint size', unit: 'bytes', of: (run) => run.last_checkpoint_size },
  { key: 'restarts', label: 'Restarts', unit: 'count', of: (run) => run.restarts },
] as const satisfies readonly Measure[];

/** The measure with this key. The default is the duration. */
export const measureOf = (key: string): Measure => MEASURES.find((one) => one.key === key) ?? MEASURES[0];

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

/** A figure of runs, with one series for each final state. */
export function runSeries(runs: readonly Run[], of: Measure['of']): RunSeries[] {
  const ends = runs.map(({ status }) => tone(status ?? ''));
  const known: readonly string[] = ENDS.map(({ label }) => label);
  const series = (label: string, color: string, has: (end: string) => boolean): RunSeries => ({
    label,
    color,
    values: runs.map((run, index) => (has(ends[index] ?? '') ? of(run) : null)),
    look: 'dots',
  });
  return [
    ...ENDS.map(({ label, color }) => series(label, color, (end) => end === label)),
    series('other', '--neutral-fill', (end) => !known.includes(end)),
  ].filter(({ values }) => values.some((value) => value !== null));
}
