import { untrack } from 'svelte';
import { getJson, peek, RequestError } from './api/http';
import { clock } from './clock.svelte';
import { shownCopy } from './copies';

/** A document that is loaded. It stays while it is loaded again, and is replaced only if it has changed. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: RequestError | undefined;
  /** True until there is data or an error. */
  readonly loading: boolean;
  reload(): void;
}

class Loading<T> implements Resource<T> {
  data = $state.raw<T | undefined>();
  error = $state.raw<RequestError | undefined>();
  loading = $state(true);
  retry = $state(0);

  reload(): void {
    this.retry += 1;
  }
}

/**
 * Loads the document at `path`, of the copy that the page shows. It is loaded again when the path changes and, if `live`, with every beat of
 * the clock. `null` loads no document. To be called while a component is created.
 */
export function document<T>(path: () => string | null, live = false): Resource<T> {
  const state = new Loading<T>();
  const copy = shownCopy();
  let shown: string | null = null;
  let flight: AbortController | null = null;

  $effect(() => {
    const named = path();
    const wanted = named === null ? null : copy.at(named);
    void state.retry;
    untrack(() => {
      flight?.abort();
      load(wanted);
    });
    return () => flight?.abort();
  });
  if (live) {
    let first = true;
    $effect(() => {
      void clock.beat;
      // A beat must not restart a request that is in flight.
      if (!first && flight === null) untrack(() => load(shown));
      first = false;
    });
  }

  function load(wanted: string | null): void {
    if (wanted !== shown) {
      shown = wanted;
      state.data = wanted === null ? undefined : peek<T>(wanted);
      state.error = undefined;
    }
    if (wanted === null) {
      state.loading = false;
      return;
    }
    state.loading = state.data === undefined;
    const mine = new AbortController();
    flight = mine;
    getJson<T>(wanted, mine.signal).then(
      (data) => {
        if (mine.signal.aborted) return;
        flight = null;
        if (state.data !== data) state.data = data;
        state.error = undefined;
        state.loading = false;
      },
      (error: unknown) => {
        if (mine.signal.aborted) return;
        flight = null;
        state.error = error instanceof RequestError ? error : new RequestError(0, wanted, String(error));
        // The document was removed, so it is no longer shown. After other errors the last document stays.
        if (state.error.status === 404 || state.error.status === 410) state.data = undefined;
        state.loading = false;
      },
    );
  }

  return state;
}
