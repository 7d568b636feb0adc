import type { Kind } from './lists/model';

/** A filter and order of a list, stored under a name in this browser. */
export interface View {
  name: string;
  kind: Kind;
  /** The query of the address. */
  query: string;
}

const KEY = 'historyserver.views';
const MAX_NAME_LENGTH = 60;
const MAX_VIEWS = 30;

/** Reads the stored views. Invalid entries are left out. */
export function readViews(text: string | null): View[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(parsed) ? parsed.filter(isView).slice(0, MAX_VIEWS) : [];
  } catch {
    return [];
  }
}

function isView(one: unknown): one is View {
  const { name, kind, query } = (one ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && name !== '' && typeof query === 'string' && (kind === 'applications' || kind === 'jobs');
}

/** Adds a view. A view of the same list and name is replaced. */
export function withView(views: readonly View[], added: View): View[] {
  const name = added.name.trim().slice(0, MAX_NAME_LENGTH);
  if (name === '') return [...views];
  return [...views.filter((one) => one.kind !== added.kind || one.name !== name), { ...added, name }].slice(-MAX_VIEWS);
}

class Views {
  #all = $state.raw<readonly View[]>(readViews(stored()));

  of(kind: Kind): View[] {
    return this.#all.filter((one) => one.kind === kind);
  }

  save(view: View): void {
    this.#keep(withView(this.#all, view));
  }

  remove(view: View): void {
    this.#keep(this.#all.filter((one) => one !== view));
  }

  #keep(views: readonly View[]): void {
    this.#all = views;
    try {
      localStorage.setItem(KEY, JSON.stringify(views));
    } catch {
      // The browser has no storage: the views are lost when the page is left.
    }
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const views = new Views();
