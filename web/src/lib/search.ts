/** The search over all that is archived: what is asked, and what its answer calls where something was found. */
import { queryString } from './api/http';
import type { SearchItem } from './api/server';

/** How many are asked for at once. */
export const PAGE = 50;

export interface Search {
  text: string;
  /** Where to look; everywhere when empty. */
  fields: readonly string[];
  status: readonly string[];
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
  stack_trace: 'Stack trace',
  configuration: 'Configuration',
};

export const fieldLabel = (field: string): string => LABELS[field] ?? field;

/** Where the first match is shown, marked if it is an exception; `null` where that is no page of this UI. */
export function matchHref({ href, matches }: Pick<SearchItem, 'href' | 'matches'>): string | null {
  if (!href.startsWith('#/')) return null;
  const hits = (matches[0]?.excerpt ?? []).filter(({ hit }) => hit).map(({ text }) => text);
  const longest = hits.reduce((one, other) => (other.length > one.length ? other : one), '');
  return href.endsWith('/exceptions') && longest ? `${href}?${new URLSearchParams({ search: longest })}` : href;
}

/** `null` where there is nothing to look for. */
export function searchPath({ text, fields, status }: Search): string | null {
  const q = text.trim();
  return q === '' ? null : `api/v1/search${queryString({ q, in: fields.join(','), status: status.join(','), limit: PAGE })}`;
}
