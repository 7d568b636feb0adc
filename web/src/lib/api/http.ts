/** All requests to the server. Every path is relative to the page, so that any prefix of a reverse proxy works. */

/**
 * A request without a document as answer. `status` is 0 if the server could not be reached. `code` is the header `historyserver-error`, which
 * errors about an archive that exists have.
 */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly path: string,
    message: string,
    readonly code: string | null = null,
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

interface CachedAnswer {
  etag: string | null;
  body: unknown;
}

/** The last answers with their ETags. The oldest one is dropped first. */
const cache = new Map<string, CachedAnswer>();
const MAX_CACHED = 200;

/** The answer of an earlier request, if it is still cached. */
export function peek<T>(path: string): T | undefined {
  return cache.get(path)?.body as T | undefined;
}

/** Drops all cached answers, after one of them could not be shown. */
export function forget(): void {
  cache.clear();
}

/**
 * Fetches a JSON document. An unchanged answer is the same object as before, so that `===` detects changes.
 *
 * @throws RequestError for every answer except 2xx and 304, and if there is no answer.
 */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const known = cache.get(path);
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
  if (!response.ok) throw new RequestError(response.status, path, await errorMessage(response), response.headers.get('historyserver-error'));
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

function keep(path: string, entry: CachedAnswer): void {
  cache.delete(path);
  cache.set(path, entry);
  if (cache.size > MAX_CACHED) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
}

/** The message of the server, from `{"errors":["…"]}`. */
async function errorMessage(response: Response): Promise<string> {
  try {
    const body = (await response.json()) as { errors?: unknown };
    if (Array.isArray(body.errors) && body.errors.length > 0) return body.errors.map(String).join('\n');
  } catch {
    // The answer is not from the server: a proxy answered.
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + '.';
}

/** A query string with its `?`, without empty parameters. */
export function queryString(parameters: Record<string, string | number | boolean | null | undefined>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '' && value !== false) query.set(key, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
}

/** The path of a page of a list. `cursor` is the `next` of the page before; `null` is the first page. */
export function pageAt(path: string, cursor: string | null): string {
  return cursor === null ? path : `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`;
}
