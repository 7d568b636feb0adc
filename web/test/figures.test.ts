import { describe, expect, test } from 'vitest';
import type { Item, StatisticsBucket } from '../src/lib/api/server';
import { outcomes, runSeries } from '../src/lib/runs';
import { byFailures, stateSeries, totals } from '../src/lib/statistics';

const bucket = (counts: Record<string, number>): StatisticsBucket => ({ start: 0, counts, durations: null });
const run = (status: string | null, duration: number | null) => ({ status, duration }) as Item;

describe('statistics', () => {
  const buckets = [bucket({ FAILED: 2, FINISHED: 5 }), bucket({}), bucket({ CANCELED: 1, SUSPENDED: 1, FAILING: 1 })];

  test('names with as many failures are in the order of the alphabet', () => {
    const names = [['c', 1], ['a', 2], ['b', 1]] as const;
    expect(byFailures(names.map(([name, failed]) => ({ name, failed, runs: 3 }))).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('buckets add up', () => expect(totals(buckets)).toEqual({ all: 10, failed: 3 }));

  test('each state has a bar in each bucket; what looks alike is one bar', () => {
    expect(stateSeries(buckets).map(({ label, values }) => [label, values])).toEqual([
      ['failed', [2, 0, 1]],
      ['canceled', [0, 0, 2]],
      ['finished', [5, 0, 0]],
    ]);
  });

  test('states that are none of these are shown where there are any', () => {
    expect(stateSeries([bucket({ CREATED: 1 })]).at(-1)).toMatchObject({ label: 'other', values: [1] });
  });
});

describe('runs of a name', () => {
  const runs = [run('FINISHED', 30), run('FAILED', 5), run('FINISHED', 10), run('FINISHED', null), run(null, 7), run('FINISHED', 20)];

  test('the median is of those that finished and were measured', () => expect(outcomes(runs)).toEqual({ failed: 1, median: 20 }));
  test('without a finished run there is none', () => expect(outcomes([run('FAILED', 5)])).toEqual({ failed: 1, median: null }));

  test('every run stands in the series of its end', () => {
    expect(runSeries(runs).map(({ label, values }) => [label, values])).toEqual([
      ['finished', [30, null, 10, null, null, 20]],
      ['failed', [null, 5, null, null, null, null]],
      ['other', [null, null, null, null, 7, null]],
    ]);
  });
});
