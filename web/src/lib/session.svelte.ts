import { getJson } from './api/http';
import type { ServerStatus } from './api/server';
import { clock } from './clock.svelte';
import { document, type Resource } from './resource.svelte';

/** The state of the server, shared by all pages. */
class Session {
  #status = $state.raw<Resource<ServerStatus>>();

  /** To be called once, while the application is created. */
  start(): void {
    this.#status = document<ServerStatus>(() => 'api/v1/status', true);
    getJson<{ 'refresh-interval'?: unknown } | null>('config').then(
      (config) => {
        // Beats in shorter intervals than two seconds would put load on the server without a benefit.
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
