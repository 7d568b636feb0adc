// Documents that are not as Flink writes them: every page shows the valid rest and reports the flaws. No page stays empty or loads
// forever, and no error is uncaught.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { DESKTOP, IDS, openPage } from './support.mjs';
import { browser, server, useServer } from './shared.mjs';

const OF_A_JOB = (id, vertex, checkpoint) => [
  `job/completed/${id}/overview`,
  `job/completed/${id}/overview/${vertex}/detail`,
  `job/completed/${id}/overview/${vertex}/subtasks`,
  `job/completed/${id}/overview/${vertex}/taskmanagers`,
  `job/completed/${id}/overview/${vertex}/accumulators`,
  `job/completed/${id}/exceptions`,
  `job/completed/${id}/timeline?vertex=${vertex}`,
  `job/completed/${id}/checkpoints`,
  `job/completed/${id}/checkpoints?view=history&checkpoint=${checkpoint}`,
  `job/completed/${id}/checkpoints?view=summary`,
  `job/completed/${id}/checkpoints?view=configuration`,
  `job/completed/${id}/configuration`,
  `job/completed/${id}/cluster_configuration`,
];
const RESCALES = ['', '?view=history', '?view=summary', '?view=configuration'].map((view) => `job/completed/${IDS.rescaled}/rescales${view}`);
const OF_AN_APPLICATION = ['overview', 'exceptions', 'configuration'].map((tab) => `application/completed/${IDS.mixedApplication}/${tab}`);

const STRANGE = { null: null, 'a number': -7.5, 'a text': 'strange', 'a list': [null, 'strange', 7, {}, []], 'an object': { strange: { strange: [] } }, 'true or false': true, nothing: undefined };

/** Every `APART`th member of a document is changed at a time. `MUTATIONS=1000` changes one member at a time, which takes long. */
const APART = Number(process.env.MUTATIONS ?? 2);

/** The document with every `APART`th of its members changed, from the one with this number on. */
function change(document, strange, from) {
  const numbers = new Map();
  const changed = (value, path) => {
    if (path !== '') {
      // Members with the same name in items of a list count as one.
      if (!numbers.has(path)) numbers.set(path, numbers.size);
      if (numbers.get(path) % APART === from) return strange;
    }
    if (Array.isArray(value)) return value.map((one) => changed(one, `${path}[]`)).filter((one) => one !== undefined);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, changed(one, `${path}.${key}`)]).filter(([, one]) => one !== undefined));
  };
  return { document: changed(document, ''), members: numbers.size };
}

useServer();

let open;
/** Returns the answer that replaces a document. */
let instead = (document) => document;
/** The maximum number of members of a document so far. */
let members = 0;
const answers = new Map();

/** Goes to each address and checks that the page has content and is not loading. */
async function visit(addresses, where) {
  // The previous page is left first, because it has loaded its documents already.
  await open.turn('/server');
  for (const address of addresses) {
    await open.turn(`/${address}`);
    const text = await open.page.locator('main').innerText();
    assert.ok(text.trim().length > 40 && !text.includes('Loading'), `${where}: ${address} shows ${JSON.stringify(text.slice(0, 200))}`);
    // A changed id leads to a missing document.
    const faults = open.faults.splice(0).filter((fault) => !/^console: Failed to load resource: .* 404 /.test(fault));
    assert.deepEqual(faults, [], `${where}: ${address}`);
  }
}

/** Pages of jobs whose documents have all different members. */
const JOBS = [...OF_A_JOB(IDS.failing, '20ba6b65f97481d5570070de90e4e791', 1), ...OF_A_JOB(IDS.streaming, 'x', 13).slice(7, 11), ...RESCALES];

describe('a document that is not as Flink writes it', () => {
  before(async () => {
    open = await openPage(browser, server);
    await open.page.route(
      (url) => /^\/(?:jobs|applications)\/[0-9a-f]{32}/.test(url.pathname) && !url.pathname.endsWith('log-url'),
      async (route) => {
        const url = route.request().url();
        if (!answers.has(url)) {
          const answer = await fetch(url);
          answers.set(url, answer.ok ? await answer.json() : undefined);
        }
        const document = answers.get(url);
        return document === undefined ? route.continue() : route.fulfill({ json: instead(document) });
      },
    );
    await open.display({ viewport: DESKTOP });
    await open.go('/server');
  });
  after(() => open.close());
  afterEach(() => (instead = (document) => document));

  describe('members of other types', () => {
    for (const [name, strange] of Object.entries(STRANGE)) {
      test(`every member as ${name}`, async () => {
        for (let from = 0; from < Math.max(APART, 1); from += 1) {
          if (from > 0 && from >= members) break;
          instead = (document) => {
            const made = change(document, strange, from);
            members = Math.max(members, made.members);
            return made.document;
          };
          await visit([...JOBS, ...OF_AN_APPLICATION], `member ${from} of ${APART} as ${name}`);
        }
      });
    }

    for (const name of ['null', 'a text', 'an object']) {
      const strange = STRANGE[name];
      test(`every document as ${name}`, async () => {
        instead = () => strange;
        await visit([...JOBS, ...OF_AN_APPLICATION], `documents as ${name}`);
        instead = (document) => (Array.isArray(document) || document.jid || document.status ? document : strange);
        await visit(JOBS, `documents but that of the job as ${name}`);
      });
    }
  });

  test('answers of the server itself with other types', async () => {
    const pages = ['job/completed', 'server', 'statistics', 'search?q=disk', 'runs/jobs?name=legacy+failing', `compare/jobs?left=${IDS.failing}&right=${IDS.batch}`, `job/completed/${IDS.failing}/overview`, OF_AN_APPLICATION[0]];
    for (const strange of [null, 'strange', { items: 7, next: 7, refresh: {}, problems: null, figures: 'strange', facts: [], job_items: 7, copies: {} }]) {
      await open.page.route('**/api/v1/**', (route) => route.fulfill({ json: strange }));
      for (const address of pages) {
        await open.page.goto('about:blank');
        await open.go(`/${address}`);
        const text = await open.page.locator('body').innerText();
        assert.ok(text.trim().length > 40 && !text.includes('Loading'), `${JSON.stringify(strange)} on ${address}: ${text}`);
        assert.deepEqual(open.faults.splice(0), [], `${JSON.stringify(strange)} on ${address}`);
      }
      await open.page.unroute('**/api/v1/**');
    }
    await open.page.goto('about:blank');
    await open.go('/server');
  });

  describe('unexpected data is reported', () => {
    const notes = () => open.page.locator('.unexpected').allInnerTexts();

    test('with the document, the member and both types, beside the valid rest', async () => {
      instead = (document) => {
        if (!document.vertices) return document;
        const [first, ...others] = document.vertices;
        return { ...document, vertices: [{ ...first, status: 7, name: { text: 'Source' } }, ...others], plan: { nodes: [{ ...document.plan.nodes[0], inputs: 5 }] } };
      };
      await open.turn(`/job/completed/${IDS.batch}/overview`);
      assert.match((await notes()).join(), /The document of the job is not as Flink writes it: vertices\[0\]\.name is an object instead of a text, vertices\[0\]\.status is a number instead of a text, plan\.nodes\[0\]\.inputs is a number instead of a list\./);
      assert.ok((await open.page.getByRole('table', { name: 'Vertices of the job' }).locator('tbody tr').count()) > 1);
      assert.equal(await open.page.locator('.unexpected').getByRole('link', { name: 'JSON', exact: true }).getAttribute('href'), `jobs/${IDS.batch}`);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a document without valid members is shown as JSON, and the other tabs work', async () => {
      instead = (document) => (document.vertices ? ['no', 'job'] : document);
      await open.turn(`/job/completed/${IDS.failing}/overview`);
      assert.match((await notes()).join(), /The document of the job is not as Flink writes it: it is a list instead of an object\. The page cannot show it\./);
      await open.page.getByText('Content of the document').click();
      await open.page.getByRole('region', { name: 'The document as JSON' }).getByText('[ "no", "job" ]').waitFor();
      // The index has its name and state.
      assert.notEqual(await open.page.getByRole('heading', { level: 1 }).innerText(), '(without a name)');
      await open.turn(`/job/completed/${IDS.failing}/exceptions`);
      assert.equal(await open.page.locator('main .stack > .stack > details.entry').count(), 5);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a document that is not JSON', async () => {
      const broken = (url) => url.pathname === `/jobs/${IDS.failing}` || url.pathname === `/jobs/${IDS.failing}/exceptions`;
      await open.page.route(broken, (route) => route.fulfill({ contentType: 'application/json', body: '{"jid":' }));
      await open.turn('/server');
      await open.turn(`/job/completed/${IDS.failing}/overview`);
      assert.match(await open.page.locator('main').innerText(), /The document of the job cannot be read\s+The answer of the server is not JSON\./);
      await open.page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: 'Exceptions' }).click();
      await open.page.getByText('The document of the exceptions cannot be read').waitFor();
      await open.turn(`/job/completed/${IDS.failing}/cluster_configuration`);
      assert.equal(await open.page.getByRole('table', { name: 'JobManager configuration' }).isVisible(), true);
      await open.page.unroute(broken);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('an error within a part leaves the other parts, and a retry works', async () => {
      await open.turn('/server');
      await open.page.evaluate(() => {
        window.originalCompare = String.prototype.localeCompare;
        String.prototype.localeCompare = () => {
          throw new Error('no order today');
        };
      });
      await open.turn(`/job/completed/${IDS.failing}/cluster_configuration`);
      const failed = open.page.locator('.boundary');
      assert.match(await failed.innerText(), /^The document of the configuration cannot be shown: this page failed on unexpected data\. Error: no order today/);
      assert.equal(await failed.getByRole('link', { name: 'JSON', exact: true }).getAttribute('href'), `jobs/${IDS.failing}/jobmanager/config`);
      await failed.getByText('Content of the document').click();
      await failed.getByRole('region').getByText('jobmanager.rpc.address').waitFor();
      assert.equal(await open.page.getByRole('table', { name: 'Java virtual machine' }).isVisible(), true);
      await open.page.evaluate(() => (String.prototype.localeCompare = window.originalCompare));
      await failed.getByRole('button', { name: 'Try again' }).click();
      await open.page.getByRole('table', { name: 'JobManager configuration' }).waitFor();
      assert.equal(await failed.count(), 0);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a graph whose layout cannot be loaded says so, and the table of vertices stays', async () => {
      await open.page.route('**/assets/worker-*.js', (route) => route.fulfill({ status: 404, body: '' }));
      await open.page.goto('about:blank');
      await open.go(`/job/completed/${IDS.batch}/overview`);
      await open.page.getByRole('alert').getByText('The layout of the graph failed. The table below has all vertices.').waitFor();
      assert.equal(await open.page.getByRole('table', { name: 'Vertices of the job' }).isVisible(), true);
      await open.page.unroute('**/assets/worker-*.js');
      // The browser may report the script that was not found.
      assert.deepEqual(open.faults.splice(0).filter((fault) => !fault.includes('status of 404')), []);
      await open.turn('/server');
      await open.turn(`/job/completed/${IDS.batch}/overview`);
      await open.page.locator('.node').first().waitFor();
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a page that fails on an answer of the server says so, and is rendered again at its next address', async () => {
      await open.page.route('**/api/v1/jobs/*', (route) => route.fulfill({ json: {} }));
      await open.turn('/server');
      await open.turn(`/job/completed/${IDS.wide}/overview`);
      assert.match(await open.page.locator('main').innerText(), /The job cannot be shown: this page failed on unexpected data\./);
      await open.page.unroute('**/api/v1/jobs/*');
      // The same page is rendered again at another address.
      await open.turn(`/job/completed/${IDS.wide}/configuration`);
      assert.equal(await open.page.getByRole('table', { name: 'Execution configuration' }).isVisible(), true);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a list keeps its filter if its table fails, and its table if the filter fails', async () => {
      const items = [{ id: 7, shown: true, name: 'x' }];
      await open.page.route('**/api/v1/jobs?*', (route) => route.fulfill({ json: { items, next: null, total: { count: 1, exact: true } } }));
      await open.turn('/server');
      await open.turn('/job/completed');
      assert.match(await open.page.locator('.boundary').innerText(), /^The table cannot be shown: this page failed on unexpected data\./);
      const field = open.page.getByRole('searchbox');
      await field.fill('abc');
      await open.page.waitForFunction(() => window.location.hash.includes('name=abc'));
      await open.page.unroute('**/api/v1/jobs?*');
      await field.fill('');
      await open.page.getByRole('table', { name: 'Completed Jobs' }).waitFor();
      await open.page.route('**/api/v1/jobs/facets?*', (route) => route.fulfill({ json: { status: [null] } }));
      await open.turn('/server');
      await open.turn('/job/completed?status=FAILED');
      await open.page.getByText('The filter cannot be shown').waitFor();
      assert.equal(await open.page.getByRole('table', { name: 'Completed Jobs' }).isVisible(), true);
      await open.page.unroute('**/api/v1/jobs/facets?*');
      // Svelte itself warns that it reads a value of the failed part once more.
      assert.deepEqual(open.faults.splice(0).filter((fault) => !fault.includes('derived_inert')), []);
    });

    test('the search keeps its field if its results fail', async () => {
      await open.page.route('**/api/v1/search?*', (route) => route.fulfill({ json: { items: [{ id: 7, matches: [] }], next: null, exact: true } }));
      await open.turn('/search?q=disk');
      assert.match(await open.page.locator('.boundary').innerText(), /^The results cannot be shown: this page failed on unexpected data\./);
      await open.page.unroute('**/api/v1/search?*');
      await open.page.getByRole('searchbox').fill('legacy');
      await open.page.locator('.result').first().waitFor();
      assert.deepEqual(open.faults.splice(0), []);
    });
  });
});
