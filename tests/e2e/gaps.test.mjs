// What archives do not have: pages say what is not there and why, and look where else it may be.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertAccessible, assertFits, FIXTURES, launch, NARROW, openPage, startServer } from './support.mjs';

const VERSIONS = fileURLToPath(new URL('../fixtures/versions', import.meta.url));
const CLUSTER = '00000000000000000000000000000000';

const WITHOUT_CHECKPOINTS = '97e64afe56d154c5ef33d6bd2ea42fe0';
const TOLD_NOWHERE = 'ae221c712fd8cf5bb4584a8c9d1b7ebb';
const TOLD_BY_APPLICATION = { application: 'ef9e9c473d4909e0f1899f4f7f68b6a8', job: 'de4c9f85a5e54614eb636ef02aa5178c' };
const TOLD_BY_RESCALE = '93420ca35fb18963d74f3829a3b4411a';
const CANCELED_WAITING = '981204ffbcafec8a54f7ac5afc6b246c';
const SPECULATIVE = '0d218881982cbb2c420e5f3883a3ae0f';
const RECOVERED = 'e37435246a7e3bfbecc7bd4390253b4c';
const BEFORE_1_16 = '50c534110360020e8d08e51f58954d7e';

const ODD = '79eb47759991d2da768adf0c2edcee76';
const CUT = '231ca9eda182b5e0c291bb541c0c87c8';

const NO_EXCEPTIONS = { exceptionHistory: { entries: [], truncated: false } };

/** Copies an archive, with some of its documents changed. */
function copy(from, to, change = () => ({})) {
  const { archive } = JSON.parse(readFileSync(from, 'utf8'));
  const documents = new Map(archive.map(({ path, json }) => [path, json]));
  const changes = change((path) => JSON.parse(documents.get(path)));
  for (const [path, document] of Object.entries(changes)) documents.set(path, JSON.stringify(document));
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(to, JSON.stringify({ archive: [...documents].map(([path, json]) => ({ path, json })) }));
}

function makeArchives(directory) {
  copy(join(FIXTURES[2], WITHOUT_CHECKPOINTS), join(directory, WITHOUT_CHECKPOINTS), () => ({
    [`/jobs/${WITHOUT_CHECKPOINTS}/checkpoints`]: {},
    [`/jobs/${WITHOUT_CHECKPOINTS}/checkpoints/config`]: {},
  }));
  copy(join(FIXTURES[2], ODD), join(directory, ODD), (read) => {
    const job = read(`/jobs/${ODD}`);
    Object.assign(job.vertices[0], { status: 7, name: { text: 'Source' } });
    job.plan.nodes[0].inputs = 5;
    return { [`/jobs/${ODD}`]: job, [`/jobs/${ODD}/exceptions`]: 'none', [`/jobs/${ODD}/config`]: [] };
  });
  copy(join(VERSIONS, 'flink-2.1.3', TOLD_NOWHERE), join(directory, TOLD_NOWHERE), () => ({ [`/jobs/${TOLD_NOWHERE}/exceptions`]: NO_EXCEPTIONS }));
  const application = (id, job, changes, ofApplication) => {
    const place = join('applications', id);
    const from = join(VERSIONS, 'flink-2.3.0', CLUSTER, place);
    copy(join(from, 'application-summary'), join(directory, CLUSTER, place, 'application-summary'), ofApplication);
    copy(join(from, 'jobs', job), join(directory, CLUSTER, place, 'jobs', job), changes);
  };
  application(TOLD_BY_APPLICATION.application, TOLD_BY_APPLICATION.job, () => ({ [`/jobs/${TOLD_BY_APPLICATION.job}/exceptions`]: NO_EXCEPTIONS }));
  application(
    TOLD_BY_RESCALE,
    TOLD_BY_RESCALE,
    (read) => {
      const [last, ...others] = read(`/jobs/${TOLD_BY_RESCALE}/rescales/history`);
      const ended = { ...last, terminalState: 'FAILED', terminatedReason: 'EXCEPTION_OCCURRED' };
      const details = `/jobs/${TOLD_BY_RESCALE}/rescales/details/${last.rescaleUuid}`;
      const state = { state: 'WaitingForResources', enterTimestampInMillis: 1795804901000, leaveTimestampInMillis: 1795804902000, durationInMillis: 1000 };
      return {
        [`/jobs/${TOLD_BY_RESCALE}/exceptions`]: NO_EXCEPTIONS,
        // The one that ended last is not the first.
        [`/jobs/${TOLD_BY_RESCALE}/rescales/history`]: [...others, ended],
        [details]: { ...read(details), schedulerStates: [{ ...state, stringifiedException: 'org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Not enough resources for scheduling.\n\tat a.B.c(B.java:1)' }] },
      };
    },
    () => ({ [`/applications/${TOLD_BY_RESCALE}/exceptions`]: NO_EXCEPTIONS }),
  );
  writeFileSync(join(directory, CUT), readFileSync(join(FIXTURES[2], CUT)).subarray(0, 5000));
  for (const [version, id] of [['2.2.1', CANCELED_WAITING], ['1.16.3', SPECULATIVE], ['1.17.2', RECOVERED], ['1.13.6', BEFORE_1_16]]) cpSync(join(VERSIONS, `flink-${version}`, id), join(directory, id));
}

describe('what an archive does not have', () => {
  let directory;
  let server;
  let browser;
  let open;
  let page;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'historyserver-gaps-'));
    makeArchives(directory);
    server = await startServer({ directories: [directory] });
    browser = await launch();
    open = await openPage(browser, server);
    page = open.page;
    await open.go('/server');
  });
  after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });
  afterEach(() => assert.deepEqual(open.faults.splice(0), []));

  const main = () => page.locator('main').innerText();

  test('checkpoints that were off, as Flink 1.2 to 1.4 says it', async () => {
    for (const view of ['', '?view=history', '?view=summary', '?view=configuration']) {
      await open.turn(`/job/completed/${WITHOUT_CHECKPOINTS}/checkpoints${view}`);
      await page.getByRole('heading', { name: 'Checkpointing was off for this job' }).waitFor();
    }
    await open.turn(`/job/completed/${WITHOUT_CHECKPOINTS}/overview`);
    assert.equal(await page.getByRole('navigation', { name: 'Job' }).getByRole('link', { name: 'Checkpoints' }).count(), 0);
  });

  test('members of the types that Flink writes, in an archive as it is read and served', async () => {
    await open.turn(`/job/completed/${ODD}/overview`);
    assert.match(await main(), /The document of the job is not as Flink writes it: vertices\[0\]\.name is an object instead of a text/);
    assert.ok((await page.getByRole('table', { name: 'Vertices of the job' }).locator('tbody tr').count()) > 1);
    for (const [tab, text] of [
      ['exceptions', /The document of the exceptions is not as Flink writes it: it is a text instead of an object\./],
      ['configuration', /The document of the configuration is not as Flink writes it: it is a list instead of an object\./],
      ['timeline', /Vertices/],
      ['cluster_configuration', /JobManager configuration/],
    ]) {
      await open.turn(`/job/completed/${ODD}/${tab}`);
      assert.match(await main(), text);
    }
  });

  test('the cause of a failure, which the exceptions of the application tell', async () => {
    const { application, job } = TOLD_BY_APPLICATION;
    await open.turn(`/job/completed/${job}/overview`);
    const told = page.getByRole('region', { name: 'Root cause' });
    assert.match(await told.innerText(), /Found in the exceptions of its application: the job itself recorded no exception\./);
    assert.equal(await told.getByRole('link', { name: 'The whole exception' }).getAttribute('href'), `#/application/completed/${application}/exceptions`);
    await assertAccessible(page, 'a cause from the application');
  });

  test('the cause of a failure, which the last rescale tells', async () => {
    await open.turn(`/job/completed/${TOLD_BY_RESCALE}/overview`);
    const told = page.getByRole('region', { name: 'Root cause' });
    assert.match(await told.innerText(), /NoResourceAvailableException[^]*Not enough resources for scheduling\.[^]*Found in the state WaitingForResources of the scheduler in the last rescale/);
    await told.getByRole('link', { name: 'The whole exception' }).click();
    await page.getByRole('region', { name: 'Exception in state WaitingForResources' }).waitFor();
  });

  test('the cause of a failure, which nothing tells', async () => {
    await open.turn(`/job/completed/${TOLD_NOWHERE}/overview`);
    assert.match(await main(), /This archive does not say why the job failed: no exception was recorded\./);
    assert.match(await main(), /No vertices are archived for this job/);
  });

  test('a plan, an end, and vertices that started', async () => {
    await open.turn(`/job/completed/${CANCELED_WAITING}/overview`);
    const facts = await page.locator('header.head').innerText();
    assert.match(facts, /Duration\s+2\.75 s\s+End Time\s+2026-11-27 19:29:54\.702/);
    assert.match(await main(), /The archive holds no plan: how the vertices are connected is not known\./);
    await open.turn(`/job/completed/${CANCELED_WAITING}/timeline`);
    assert.match(await main(), /No vertex of this job ever started/);
  });

  test('a configuration of the cluster, before Flink 1.16', async () => {
    await open.turn(`/job/completed/${BEFORE_1_16}/cluster_configuration`);
    assert.match(await main(), /This archive holds no configuration of the cluster\s+Flink archives it with each job since version 1\.16\./);
    assert.equal(await page.locator('.error-panel').count(), 0);
  });

  test('what was before a recovery', async () => {
    await open.turn(`/job/completed/${RECOVERED}/overview`);
    assert.match(await main(), /This job started from checkpoint 7, which it did not take itself\./);
    await open.turn(`/job/completed/${CANCELED_WAITING}/overview`);
    assert.doesNotMatch(await main(), /which it did not take itself/);
  });

  test('attempts are counted from 1 wherever they are named, and their names are not cut', async () => {
    await open.turn(`/job/completed/${SPECULATIVE}/overview`);
    const vertices = await page.getByRole('table', { name: 'Vertices of the job' }).getByRole('link').evaluateAll((links) => links.map((link) => link.hash.slice(1).replace('/detail', '/subtasks')));
    let others = 0;
    for (const address of vertices) {
      await open.turn(address);
      const all = page.getByRole('button', { name: 'Show all attempts' });
      if ((await all.count()) === 0) continue;
      await all.click();
      await page.locator('.other-attempt').first().waitFor();
      for (const viewport of [{ width: 1280, height: 800 }, NARROW]) {
        await open.look({ viewport });
        await assertFits(page, address);
        const shown = await page.locator('.other-attempt').evaluateAll((rows) =>
          rows.map((row) => {
            const [first, attempt] = row.cells;
            const label = first.querySelector('.earlier');
            return { label: label.innerText, attempt: attempt.innerText, cut: label.getBoundingClientRect().right > first.getBoundingClientRect().right };
          }),
        );
        for (const { label, attempt, cut } of shown) {
          others += 1;
          assert.equal(cut, false, label);
          // A card has no column for it.
          assert.equal(label, `Attempt ${viewport === NARROW ? /\d+/.exec(label)[0] : attempt}`);
          assert.ok(Number(/\d+/.exec(label)[0]) >= 1, label);
        }
      }
    }
    assert.ok(others > 0, 'there are attempts to look at');
  });

  test('an archive that cannot be read, with the sentence of its problem', async () => {
    await open.turn(`/job/completed/${CUT}/overview`);
    const panel = page.locator('.error-panel');
    assert.match(await panel.innerText(), /The archive cannot be read\s+The archive of this job cannot be read: the archive is incomplete, its file ends after 5000 bytes/);
    assert.doesNotMatch(await main(), /never archived|not archived/);
    // The browser itself tells of the 404.
    open.faults.splice(0, open.faults.length, ...open.faults.filter((fault) => !/ 404 /.test(fault)));
  });

  for (const [address, hint] of [
    ['/job/completed//overview', 'The id of a job has 32 characters'],
    ['/job/completed/overview/exceptions', 'The id of a job has 32 characters'],
    ['/application/completed/overview', 'The id of an application has 32 characters'],
    ['/runs/tasks?name=x', 'Nothing here answers to #/runs/tasks'],
    ['//job', 'Nothing here answers to #//job'],
  ]) {
    test(`a page at ${address}`, async () => {
      await open.turn(address);
      assert.match(await main(), /There is no such page/);
      assert.ok((await main()).includes(hint), await main());
    });
  }
});

describe('what a list does not have', () => {
  let directory;
  let browser;
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'historyserver-gaps-'));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('because its directory does not exist, which the list and the page of the server say until it does', async () => {
    const missing = join(directory, 'completd-jobs');
    const server = await startServer({ directories: [missing], options: { 'historyserver.archive.fs.refresh-interval': '200' } });
    const open = await openPage(browser, server, { clock: false });
    try {
      await open.go('/job/completed');
      const main = open.page.locator('main');
      assert.match(await main.innerText(), /The archive directory does not exist\s+file:\/\/[^]*completd-jobs does not exist/);
      assert.doesNotMatch(await main.innerText(), /under way/);
      await open.turn('/server');
      assert.match(await open.page.getByRole('table', { name: 'Archive directories' }).innerText(), /missing/);
      assert.match(await main.innerText(), /completd-jobs does not exist/);
      copy(join(FIXTURES[2], CUT), join(missing, CUT));
      await open.turn('/job/completed');
      await open.page.getByRole('table', { name: 'Completed Jobs' }).locator('tbody tr').waitFor({ timeout: 30_000 });
      assert.deepEqual(open.faults, []);
    } finally {
      await open.close();
      await server.close();
    }
  });
});
