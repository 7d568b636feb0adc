import { describe, expect, test } from 'vitest';
import { sortRows, windowOf, type Column } from '../src/components/table';
import { orderedCounts, tone } from '../src/lib/status';

describe('rows in the order of a column', () => {
  const columns: Column<{ n: number | null; s: string }>[] = [
    { key: 'n', label: 'n', value: (row) => row.n },
    { key: 's', label: 's', value: (row) => row.s },
    { key: 'x', label: 'x' },
  ];
  const rows = [
    { n: 2, s: 'b10' },
    { n: null, s: 'B9' },
    { n: 1, s: 'a' },
  ];
  const order = (key: string, descending: boolean) => sortRows(rows, columns, { key, descending }).map(({ n }) => n);

  test('rows without a value are last in both directions', () => {
    expect(order('n', false)).toEqual([1, 2, null]);
    expect(order('n', true)).toEqual([2, 1, null]);
  });
  test('numbers within words are sorted as numbers', () => expect(order('s', false)).toEqual([1, null, 2]));
  test('a column without a value changes nothing', () => expect(sortRows(rows, columns, { key: 'x', descending: true })).toBe(rows));
});

describe('the rendered rows', () => {
  test('are the visible ones and a few around them', () => expect(windowOf(100_000, 36, 36_000, 720)).toEqual({ start: 992, end: 1028 }));
  test('end with the list', () => expect(windowOf(10, 36, 0, 720)).toEqual({ start: 0, end: 10 }));
  test('are within a list that became shorter', () => {
    const { start, end } = windowOf(5, 36, 90_000, 720);
    expect(start).toBeLessThanOrEqual(5);
    expect(end).toBe(5);
  });
  test('are none of an empty list', () => expect(windowOf(0, 36, 0, 720)).toEqual({ start: 0, end: 0 }));
});

describe('status', () => {
  test('both spellings of a cancellation look alike', () => expect([tone('CANCELING'), tone('CANCELLING'), tone('canceled')]).toEqual(['canceled', 'canceled', 'canceled']));
  test('an unknown state is neutral', () => expect(tone('TELEPORTED')).toBe('neutral'));
  test('counts start with failures, without zeros and totals', () => {
    expect(orderedCounts({ finished: 5, total: 8, failed: 1, canceled: 2, running: 0 })).toEqual([
      { status: 'FAILED', count: 1 },
      { status: 'CANCELED', count: 2 },
      { status: 'FINISHED', count: 5 },
    ]);
  });
});
