import { expect, test } from 'vitest';
import { explainError } from '../src/lib/errors';

const title = (status: number, message = 'x'): string => explainError({ status, message }, 'This job').title;

test.each([
  [0, 'The server cannot be reached'],
  [200, 'This job cannot be read'],
  [404, 'This job was not found'],
  [410, 'This job was removed'],
  [503, 'The server cannot answer now'],
  [502, 'The server answered with 502'],
])('status %d: %s', (status, expected) => expect(title(status)).toBe(expected));

test.each([404, 500, 503])('an archive that cannot be read is reported as such with status %d', (status) => {
  expect(title(status, 'The archive of this job cannot be read: the file is empty.')).toBe('The archive cannot be read');
});

test('a missing document of a readable archive is not a damaged archive', () => {
  expect(title(404, 'The archive of this job has no such document.')).toBe('This document is not archived');
});
