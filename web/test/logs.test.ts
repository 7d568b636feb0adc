import { beforeEach, expect, test, vi } from 'vitest';

const JOB = '0'.repeat(32);
let asked: string[];

beforeEach(() => {
  vi.resetModules();
  asked = [];
});

/** Loads the module anew, with a server that answers so. */
async function links(answer: () => Response): Promise<(taskManager: string | null) => Promise<string | null>> {
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return Promise.resolve(answer());
  });
  const { logUrl } = await import('../src/lib/logs');
  return (taskManager) => logUrl(JOB, taskManager);
}

test('the link of a task manager is requested once, however many rows show it', async () => {
  const link = await links(() => Response.json({ url: 'https://logs.example.org/x' }));
  const found = await Promise.all(['a', 'b', 'a', 'b', 'a'].map(link));
  expect(new Set(found)).toEqual(new Set(['https://logs.example.org/x']));
  expect(asked).toHaveLength(2);
});

test('without a pattern in the configuration, one request is enough for all task managers', async () => {
  const link = await links(() => Response.json({ errors: ['not configured'] }, { status: 404 }));
  expect(await Promise.all(['a', 'b', 'c'].map(link))).toEqual([null, null, null]);
  expect(await link('d')).toBe(null);
  expect(asked).toHaveLength(1);
  // The JobManager has a pattern of its own.
  expect(await link(null)).toBe(null);
  expect(asked).toHaveLength(2);
});

test('a request that failed for another reason is repeated', async () => {
  const link = await links(() => Response.json({ errors: ['busy'] }, { status: 503 }));
  expect(await link('a')).toBe(null);
  expect(await link('a')).toBe(null);
  expect(asked).toHaveLength(2);
});
