import { describe, expect, test } from 'vitest';
import { readViews, withView, type View } from '../src/lib/views.svelte';

const view = (name: string, query = 'status=FAILED'): View => ({ name, kind: 'jobs', query });

describe('saved views', () => {
  test('are read as they were stored', () => expect(readViews(JSON.stringify([view('a')]))).toEqual([view('a')]));

  test.each([null, '', 'not json', '{}', '[1, null, {"name": "", "kind": "jobs", "query": ""}, {"name": "a", "kind": "others", "query": ""}]'])('%s contains none', (text) =>
    expect(readViews(text)).toEqual([]),
  );

  test('a name is unique in a list', () => {
    expect(withView([view('a'), view('b')], view(' a ', 'sort=name'))).toEqual([view('b'), view('a', 'sort=name')]);
    expect(withView([view('a')], { ...view('a'), kind: 'applications' })).toHaveLength(2);
  });

  test('a view without a name is not stored', () => expect(withView([view('a')], view('  '))).toEqual([view('a')]));
  test('names have a maximum length', () => expect(withView([], view('x'.repeat(1000)))[0]?.name).toHaveLength(60));
});
