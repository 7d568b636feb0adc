import { describe, expect, test } from 'vitest';
import { filterFromQuery, nextSort, sortFromText, sortToText, type Row } from '../src/lib/lists/model';
import { applicationRows, jobRows, select, statusCounts } from '../src/lib/lists/overview';
import { facetsPath, pagePath } from '../src/lib/lists/query';

const NOW = Date.UTC(2026, 10, 22, 12);
const filter = (text: string) => filterFromQuery(new URLSearchParams(text), NOW);

function row(id: string, change: Partial<Row> = {}): Row {
  return { id: id.repeat(32), name: `job ${id}`, status: 'FINISHED', start: NOW - 2000, end: NOW - 1000, duration: 1000, counts: {}, ...change };
}

describe('the filter in the address', () => {
  test('is read whole', () => {
    expect(filter('name=orders&status=FAILED,CANCELED&type=BATCH&from=5&to=9&sort=-duration')).toMatchObject({
      name: 'orders',
      status: ['FAILED', 'CANCELED'],
      type: 'BATCH',
      from: 5,
      to: 9,
      sort: { key: 'duration', descending: true },
    });
  });

  test('a window counts back from now and stands above single times', () => {
    expect(filter('within=24h&from=5&to=9')).toMatchObject({ from: NOW - 86_400_000, to: null });
  });

  test('what it does not understand it leaves out', () => {
    expect(filter('from=yesterday&within=9y&sort=-nothing')).toEqual(filter(''));
  });

  test('the order is written only where it is not the usual one', () => {
    expect(sortToText(sortFromText(null))).toBeNull();
    expect(sortToText({ key: 'name', descending: false })).toBe('name');
    expect(sortFromText(sortToText({ key: 'start', descending: true }))).toEqual({ key: 'start', descending: true });
  });

  test('a column is first sorted by its natural order, then by the other', () => {
    const byName = nextSort({ key: 'end', descending: true }, 'name');
    expect(byName).toEqual({ key: 'name', descending: false });
    expect(nextSort(byName, 'name')).toEqual({ key: 'name', descending: true });
    expect(nextSort(byName, 'duration')).toEqual({ key: 'duration', descending: true });
  });
});

describe('lists from the overviews', () => {
  test('times that never were are none', () => {
    const [application] = applicationRows([{ id: 'a', name: 'a', status: 'RUNNING', 'start-time': 5, 'end-time': -1, duration: -1 }]);
    expect(application).toMatchObject({ start: 5, end: null, duration: null, counts: {} });
    const [job] = jobRows([{ jid: 'j', name: 'j', state: 'FAILED', 'start-time': 0, 'end-time': 7, duration: 7, tasks: { failed: 1, total: 1 } }]);
    expect(job).toMatchObject({ start: null, end: 7, counts: { failed: 1, total: 1 } });
  });

  const rows = [
    row('a', { name: 'Orders 10', end: NOW - 3000 }),
    row('b', { name: 'orders 9', status: 'FAILED', end: NOW - 90_000_000 }),
    row('c', { name: 'payments', status: 'RUNNING', end: null, duration: null }),
  ];
  const ids = (text: string) => select(rows, filter(text)).map(({ id }) => id[0]);

  test('names are found by a part, whatever the case', () => expect(ids('name=ORDERS')).toEqual(['a', 'b']));
  test('an id is found by its beginning', () => expect(ids('name=bbbb')).toEqual(['b']));
  test('several states are one choice', () => expect(ids('status=FAILED,RUNNING')).toEqual(['c', 'b']));
  test('what has not ended is in no window of end times', () => expect(ids('within=24h')).toEqual(['a']));
  test('numbers in names are numbers', () => expect(ids('sort=name')).toEqual(['b', 'a', 'c']));
  test('what has not ended yet comes before what ended last', () => expect(ids('')).toEqual(['c', 'a', 'b']));

  test('states are counted under the rest of the filter', () => {
    expect(Object.fromEntries(statusCounts(rows, filter('name=orders&status=RUNNING')))).toEqual({ FINISHED: 1, FAILED: 1 });
  });
});

describe('requests of the query API', () => {
  test('a page names its filter, order and cursor, and nothing empty', () => {
    expect(pagePath('applications', filter('name=orders+x&status=FAILED,CANCELED&type=BATCH'), 200, 'abc')).toBe(
      'api/v1/applications?name=orders+x&status=FAILED%2CCANCELED&sort=-end&limit=200&cursor=abc',
    );
    expect(pagePath('jobs', filter('type=BATCH&problems=true'), 50)).toBe('api/v1/jobs?job_type=BATCH&sort=-end&limit=50');
  });

  test('facets are asked for without the status', () => {
    expect(facetsPath('jobs', filter('name=x&status=FAILED'))).toBe('api/v1/jobs/facets?name=x');
  });
});
