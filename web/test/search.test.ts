import { describe, expect, test } from 'vitest';
import type { SearchItem } from '../src/lib/api/server';
import { fieldLabel, matchHref, searchPath } from '../src/lib/search';

const shown = { id: '1', shown: true, cluster: 'prod', directory: 's3://b/c' };

const everything = { fields: [], status: [], cluster: '', from: null, to: null };

describe('the search over all archives', () => {
  test('requests its words, fields and states', () => {
    expect(searchPath({ ...everything, text: ' disk full ', fields: ['exception', 'name'], status: ['FAILED'] })).toBe('api/v1/search?q=disk+full&in=exception%2Cname&status=FAILED&limit=50');
    expect(searchPath({ ...everything, text: 'disk' })).toBe('api/v1/search?q=disk&limit=50');
    expect(searchPath({ ...everything, text: 'disk', cluster: 'a b', from: 5, to: 9 })).toBe('api/v1/search?q=disk&cluster=a+b&end_from=5&end_to=9&limit=50');
  });

  test('sends no request without words', () => expect(searchPath({ ...everything, text: '  ', fields: ['name'] })).toBeNull());

  test('a match in an exception is marked on its page', () => {
    const matches: SearchItem['matches'] = [{ field: 'exception_message', key: null, excerpt: [{ text: 'no ', hit: false }, { text: 'disk', hit: true }, { text: ' for ', hit: false }, { text: 'a & b', hit: true }] }];
    expect(matchHref({ ...shown, href: '#/job/completed/1/exceptions', matches })).toBe('#/job/completed/1/exceptions?search=a+%26+b');
    expect(matchHref({ ...shown, href: '#/job/completed/1/overview', matches })).toBe('#/job/completed/1/overview');
    expect(matchHref({ ...shown, href: '#/job/completed/1/exceptions', matches: [] })).toBe('#/job/completed/1/exceptions');
  });

  test('the address names a copy that Flink does not show, even if the server did not', () => {
    const matches: SearchItem['matches'] = [{ field: 'stack_trace', key: null, excerpt: [{ text: 'disk', hit: true }] }];
    const named = '#/job/completed/1/exceptions?cluster=prod&directory=s3%3A%2F%2Fb%2Fc';
    for (const href of ['#/job/completed/1/exceptions', named]) expect(matchHref({ ...shown, shown: false, href, matches })).toBe(`${named}&search=disk`);
    expect(matchHref({ ...shown, shown: false, cluster: null, href: '#/job/completed/1/overview', matches })).toBe('#/job/completed/1/overview?cluster=%2F&directory=s3%3A%2F%2Fb%2Fc');
  });

  test('other addresses than pages of this UI are dropped', () => {
    for (const href of ['javascript:alert(1)', 'https://example.org/#/', '//example.org', '']) expect(matchHref({ ...shown, href, matches: [] })).toBeNull();
  });

  test('an unknown field has its own name', () => expect([fieldLabel('vertex'), fieldLabel('other')]).toEqual(['Vertex', 'other']));
});
