/** The columns of a list that are shown where there is room, and those that a user chose. */
import type { Kind } from './model';

/** In their order. `width` in pixels. */
export const OPTIONAL = [
  { key: 'cluster', label: () => 'Cluster', width: 236 },
  { key: 'reason', label: () => 'Why it failed', width: 184 },
  { key: 'start', label: () => 'Start Time', width: 166 },
  { key: 'duration', label: () => 'Duration', width: 150 },
  { key: 'end', label: () => 'End Time', width: 166 },
  { key: 'restarts', label: () => 'Restarts', width: 84 },
  { key: 'counts', label: (kind: Kind) => (kind === 'applications' ? 'Jobs' : 'Tasks'), width: 136 },
] as const;

export type OptionalColumn = (typeof OPTIONAL)[number]['key'];

/** The columns that leave first where names need their room. */
const LEAST: readonly OptionalColumn[] = ['counts', 'start', 'restarts'];

/** The width of the choice and the status. */
const FIXED = 158;

/**
 * The columns that fit into `width` pixels beside names of `letters` letters, which may take two lines. `useful`: the columns with content.
 */
export function fitting(width: number, letters: number, useful: readonly OptionalColumn[]): OptionalColumn[] {
  const name = 30 + Math.max(130, Math.min(letters, 110) * 3.6);
  let columns = [...useful];
  const needed = (): number => FIXED + name + OPTIONAL.reduce((sum, { key, width: own }) => sum + (columns.includes(key) ? own : 0), 0);
  for (const least of LEAST) if (needed() > width) columns = columns.filter((one) => one !== least);
  return columns;
}

/** A name without what Flink adds to every name: `SingleJobApplication(x)` of the application of a job x, and the default database in SQL. */
export const shortName = (name: string): string => name.replace(/^SingleJobApplication\((.+)\)$/s, '$1').replaceAll('default_catalog.default_database.', '');

/** Class names without their package. */
export const simpleName = (name: string): string => name.slice(Math.max(name.lastIndexOf('.'), name.lastIndexOf('$')) + 1) || name;

/** A duration of at least this many times the usual one is marked. */
const SLOWER = 1.2;

/** How many times the usual duration a run took, such as `1.8`; null: about the usual one, or no usual one is known. */
export function slowerThanUsual(duration: number | null, usual: number | null | undefined): string | null {
  const ratio = duration !== null && usual ? duration / usual : 0;
  return ratio >= SLOWER ? (Math.round(ratio * 10) / 10).toFixed(1) : null;
}
