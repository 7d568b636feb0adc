import { describe, expect, test } from 'vitest';
import type { JobComparison } from '../src/lib/api/server';
import type { VertexDifference } from '../src/lib/api/server';
import { changeOf, changesInWords, comparedFigures, comparePath, differenceIn, differenceOf, figuresDiffer, sideOf } from '../src/lib/compare';

const ID = '2e43e6f39fc88a24eca6e4a590f093ae';
const OTHER = '231ca9eda182b5e0c291bb541c0c87c8';

describe('the two jobs that an address names', () => {
  const query = new URLSearchParams({ left: ` ${ID.toUpperCase()}`, right: OTHER, right_cluster: 'prod & eu', right_directory: 's3://bucket/a' });

  test('are in the request, each with its copy', () => {
    const path = comparePath(sideOf(query, 'left'), sideOf(query, 'right'));
    expect(path).toBe(`api/v1/jobs/compare?left=${ID}&right=${OTHER}&right_cluster=prod+%26+eu&right_directory=s3%3A%2F%2Fbucket%2Fa`);
  });

  test.each([
    ['', 'missing'],
    ['   ', 'missing'],
    ['no id', 'invalid'],
    [`${ID}0`, 'invalid'],
    [`${ID}&right=x`, 'invalid'],
  ])('%j is %s, and there is no request', (left, fault) => {
    const side = sideOf(new URLSearchParams({ left }), 'left');
    expect(side.fault).toBe(fault);
    expect(comparePath(side, sideOf(query, 'right'))).toBeNull();
  });
});

describe('a difference', () => {
  test.each([
    [60_000, 90_000, 'duration', '+30.0 s (+50 %)'],
    [2048, 1024, 'bytes', '−1.00 KB (−50 %)'],
    [3, 4, 'count', '+1 (+33.3 %)'],
    [4, 258, 'count', '+254 (×65)'],
    [0, 4, 'count', '+4'],
    [4, 0, 'count', '−4 (−100 %)'],
    [7, 7, 'count', 'same'],
    [null, 7, 'count', null],
    [7, null, 'count', null],
  ] as const)('of %s and %s as %s is %s', (left, right, unit, words) => expect(differenceOf(left, right, unit)).toBe(words));

  test('of words, and of a figure of one job only, is one word', () => {
    const words = (left: string | number | null, right: string | number | null) => differenceIn({ key: 'x', label: 'x', unit: typeof (left ?? right) === 'number' ? 'count' : null, left, right });
    expect([words('1.20', '2.3'), words('2.3', '2.3'), words(null, 'Default'), words(0, null), words(2, 3)]).toEqual(['differs', 'same', 'only right', 'only left', '+1 (+50 %)']);
  });
});

test('figures of neither job are left out, and figures of one job are shown', () => {
  const item = { duration: 5, job_type: null };
  const io = { read_bytes: 0, write_bytes: null, read_records: null, write_records: null };
  const comparison = {
    left: item,
    right: { ...item, duration: null },
    left_facts: { io, restarts: 2, checkpoints: null, root_exception: { class: 'a.B', cause_class: null } },
    right_facts: null,
  } as unknown as JobComparison;
  expect(comparedFigures(comparison).map(({ key, left, right }) => [key, left, right])).toEqual([
    ['duration', 5, null],
    ['restarts', 2, null],
    ['read_bytes', 0, null],
    ['exception', 'a.B', null],
  ]);
});

describe('the change of a vertex', () => {
  test.each([
    ['added', [], 'Added', 'plus'],
    ['removed', [], 'Removed', 'minus'],
    ['same', [], 'Same plan', 'equal'],
    ['changed', ['id', 'max_parallelism'], 'Changed: id, max parallelism', 'differs'],
  ] as const)('%s is a word and an icon', (change, differences, word, icon) => expect(changeOf({ change, differences: [...differences] })).toMatchObject({ word, icon }));

  test('has a summary', () => {
    const none = { left: null, right: null };
    const all = (['added', 'changed', 'same', 'added'] as const).map((change) => ({ change, ...none }));
    expect(changesInWords(all)).toBe('Plan: 2 added, 1 changed, 1 same. Figures: none differ.');
    expect(changesInWords([])).toBe('');
  });

  test('and the change of its figures are two things', () => {
    const figures = { name: '', parallelism: 2, max_parallelism: 128, duration: 1000, read_records: 5, read_bytes: 50, write_records: 0, write_bytes: 0, id: '0' } as NonNullable<VertexDifference['left']>;
    const slower = { change: 'same' as const, left: figures, right: { ...figures, duration: 2000 } };
    const wider = { change: 'changed' as const, left: figures, right: { ...figures, parallelism: 4 } };
    const added = { change: 'added' as const, left: null, right: figures };
    expect([slower, wider, added].map(figuresDiffer)).toEqual([true, false, false]);
    expect(changesInWords([slower, wider, added])).toBe('Plan: 1 added, 1 changed, 1 same. Figures: 1 differs.');
  });
});
