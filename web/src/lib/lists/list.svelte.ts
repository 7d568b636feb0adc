import { getJson } from '../api/http';
import type { FacetCounts, Item, ListTotal, ItemPage } from '../api/server';
import { follow, Pages } from '../pages.svelte';
import type { Filter, Kind } from './model';
import { facetsPath, pagePath } from './query';

const PAGE = 200;

/** A list with its facets. */
class List extends Pages<ItemPage, Item> {
  facets = $state.raw<FacetCounts | undefined>();
  /** Jobs that failed before they started, and whose application is not archived. */
  unclaimed = $state.raw<readonly Item[]>([]);
  #facetsPath = '';

  constructor() {
    super((page) => page.items, PAGE);
  }

  /** The number of rows that match the filter, and whether it is exact. */
  get total(): ListTotal {
    return this.first?.total ?? { count: 0, exact: true };
  }

  /** Sets the path of the facets for the next requests. */
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

/** One list of each kind for the lifetime of the page, so that the Back button shows a list as it was. */
const lists: Record<Kind, List> = { applications: new List(), jobs: new List() };

/** The list of a kind, which follows its filter and the clock. To be called while a component is created. */
export function list(kind: Kind, filter: () => Filter): List {
  const state = lists[kind];
  return follow<ItemPage, Item, List>(state, () => {
    const wanted = filter();
    state.countAt(facetsPath(kind, wanted));
    return pagePath(kind, wanted, PAGE);
  });
}
