/**
 * Copies of one id: an application or a job may be archived in several clusters and directories, and Flink's own addresses have room for
 * one of them. Every page shows one copy: its address names the place of the copy, and so do the requests for the documents of the page.
 */
import { getContext, setContext } from 'svelte';
import { queryString } from './api/http';
import { encodePart } from './encode';

/** The cluster and the archive directory of a copy. Both are null for the copy that Flink's addresses show. */
export interface Place {
  cluster: string | null;
  directory: string | null;
}

/** One copy of an application or a job. */
export interface Copy extends Place {
  id: string;
}

/** Stands in an address for a job archive that belongs to no cluster: no cluster has this name. */
const NO_CLUSTER = '/';

/** The copy that a row of a list shows. */
export function copyOf({ id, shown, cluster, directory }: Copy & { shown: boolean }): Copy {
  return shown ? { id, cluster: null, directory: null } : { id, cluster: cluster ?? NO_CLUSTER, directory };
}

/** The key of a row of a list: the id alone for the copy that Flink's addresses show. */
export const copyKey = ({ id, shown, cluster, directory }: Copy & { shown: boolean }): string => (shown ? id : [id, cluster, directory].join(' '));

/** A copy as one word without commas, so that an address can hold several. */
export function copyWord({ id, cluster, directory }: Copy): string {
  return cluster === null && directory === null ? id : [id, cluster ?? '', directory ?? ''].map(encodePart).join('/');
}

/** The place that the address of a page names; `null`: it names none. */
export function placeOf(query: URLSearchParams): Place | null {
  const [cluster, directory] = [query.get('cluster') || null, query.get('directory') || null];
  return cluster === null && directory === null ? null : { cluster, directory };
}

/** The parameters that name a place, in addresses of pages and of the server. */
export const placeParameters = (place: Place | null): Place => ({ cluster: place?.cluster ?? null, directory: place?.directory ?? null });

/** The parameters that name two jobs to compare, in addresses of pages and of the server. */
export const pairParameters = (left: Copy, right: Copy): Record<string, string | null> => ({
  left: left.id,
  left_cluster: left.cluster,
  left_directory: left.directory,
  right: right.id,
  right_cluster: right.cluster,
  right_directory: right.directory,
});

/** The parameters of a place as a query string, with its `?`. */
export const placeQuery = (place: Place | null): string => queryString({ ...placeParameters(place) });

/** The path at which the server answers the document of this copy. `path` is the path in Flink's API. */
export function documentPath(path: string, place: Place | null): string {
  const [, kind, id] = /^(jobs|applications)\/([^/]+)/.exec(path) ?? [];
  if (!place || !kind || !id) return path;
  const archived = `/${path.split('/').map(decodeURIComponent).join('/')}`;
  return `api/v1/${kind}/${id}/document${queryString({ path: archived, ...placeParameters(place) })}`;
}

/** The copy that a page shows, for all components of the page. */
export interface ShownCopy {
  /** `null`: the copy that Flink's addresses show. */
  readonly place: Place | null;
  /** The path at which the server answers the document of this copy. `path` is the path in Flink's API. */
  at(path: string): string;
}

const CONTEXT = Symbol('the copy that the page shows');
const DEFAULT_COPY: ShownCopy = { place: null, at: (path) => path };

/** Sets the copy that the page shows. To be called while the page is created. */
export function showCopy(place: () => Place | null): void {
  setContext<ShownCopy>(CONTEXT, {
    get place() {
      return place();
    },
    at: (path) => documentPath(path, place()),
  });
}

/** The copy that the page shows. To be called while a component is created. */
export const shownCopy = (): ShownCopy => getContext<ShownCopy | undefined>(CONTEXT) ?? DEFAULT_COPY;
