import type { Item } from '../api/server';

export type Kind = 'applications' | 'jobs';

/** The jobs of an application or the tasks of a job, by state. */
export const countsOf = (item: Item): Record<string, number> => ('jobs' in item ? item.jobs : item.tasks);

export const SORTS = ['name', 'start', 'duration', 'end', 'status'] as const;
export type SortKey = (typeof SORTS)[number];

export interface Sort {
  key: SortKey;
  descending: boolean;
}

export interface Filter {
  name: string;
  /** The whole name must match, not a part of it. */
  exact: boolean;
  status: string[];
  type: string;
  cluster: string;
  directory: string;
  problems: boolean;
  /** End time at or after and before, in milliseconds. */
  from: number | null;
  to: number | null;
  sort: Sort;
}

/** Time ranges that end now, with their names in addresses. */
export const WINDOWS = [
  { key: '1h', label: 'Last hour', ms: 3_600_000 },
  { key: '24h', label: 'Last 24 h', ms: 86_400_000 },
  { key: '7d', label: 'Last 7 days', ms: 7 * 86_400_000 },
  { key: '30d', label: 'Last 30 days', ms: 30 * 86_400_000 },
] as const;

const DEFAULT_SORT: Sort = { key: 'end', descending: true };

/** Reads the filter of an address. Unknown values are left out. `now` is the end of ranges such as `within=24h`. */
export function filterFromQuery(query: URLSearchParams, now: number): Filter {
  const window = WINDOWS.find(({ key }) => key === query.get('within'));
  return {
    name: query.get('name') ?? '',
    exact: query.get('match') === 'exact' && query.has('name'),
    status: (query.get('status') ?? '').split(',').filter(Boolean),
    type: query.get('type') ?? '',
    cluster: query.get('cluster') ?? '',
    directory: query.get('directory') ?? '',
    problems: query.get('problems') === 'true',
    from: window ? now - window.ms : time(query.get('from')),
    to: window ? null : time(query.get('to')),
    sort: sortFromText(query.get('sort')),
  };
}

export function sortFromText(text: string | null): Sort {
  const descending = text?.startsWith('-') ?? false;
  const key = SORTS.find((one) => one === (descending ? text?.slice(1) : text));
  return key ? { key, descending } : DEFAULT_SORT;
}

/** The order as a parameter, such as `-end`; null for the default order. */
export function sortToText(sort: Sort): string | null {
  if (sort.key === DEFAULT_SORT.key && sort.descending === DEFAULT_SORT.descending) return null;
  return `${sort.descending ? '-' : ''}${sort.key}`;
}

/** The order after a click on a column head: first the natural order of the column, then the reverse. */
export function nextSort(current: Sort, key: SortKey): Sort {
  if (current.key === key) return { key, descending: !current.descending };
  return { key, descending: key === 'start' || key === 'end' || key === 'duration' };
}

/** The parameters of an address that filter, without the order. */
export const FILTER_KEYS = ['name', 'match', 'status', 'type', 'cluster', 'directory', 'problems', 'within', 'from', 'to'] as const;

function time(text: string | null): number | null {
  const ms = Number(text);
  return text && Number.isFinite(ms) ? ms : null;
}
