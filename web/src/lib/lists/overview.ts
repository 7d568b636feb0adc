/** Filters, sorts and counts Flink's overviews in the browser, for servers without the query API. */
import type { ApplicationOverview, JobOverview } from '../api/flink';
import { measured } from '../format/number';
import { instant } from '../format/time';
import type { Filter, Row, Sort } from './model';

export function applicationRows(applications: readonly ApplicationOverview[]): Row[] {
  return applications.map((one) => ({
    id: one.id,
    name: one.name,
    status: one.status,
    start: instant(one['start-time']),
    end: instant(one['end-time']),
    duration: measured(one.duration),
    counts: one.jobs ?? {},
  }));
}

export function jobRows(jobs: readonly JobOverview[]): Row[] {
  return jobs.map((one) => ({
    id: one.jid,
    name: one.name,
    status: one.state,
    start: instant(one['start-time']),
    end: instant(one['end-time']),
    duration: measured(one.duration),
    counts: one.tasks ?? {},
    type: one.jobType ?? null,
  }));
}

/** The rows that the filter leaves, in its order. */
export function select(rows: readonly Row[], filter: Filter): Row[] {
  const matches = matcher(filter);
  const left = rows.filter((row) => matches(row) && (filter.status.length === 0 || filter.status.includes(row.status)));
  return left.sort(comparator(filter.sort));
}

/** How many rows there are of each status under all parts of the filter but the status itself. */
export function statusCounts(rows: readonly Row[], filter: Filter): Map<string, number> {
  const matches = matcher(filter);
  const counts = new Map<string, number>();
  for (const row of rows) if (matches(row)) counts.set(row.status, (counts.get(row.status) ?? 0) + 1);
  return counts;
}

function matcher(filter: Filter): (row: Row) => boolean {
  const name = filter.name.trim().toLowerCase();
  // An id, or the beginning of one, finds as well as a name.
  const id = /^[0-9a-f]{4,32}$/.test(name) ? name : null;
  return (row) =>
    (name === '' || row.name.toLowerCase().includes(name) || (id !== null && row.id.startsWith(id))) &&
    (filter.type === '' || row.type === filter.type) &&
    (filter.from === null || (row.end !== null && row.end >= filter.from)) &&
    (filter.to === null || (row.end !== null && row.end < filter.to));
}

function comparator({ key, descending }: Sort): (a: Row, b: Row) => number {
  const direction = descending ? -1 : 1;
  const compare =
    key === 'name' || key === 'status'
      ? (a: Row, b: Row) => collator.compare(a[key], b[key])
      : // What has no time yet (still running) counts as the latest.
        (a: Row, b: Row) => (a[key] ?? Infinity) - (b[key] ?? Infinity) || 0;
  return (a, b) => compare(a, b) * direction || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
