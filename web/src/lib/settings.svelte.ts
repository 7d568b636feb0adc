import type { Zone } from './format/time';
import { OPTIONAL, type OptionalColumn } from './lists/columns';

export type Theme = 'system' | 'light' | 'dark';

const PREFIX = 'historyserver.';

/** The settings of the user, stored in this browser. */
class Settings {
  #theme = $state<Theme>(read('theme', ['system', 'light', 'dark'], 'system'));
  #zone = $state<Zone>(read('zone', ['local', 'utc'], 'local'));
  /** Lists and the state of the server refresh themselves. */
  #live = $state(read('live', ['on', 'off'], 'on') === 'on');

  #density = $state(read('density', ['normal', 'compact'] as const, 'normal'));
  #columns = $state.raw<readonly OptionalColumn[] | null>(columnsOf(stored('columns')));

  constructor() {
    document.documentElement.dataset['density'] = this.#density;
  }

  /** The height of rows. */
  get density(): 'normal' | 'compact' {
    return this.#density;
  }

  set density(density: 'normal' | 'compact') {
    this.#density = density;
    write('density', density);
    document.documentElement.dataset['density'] = density;
  }

  /** The chosen columns of lists; null: those for which there is room. */
  get columns(): readonly OptionalColumn[] | null {
    return this.#columns;
  }

  set columns(columns: readonly OptionalColumn[] | null) {
    this.#columns = columns;
    write('columns', columns ? columns.join(',') : 'auto');
  }

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

function stored(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

function read<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
  const value = stored(key);
  return allowed.find((one) => one === value) ?? fallback;
}

function columnsOf(text: string | null): readonly OptionalColumn[] | null {
  const words = text?.split(',') ?? ['auto'];
  return words.includes('auto') ? null : OPTIONAL.map(({ key }) => key).filter((key) => words.includes(key));
}

function write(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value);
  } catch {
    // The browser has no storage: the setting is lost when the page is left.
  }
}

export const settings = new Settings();
