/** The periods of the statistics and the sums of their buckets. */
import type { FailingRuns, FailureClass, StatisticsBucket } from './api/server';
import { tone } from './status';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const PERIODS = [
  { key: '24h', label: '24 h', ms: DAY, bucket: 'hour' },
  { key: '7d', label: '7 days', ms: 7 * DAY, bucket: 'day' },
  { key: '30d', label: '30 days', ms: 30 * DAY, bucket: 'day' },
  { key: '90d', label: '90 days', ms: 90 * DAY, bucket: 'day' },
  { key: '1y', label: '1 year', ms: 365 * DAY, bucket: 'day' },
] as const;

export const bucketSpan = (bucket: 'day' | 'hour'): number => (bucket === 'day' ? DAY : HOUR);

const sum = (numbers: readonly number[]): number => numbers.reduce((left, right) => left + right, 0);

/** The number of all that ended, and of the failed ones. */
export function totals(buckets: readonly StatisticsBucket[]): { all: number; failed: number } {
  const counts = buckets.flatMap((bucket) => Object.entries(bucket.counts));
  return {
    all: sum(counts.map(([, count]) => count)),
    failed: sum(counts.filter(([state]) => tone(state) === 'failed').map(([, count]) => count)),
  };
}

/** Sorted by failures, then by name, so that the order does not change from one answer to the next. */
export const byFailures = (names: readonly FailingRuns[]): FailingRuns[] => [...names].sort((a, b) => b.failed - a.failed || (a.name < b.name ? -1 : 1));

/** Sorted by jobs, then by class. */
export const byJobs = (classes: readonly FailureClass[]): FailureClass[] => [...classes].sort((a, b) => b.jobs - a.jobs || (a.class < b.class ? -1 : 1));

const STATES = [
  { label: 'failed', color: '--failed-fill' },
  { label: 'canceled', color: '--canceled-fill' },
  { label: 'finished', color: '--finished-fill' },
] as const;

interface StateSeries {
  label: string;
  color: string;
  values: number[];
  look: 'bars';
}

/** Stacked bars by state, with failures at the bottom, where heights are easy to compare. */
export function stateSeries(buckets: readonly StatisticsBucket[]): StateSeries[] {
  const known: readonly string[] = STATES.map(({ label }) => label);
  const series = (label: string, color: string, has: (state: string) => boolean): StateSeries => ({
    label,
    color,
    values: buckets.map(({ counts }) => sum(Object.entries(counts).filter(([state]) => has(tone(state))).map(([, count]) => count))),
    look: 'bars',
  });
  const other = series('other', '--neutral-fill', (state) => !known.includes(state));
  return [...STATES.map(({ label, color }) => series(label, color, (state) => state === label)), ...(sum(other.values) > 0 ? [other] : [])];
}
