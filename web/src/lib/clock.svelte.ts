import { settings } from './settings.svelte';

/** The present for relative times, moved on every 15 s; and the beat at which what is shown is asked for again. */
class Clock {
  now = $state(Date.now());
  /** Grows with every beat. */
  beat = $state(0);
  /** Between two beats, in milliseconds: `refresh-interval` of the server's configuration. */
  interval = $state(10_000);
  #last = Date.now();

  constructor() {
    setInterval(() => {
      this.now = Date.now();
    }, 15_000);
    setInterval(() => this.#tick(), 1000);
    document.addEventListener('visibilitychange', () => this.#tick());
  }

  /** Asks again now. */
  refresh(): void {
    this.#last = Date.now();
    this.now = this.#last;
    this.beat += 1;
  }

  #tick(): void {
    // A page in the background asks for nothing; it does so at once when it is looked at again.
    if (!settings.live || document.hidden) return;
    if (Date.now() - this.#last >= this.interval) this.refresh();
  }
}

export const clock = new Clock();
