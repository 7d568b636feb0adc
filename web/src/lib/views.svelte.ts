import type { Kind } from './lists/model';

/** A list with its filter and order, kept under a name in this browser. */
export interface View {
  name: string;
  kind: Kind;
  /** Of the address. */
  query: string;
}

const KEY = 'historyserver.views';
const NAME_MAX = 60;
const VIEWS_MAX = 30;

/** The views in what a browser kept; what is not one is left out. */
export function readViews(text: string | null): View[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter(isView).slice(0, VIEWS_MAX) : [];
  } catch {
    return [];
  }
}

function isView(one: unknown): one is View {
  const { name, kind, query } = (one ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && name !== '' && typeof query === 'string' && (kind === 'applications' || kind === 'jobs');
}

/** The views with one more; one of the same list and name is replaced. */
export function withView(views: readonly View[], added: View): View[] {
  const name = added.name.trim().slice(0, NAME_MAX);
  if (name === '') return [...views];
  return [...views.filter((one) => one.kind !== added.kind || one.name !== name), { ...added, name }].slice(-VIEWS_MAX);
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
      // Storage is switched off: the views hold until the page is left.
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
