import type { Zone } from './format/time';

export type Theme = 'system' | 'light' | 'dark';

const PREFIX = 'historyserver.';

/** The settings of the user, stored in this browser. */
class Settings {
  #theme = $state<Theme>(read('theme', ['system', 'light', 'dark'], 'system'));
  #zone = $state<Zone>(read('zone', ['local', 'utc'], 'local'));
  /** Lists and the state of the server refresh themselves. */
  #live = $state(read('live', ['on', 'off'], 'on') === 'on');

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    write('theme', theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }

  get zone(): Zone {
    return this.#zone;
  }

  set zone(zone: Zone) {
    this.#zone = zone;
    write('zone', zone);
  }

  get live(): boolean {
    return this.#live;
  }

  set live(live: boolean) {
    this.#live = live;
    write('live', live ? 'on' : 'off');
  }
}

function read<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  try {
    const value = localStorage.getItem(PREFIX + key);
    return allowed.find((one) => one === value) ?? fallback;
  } catch {
    return fallback;
  }
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // The browser has no storage: the setting is lost when the page is left.
  }
}

export const settings = new Settings();
