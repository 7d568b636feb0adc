/** The one place that asks the server. Every path is relative to the page, so that any prefix of a reverse proxy holds. */

/** A request that did not bring a document. `status` is 0 where the server could not be reached. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly path: string,
    message: string,
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

interface Kept {
  etag: string | null;
  body: unknown;
}

/** Answers kept for asking again with their ETag; the oldest goes first. */
const kept = new Map<string, Kept>();
const KEPT_MAX = 200;

/** The answer of an earlier request, if it is still kept. */
export function peek<T>(path: string): T | undefined {
  return kept.get(path)?.body as T | undefined;
}

/** Forgets all answers: one of them could not be shown, and may be another by now. */
export function forget(): void {
  kept.clear();
}

/**
 * Fetches a JSON document. An answer that did not change since the last time gives back the same object,
 * so that `===` tells whether there is anything new to show.
 *
 * @throws RequestError for any answer but 2xx and 304, and when there is none.
 */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const known = kept.get(path);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (known?.etag) headers['if-none-match'] = known.etag;
  let response: Response;
  try {
    response = await fetch(path, { headers, cache: 'no-store', credentials: 'same-origin', signal: signal ?? null });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new RequestError(0, path, 'The server could not be reached.');
  }
  if (response.status === 304 && known) {
    keep(path, known);
    return known.body as T;
  }
  if (!response.ok) throw new RequestError(response.status, path, await errorMessage(response));
  let body: T;
  try {
    body = (await response.json()) as T;
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new RequestError(response.status, path, 'The answer of the server is not JSON.');
  }
  keep(path, { etag: response.headers.get('etag'), body });
  return body;
}

function keep(path: string, entry: Kept): void {
  kept.delete(path);
  kept.set(path, entry);
  if (kept.size > KEPT_MAX) {
    const oldest = kept.keys().next().value;
    if (oldest !== undefined) kept.delete(oldest);
  }
}

/** The server's own words, from `{"errors":["…"]}`. */
async function errorMessage(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { errors?: unknown };
    if (Array.isArray(body.errors) && body.errors.length > 0) return body.errors.map(String).join('\n');
  } catch {
    // Not our envelope: a proxy answered.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + '.';
}

/** A query string without its empty parts, with its `?`. */
export function queryString(parameters: Record<string, string | number | boolean | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(key, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** Where a page is: the first, or that which the `next` of the page before leads to. */
export function pageAt(path: string, cursor: string | null): string {
  return cursor === null ? path : `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
}
