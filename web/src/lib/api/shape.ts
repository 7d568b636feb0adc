/**
 * Reads untrusted JSON as the types that the pages expect. Members of another type are left out and reported as flaws, so that a page
 * shows the rest and names the flaws.
 */

/** A member that is not as Flink writes it. */
export interface Flaw {
  /** The path of the member, such as `vertices[0].status`. Empty: the document itself. */
  at: string;
  /** `a number instead of a text`, `missing`. */
  what: string;
}

/** The maximum of flaws of a document that are named. */
const MAX_NAMED = 3;

/** The state of reading one document: the current path and the flaws so far. */
export class Reading {
  readonly flaws: Flaw[] = [];
  /** The number of all flaws, including the ones that are not named. */
  count = 0;
  #path: (string | number)[] = [];

  /** Reads a member of the current value. */
  member<T>(key: string | number, value: unknown, shape: Shape<T>): T {
    this.#path.push(key);
    const read = shape(value, this);
    this.#path.pop();
    return read;
  }

  /** Reports a value of the wrong type. A null or missing value is no flaw. */
  wrong(value: unknown, wanted: string): undefined {
    if (value !== undefined && value !== null) this.flaw(`${kind(value)} instead of ${wanted}`);
  }

  flaw(what: string): void {
    this.count += 1;
    if (this.flaws.length < MAX_NAMED) this.flaws.push({ at: this.#path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key.slice(0, 80)}`)).join('').replace(/^\./, ''), what });
  }
}

function kind(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return { string: 'a text', number: 'a number', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? typeof value;
}

/** Reads a value. Shapes made with `or` and `must` always return a value. Other shapes return `undefined` for a value of another type. */
export type Shape<T> = (value: unknown, reading: Reading) => T;
export type Read<S> = S extends Shape<infer T> ? Exclude<T, undefined> : never;

type Members = Record<string, Shape<unknown>>;
type Optional<M extends Members> = { [K in keyof M]: undefined extends ReturnType<M[K]> ? K : never }[keyof M];
type ObjectOf<M extends Members> = { [K in Exclude<keyof M, Optional<M>>]: ReturnType<M[K]> } & { [K in Optional<M>]?: Exclude<ReturnType<M[K]>, undefined> };

/** A text. A number or a flag in its place is shown as text. */
export const text: Shape<string | undefined> = (value, reading) => {
  if (typeof value === 'string') return value;
  reading.wrong(value, 'a text');
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
};

/** A text, a number or a flag, as text. For values that users wrote. */
export const scalar: Shape<string | undefined> = (value, reading) =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : reading.wrong(value, 'a text');

/** A text, a number, a flag or null, unchanged. */
export const plain: Shape<string | number | boolean | null> = (value, reading) =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : (reading.wrong(value, 'a text or a number') ?? null);

export const number: Shape<number | undefined> = (value, reading) => (typeof value === 'number' && Number.isFinite(value) ? value : reading.wrong(value, 'a number'));

/** A number, or Java's word for a value that is not a finite number. */
export const figure: Shape<number | string | undefined> = (value, reading) =>
  value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? value : number(value, reading);

export const flag: Shape<boolean | undefined> = (value, reading) => (typeof value === 'boolean' ? value : reading.wrong(value, 'true or false'));

/** A list of its readable items. */
export const list =
  <T>(item: Shape<T>): Shape<Exclude<T, undefined>[] | undefined> =>
  (value, reading) =>
    Array.isArray(value)
      ? value.flatMap((one: unknown, index) => {
          const read = reading.member(index, one, item);
          return read === undefined ? [] : [read as Exclude<T, undefined>];
        })
      : reading.wrong(value, 'a list');

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with arbitrary names: its readable members. */
export const record =
  <T>(item: Shape<T>): Shape<Record<string, Exclude<T, undefined>> | undefined> =>
  (value, reading) => {
    if (!isObject(value)) return reading.wrong(value, 'an object');
    const read = Object.entries(value).map(([key, one]) => [key, reading.member(key, one, item)] as const);
    return Object.fromEntries(read.filter(([, one]) => one !== undefined)) as Record<string, Exclude<T, undefined>>;
  };

/** An object with these members. Missing members stay missing, and other members are left out. */
export function object<M extends Members>(members: M): Shape<ObjectOf<M> | undefined> {
  const known = Object.entries(members);
  return (value, reading) => {
    if (!isObject(value)) return reading.wrong(value, 'an object');
    const found: Record<string, unknown> = {};
    for (const [key, shape] of known) {
      const read = reading.member(key, value[key], shape);
      if (read !== undefined) found[key] = read;
    }
    return found as ObjectOf<M>;
  };
}

/** Adds a default value. */
export const or =
  <T, F>(shape: Shape<T>, none: F): Shape<Exclude<T, undefined> | F> =>
  (value, reading) =>
    (shape(value, reading) as Exclude<T, undefined> | undefined) ?? none;

/** Adds an empty object as the default. All members of the object must be optional. */
export const orEmpty = <T extends object>(shape: Shape<T | undefined>, ..._optional: Record<never, never> extends T ? [] : [never]): Shape<T> => (value, reading) => shape(value, reading) ?? ({} as T);

/** A member that every version of Flink writes. A missing value is a flaw. */
export const must =
  <T, F>(shape: Shape<T>, none: F): Shape<Exclude<T, undefined> | F> =>
  (value, reading) => {
    if (value === undefined || value === null) reading.flaw(value === null ? 'null' : 'missing');
    return or(shape, none)(value, reading);
  };

/** The result of reading a document. `value` is undefined if no part of it can be shown. */
export interface Document<T> {
  value: T | undefined;
  flaws: readonly Flaw[];
  flawCount: number;
  /** The error that Flink archived in place of the document, from `{"errors":["…"]}`. */
  refusal: string | null;
}

export function readDocument<T>(shape: Shape<T | undefined>, body: unknown): Document<T> {
  const errors = isObject(body) && Array.isArray(body['errors']) ? body['errors'] : null;
  if (errors) return { value: undefined, flaws: [], flawCount: 0, refusal: errors.map(String).join('\n') };
  const reading = new Reading();
  const value = shape(body, reading);
  if (value === undefined && reading.count === 0) reading.flaw(kind(body));
  return { value, flaws: reading.flaws, flawCount: reading.count, refusal: null };
}
