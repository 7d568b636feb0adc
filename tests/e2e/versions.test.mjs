// Every page of every job and application of twelve Flink versions: nothing that is shown is wrong by its looks, and nothing goes wrong.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { assertFits, json, launch, NARROW, openPage, startServer } from './support.mjs';

const VERSIONS = fileURLToPath(new URL('../fixtures/versions', import.meta.url));
const directories = readdirSync(VERSIONS).map((name) => join(VERSIONS, name));

/** What no page says of an archive that can be read: figures that are none, times of 1970, words of a program. */
const WRONG = /\b(?:NaN|undefined|null|Infinity)\b|\b19(?:69|70)-|\[object |Loading|not as Flink writes it|cannot be shown|(?<![\w-])-\d/;

describe('archives of twelve Flink versions', () => {
  let server;
  let browser;
  before(async () => {
    server = await startServer({ directories });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens each address, several pages at a time, since each of them mostly waits. */
  async function visit(addresses, options = {}) {
    const rest = [...addresses];
    await Promise.all(
      Array.from({ length: 2 }, async () => {
        const open = await openPage(browser, server, options);
        await open.go('/server');
        for (let address = rest.shift(); address !== undefined; address = rest.shift()) {
          await open.turn(address);
          const { text, errors, tabs } = await open.page.evaluate(() => {
            // What was archived may be any word.
            const words = (node) => (node.nodeType === Node.TEXT_NODE ? node.data : node.classList?.contains('foreign') ? '' : [...node.childNodes].map(words).join(' '));
            return {
              text: words(document.querySelector('main')),
              errors: document.querySelectorAll('.error-panel').length,
              tabs: [...document.querySelectorAll('header .tabs a')].map((link) => link.hash.slice(1)),
            };
          });
          assert.ok(text.length > 40 && !WRONG.test(text), `${address}: ${WRONG.exec(text)?.[0]} in ${text}`);
          assert.equal(errors, 0, `${address}: ${text}`);
          assert.deepEqual(open.faults.splice(0), [], address);
          // Every tab that a job has is opened too.
          if (/\/job\/completed\/[^/]+\/overview$/.test(address)) rest.push(...tabs.filter((tab) => tab !== address));
        }
        await open.close();
      }),
    );
  }

  test('every tab of every job', async () => {
    const { jobs } = await json(server, 'jobs/overview');
    assert.ok(jobs.length > 80, `${jobs.length} jobs`);
    await visit(jobs.map(({ jid }) => `/job/completed/${jid}/overview`));
  });
});
