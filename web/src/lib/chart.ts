/** Axes of charts: where their marks stand and what they say. */
import { formatInstant, formatTimeOfDay, wallClockOffset, type Zone } from './format/time';
import type { Unit } from './format/unit';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps that read well above a second, a minute, an hour and a day. */
const CLOCK = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

/** Marks of the axis of figures, from 0 to the first that is not below `max`. */
export function valueTicks(max: number, unit: Unit, most = 4): number[] {
  const step = max > 0 ? niceStep(max / most, unit) : 1;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < max) ticks.push(ticks.length * step);
  return ticks.length > 1 ? ticks : [0, step];
}

function niceStep(least: number, unit: Unit): number {
  if (unit === 'duration' && least >= SECOND) return CLOCK.find((step) => step >= least) ?? decimal(least / DAY) * DAY;
  if (unit === 'bytes') {
    const scale = 1024 ** Math.max(0, Math.floor(Math.log(least) / Math.log(1024)));
    return ([1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => step >= least / scale) ?? 1024) * scale;
  }
  // Nothing is counted by halves, and nothing measured in less than a millisecond.
  return Math.max(1, decimal(least));
}

/** The least of 1, 2, 5, 10, 20, … that is not below. */
function decimal(least: number): number {
  const scale = 10 ** Math.floor(Math.log10(least));
  return scale * ([1, 2, 5].find((step) => step * scale >= least) ?? 10);
}

export interface TimeTick {
  at: number;
  label: string;
}

/** Marks of the axis of times, at round times of the zone. */
export function timeTicks(from: number, to: number, zone: Zone, most: number): TimeTick[] {
  const span = to - from;
  if (span <= 0 || most < 1) return [];
  const step = CLOCK.find((one) => span / one <= most) ?? 364 * DAY * Math.ceil(span / (364 * DAY * most));
  // Where the wall clock shows a multiple of the step; a change of the clock within the span moves the marks behind it.
  const shift = wallClockOffset(from, zone);
  const ticks: TimeTick[] = [];
  for (let at = Math.ceil((from + shift) / step) * step - shift; at <= to; at += step) ticks.push({ at, label: timeLabel(at, step, span, zone) });
  return ticks;
}

function timeLabel(at: number, step: number, span: number, zone: Zone): string {
  if (step >= DAY) return formatInstant(at, zone).slice(span > 300 * DAY ? 0 : 5, 10);
  if (step >= MINUTE) return span > DAY ? formatInstant(at, zone).slice(5, 16) : formatTimeOfDay(at, zone, false).slice(0, 5);
  return formatTimeOfDay(at, zone, false);
}

/** The index of the time nearest to `at` in growing times; -1 where there are none. */
export function nearest(times: readonly number[], at: number): number {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low > 0 && at - (times[low - 1] ?? 0) < (times[low] ?? 0) - at ? low - 1 : high < 0 ? -1 : low;
}
