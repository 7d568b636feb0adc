import { encodePart } from './encode';

/** The state of a page is in the hash of its address: `#/job/completed/<id>/exceptions?search=…`. */

export interface Location {
  /** Decoded parts of the path. A part may be empty: `#/job//overview` names no job. */
  segments: string[];
  query: URLSearchParams;
}

export function parseHash(hash: string): Location {
  const text = hash.replace(/^#/, '');
  const mark = text.indexOf('?');
  const path = (mark < 0 ? text : text.slice(0, mark)).replace(/^\/|\/+$/g, '');
  return {
    segments: path === '' ? [] : path.split('/').map(decode),
    query: new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1)),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A link to a page of this UI. */
export function href(segments: readonly string[], query?: URLSearchParams | Record<string, string | null | undefined>): string {
  const parameters = query instanceof URLSearchParams ? query : new URLSearchParams();
  if (query && !(query instanceof URLSearchParams)) {
    for (const [key, value] of Object.entries(query)) if (value) parameters.set(key, value);
  }
  // A query may contain commas, and an unencoded comma is easier to read.
  const text = parameters.toString().replaceAll('%2C', ',');
  return `#/${segments.map(encodePart).join('/')}${text ? `?${text}` : ''}`;
}

class Router {
  #location = $state.raw<Location>(parseHash(window.location.hash));
  /** The query of the last list of each kind, for the link back to it. */
  lastList = $state<Record<string, string>>({});

  constructor() {
    window.addEventListener('hashchange', () => {
      this.#location = parseHash(window.location.hash);
    });
  }

  get segments(): string[] {
    return this.#location.segments;
  }

  get query(): URLSearchParams {
    return this.#location.query;
  }

  get path(): string {
    return this.#location.segments.join('/');
  }

  parameter(key: string): string {
    return this.#location.query.get(key) ?? '';
  }

  go(hash: string): void {
    window.location.hash = hash;
  }

  /** Changes the query of this page. `replace` adds no entry to the history, for example for each keystroke. */
  setQuery(changes: Record<string, string | null | undefined>, replace = true): void {
    const query = new URLSearchParams(this.#location.query);
    for (const [key, value] of Object.entries(changes)) {
      if (value) query.set(key, value);
      else query.delete(key);
    }
    const hash = href(this.#location.segments, query);
    if (replace) {
      window.history.replaceState(null, '', hash);
      this.#location = parseHash(hash);
    } else {
      window.location.hash = hash;
    }
  }
}

export const router = new Router();
