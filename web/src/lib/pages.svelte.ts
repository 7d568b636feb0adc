import { untrack } from 'svelte';
import { getJson, pageAt, RequestError } from './api/http';
import { clock } from './clock.svelte';

interface Paged {
  next: string | null;
}

/** The loaded rows of a list that the server returns page by page. */
export class Pages<Body extends Paged, Item> {
  rows = $state.raw<readonly Item[]>([]);
  /** The answer of the first page, including its members beside the rows. */
  first = $state.raw<Body | undefined>();
  /** True until the first answer. */
  loading = $state(true);
  /** True while the rows of the previous address are still shown. */
  stale = $state(false);
  error = $state.raw<RequestError | undefined>();
  hasMore = $state(false);

  #items: (body: Body) => readonly Item[];
  #size: number;
  #path: string | null = null;
  #next: string | null = null;
  #flight: AbortController | null = null;
  #wantsMore = false;

  /** `size` is the number of rows to load at once. */
  constructor(items: (body: Body) => readonly Item[], size: number) {
    this.#items = items;
    this.#size = size;
  }

  /** Shows the list at this path of a first page; `null` shows no list. */
  show(path: string | null): void {
    if (this.#path !== path) {
      this.stale = true;
      this.#next = null;
    }
    this.#path = path;
    this.close();
    void this.refresh();
  }

  /** Loads the shown rows again, unless a request is in flight. */
  async refresh(): Promise<void> {
    const path = this.#path;
    if (!path || this.#flight) return;
    // All shown rows are loaded again, so that a refresh does not remove rows that the user scrolled to.
    const wanted = this.stale ? this.#size : Math.max(this.#size, this.rows.length);
    await this.#fly(path, async (signal) => {
      await this.#load(path, [], null, wanted, signal);
      await this.loaded(signal);
    });
  }

  /** Loads the next page. If a request is in flight, the page is loaded after it. */
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

  /** Loads further data after the rows. */
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
      // Rows of the previous address are removed. Rows of this address stay, because they are the latest known ones.
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

  /** Adds pages to `rows` until there are `wanted` rows. A page may have few or no rows and still have a next page. */
  async #load(path: string, rows: readonly Item[], cursor: string | null, wanted: number, signal: AbortSignal): Promise<void> {
    let next = cursor;
    let found = rows;
    do {
      const body = await getJson<Body>(pageAt(path, next), signal);
      if (next === null) this.first = body;
      found = [...found, ...this.#items(body)];
      next = body.next;
      // New rows are shown at once. Rows that replace shown ones are shown when all of them are loaded.
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

/** Loads pages again when their path changes and with every beat of the clock. To be called while a component is created. */
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
