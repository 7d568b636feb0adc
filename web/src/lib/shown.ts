import { getContext, setContext } from 'svelte';
import type { Place } from './copies';

/** The copy that a page shows, for all that is drawn within it. */
export interface Shown {
  /** `null`: the copy that Flink's addresses show. */
  readonly place: Place | null;
  /** Where the document that Flink has at this path is answered for this copy. */
  at(path: string): string;
}

const KEY = Symbol('the copy that is shown');
const USUAL: Shown = { place: null, at: (path) => path };

/** Says which copy a page shows. To be called while the page is set up. */
export const show = (copy: Shown): unknown => setContext(KEY, copy);

/** The copy that is shown. To be called while a component is set up. */
export const shownCopy = (): Shown => getContext<Shown | undefined>(KEY) ?? USUAL;
