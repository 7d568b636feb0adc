/** Requests of the query API: lists that are filtered, sorted and paged where the data is. */
import { queryString } from '../api/http';
import type { Filter, Kind } from './model';

type Parameters = Record<string, string | number | boolean | null>;

/** What a filter asks the server for. */
export function filterParameters(filter: Filter): Parameters {
  return {
    name: filter.exact ? filter.name : filter.name.trim(),
    name_match: filter.exact && 'exact',
    status: filter.status.join(','),
    cluster: filter.cluster,
    directory: filter.directory,
    problems: filter.problems,
    job_type: filter.type,
    end_from: filter.from,
    end_to: filter.to,
  };
}

/** `-end`: the key, with the sign of the largest first. */
export const sortParameter = ({ sort }: Filter): string => `${sort.descending ? '-' : ''}${sort.key}`;

export function pagePath(kind: Kind, filter: Filter, limit: number): string {
  return `api/v1/${kind}${queryString({ ...filterParameters(filter), sort: sortParameter(filter), limit })}`;
}

/** The whole list, whatever its length, for other programs. */
export function exportPath(kind: Kind, filter: Filter, format: 'csv' | 'ndjson'): string {
  return `api/v1/${kind}/export${queryString({ format, ...filterParameters(filter), sort: sortParameter(filter) })}`;
}

/** Each facet counts under all parts of the filter but its own: it says what another choice would show. */
export function facetsPath(kind: Kind, filter: Filter): string {
  return `api/v1/${kind}/facets${queryString({ ...filterParameters(filter), by: 'status,cluster,directory,job_type' })}`;
}
