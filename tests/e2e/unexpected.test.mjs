// Documents that are not as Flink writes them: whatever is changed in one, every page shows the rest and says what is wrong. No page
// stays empty or loads for ever, and no error is uncaught.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { DESKTOP, IDS, openPage } from './support.mjs';
import { browser, server, serving } from './shared.mjs';

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

/** Of how many members of a document one is changed at a time. `MUTATIONS=1000` changes each by itself, which takes long. */
const APART = Number(process.env.MUTATIONS ?? 2);

/** The document with every `APART`th of its members changed, from the one with this number on. */
function change(document, strange, from) {
  const numbers = new Map();
  const changed = (value, path) => {
    if (path !== '') {
      // Members of the same name in items of a list are one.
      if (!numbers.has(path)) numbers.set(path, numbers.size);
      if (numbers.get(path) % APART === from) return strange;
    }
    if (Array.isArray(value)) return value.map((one) => changed(one, `${path}[]`)).filter((one) => one !== undefined);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, changed(one, `${path}.${key}`)]).filter(([, one]) => one !== undefined));
  };
  return { document: changed(document, ''), members: numbers.size };
}

serving();

let open;
/** Gives what the page is to get in place of a document. */
let instead = (document) => document;
/** The most members that a document had. */
let members = 0;
const answers = new Map();

/** Goes to each address; something is shown there, and nothing is awaited. */
async function visit(addresses, where) {
  // Away from the page that was shown: it has its documents already.
  await open.turn('/server');
  for (const address of addresses) {
    await open.turn(`/${address}`);
    const text = await open.page.locator('main').innerText();
    assert.ok(text.trim().length > 40 && !text.includes('Loading'), `${where}: ${address} shows ${JSON.stringify(text.slice(0, 200))}`);
    // An id that was changed leads to what is not there.
    const faults = open.faults.splice(0).filter((fault) => !/^console: Failed to load resource: .* 404 /.test(fault));
    assert.deepEqual(faults, [], `${where}: ${address}`);
  }
}

/** Documents of jobs are many more than their members are different: these have all of them. */
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
    await open.look({ viewport: DESKTOP });
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

  test('answers of the server itself that are something else', async () => {
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

  describe('what is unexpected is told', () => {
    const notes = () => open.page.locator('.unexpected').allInnerTexts();

    test('with the document, the member and both types, beside what can be shown', async () => {
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

    test('a document of which nothing can be shown is shown as it is, and the tabs beside it work', async () => {
      instead = (document) => (document.vertices ? ['no', 'job'] : document);
      await open.turn(`/job/completed/${IDS.failing}/overview`);
      assert.match((await notes()).join(), /The document of the job is not as Flink writes it: it is a list instead of an object\. Nothing of it can be shown\./);
      await open.page.getByText('What stands in the document').click();
      await open.page.getByRole('region', { name: 'The document as JSON' }).getByText('[ "no", "job" ]').waitFor();
      // Its name and state are known from the index.
      assert.notEqual(await open.page.getByRole('heading', { level: 1 }).innerText(), '(without a name)');
      await open.turn(`/job/completed/${IDS.failing}/exceptions`);
      assert.equal(await open.page.locator('main .stack > .stack > details.entry').count(), 5);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a document that is no JSON, as it stands in the archive', async () => {
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

    test('an error within a part leaves the parts beside it, and can be tried again', async () => {
      await open.turn('/server');
      await open.page.evaluate(() => {
        window.usual = String.prototype.localeCompare;
        String.prototype.localeCompare = () => {
          throw new Error('no order today');
        };
      });
      await open.turn(`/job/completed/${IDS.failing}/cluster_configuration`);
      const failed = open.page.locator('.boundary');
      assert.match(await failed.innerText(), /^The document of the configuration cannot be shown: something unexpected was found\. Error: no order today/);
      assert.equal(await failed.getByRole('link', { name: 'JSON', exact: true }).getAttribute('href'), `jobs/${IDS.failing}/jobmanager/config`);
      await failed.getByText('What stands in the document').click();
      await failed.getByRole('region').getByText('jobmanager.rpc.address').waitFor();
      assert.equal(await open.page.getByRole('table', { name: 'Java virtual machine' }).isVisible(), true);
      await open.page.evaluate(() => (String.prototype.localeCompare = window.usual));
      await failed.getByRole('button', { name: 'Try again' }).click();
      await open.page.getByRole('table', { name: 'JobManager configuration' }).waitFor();
      assert.equal(await failed.count(), 0);
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a part that is fetched by itself and fails is one of the page', async () => {
      await open.page.route('**/assets/JobGraph-*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: "export default () => { throw new Error('no graph today'); };" }));
      await open.page.goto('about:blank');
      await open.go(`/job/completed/${IDS.batch}/overview`);
      assert.match(await open.page.locator('.boundary').innerText(), /^The graph cannot be shown: something unexpected was found\. Error: no graph today/);
      assert.equal(await open.page.getByRole('table', { name: 'Vertices of the job' }).isVisible(), true);
      await open.page.unroute('**/assets/JobGraph-*.js');
      assert.deepEqual(open.faults.splice(0), []);
    });

    test('a page whose answer of the server is not what it was made for says so, and is tried again at its next address', async () => {
      await open.page.route('**/api/v1/jobs/*', (route) => route.fulfill({ json: {} }));
      await open.turn('/server');
      await open.turn(`/job/completed/${IDS.wide}/overview`);
      assert.match(await open.page.locator('main').innerText(), /The job cannot be shown: something unexpected was found\./);
      await open.page.unroute('**/api/v1/jobs/*');
      // The same page at another address is tried again.
      await open.turn(`/job/completed/${IDS.wide}/configuration`);
      assert.equal(await open.page.getByRole('table', { name: 'Execution configuration' }).isVisible(), true);
      assert.deepEqual(open.faults.splice(0), []);
    });
  });
});
