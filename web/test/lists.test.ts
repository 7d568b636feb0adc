import { describe, expect, test } from 'vitest';
import { pageAt } from '../src/lib/api/http';
import { filterFromQuery, nextSort, sortFromText, sortToText } from '../src/lib/lists/model';
import { exportPath, facetsPath, pagePath } from '../src/lib/lists/query';

const NOW = Date.UTC(2026, 10, 22, 12);
const filter = (text: string) => filterFromQuery(new URLSearchParams(text), NOW);

describe('the filter in the address', () => {
  test('is read completely', () => {
    expect(filter('name=orders&status=FAILED,CANCELED&type=BATCH&from=5&to=9&sort=-duration')).toMatchObject({
      name: 'orders',
      status: ['FAILED', 'CANCELED'],
      type: 'BATCH',
      from: 5,
      to: 9,
      sort: { key: 'duration', descending: true },
    });
  });

  test('a name matches a part of names unless the match is exact', () => {
    expect(filter('name=orders').exact).toBe(false);
    expect(filter('match=exact').exact).toBe(false);
    expect(pagePath('jobs', filter('name=+orders&match=exact'), 5)).toBe('api/v1/jobs?name=+orders&name_match=exact&sort=-end&run_facts=true&limit=5');
    expect(pagePath('jobs', filter('name=+orders'), 5)).toBe('api/v1/jobs?name=orders&sort=-end&run_facts=true&limit=5');
  });

  test('a window ends now and takes precedence over single times', () => {
    expect(filter('within=24h&from=5&to=9')).toMatchObject({ from: NOW - 86_400_000, to: null });
  });

  test('unknown values are left out', () => {
    expect(filter('from=yesterday&within=9y&sort=-nothing')).toEqual(filter(''));
  });

  test('the default order is not written', () => {
    expect(sortToText(sortFromText(null))).toBeNull();
    expect(sortToText({ key: 'name', descending: false })).toBe('name');
    expect(sortFromText(sortToText({ key: 'start', descending: true }))).toEqual({ key: 'start', descending: true });
  });

  test('a column is first sorted in its natural order, then in reverse', () => {
    const byName = nextSort({ key: 'end', descending: true }, 'name');
    expect(byName).toEqual({ key: 'name', descending: false });
    expect(nextSort(byName, 'name')).toEqual({ key: 'name', descending: true });
    expect(nextSort(byName, 'duration')).toEqual({ key: 'duration', descending: true });
  });
});

describe('requests of the query API', () => {
  test('the next page has the cursor of the one before', () => {
    expect(pageAt('api/v1/jobs?limit=5', null)).toBe('api/v1/jobs?limit=5');
    expect(pageAt('api/v1/jobs?limit=5', 'a=&b')).toBe('api/v1/jobs?limit=5&cursor=a%3D%26b');
    expect(pageAt('api/v1/tasks', 'x')).toBe('api/v1/tasks?cursor=x');
  });

  test('a page has its filter and order, without empty parameters', () => {
    expect(pagePath('applications', filter('name=orders+x&status=FAILED,CANCELED&type=BATCH'), 200)).toBe(
      'api/v1/applications?name=orders+x&status=FAILED%2CCANCELED&job_type=BATCH&sort=-end&run_facts=true&limit=200',
    );
    expect(pagePath('jobs', filter('problems=true&from=5'), 50)).toBe('api/v1/jobs?problems=true&end_from=5&sort=-end&run_facts=true&limit=50');
  });

  test('an export has the filter and the order of the list, without a page', () => {
    expect(exportPath('jobs', filter('name=x&sort=name'), 'csv')).toBe('api/v1/jobs/export?format=csv&name=x&sort=name');
  });

  test('facets are requested with the whole filter: the server leaves out the part of each facet', () => {
    expect(facetsPath('jobs', filter('name=x&status=FAILED'))).toBe('api/v1/jobs/facets?name=x&status=FAILED&by=status%2Ccluster%2Cdirectory%2Cjob_type');
  });
});
