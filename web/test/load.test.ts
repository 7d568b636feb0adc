import { describe, expect, test } from 'vitest';
import type { Attempt } from '../src/lib/api/flink';
import { loadOf, sharesOf, skewOf } from '../src/lib/load';

const subtask = (number: number, received: number, sent = 0): Attempt => ({ subtask: number, status: 'FINISHED', attempt: 0, metrics: { 'read-records': received, 'write-records': sent } }) as Attempt;

describe('the load of a task', () => {
  test('has shares of the measured time', () => {
    expect(loadOf({ 'accumulated-busy-time': 60, 'accumulated-backpressured-time': 30, 'accumulated-idle-time': 10 })).toEqual({ busy: 0.6, backpressured: 0.3, idle: 0.1 });
  });

  test('is unknown where no time was measured', () => {
    expect(loadOf({})).toBeNull();
    expect(loadOf({ 'accumulated-busy-time': 'NaN', 'accumulated-idle-time': 0 })).toBeNull();
  });
});

describe('the skew of a vertex', () => {
  test('is that of the subtask with the most records', () => {
    expect(skewOf([subtask(0, 10), subtask(1, 10), subtask(2, 70)])).toEqual({ ratio: 70 / 30, subtask: 2 });
    expect([...sharesOf([subtask(0, 10), subtask(1, 30)])]).toEqual([[0, 0.5], [1, 1.5]]);
  });

  test('counts the sent records of a source', () => {
    expect(skewOf([subtask(0, 0, 10), subtask(1, 0, 30)])).toEqual({ ratio: 1.5, subtask: 1 });
  });

  test('is unknown of one subtask and without records', () => {
    expect(skewOf([subtask(0, 10)])).toBeNull();
    expect(skewOf([subtask(0, 0), subtask(1, 0)])).toBeNull();
    expect(skewOf([])).toBeNull();
  });
});
