/** Pages of a copy that is not the one which Flink's addresses show: their addresses name its place, and so do those of its documents. */
import { queryString } from './api/http';
import type { Place } from './copies';
import { show } from './shown';

/** The place that the address of a page names; `null` where it names none. */
export function placeOf(query: URLSearchParams): Place | null {
  const [cluster, directory] = [query.get('cluster') || null, query.get('directory') || null];
  return cluster === null && directory === null ? null : { cluster, directory };
}

/** The part of an address of the server that names a place, with its `?`. */
export const placeQuery = (place: Place | null): string => queryString({ cluster: place?.cluster, directory: place?.directory });

/** Where the document that Flink has at this path is answered for the copy in this place. */
export function inPlace(path: string, place: Place | null): string {
  const [, kind, id] = /^(jobs|applications)\/([^/]+)/.exec(path) ?? [];
  if (!place || !kind || !id) return path;
  const archived = `/${path.split('/').map(decodeURIComponent).join('/')}`;
  return `api/v1/${kind}/${id}/document${queryString({ path: archived, cluster: place.cluster, directory: place.directory })}`;
}

/** All within the page shows the copy in this place. To be called while the page is set up. */
export function showPlace(place: () => Place | null): void {
  show({
    get place() {
      return place();
    },
    at: (path) => inPlace(path, place()),
  });
}
