/** The search over all archives: its requests, and the labels of the fields in its answers. */
import { queryString } from './api/http';
import type { SearchItem } from './api/server';
import { copyOf } from './copies';

/** The number of results to load at once. */
export const PAGE = 50;

export interface Search {
  text: string;
  /** The fields to search; empty: all fields. */
  fields: readonly string[];
  status: readonly string[];
  cluster: string;
  /** Ended at or after, and before, in milliseconds since 1970. */
  from: number | null;
  to: number | null;
}

export const FIELDS = [
  { key: 'name', label: 'Names' },
  { key: 'id', label: 'Ids' },
  { key: 'vertex', label: 'Vertices' },
  { key: 'exception', label: 'Exceptions' },
  { key: 'configuration', label: 'Configuration' },
] as const;

const LABELS: Record<string, string> = {
  name: 'Name',
  id: 'Id',
  vertex: 'Vertex',
  exception_class: 'Exception',
  exception_message: 'Message',
  failure_label: 'Failure label',
  stack_trace: 'Stack trace',
  configuration: 'Configuration',
};

export const fieldLabel = (field: string): string => LABELS[field] ?? field;

/** The page that shows the first match, with the match marked if it is in an exception. `null`: no page of this UI shows it. */
export function matchHref(item: Pick<SearchItem, 'href' | 'matches' | 'id' | 'shown' | 'cluster' | 'directory'>): string | null {
  const { href, matches } = item;
  if (!href.startsWith('#/')) return null;
  const [page = '', ...rest] = href.split('?');
  const query = new URLSearchParams(rest.join('?'));
  const { cluster, directory } = copyOf(item);
  if (cluster) query.set('cluster', cluster);
  if (directory) query.set('directory', directory);
  const hits = (matches[0]?.excerpt ?? []).filter(({ hit }) => hit).map(({ text }) => text);
  const longest = hits.reduce((one, other) => (other.length > one.length ? other : one), '');
  if (page.endsWith('/exceptions') && longest) query.set('search', longest);
  return query.size > 0 ? `${page}?${query}` : page;
}

/** The path of a search; `null` if there is no text. */
export function searchPath({ text, fields, status, cluster, from, to }: Search): string | null {
  const q = text.trim();
  return q === '' ? null : `api/v1/search${queryString({ q, in: fields.join(','), status: status.join(','), cluster, end_from: from, end_to: to, limit: PAGE })}`;
}
