import { describe, expect, test } from 'vitest';
import type { SearchItem } from '../src/lib/api/server';
import { fieldLabel, matchHref, searchPath } from '../src/lib/search';

describe('the search over everything', () => {
  test('asks for its words, where and in which states', () => {
    expect(searchPath({ text: ' disk full ', fields: ['exception', 'name'], status: ['FAILED'] })).toBe('api/v1/search?q=disk+full&in=exception%2Cname&status=FAILED&limit=50');
    expect(searchPath({ text: 'disk', fields: [], status: [] })).toBe('api/v1/search?q=disk&limit=50');
  });

  test('asks for nothing without words', () => expect(searchPath({ text: '  ', fields: ['name'], status: [] })).toBeNull());

  test('a match in an exception is marked where it leads', () => {
    const matches: SearchItem['matches'] = [{ field: 'exception_message', key: null, excerpt: [{ text: 'no ', hit: false }, { text: 'disk', hit: true }, { text: ' for ', hit: false }, { text: 'a & b', hit: true }] }];
    expect(matchHref({ href: '#/job/completed/1/exceptions', matches })).toBe('#/job/completed/1/exceptions?search=a+%26+b');
    expect(matchHref({ href: '#/job/completed/1/overview', matches })).toBe('#/job/completed/1/overview');
    expect(matchHref({ href: '#/job/completed/1/exceptions', matches: [] })).toBe('#/job/completed/1/exceptions');
  });

  test('nothing but a page of this UI is led to', () => {
    for (const href of ['javascript:alert(1)', 'https://example.org/#/', '//example.org', '']) expect(matchHref({ href, matches: [] })).toBeNull();
  });

  test('a field that is not known is called by its own name', () => expect([fieldLabel('vertex'), fieldLabel('other')]).toEqual(['Vertex', 'other']));
});
