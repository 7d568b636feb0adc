import { getJson } from '../api/http';
import type { FacetCounts, Item, ListTotal, ItemPage } from '../api/server';
import { follow, Pages } from '../pages.svelte';
import type { Filter, Kind } from './model';
import { facetsPath, pagePath } from './query';

const PAGE = 200;

/** A list with its facets. */
class List extends Pages<ItemPage, Item> {
  facets = $state.raw<FacetCounts | undefined>();
  /** Jobs that failed before they were run, of applications that no summary tells of. */
  unclaimed = $state.raw<readonly Item[]>([]);
  #facetsPath = '';

  constructor() {
    super((page) => page.items, PAGE);
  }

  /** How many the filter leaves, and whether that was counted to the end. */
  get total(): ListTotal {
    return this.first?.total ?? { count: 0, exact: true };
  }

  /** Where the counts are asked for, from the next answer on. */
  countAt(path: string): void {
    this.#facetsPath = path;
  }

  protected override async loaded(signal: AbortSignal): Promise<void> {
    const [facets, unclaimed] = await Promise.all([
      getJson<FacetCounts>(this.#facetsPath, signal),
      this === lists.applications ? getJson<ItemPage>('api/v1/jobs?application=unknown&limit=3', signal) : null,
    ]);
    this.facets = facets;
    this.unclaimed = unclaimed?.items ?? [];
  }
}

/** One of each for as long as the page is open, so that the way back from an application finds the list as it was left. */
const lists: Record<Kind, List> = { applications: new List(), jobs: new List() };

/** The list of a kind, kept in step with a filter and with the clock. To be called while a component is set up. */
export function list(kind: Kind, filter: () => Filter): List {
  const state = lists[kind];
  return follow<ItemPage, Item, List>(state, () => {
    const wanted = filter();
    state.countAt(facetsPath(kind, wanted));
    return pagePath(kind, wanted, PAGE);
  });
}
