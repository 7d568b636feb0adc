import { expect, test } from 'vitest';
import { copyOf, copyWord } from '../src/lib/copies';

const at = (shown: boolean, cluster: string | null = 'prod, eu') => copyOf({ id: 'a1', shown, cluster, directory: 's3://b/c d' });

test('the copy that is shown is known by its id alone', () => {
  expect(at(true)).toEqual({ id: 'a1', cluster: null, directory: null });
  expect(at(false)).toEqual({ id: 'a1', cluster: 'prod, eu', directory: 's3://b/c d' });
});

test('copies are words that differ and hold no comma', () => {
  const words = [at(true), at(false), at(false, null), at(false, 'prod')].map(copyWord);
  expect(words).toEqual(['a1', 'a1/prod%2C%20eu/s3%3A%2F%2Fb%2Fc%20d', 'a1//s3%3A%2F%2Fb%2Fc%20d', 'a1/prod/s3%3A%2F%2Fb%2Fc%20d']);
});
