import { describe, expect, test } from 'vitest';
import type { Run, StatisticsBucket } from '../src/lib/api/server';
import { earlierRunsPath, measureOf, outcomes, runBefore, runSeries } from '../src/lib/runs';
import { byFailures, byJobs, stateSeries, totals } from '../src/lib/statistics';

const bucket = (counts: Record<string, number>): StatisticsBucket => ({ start: 0, counts, durations: null });
const run = (status: string | null, duration: number | null) => ({ status, duration }) as Run;

describe('statistics', () => {
  const buckets = [bucket({ FAILED: 2, FINISHED: 5 }), bucket({}), bucket({ CANCELED: 1, SUSPENDED: 1, FAILING: 1 })];

  test('names with the same number of failures are in alphabetical order', () => {
    const names = [['c', 1], ['a', 2], ['b', 1]] as const;
    expect(byFailures(names.map(([name, failed]) => ({ name, failed, runs: 3 }))).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  test('classes of exceptions are sorted the same way', () => {
    const classes = [['c', 1], ['a', 2], ['b', 1]] as const;
    expect(byJobs(classes.map(([name, jobs]) => ({ class: name, jobs }))).map((one) => one.class)).toEqual(['a', 'b', 'c']);
  });

  test('buckets add up', () => expect(totals(buckets)).toEqual({ all: 10, failed: 3 }));

  test('each state has a bar in each bucket, and states with the same tone share one', () => {
    expect(stateSeries(buckets).map(({ label, values }) => [label, values])).toEqual([
      ['failed', [2, 0, 1]],
      ['canceled', [0, 0, 2]],
      ['finished', [5, 0, 0]],
    ]);
  });

  test('other states are shown if there are any', () => {
    expect(stateSeries([bucket({ CREATED: 1 })]).at(-1)).toMatchObject({ label: 'other', values: [1] });
  });
});

describe('runs of a name', () => {
  const runs = [run('FINISHED', 30), run('FAILED', 5), run('FINISHED', 10), run('FINISHED', null), run(null, 7), run('FINISHED', 20)];

  test('the median is of finished runs with a duration', () => expect(outcomes(runs)).toEqual({ failed: 1, median: 20 }));
  test('without a finished run there is no median', () => expect(outcomes([run('FAILED', 5)])).toEqual({ failed: 1, median: null }));

  test('every run is in the series of its final state', () => {
    expect(runSeries(runs, measureOf('duration').of).map(({ label, values }) => [label, values])).toEqual([
      ['finished', [30, null, 10, null, null, 20]],
      ['failed', [null, 5, null, null, null, null]],
      ['other', [null, null, null, null, 7, null]],
    ]);
  });
  test('a chart shows the measure of the address, or durations', () => {
    const one = { ...run('FINISHED', 30), write_records: 7, last_checkpoint_size: 9, restarts: null } as Run;
    expect(['records_written', 'checkpoint_size', 'restarts', '', 'no such measure'].map((key) => measureOf(key).of(one))).toEqual([7, 9, null, 30, 30]);
    expect(runSeries([one], measureOf('restarts').of)).toEqual([]);
  });

  test('the previous run is the next one with another id', () => {
    const all = [{ id: 'c' }, { id: 'b' }, { id: 'b' }, { id: 'a' }];
    expect(all.map((one) => runBefore(all, one)?.id)).toEqual(['b', 'a', 'a', undefined]);
  });

  test('earlier runs have exactly this name and ended at this time or before', () => {
    expect(earlierRunsPath('a & b', 5)).toBe('api/v1/jobs?name=a+%26+b&name_match=exact&end_to=6&sort=-end&limit=20');
    expect(earlierRunsPath('a', null)).toBe('api/v1/jobs?name=a&name_match=exact&sort=-end&limit=20');
    for (const name of ['', 'a\0b', 'W'.repeat(1001)]) expect(earlierRunsPath(name, 5)).toBeNull();
    expect(earlierRunsPath('🚀'.repeat(1000), 5)).not.toBeNull();
  });
});
