import { formatCount } from './number';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in milliseconds in its two largest units: `27 ms`, `2.78 s`, `30.7 s`, `5m 12s`, `3h 04m`, `2d 07h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 10) / 100).toFixed(2)} s`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ${pad(Math.floor((ms % MINUTE) / SECOND))}s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h ${pad(Math.floor((ms % HOUR) / MINUTE))}m`;
  return `${Math.floor(ms / DAY)}d ${pad(Math.floor((ms % DAY) / HOUR))}h`;
}

/** All units that are not zero, and the milliseconds: `1m 30s 694ms (90,694 ms)`. */
export function exactDuration(ms: number): string {
  const whole = Math.round(ms);
  const parts = [
    [Math.floor(whole / DAY), 'd'],
    [Math.floor((whole % DAY) / HOUR), 'h'],
    [Math.floor((whole % HOUR) / MINUTE), 'm'],
    [Math.floor((whole % MINUTE) / SECOND), 's'],
    [whole % SECOND, 'ms'],
  ] as const;
  const words = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`);
  return `${words.join(' ') || '0ms'} (${formatCount(whole)} ms)`;
}

/** The time from now: `just now`, `3 min ago`, `in a few seconds`, `in 2 h`. */
export function formatRelative(ms: number, now: number): string {
  const difference = ms - now;
  const size = Math.abs(difference);
  const [count, unit] =
    size < MINUTE
      ? ([Math.floor(size / SECOND), 's'] as const)
      : size < HOUR
        ? ([Math.floor(size / MINUTE), 'min'] as const)
        : size < 2 * DAY
          ? ([Math.floor(size / HOUR), 'h'] as const)
          : size < 60 * DAY
            ? ([Math.floor(size / DAY), 'days'] as const)
            : size < 730 * DAY
              ? ([Math.floor(size / (30 * DAY)), 'months'] as const)
              : ([Math.floor(size / (365 * DAY)), 'years'] as const);
  if (unit === 's' && count < 5) return difference <= 0 ? 'just now' : 'in a few seconds';
  return difference <= 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
