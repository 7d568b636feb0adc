import { expect, test } from 'vitest';
import { copyKey, copyOf, copyWord, documentPath, placeOf, placeQuery } from '../src/lib/copies';

const at = (shown: boolean, cluster: string | null = 'prod, eu') => copyOf({ id: 'a1', shown, cluster, directory: 's3://b/c d' });

test('the shown copy is identified by its id alone', () => {
  expect(at(true)).toEqual({ id: 'a1', cluster: null, directory: null });
  expect(at(false)).toEqual({ id: 'a1', cluster: 'prod, eu', directory: 's3://b/c d' });
  expect(at(false, null)).toEqual({ id: 'a1', cluster: '/', directory: 's3://b/c d' });
});

test('copies have different keys, and the key of the shown one is its id', () => {
  const copy = { id: 'a1', shown: true, cluster: 'c', directory: 'file:///one' };
  expect(copyKey(copy)).toBe('a1');
  const others = [copy, { ...copy, cluster: 'd' }, { ...copy, directory: 'file:///two' }].map((other) => copyKey({ ...other, shown: false }));
  expect(new Set(['a1', ...others]).size).toBe(4);
});

test('copies have different words without commas', () => {
  const words = [at(true), at(false), at(false, null), at(false, 'prod')].map(copyWord);
  expect(words).toEqual(['a1', 'a1/prod%2C%20eu/s3%3A%2F%2Fb%2Fc%20d', 'a1/%2F/s3%3A%2F%2Fb%2Fc%20d', 'a1/prod/s3%3A%2F%2Fb%2Fc%20d']);
});

const place = { cluster: 'prod & eu', directory: null };

test('a place is read from an address as it was written', () => {
  expect(placeOf(new URLSearchParams(placeQuery(place)))).toEqual(place);
  expect(placeOf(new URLSearchParams('cluster=&search=x'))).toBeNull();
  expect(placeQuery(null)).toBe('');
});

test('documents of a copy are requested by their archived path', () => {
  expect(documentPath('jobs/a1', place)).toBe('api/v1/jobs/a1/document?path=%2Fjobs%2Fa1&cluster=prod+%26+eu');
  expect(documentPath('applications/a1/exceptions', place)).toBe('api/v1/applications/a1/document?path=%2Fapplications%2Fa1%2Fexceptions&cluster=prod+%26+eu');
  expect(new URLSearchParams(documentPath('jobs/a1/vertices/x%2Fy%3Fz/subtasks', place).split('?')[1]).get('path')).toBe('/jobs/a1/vertices/x/y?z/subtasks');
});

test('other paths, and documents of the shown copy, are requested unchanged', () => {
  for (const path of ['api/v1/jobs/a1', 'config']) expect(documentPath(path, place)).toBe(path);
  expect(documentPath('jobs/a1/vertices/x%2Fy', null)).toBe('jobs/a1/vertices/x%2Fy');
});
