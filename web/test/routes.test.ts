import { beforeAll, describe, expect, test, vi } from 'vitest';

// The router reads the address of a window, which does not exist in this environment.
vi.stubGlobal('window', { location: { hash: '' }, addEventListener: () => undefined });
let pageOf: typeof import('../src/lib/routes').pageOf;
let parseHash: typeof import('../src/lib/router.svelte').parseHash;
let href: typeof import('../src/lib/router.svelte').href;
let compareHref: typeof import('../src/lib/routes').compareHref;
let failureHref: typeof import('../src/lib/routes').failureHref;
let vertexHref: typeof import('../src/lib/routes').vertexHref;

beforeAll(async () => {
  ({ pageOf, compareHref, failureHref, vertexHref } = await import('../src/lib/routes'));
  ({ parseHash, href } = await import('../src/lib/router.svelte'));
});

const ID = '2e43e6f39fc88a24eca6e4a590f093ae';
const page = (hash: string) => pageOf(parseHash(hash).segments);

describe('addresses of Flink’s dashboard', () => {
  test.each([
    ['#/', { name: 'home' }],
    ['', { name: 'home' }],
    ['#/overview', { name: 'home' }],
    ['#/application/completed', { name: 'applications' }],
    ['#/application/running', { name: 'applications' }],
    ['#/job/completed', { name: 'jobs' }],
    ['#/job/running', { name: 'jobs' }],
    [`#/application/completed/${ID}/overview`, { name: 'application', id: ID, tab: 'overview' }],
    [`#/application/completed/${ID}/exceptions`, { name: 'application', id: ID, tab: 'exceptions' }],
    [`#/job/completed/${ID}/overview`, { name: 'job', id: ID, tab: 'overview', vertex: null }],
    [`#/job/completed/${ID}/exceptions`, { name: 'job', tab: 'exceptions' }],
    [`#/job/completed/${ID}/timeline`, { name: 'job', tab: 'timeline' }],
    [`#/job/completed/${ID}/checkpoints`, { name: 'job', tab: 'checkpoints' }],
    [`#/job/completed/${ID}/configuration`, { name: 'job', tab: 'configuration' }],
    [`#/job/completed/${ID}/rescales`, { name: 'job', tab: 'rescales' }],
    [`#/job/completed/${ID}/cluster_configuration`, { name: 'job', tab: 'cluster_configuration' }],
    [`#/job/completed/${ID}/overview/abc/subtasks`, { name: 'job', tab: 'overview', vertex: 'abc', vertexTab: 'subtasks' }],
    [`#/job/completed/${ID}/overview/abc/taskmanagers`, { vertex: 'abc', vertexTab: 'taskmanagers' }],
    [`#/job/completed/${ID}/overview/abc/accumulators`, { vertex: 'abc', vertexTab: 'accumulators' }],
    [`#/job/running/${ID}/exceptions`, { name: 'job', id: ID, tab: 'exceptions' }],
    [`#/job/${ID}/overview`, { name: 'job', id: ID, tab: 'overview' }],
    [`#/jobs/${ID}`, { name: 'job', id: ID, tab: 'overview' }],
    [`#/job/completed/${ID.toUpperCase()}/timeline`, { name: 'job', id: ID, tab: 'timeline' }],
  ])('%s', (hash, expected) => expect(page(hash)).toMatchObject(expected));

  test.each([
    [`#/job/completed/${ID}/dataskew`, 'data skew'],
    [`#/job/completed/${ID}/overview/abc/backpressure`, 'back pressure'],
    [`#/job/completed/${ID}/overview/abc/flamegraph`, 'flame graphs'],
    [`#/job/completed/${ID}/overview/abc/metrics`, 'metrics'],
    [`#/job/completed/${ID}/overview/abc/watermarks`, 'watermarks'],
  ])('%s is never archived', (hash, words) => expect(page(hash)).toMatchObject({ name: 'job', notArchived: words }));

  test.each([
    [`#/job/completed/${ID}/nosuch`, { name: 'job', tab: 'overview', unknownTab: 'nosuch' }],
    [`#/job/completed/${ID}/overview/abc/nosuch`, { name: 'job', vertex: 'abc', vertexTab: 'detail', unknownTab: 'nosuch' }],
    [`#/application/completed/${ID}/nosuch`, { name: 'application', tab: 'overview', unknownTab: 'nosuch' }],
    [`#/job/completed/${ID}/constructor`, { tab: 'overview', notArchived: null, unknownTab: 'constructor' }],
    [`#/job/completed/${ID}/dataskew`, { unknownTab: null }],
    [`#/job/completed/${ID}`, { unknownTab: null }],
    [`#/application/completed/${ID}`, { unknownTab: null }],
  ])('%s has an unknown tab', (hash, expected) => expect(page(hash)).toMatchObject(expected));

  test.each(['#/submit', '#/task-manager', '#/job-manager/config'])('%s is of a running cluster', (hash) => expect(page(hash).name).toBe('live'));
  test.each(['#/nothing', '#/constructor', '#/%E0%A4%A'])('%s is unknown', (hash) => expect(page(hash).name).toBe('unknown'));
});

describe('addresses with empty and odd parts', () => {
  test.each([
    ['#/job/completed//overview', 'job'],
    ['#/job//overview', 'job'],
    ['#/jobs//', undefined],
    ['#/job/completed/overview', 'job'],
    ['#/job/overview', 'job'],
    ['#/job/completed/metrics', 'job'],
    [`#/job/completed/${ID}0`, 'job'],
    [`#/job/completed/${ID.slice(1)}`, 'job'],
    [`#/job/completed/%20${ID}`, 'job'],
    ['#/job/completed/..%2F..%2Fconfig', 'job'],
    ['#/job/completed/%00', 'job'],
    ['#/application/completed//exceptions', 'application'],
    ['#/application/completed/overview', 'application'],
    ['#/application//', undefined],
  ])('%s', (hash, id) => expect(page(hash)).toEqual(id ? { name: 'unknown', path: parseHash(hash).segments.join('/'), id } : { name: hash.includes('job') ? 'jobs' : 'applications' }));

  test.each(['#//', '#///', '#/?', '#', '#/overview/'])('%s is the first page', (hash) => expect(page(hash)).toEqual({ name: 'home' }));
  test.each(['#/job/completed/', '#/job/completed//', 'job/completed?name=x'])('%s is the list of jobs', (hash) => expect(page(hash)).toEqual({ name: 'jobs' }));
  test.each(['#//job/completed', '#/runs', '#/runs//', '#/runs/tasks?name=x', '#/compare', '#/compare//'])('%s is unknown', (hash) => expect(page(hash).name).toBe('unknown'));
  test.each([`#/job/completed/${ID}//`, `#/job/completed/${ID}/overview//`, `#/job/completed/${ID}/overview//subtasks`, `#/job/completed/${ID}//abc`])('%s is the job', (hash) =>
    expect(page(hash)).toMatchObject({ name: 'job', id: ID, tab: 'overview', vertex: null }),
  );
});

describe('links', () => {
  test('name a copy that Flink does not show, with the same page', () => {
    expect(vertexHref(ID, 'abc', 'subtasks')).toBe(`#/job/completed/${ID}/overview/abc/subtasks`);
    const link = vertexHref(ID, 'abc', 'subtasks', { cluster: null, directory: 's3://a/b?c' });
    expect(page(link)).toEqual(page(`#/job/completed/${ID}/overview/abc/subtasks`));
    expect(Object.fromEntries(parseHash(link).query)).toEqual({ directory: 's3://a/b?c' });
  });

  test('of a class of exceptions search for the whole class', () => {
    expect(parseHash(failureHref('java.io.IOException')).query.get('q')).toBe('"java.io.IOException"');
    expect(parseHash(failureHref('a" OR "b')).query.get('q')).toBe('"a  OR  b"');
    expect(parseHash(failureHref('a')).query.get('status')).toBe('FAILED');
  });

  test('of a comparison name each copy that Flink does not show', () => {
    const link = compareHref({ id: ID, cluster: null, directory: null }, { id: ID, cluster: 'prod, eu', directory: 's3://a/b' });
    expect(page(link)).toEqual({ name: 'compare' });
    expect(Object.fromEntries(parseHash(link).query)).toEqual({ left: ID, right: ID, right_cluster: 'prod, eu', right_directory: 's3://a/b' });
    expect(page('#/compare/applications').name).toBe('unknown');
  });

  test('are read back as they were written', () => {
    const link = href(['a b', 'x/y?z'], { name: 'ä & b=c', status: 'FAILED,CANCELED', empty: null });
    expect(link).toBe('#/a%20b/x%2Fy%3Fz?name=%C3%A4+%26+b%3Dc&status=FAILED,CANCELED');
    const { segments, query } = parseHash(link);
    expect(segments).toEqual(['a b', 'x/y?z']);
    expect(Object.fromEntries(query)).toEqual({ name: 'ä & b=c', status: 'FAILED,CANCELED' });
  });
});
