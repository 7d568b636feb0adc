import { getJson } from './api/http';
import type { ServerStatus } from './api/server';
import { clock } from './clock.svelte';
import { document, type Resource } from './resource.svelte';

/** What the whole page shares: the server's state. */
class Session {
  #status = $state.raw<Resource<ServerStatus>>();

  /** To be called once, while the page is set up. */
  start(): void {
    this.#status = document<ServerStatus>(() => 'api/v1/status', true);
    getJson<{ 'refresh-interval'?: unknown } | null>('config').then(
      (config) => {
        // Fewer than two seconds between two beats would only keep the server busy.
        const interval = config?.['refresh-interval'];
        if (typeof interval === 'number' && interval > 0) clock.interval = Math.max(2000, interval);
      },
      () => undefined,
    );
  }

  get status(): ServerStatus | undefined {
    return this.#status?.data;
  }

  get resource(): Resource<ServerStatus> | undefined {
    return this.#status;
  }
}

export const session = new Session();
