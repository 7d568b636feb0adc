import { describe, expect, test } from 'vitest';
import { nearest, timeTicks, valueTicks } from '../src/lib/chart';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('ticks of a value axis', () => {
  test.each([
    ['count', 7, [0, 2, 4, 6, 8]],
    ['count', 1, [0, 1]],
    ['count', 0, [0, 1]],
    ['count', 100_000, [0, 50_000, 100_000]],
    ['bytes', 3 * 1024 * 1024, [0, 1024 ** 2, 2 * 1024 ** 2, 3 * 1024 ** 2]],
    ['bytes', 3, [0, 1, 2, 3]],
    ['duration', 30_673, [0, 10_000, 20_000, 30_000, 40_000]],
    ['duration', 900, [0, 500, 1000]],
    ['duration', 5 * HOUR, [0, 2 * HOUR, 4 * HOUR, 6 * HOUR]],
    ['duration', 4000 * DAY, [0, 1000 * DAY, 2000 * DAY, 3000 * DAY, 4000 * DAY]],
  ] as const)('%s up to %d', (unit, max, expected) => expect(valueTicks(max, unit)).toEqual(expected));
});

describe('ticks of a time axis', () => {
  const from = Date.UTC(2026, 10, 22, 18, 56, 30);

  test('are at round times, with labels that distinguish them', () => {
    expect(timeTicks(from, from + 60_000, 'utc', 4)).toEqual(
      [30, 45, 60, 75, 90].map((second) => ({ at: Date.UTC(2026, 10, 22, 18, 56, second), label: `18:5${second < 60 ? 6 : 7}:${String(second % 60).padStart(2, '0')}` })),
    );
    expect(timeTicks(from, from + 3 * HOUR, 'utc', 4).map(({ label }) => label)).toEqual(['19:00', '20:00', '21:00']);
    expect(timeTicks(from, from + 2 * DAY, 'utc', 5).map(({ label }) => label)).toEqual(['11-23 00:00', '11-23 12:00', '11-24 00:00', '11-24 12:00']);
    expect(timeTicks(from, from + 4 * DAY, 'utc', 5).map(({ label }) => label)).toEqual(['11-23', '11-24', '11-25', '11-26']);
  });

  test('are few over any span', () => {
    for (let span = 1000; span < 1e13; span *= 3) expect(timeTicks(from, from + span, 'utc', 6).length).toBeLessThanOrEqual(7);
  });

  test('an empty span has no ticks', () => expect(timeTicks(from, from, 'utc', 5)).toEqual([]));
});

describe('the point nearest to a pointer', () => {
  test.each([
    [-5, 0],
    [14, 0],
    [16, 1],
    [20, 1],
    [99, 2],
  ])('%d', (at, expected) => expect(nearest([10, 20, 30], at)).toBe(expected));
  test('an empty list has none', () => expect(nearest([], 5)).toBe(-1));
});
