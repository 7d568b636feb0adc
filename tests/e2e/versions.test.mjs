// Every page of every job and application of twelve Flink versions has no fault and shows no raw value.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, test } from 'node:test';
import { json, openPage } from './support.mjs';
import { browser, server, useServer } from './shared.mjs';

const VERSIONS = fileURLToPath(new URL('../fixtures/versions', import.meta.url));
const directories = readdirSync(VERSIONS).map((name) => join(VERSIONS, name));

/** Text that no page shows for a readable archive: raw values, times of 1970, and errors. */
const WRONG = /\b(?:NaN|undefined|null|Infinity)\b|\b19(?:69|70)-|\[object |Loading|not as Flink writes it|cannot be shown|(?<![\w-])-\d/;

useServer(() => ({ directories }));

describe('archives of twelve Flink versions', () => {
  /** Opens each address and the addresses that `more` finds there. Several pages run at a time, because each one mostly waits. */
  async function visit(addresses, more = () => []) {
    const rest = [...addresses];
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        const open = await openPage(browser, server);
        await open.go('/server');
        for (let address = rest.shift(); address !== undefined; address = rest.shift()) {
          await open.turn(address);
          const { text, errors, links } = await open.page.evaluate(() => {
            // Archived text may contain any word.
            const words = (node) => (node.nodeType === Node.TEXT_NODE ? node.data : node.classList?.contains('foreign') ? '' : [...node.childNodes].map(words).join(' '));
            return {
              text: words(document.querySelector('main')),
              errors: document.querySelectorAll('.error-panel').length,
              links: [...document.querySelectorAll('header .tabs a, [aria-label="Vertices of the job"] tbody tr:first-child td:first-child a')].map((link) => link.hash.slice(1)),
            };
          });
          assert.ok(text.length > 40 && !WRONG.test(text), `${address}: ${WRONG.exec(text)?.[0]} in ${text}`);
          assert.equal(errors, 0, `${address}: ${text}`);
          assert.deepEqual(open.faults.splice(0), [], address);
          rest.push(...more(address, links));
        }
        await open.close();
      }),
    );
  }

  const VIEWS = ['?view=history', '?view=summary', '?view=configuration'];

  /** The tabs of a job, the views within them, and its first vertex. */
  function within(address, links) {
    if (!/^\/job\/completed\/[^/]+\/overview$/.test(address)) return [];
    return links.flatMap((link) => {
      if (link === address) return [];
      if (/\/(?:checkpoints|rescales)$/.test(link)) return [link, ...VIEWS.map((view) => link + view)];
      if (link.endsWith('/detail')) return ['detail', 'subtasks', 'taskmanagers', 'accumulators'].map((tab) => link.replace(/detail$/, tab));
      return [link];
    });
  }

  test('every page of every job', async () => {
    const { jobs } = await json(server, 'jobs/overview');
    assert.ok(jobs.length > 80, `${jobs.length} jobs`);
    await visit(jobs.map(({ jid }) => `/job/completed/${jid}/overview`), within);
  });

  test('every page of every application, and the lists of them all', async () => {
    const { applications } = await json(server, 'applications/overview');
    assert.ok(applications.length > 20, `${applications.length} applications`);
    const pages = applications.flatMap(({ id }) => ['overview', 'exceptions', 'configuration'].map((tab) => `/application/completed/${id}/${tab}`));
    await visit([...pages, '/application/completed', '/job/completed', '/statistics?period=7d', '/search?q=adaptive', '/runs/jobs?name=adaptive+canceled+while+waiting']);
  });

  test('a job that failed before it started, without an archived application, is on the home page', async () => {
    const open = await openPage(browser, server);
    await open.go('/application/completed');
    const link = open.page.getByRole('link', { name: 'fails before it starts: no such savepoint', exact: true });
    assert.match(await link.locator('..').innerText(), /^This job failed before it started, and no application of it is archived: /);
    await link.click();
    await open.page.getByRole('heading', { name: 'fails before it starts: no such savepoint' }).waitFor();
    assert.deepEqual(open.faults.splice(0), []);
    await open.close();
  });
});
