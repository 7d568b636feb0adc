/** Requests of the query API, which filters, sorts and pages lists on the server. */
import { queryString } from '../api/http';
import type { Filter, Kind } from './model';

type Parameters = Record<string, string | number | boolean | null>;

/** The parameters of a filter. */
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

/** The order as a parameter: `-end` sorts by end time, the latest first. */
export const sortParameter = ({ sort }: Filter): string => `${sort.descending ? '-' : ''}${sort.key}`;

export function pagePath(kind: Kind, filter: Filter, limit: number): string {
  return `api/v1/${kind}${queryString({ ...filterParameters(filter), sort: sortParameter(filter), run_facts: true, limit })}`;
}

/** The path of the export of a whole list. */
export function exportPath(kind: Kind, filter: Filter, format: 'csv' | 'ndjson'): string {
  return `api/v1/${kind}/export${queryString({ format, ...filterParameters(filter), sort: sortParameter(filter) })}`;
}

/** The path of the facets. Each facet is counted without its own part of the filter, so it shows the results of other choices. */
export function facetsPath(kind: Kind, filter: Filter): string {
  return `api/v1/${kind}/facets${queryString({ ...filterParameters(filter), by: 'status,cluster,directory,job_type' })}`;
}
