import { untrack } from 'svelte';
import { getJson, peek, RequestError } from './api/http';
import { clock } from './clock.svelte';
import { shownCopy } from './copies';

/** A document that is loaded, shown while it is asked for again, and replaced only when it changed. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: RequestError | undefined;
  /** True while there is nothing to show yet. */
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
 * Loads the document that `path` names, of the copy that the page shows, again whenever it names another one, and with every beat of the clock where `live`.
 * `null` loads nothing. To be called while a component is set up.
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
      // A slow answer is waited for: beats in the meantime must not start it over.
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
        // What was there is no longer: showing it on would be a lie. When the server is away, it is the best there is.
        if (state.error.status === 404 || state.error.status === 410) state.data = undefined;
        state.loading = false;
      },
    );
  }

  return state;
}
