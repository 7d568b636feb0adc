import { expect, test } from 'vitest';
import { isQueued, queuedIn, reading } from '../src/lib/queued';

test.each([
  [undefined, null],
  [{}, null],
  [{ units: 20, queued: 0 }, null],
  [{ units: 20, queued: 5 }, { read: 15, of: 20 }],
  [{ units: 20, queued: 20 }, { read: 0, of: 20 }],
  // Both numbers are of different moments.
  [{ units: 4, queued: 5 }, null],
])('the progress of reading %j', (figures, expected) => {
  expect(reading(figures)).toEqual(expected);
});

test('an answer or a row without the member is complete', () => {
  expect([queuedIn(undefined), queuedIn({}), queuedIn({ queued: 3 })]).toEqual([0, 0, 3]);
  expect([undefined, {}, { read: true }, { read: false }].map(isQueued)).toEqual([false, false, false, true]);
});
