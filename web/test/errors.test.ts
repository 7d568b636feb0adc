import { expect, test } from 'vitest';
import { explainError } from '../src/lib/errors';

const title = (status: number, code: string | null = null): string => explainError({ status, code }, 'This job').title;

test.each([
  [0, 'The server cannot be reached'],
  [200, 'This job cannot be read'],
  [404, 'This job was not found'],
  [410, 'This job was removed'],
  [503, 'The server cannot answer now'],
  [502, 'The server answered with 502'],
])('status %d: %s', (status, expected) => expect(title(status)).toBe(expected));

test.each([404, 500, 503])('an archive that cannot be read is reported as such with status %d', (status) => {
  expect(title(status, 'archive-unreadable')).toBe('The archive cannot be read');
});

test('a missing document of a readable archive is not a damaged archive', () => {
  expect(title(404, 'not-in-archive')).toBe('This document is not archived');
});

test('a code that this page does not know is explained by the status', () => {
  expect(title(404, 'new-code')).toBe('This job was not found');
});
