import { settings } from './settings.svelte';

/** The current time for relative times, updated every 15 s, and the beat at which pages refresh their data. */
class Clock {
  now = $state(Date.now());
  /** Increases with every beat. */
  beat = $state(0);
  /** Milliseconds between two beats: `refresh-interval` of the server's configuration. */
  interval = $state(10_000);
  #last = Date.now();

  constructor() {
    setInterval(() => {
      this.now = Date.now();
    }, 15_000);
    setInterval(() => this.#tick(), 1000);
    document.addEventListener('visibilitychange', () => this.#tick());
  }

  /** Refreshes all data now. */
  refresh(): void {
    this.#last = Date.now();
    this.now = this.#last;
    this.beat += 1;
  }

  #tick(): void {
    // A page in the background sends no requests. It refreshes as soon as it is visible again.
    if (!settings.live || document.hidden) return;
    if (Date.now() - this.#last >= this.interval) this.refresh();
  }
}

export const clock = new Clock();
