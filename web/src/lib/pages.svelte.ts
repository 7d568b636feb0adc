import { untrack } from 'svelte';
import { getJson, pageAt, RequestError } from './api/http';
import { clock } from './clock.svelte';

interface Paged {
  next: string | null;
}

/** Rows that the server gives page by page, as far as they have been asked for. */
export class Pages<Body extends Paged, Item> {
  rows = $state.raw<readonly Item[]>([]);
  /** The first page whole, with what it tells beside its rows. */
  first = $state.raw<Body | undefined>();
  /** True until there are rows or the word that there are none. */
  loading = $state(true);
  /** True while rows of the address before are still shown. */
  stale = $state(false);
  error = $state.raw<RequestError | undefined>();
  hasMore = $state(false);

  #items: (body: Body) => readonly Item[];
  #size: number;
  #path: string | null = null;
  #next: string | null = null;
  #flight: AbortController | null = null;
  #wantsMore = false;

  /** `size` is how many rows are wanted at once. */
  constructor(items: (body: Body) => readonly Item[], size: number) {
    this.#items = items;
    this.#size = size;
  }

  /** Shows what is at the path of a first page; `null` has nothing. */
  show(path: string | null): void {
    if (this.#path !== path) {
      this.stale = true;
      this.#next = null;
    }
    this.#path = path;
    this.close();
    void this.refresh();
  }

  /** Asks again for what is shown, unless an answer is awaited already. */
  async refresh(): Promise<void> {
    const path = this.#path;
    if (!path || this.#flight) return;
    // As many rows as are shown, so that a refresh does not take away what was scrolled to.
    const wanted = this.stale ? this.#size : Math.max(this.#size, this.rows.length);
    await this.#fly(path, async (signal) => {
      await this.#load(path, [], null, wanted, signal);
      await this.loaded(signal);
    });
  }

  /** Loads the next page, after the answer that is awaited. */
  async more(): Promise<void> {
    const path = this.#path;
    const cursor = this.#next;
    if (!path || !cursor) return;
    this.#wantsMore = this.#flight !== null;
    if (this.#wantsMore) return;
    await this.#fly(path, (signal) => this.#load(path, this.rows, cursor, this.rows.length + this.#size, signal));
  }

  close(): void {
    this.#flight?.abort();
    this.#flight = null;
    this.#wantsMore = false;
  }

  /** What is to be asked for after the rows. */
  protected loaded(_signal: AbortSignal): Promise<void> {
    return Promise.resolve();
  }

  async #fly(path: string, act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const mine = new AbortController();
    this.#flight = mine;
    try {
      await act(mine.signal);
      this.error = undefined;
    } catch (error) {
      if (mine.signal.aborted) return;
      this.error = error instanceof RequestError ? error : new RequestError(0, path, String(error));
      // Rows of another address are not what was asked for; those of this one are the best there is.
      if (this.stale) this.rows = [];
    }
    if (this.#flight === mine) {
      this.#flight = null;
      this.loading = false;
      this.stale = false;
      if (this.#wantsMore) {
        this.#wantsMore = false;
        await this.more();
      }
    }
  }

  /** Adds pages to `rows` until so many are there as are wanted: a page may have few, even none, and still lead on. */
  async #load(path: string, rows: readonly Item[], cursor: string | null, wanted: number, signal: AbortSignal): Promise<void> {
    let next = cursor;
    let found = rows;
    do {
      const body = await getJson<Body>(pageAt(path, next), signal);
      if (next === null) this.first = body;
      found = [...found, ...this.#items(body)];
      next = body.next;
      // What is there is shown while the rest is looked for; in place of what is shown already, only once it is whole.
      if (this.stale || found.length > this.rows.length) {
        this.rows = found;
        if (found.length > 0) this.loading = this.stale = false;
      }
    } while (next !== null && found.length < wanted);
    this.rows = found;
    this.#next = next;
    this.hasMore = next !== null;
    this.loading = this.stale = false;
  }
}

/** Keeps pages in step with their address and with the clock. To be called while a component is set up. */
export function follow<Body extends Paged, Item, P extends Pages<Body, Item>>(pages: P, path: () => string | null): P {
  $effect(() => {
    const wanted = path();
    untrack(() => pages.show(wanted));
  });
  let first = true;
  $effect(() => {
    void clock.beat;
    if (!first) untrack(() => void pages.refresh());
    first = false;
  });
  $effect(() => () => pages.close());
  return pages;
}
