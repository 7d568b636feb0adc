/** The query API of the server: lists that are filtered, sorted and paged where the data is. */
import { getJson, queryString } from '../api/http';
import type { Filter, Kind, Row } from './model';

interface Item {
  id: string;
  name: string;
  status: string;
  start: number | null;
  end: number | null;
  duration: number | null;
  cluster?: string | null;
  directory?: string | null;
  jobs?: Record<string, number>;
  tasks?: Record<string, number>;
  job_type?: string | null;
  application?: string | null;
  complete?: boolean;
  gone_since?: number | null;
  problems?: number;
}

export interface Page {
  items: Item[];
  next: string | null;
  total?: { count: number; exact: boolean } | null;
}

export interface FacetValue {
  value: string;
  count: number;
}

export type Facets = Partial<Record<'status' | 'cluster' | 'directory' | 'day' | 'job_type', FacetValue[]>>;

function parameters(kind: Kind, filter: Filter): Record<string, string | number | boolean | null> {
  return {
    name: filter.name.trim(),
    status: filter.status.join(','),
    cluster: filter.cluster,
    directory: filter.directory,
    problems: kind === 'applications' && filter.problems,
    job_type: kind === 'jobs' ? filter.type : null,
    end_from: filter.from,
    end_to: filter.to,
  };
}

export function pagePath(kind: Kind, filter: Filter, limit: number, cursor: string | null = null): string {
  const sort = `${filter.sort.descending ? '-' : ''}${filter.sort.key}`;
  return `api/v1/${kind}${queryString({ ...parameters(kind, filter), sort, limit, cursor })}`;
}

export function fetchPage(path: string, signal: AbortSignal): Promise<Page> {
  return getJson<Page>(path, signal);
}

/** Counts by status are over all parts of the filter but the status: they say what another choice would show. */
export function facetsPath(kind: Kind, filter: Filter): string {
  return `api/v1/${kind}/facets${queryString({ ...parameters(kind, filter), status: null })}`;
}

export function rows(items: readonly Item[]): Row[] {
  return items.map((item) => ({
    id: item.id,
    name: item.name,
    status: item.status,
    start: item.start,
    end: item.end,
    duration: item.duration,
    counts: item.jobs ?? item.tasks ?? {},
    type: item.job_type ?? null,
    application: item.application ?? null,
    cluster: item.cluster ?? null,
    directory: item.directory ?? null,
    complete: item.complete ?? true,
    gone: item.gone_since ?? null,
    problems: item.problems ?? 0,
  }));
}
