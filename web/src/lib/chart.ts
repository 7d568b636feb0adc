/** The axes of charts: positions and labels of their ticks. */
import { formatInstant, formatTimeOfDay, wallClockOffset, type Zone } from './format/time';
import type { Unit } from './format/unit';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Round steps of seconds, minutes, hours and days. */
const CLOCK = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 28, 91, 182, 364].map((count) => count * DAY),
];

/** Ticks of a value axis: from 0 to the first one that is not below `max`. */
export function valueTicks(max: number, unit: Unit, limit = 4): number[] {
  const step = max > 0 ? niceStep(max / limit, unit) : 1;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < max) ticks.push(ticks.length * step);
  return ticks.length > 1 ? ticks : [0, step];
}

function niceStep(min: number, unit: Unit): number {
  if (unit === 'duration' && min >= SECOND) return CLOCK.find((step) => step >= min) ?? decimal(min / DAY) * DAY;
  if (unit === 'bytes') {
    const scale = 1024 ** Math.max(0, Math.floor(Math.log(min) / Math.log(1024)));
    return ([1, 2, 5, 10, 20, 50, 100, 200, 500].find((step) => step >= min / scale) ?? 1024) * scale;
  }
  // Counts are whole numbers, and times are whole milliseconds.
  return Math.max(1, decimal(min));
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below `min`. */
function decimal(min: number): number {
  const scale = 10 ** Math.floor(Math.log10(min));
  return scale * ([1, 2, 5].find((step) => step * scale >= min) ?? 10);
}

export interface TimeTick {
  at: number;
  label: string;
}

/** Ticks of a time axis, at round times of the time zone. */
export function timeTicks(from: number, to: number, zone: Zone, limit: number): TimeTick[] {
  const span = to - from;
  if (span <= 0 || limit < 1) return [];
  const step = CLOCK.find((one) => span / one <= limit) ?? 364 * DAY * Math.ceil(span / (364 * DAY * limit));
  // The wall clock shows a multiple of the step at each tick. A change to or from summer time moves the ticks after it.
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

/** The index of the time nearest to `at` in ascending times; -1 if there are no times. */
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
