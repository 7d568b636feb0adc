import { untrack } from 'svelte';
import { getJson, RequestError } from '../api/http';
import type { ApplicationOverview, JobOverview } from '../api/flink';
import { clock } from '../clock.svelte';
import type { Filter, Kind, Row } from './model';
import { applicationRows, jobRows, select, statusCounts } from './overview';
import { facetsPath, fetchPage, pagePath, rows as pageRows, type Facets, type Page } from './query';

const PAGE = 200;

/** Whether the server has the query API: unknown until the first list was asked for. */
let queryApi: boolean | undefined;

/** A list as it is shown: the rows so far, and how many there are. */
export class List {
  rows = $state.raw<Row[]>([]);
  /** How many the filter leaves, and whether that was counted to the end. */
  total = $state.raw<{ count: number; exact: boolean }>({ count: 0, exact: true });
  /** How many there are by status, whatever status is chosen. */
  statuses = $state.raw<Map<string, number>>(new Map());
  facets = $state.raw<Facets>({});
  /** True until there are rows or the word that there are none. */
  loading = $state(true);
  /** True while rows of the filter before are still shown. */
  stale = $state(false);
  error = $state.raw<RequestError | undefined>();
  /** When the server was last asked with success. */
  updated = $state(0);

  #kind: Kind;
  #filter: Filter | null = null;
  #next = $state<string | null>(null);
  #flight: AbortController | null = null;
  #overview: { source: unknown; rows: Row[] } | null = null;

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  get hasMore(): boolean {
    return this.#next !== null;
  }

  /** Shows what the filter leaves. */
  show(filter: Filter): void {
    const same = JSON.stringify(filter) === JSON.stringify(this.#filter);
    this.#filter = filter;
    this.#flight?.abort();
    this.#flight = null;
    // The overview is here as a whole: no need to wait for the server with every letter typed.
    if (this.#overview) this.#fromOverview(filter);
    else if (!same) this.stale = true;
    void this.refresh();
  }

  /** Asks again for what is shown, unless an answer is awaited already. */
  async refresh(): Promise<void> {
    const filter = this.#filter;
    if (!filter || this.#flight) return;
    await this.#fly(async (signal) => {
      if (queryApi !== false && (await this.#queried(filter, signal))) return;
      await this.#listed(filter, signal);
    });
  }

  /** Loads the next page. */
  async more(): Promise<void> {
    const filter = this.#filter;
    const cursor = this.#next;
    if (!filter || !cursor || this.#flight) return;
    await this.#fly(async (signal) => {
      const page = await fetchPage(pagePath(this.#kind, filter, PAGE, cursor), signal);
      this.rows = [...this.rows, ...pageRows(page.items)];
      this.#next = page.next;
    });
  }

  close(): void {
    this.#flight?.abort();
    this.#flight = null;
  }

  async #fly(act: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const mine = new AbortController();
    this.#flight = mine;
    try {
      await act(mine.signal);
      this.error = undefined;
      this.updated = Date.now();
    } catch (error) {
      if (mine.signal.aborted) return;
      this.error = error instanceof RequestError ? error : new RequestError(0, this.#kind, String(error));
    }
    if (this.#flight === mine) {
      this.#flight = null;
      this.loading = false;
      this.stale = false;
    }
  }

  /** False where the server has no query API. */
  async #queried(filter: Filter, signal: AbortSignal): Promise<boolean> {
    // As many rows as are shown, so that a refresh does not take away what was scrolled to.
    const wanted = this.stale ? PAGE : Math.max(PAGE, this.rows.length);
    const first = pagePath(this.#kind, filter, PAGE);
    let page: Page;
    try {
      page = await fetchPage(first, signal);
    } catch (error) {
      if (queryApi === undefined && error instanceof RequestError && error.status === 404) {
        queryApi = false;
        return false;
      }
      throw error;
    }
    queryApi = true;
    const items = [...page.items];
    let next = page.next;
    while (next !== null && items.length < wanted) {
      const more = await fetchPage(pagePath(this.#kind, filter, PAGE, next), signal);
      items.push(...more.items);
      next = more.next;
    }
    this.rows = pageRows(items);
    this.total = page.total ?? { count: items.length, exact: next === null };
    this.#next = next;
    this.loading = false;
    this.stale = false;
    const facets = await getJson<Facets>(facetsPath(this.#kind, filter), signal);
    this.facets = facets;
    this.statuses = new Map((facets.status ?? []).map(({ value, count }) => [value, count]));
    return true;
  }

  async #listed(filter: Filter, signal: AbortSignal): Promise<void> {
    const source = await getJson<{ applications?: ApplicationOverview[]; jobs?: JobOverview[] }>(`${this.#kind}/overview`, signal);
    if (this.#overview?.source !== source) {
      const rows = this.#kind === 'applications' ? applicationRows(source.applications ?? []) : jobRows(source.jobs ?? []);
      this.#overview = { source, rows };
      this.#fromOverview(filter);
    }
  }

  #fromOverview(filter: Filter): void {
    const all = this.#overview?.rows ?? [];
    this.rows = select(all, filter);
    this.statuses = statusCounts(all, filter);
    this.total = { count: this.rows.length, exact: true };
    this.stale = false;
  }
}

/** One of each for as long as the page is open, so that the way back from an application finds the list as it was left. */
const lists: Record<Kind, List> = { applications: new List('applications'), jobs: new List('jobs') };

/** The list of a kind, kept in step with a filter and with the clock. To be called while a component is set up. */
export function list(kind: Kind, filter: () => Filter): List {
  const state = lists[kind];
  $effect(() => {
    const wanted = filter();
    untrack(() => state.show(wanted));
  });
  let first = true;
  $effect(() => {
    void clock.beat;
    if (!first) untrack(() => void state.refresh());
    first = false;
  });
  $effect(() => () => state.close());
  return state;
}
