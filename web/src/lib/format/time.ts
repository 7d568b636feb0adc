export type Zone = 'local' | 'utc';

/** A point in time in milliseconds, or null for 0 and -1, which Flink writes for "never" and "not yet". */
export function instant(value: unknown): number | null {
  // 8.64e15 ms is the end of JavaScript's calendar.
  return typeof value === 'number' && value > 0 && value <= 8.64e15 ? value : null;
}

/** `2026-11-22 18:58:37`, optionally with milliseconds. */
export function formatInstant(ms: number, zone: Zone, milliseconds = false): string {
  const date = shifted(ms, zone);
  const text = date.toISOString();
  return `${text.slice(0, text.indexOf('T'))} ${timeOfDay(text, milliseconds)}`;
}

/** `18:58:37.335`. */
export function formatTimeOfDay(ms: number, zone: Zone, milliseconds = true): string {
  return timeOfDay(shifted(ms, zone).toISOString(), milliseconds);
}

/** The absolute time to the millisecond with its zone: `2026-11-22 18:58:37.335 Europe/Berlin (UTC+01:00)`. */
export function exactInstant(ms: number, zone: Zone): string {
  return `${formatInstant(ms, zone, true)} ${zone === 'utc' ? 'UTC' : `${browserZone()} (UTC${offset(ms)})`}`;
}

let zoneName: string | undefined;

/** The name of the browser's time zone. It is read once, because reading it takes fifty times as long as formatting a time. */
export function browserZone(): string {
  zoneName ??= Intl.DateTimeFormat().resolvedOptions().timeZone || 'local time';
  return zoneName;
}

/** For `<input type="datetime-local">`. */
export function toInputValue(ms: number, zone: Zone): string {
  return shifted(ms, zone).toISOString().slice(0, 16);
}

/** The time that `<input type="datetime-local">` holds, read in the zone, or null. */
export function fromInputValue(text: string, zone: Zone): number | null {
  const ms = Date.parse(zone === 'utc' ? `${text}Z` : text);
  return Number.isNaN(ms) ? null : ms;
}

/** Milliseconds that the wall clock of the time zone is ahead of UTC at this time. */
export function wallClockOffset(ms: number, zone: Zone): number {
  return zone === 'utc' ? 0 : -new Date(ms).getTimezoneOffset() * 60_000;
}

/** A date with the wall clock of the time zone in its UTC fields: for thousands of cells, toISOString is much faster than Intl. */
function shifted(ms: number, zone: Zone): Date {
  return new Date(Math.min(ms + wallClockOffset(ms, zone), 8.64e15));
}

function timeOfDay(iso: string, milliseconds: boolean): string {
  const start = iso.indexOf('T') + 1;
  return iso.slice(start, start + (milliseconds ? 12 : 8));
}

function offset(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
