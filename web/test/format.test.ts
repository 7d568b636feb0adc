import { describe, expect, test } from 'vitest';
import { exactBytes, formatBytes } from '../src/lib/format/bytes';
import { exactDuration, formatDuration, formatRelative } from '../src/lib/format/duration';
import { finite, formatCount, formatShare, isLongMax, measured } from '../src/lib/format/number';
import { exactInstant, formatInstant, formatTimeOfDay, fromInputValue, instant, toInputValue } from '../src/lib/format/time';

const LONG_MAX = JSON.parse('9223372036854775807') as number;

describe('numbers', () => {
  test('unknown, never measured and unlimited values are null', () => {
    for (const nothing of [-1, 'NaN', LONG_MAX, null, undefined, Number.NaN, Infinity, '12']) expect(measured(nothing)).toBeNull();
    expect(measured(0)).toBe(0);
    expect(measured(1.5)).toBe(1.5);
  });

  test('the largest long is recognized although JSON rounds it', () => {
    expect(isLongMax(LONG_MAX)).toBe(true);
    expect(isLongMax(Number.MAX_SAFE_INTEGER)).toBe(false);
    expect(finite('NaN')).toBeNull();
  });

  test.each([
    [0, '0'],
    [1234567, '1,234,567'],
    [0.25, '0.25'],
  ])('the count %d is %s', (value, text) => expect(formatCount(value)).toBe(text));

  test.each([
    [0, '0 %'],
    [0.7554, '75.5 %'],
    [1, '100 %'],
  ])('the share %d is %s', (value, text) => expect(formatShare(value)).toBe(text));
});

describe('bytes', () => {
  test.each([
    [0, '0 B'],
    [1, '1 B'],
    [1023, '1023 B'],
    [1024, '1.00 KB'],
    [9753, '9.52 KB'],
    [131_136, '128 KB'],
    [1_048_575, '1.00 MB'],
    [4_203_328, '4.01 MB'],
    [25_000_000, '23.8 MB'],
    [2 ** 40, '1.00 TB'],
    [2 ** 63, '8.00 EB'],
  ])('%d bytes are %s', (value, text) => expect(formatBytes(value)).toBe(text));

  test('the exact number is shown', () => {
    expect(exactBytes(1)).toBe('1 byte');
    expect(exactBytes(4_203_328)).toBe('4,203,328 bytes');
  });
});

describe('durations', () => {
  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.00 s'],
    [2783, '2.78 s'],
    [9999, '9.99 s'],
    [30_694, '30.6 s'],
    [59_999, '59.9 s'],
    [60_000, '1m 00s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h 00m'],
    [86_399_999, '23h 59m'],
    [86_400_000, '1d 00h'],
    [31 * 86_400_000, '31d 00h'],
  ])('%d ms are %s, never rounded up', (value, text) => expect(formatDuration(value)).toBe(text));

  test.each([
    [0, '0ms (0 ms)'],
    [90_694, '1m 30s 694ms (90,694 ms)'],
    [90_000_001, '1d 1h 1ms (90,000,001 ms)'],
  ])('%d ms are exactly %s', (value, text) => expect(exactDuration(value)).toBe(text));

  test.each([
    [0, 'just now'],
    [-4000, 'just now'],
    [-30_000, '30 s ago'],
    [-90_000, '1 min ago'],
    [-7_200_000, '2 h ago'],
    [-47 * 3_600_000, '47 h ago'],
    [-3 * 86_400_000, '3 days ago'],
    [-90 * 86_400_000, '3 months ago'],
    [-800 * 86_400_000, '2 years ago'],
    [45_000, 'in 45 s'],
  ])('a time %d ms from now is %s', (difference, text) => expect(formatRelative(1e12 + difference, 1e12)).toBe(text));
});

describe('times', () => {
  test('0, -1 and times beyond the calendar are null', () => {
    for (const nothing of [0, -1, LONG_MAX, null, undefined, 'NaN']) expect(instant(nothing)).toBeNull();
    expect(instant(1)).toBe(1);
  });

  test('UTC is written as in Flink, optionally with milliseconds', () => {
    expect(formatInstant(1795373823544, 'utc')).toBe('2026-11-22 18:57:03');
    expect(formatInstant(1795373823544, 'utc', true)).toBe('2026-11-22 18:57:03.544');
    expect(formatTimeOfDay(1795373823544, 'utc')).toBe('18:57:03.544');
    expect(exactInstant(1795373823544, 'utc')).toBe('2026-11-22 18:57:03.544 UTC');
  });

  test('the browser’s zone changes with the season', () => {
    const before = process.env['TZ'];
    process.env['TZ'] = 'Europe/Berlin';
    try {
      expect(formatInstant(Date.UTC(2026, 10, 22, 18, 57), 'local')).toBe('2026-11-22 19:57:00');
      expect(formatInstant(Date.UTC(2026, 6, 1, 12), 'local')).toBe('2026-07-01 14:00:00');
      expect(exactInstant(Date.UTC(2026, 6, 1, 12), 'local')).toMatch(/\(UTC\+02:00\)$/);
    } finally {
      process.env['TZ'] = before;
    }
  });

  test('a date field returns the same minute', () => {
    const minute = Date.UTC(2026, 10, 22, 18, 57);
    for (const zone of ['utc', 'local'] as const) expect(fromInputValue(toInputValue(minute, zone), zone)).toBe(minute);
    expect(fromInputValue('', 'utc')).toBeNull();
  });

  test('the end of the calendar does not throw', () => {
    expect(formatInstant(8.64e15, 'utc')).toContain('275760');
    expect(() => formatInstant(8.64e15, 'local')).not.toThrow();
  });
});
